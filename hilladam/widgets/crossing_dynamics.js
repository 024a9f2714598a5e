// What carries Hill-ADAM over a hill, without drawing: one climb that serves every δ, and the map from turn to turn.
//
// Polynomials, Adam and the rule are those of dynamics.js: every number has the bits of hilladam.experiments.run_points.

import { OPTIMIZERS, decide, evaluate } from "./dynamics.js";

/**
 * The climb of a hill from a bottom turn `start` steps of length λ up its side, which no δ ends.
 *
 * A hill is { coefficients, centre, bottom, top, far }: the minimum where the climb begins, the maximum, and the minimum
 * behind that. The climb goes on until a change of the loss is below `lowest`, for `longest` steps, or until it `leaves`
 * the hill for a place behind either minimum.
 *
 * Returns, by step, `x`, `loss`, `change`, |ΔL|, which is finite from step 2 on, for a turn forgets the loss, and `beyond`,
 * whether x has passed the top; and `records`, the steps whose change is smaller than all before.
 */
export function climb(hill, { start, lr, beta1, beta2 }, lowest, longest) {
  const { bottom, top, far } = hill;
  const direction = Math.sign(top - bottom);
  const step = OPTIMIZERS.Adam({ lr, beta1, beta2 });
  const [x, loss, change, beyond, records] = [[], [], [], [], []];
  let [place, least, leaves] = [bottom + direction * start * lr, Infinity, false];
  for (let t = 0; t <= longest && !leaves && least >= lowest; t++) {
    const [value, slope] = evaluate(hill, place);
    change.push(t < 2 ? Infinity : Math.abs(value - loss[t - 1]));
    x.push(place);
    loss.push(value);
    beyond.push(direction * (place - top) > 0);
    if (change[t] < least) {
      least = change[t];
      records.push(t);
    }
    leaves = direction * (place - far) > 0 || direction * (place - bottom) < 0;
    place = step(place, -slope);
  }
  return { x, loss, change, beyond, records, leaves };
}

/** The step at which δ ends a climb, the first whose change is below it: a record low. −1 where there is none. */
export const ending = ({ change, records }, delta) => records.find((t) => change[t] < delta) ?? -1;

/** The δ that end a climb on one side of the top, from the largest down: for `low` < δ ≤ `high`. */
export function stripes({ change, beyond, records }) {
  const found = [];
  records.forEach((t, i) => {
    if (i && beyond[t] === found.at(-1).beyond) found.at(-1).low = change[t];
    else found.push({ low: change[t], high: i ? change[records[i - 1]] : Infinity, beyond: beyond[t] });
  });
  return found;
}

// A landscape is { coefficients, centre, minima, maxima, goal, gate }: the places of its extrema from left to right, the
// index of its deepest minimum, and the loss of the deepest but that. A rule is { lr, beta1, beta2, delta, gamma }.

/** The valley that a place lies in, as an index into the minima. */
export const valley = ({ maxima }, x) => maxima.filter((top) => top < x).length;

/**
 * One leg of Hill-ADAM: from the place of a turn to the next one, for `budget` steps at most. A turn forgets the loss;
 * the first leg of a run remembers its own.
 *
 * Returns where the leg ends, after how many steps, whether by a turn, and the first step with a loss below `gate`.
 */
export function leg(landscape, from, climbs, rule, budget, gate = -Infinity, remembered = NaN) {
  const step = OPTIMIZERS.Adam(rule);
  let [x, previous, reached] = [from, remembered, -1];
  let slope = evaluate(landscape, x)[1];
  for (let steps = 1; steps <= budget; steps++) {
    x = step(x, climbs ? -slope : slope);
    const at = evaluate(landscape, x);
    slope = at[1];
    if (reached < 0 && at[0] < gate) reached = steps;
    const now = decide(at[0], climbs, previous, rule.delta, rule.gamma);
    if (now.reason) return { x, steps, turned: true, reason: now.reason, reached };
    previous = now.previous;
  }
  return { x, steps: budget, turned: false, reason: "", reached };
}

/**
 * A run of `steps` steps, turn by turn, until it is below `gate`, in the deepest valley, or at a bottom turn again.
 *
 * Returns `turns` [{ x, step, climbs }], the first of them the start; `arrival`, the step at which it is in the deepest
 * valley, or −1; and `period`, how many bottom turns the cycle has in which the run ends, or 0. `known` tells of bottom
 * turns in how many steps they lead to the deepest valley, or that they never do (Infinity), and learns from the run.
 */
export function travel(landscape, start, rule, steps, known = new Map()) {
  const { gate } = landscape;
  const turns = [{ x: start, step: 0, climbs: false }];
  const seen = new Map();
  const first = evaluate(landscape, start)[0];
  let remembered = decide(first, false, NaN, rule.delta, rule.gamma).previous;
  let [arrival, period, never] = [first < gate ? 0 : -1, 0, false];
  while (arrival < 0 && !period) {
    const { x, step, climbs } = turns.at(-1);
    const next = leg(landscape, x, climbs, rule, steps - 1 - step, gate, remembered);
    remembered = NaN;
    if (next.reached >= 0) arrival = step + next.reached;
    if (!next.turned) break;
    const turn = { x: next.x, step: step + next.steps, climbs: !climbs };
    turns.push(turn);
    if (arrival >= 0 || !turn.climbs) continue;
    if (seen.has(turn.x)) period = seen.size - seen.get(turn.x);
    seen.set(turn.x, seen.size);
    const ahead = known.get(turn.x);
    if (ahead === undefined) continue;
    if (turn.step + ahead < steps) arrival = turn.step + ahead;
    never = ahead === Infinity;
    break;
  }
  never ||= period > 0;
  for (const { x, step, climbs } of never || arrival >= 0 ? turns : [])
    if (climbs && (never || step < arrival)) known.set(x, never ? Infinity : arrival - step);
  return { turns, arrival, period };
}

/** From a bottom turn at x: the top turn that its climb ends with, the next bottom turn, and the valley of that. */
export function turnToTurn(landscape, x, rule, longest) {
  const up = leg(landscape, x, true, rule, longest);
  const down = leg(landscape, up.x, false, rule, longest);
  const next = up.turned && down.turned ? down.x : NaN;
  return { x, top: up.x, reason: up.reason, next, valley: valley(landscape, next) };
}

/** 0 … count − 1 so that any beginning of the list is spread over all: every 16th, then what is between them. */
export function coarseToFine(count) {
  const order = [];
  for (let stride = 16; stride >= 1; stride /= 2)
    for (let i = 0; i < count; i += stride) if (stride === 16 || (i / stride) % 2) order.push(i);
  return order;
}
