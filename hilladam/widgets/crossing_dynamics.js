// What carries Hill-ADAM over a hill, without drawing: one climb that serves every δ, and the map from turn to turn.
//
// Polynomials, Adam and the rule are those of dynamics.js: every number has the bits of hilladam.experiments.run_points.

import { OPTIMIZERS, evaluate } from "./dynamics.js";

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

/** Where each record low ends the climb: for `low` < δ ≤ `high`, at `step`. From the largest δ down. */
export const outcomes = ({ change, beyond, records }) =>
  records.map((step, i) => ({
    step,
    low: change[step],
    high: i ? change[records[i - 1]] : Infinity,
    beyond: beyond[step],
  }));
