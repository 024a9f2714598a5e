// Hill-ADAM that tunes itself, without drawing: the rule of hilladam.optim.steer, and Adam's step of one coordinate.
//
// Both are made of +, −, ×, ÷ and √ in the order of hilladam/optim/_course.py and hilladam/experiments/_compiled_rules.py,
// so that a run on a polynomial has the bits of hilladam.experiments.run_landscapes, in every browser.

import { evaluate } from "./dynamics.js";

const [FIRST_GROWTH, GROWTH] = [2, 1.1]; // of λ a step: before the first step back; after it, and uphill
const LOWER = 1e-3; // of the height of the hills: how much deeper a bottom must be to count as a new one
const ENOUGH_TO_TELL = 4; // steps of the first climb that show a height
const [ROOM, WIDER, FAR_WIDER] = [2, 2, 16]; // heights to the lid; what multiplies them in turn, and for the blind

/** What the rule remembers of a run that begins with this λ: the fields of hilladam.optim.Course, whose `scale` is λ / lr. */
export function setOut(lr) {
  return {
    ...{ scale: lr, growth: FIRST_GROWTH, probing: true, startLoss: NaN, moved: false, high: -Infinity, lowest: Infinity },
    ...{ drift: 0, spread: 0, low: Infinity, bottom: NaN, climbed: 0, rise: 0, top: NaN },
    ...{ walls: 0, walled: false, blind: false },
  };
}

/** How many heights of hills the lid lies above the lowest bottom, after so many climbs that it has ended in vain. */
export function roomAbove(walls, dimensions, blind) {
  let number = 1 + (blind ? walls : Math.floor(walls / (2 * dimensions)));
  let room = ROOM;
  for (; number % 2 === 0; number /= 2) room *= blind ? FAR_WIDER : WIDER;
  return room;
}

/**
 * Decide by a loss, the slope along the step that has led there, and its bend, what the next step is: as
 * hilladam.optim.steer, except that `course` changes in place.
 *
 * Returns whether the step `climbs`; the `reason` of a turn, "critical", "crest" or "lid", or ""; whether a descent `rose`;
 * whether the last step is to be made `again`; and the `lid` by which a climb was judged, NaN where there was none.
 */
export function steer(course, climbs, loss, slope, bend, options = {}) {
  const { delta = 1e-3, kappa = 0.5, dimensions = 1, settle = false } = options;
  const now = course;
  const again = (moved) => {
    if (moved) now.scale /= 4;
    return { climbs, reason: "", rose: false, again: true, lid: NaN };
  };
  if (!(Number.isFinite(loss) && (Number.isFinite(slope + bend) || !now.moved))) return again(now.moved);
  if (!now.moved && now.probing) now.startLoss = loss;
  else if (now.probing) {
    if (!(loss < now.startLoss) && slope !== 0) return again(true);
    now.probing = false;
  }
  now.high = Math.max(now.high, loss);
  now.lowest = Math.min(now.lowest, loss);
  let [back, still, sure, reason, lid] = [false, false, false, "", NaN];
  if (now.moved) {
    now.drift += slope;
    now.spread += bend * bend;
    const on = climbs ? now.drift >= 0 : now.drift <= 0;
    const size = now.high - now.lowest;
    still = Math.abs(slope) <= delta * size;
    sure = -now.drift >= Math.sqrt(now.spread);
    const jumped = still && !climbs && Math.abs(bend) > Math.sqrt(delta) * size;
    back = jumped || (!on && Math.abs(now.drift) > kappa * Math.sqrt(now.spread));
    still &&= !jumped;
    if (on || back) now.drift = now.spread = 0;
  }
  if (climbs) {
    now.climbed += 1;
    now.scale *= GROWTH;
    const untold = Number.isNaN(now.top);
    if (untold && now.climbed === ENOUGH_TO_TELL && loss - now.bottom > now.rise) {
      now.rise = loss - now.bottom;
      now.blind = true;
    }
    if (!(untold && now.climbed < ENOUGH_TO_TELL)) lid = now.low + roomAbove(now.walls, dimensions, now.blind) * now.rise;
    reason = loss > lid ? "lid" : back ? "crest" : still ? "critical" : "";
    if (reason) {
      now.top = now.high;
      now.walled = reason === "lid";
      now.walls += Number(now.walled);
      now.blind &&= reason !== "crest";
    }
  } else {
    if (back) {
      now.scale /= 2;
      now.growth = GROWTH;
    } else if (sure) now.scale *= now.growth;
    reason = still && !settle ? "critical" : "";
    if (reason) {
      if (now.low === Infinity) now.rise = now.startLoss - loss;
      else if (!now.walled) now.rise = Math.max(now.rise, now.top - Math.min(loss, now.low));
      if (loss < now.low - LOWER * now.rise) now.walls = 0;
      now.low = Math.min(now.low, loss);
      now.bottom = loss;
      now.climbed = 0;
      now.walled = false;
    }
  }
  if (reason) {
    now.high = now.lowest = loss;
    now.drift = now.spread = 0;
  }
  now.moved = true;
  return { climbs: climbs !== Boolean(reason), reason, rose: back && !climbs, again: false, lid };
}

/** A coordinate at x: its place and slope before the last step, and what Adam remembers of it. */
export const coordinate = (x) => ({ x, place: x, gradient: 0, m: 0, v: 0, power1: 1, power2: 1 });

/** What a coordinate adds to the slope along the step that has led to it, and to its bend, given the gradient there. */
export function along({ x, place, gradient }, g) {
  return [((gradient + g) * (x - place)) / 2, ((g - gradient) * (x - place)) / 2];
}

/** Whether no step can move a coordinate, for its gradients were zeros. */
export const rests = ({ v }) => v === 0;

/** Adam's step of length λ of a coordinate with this gradient, after what `steer` has said. */
export function advance(state, g, { climbs, reason, rose, again }, length, { beta1, beta2 }) {
  if (reason || again) {
    state.m = state.v = 0;
    state.power1 = state.power2 = 1;
  } else if (rose) state.m = 0;
  if (again) state.x = state.place;
  else {
    state.place = state.x;
    state.gradient = g;
  }
  const slope = state.gradient;
  state.power1 *= beta1;
  state.power2 *= beta2;
  state.m = beta1 * state.m + (1 - beta1) * slope;
  state.v = beta2 * state.v + (1 - beta2) * slope * slope;
  const root = Math.sqrt(state.v / (1 - state.power2));
  if (!(root > 0)) return;
  const step = (length * (state.m / (1 - state.power1))) / root;
  state.x += climbs ? step : -step;
}

/** A walk in one variable that begins at x with λ = lr: each call judges the place, says so, and makes the next step. */
function walk(x, { lr, beta1, beta2 }) {
  const [course, state] = [setOut(lr), coordinate(x)];
  let climbs = false;
  const step = (loss, g) => {
    const [slope, bend] = along(state, g);
    const before = course.scale;
    const verdict = steer(course, climbs, loss, slope, bend);
    if (slope === 0 && bend === 0 && !verdict.again && rests(state)) course.scale = before;
    climbs = verdict.climbs;
    advance(state, g, verdict, course.scale, { beta1, beta2 });
    return verdict;
  };
  return { course, state, step };
}

/** 2 to a whole power, exactly: browsers may round Math.pow. */
export function twoTo(k) {
  let value = 1;
  for (let i = 0; i < Math.abs(k); i++) value *= k < 0 ? 0.5 : 2;
  return value;
}

/** A landscape of _course_explorer.py with its loss multiplied by 2 to `height`, and its variable by 2 to `width`. */
export function scaled(landscape, height, width) {
  const last = landscape.coefficients.length - 1;
  const [across, up] = [(x) => x * twoTo(width), (value) => value * twoTo(height)];
  return {
    ...landscape,
    coefficients: landscape.coefficients.map((c, i) => c * twoTo(height - width * (last - i))),
    minima: landscape.minima.map(across),
    ...Object.fromEntries(["centre", "left", "right", "from", "to"].map((name) => [name, across(landscape[name])])),
    ...Object.fromEntries(["gate", "low", "bottom", "top"].map((name) => [name, up(landscape[name])])),
  };
}

/**
 * One run of `settings.steps` steps from x0 with λ = `settings.lr` at first and the rule's own δ and κ.
 *
 * Returns what `run` of dynamics.js does, and for each step its `length`, λ, the `lid` by which its loss was judged, or
 * NaN, and how many `heights` of hills that lies above the lowest bottom.
 * A step to where a formula has no value or no slope is taken back.
 */
export function runCourse(polynomial, x0, settings) {
  const { steps } = settings;
  const [x, loss] = [new Float64Array(steps + 1), new Float64Array(steps + 1)];
  const [length, lid, heights] = Array.from({ length: 3 }, () => new Float64Array(steps));
  const [climbs, best] = [new Uint8Array(steps), new Int32Array(steps + 1)];
  const switches = [];
  const { course, state, step } = walk(x0, settings);
  for (let t = 0; t <= steps; t++) {
    const [value, slope] = evaluate(polynomial, state.x);
    x[t] = state.x;
    loss[t] = value;
    best[t] = t === 0 || value < loss[best[t - 1]] ? t : best[t - 1];
    if (t === steps) break;
    const verdict = step(value, slope);
    if (verdict.reason) switches.push({ step: t, reason: verdict.reason, climbs: verdict.climbs });
    climbs[t] = verdict.climbs;
    length[t] = course.scale;
    lid[t] = verdict.lid;
    heights[t] = Math.round((verdict.lid - course.low) / course.rise);
  }
  return { x, loss, climbs, switches, best, end: null, length, lid, heights };
}

/** The step at which such a run is first below `gate`, or −1: see `arrival` of dynamics.js. */
export function arrivalOnCourse(polynomial, x0, settings, gate) {
  const { state, step } = walk(x0, settings);
  for (let t = 0; t < settings.steps; t++) {
    const [loss, slope] = evaluate(polynomial, state.x);
    if (loss < gate) return t;
    step(loss, slope);
  }
  return -1;
}
