// Losses of one variable and the optimizers on them, without drawing.
//
// The optimizers take torch's steps. Adam and Hill-ADAM do the operations of
// hilladam/experiments/_compiled_arithmetic.py in the same order, without Math.pow, so that their runs have the same bits
// in every browser and in Python: tests/experiments/test_compiled.py and tests/widgets/test_dynamics.py run both.

/** Value and slope at x of a polynomial in powers of x − centre, highest first, by Horner's rule; or of a formula. */
export function evaluate({ coefficients, centre, program }, x) {
  if (program) return forward(program, x);
  const u = x - centre;
  let value = coefficients[0];
  let slope = 0;
  for (let i = 1; i < coefficients.length; i++) {
    slope = slope * u + value;
    value = value * u + coefficients[i];
  }
  return [value, slope];
}

const scratch = { values: new Float64Array(1000), slopes: new Float64Array(1000) };

/**
 * Value and slope at x of a formula, both carried through its operations in their order, as in _formula.py. The slope is
 * NaN where it has none or the formula no value, which then is NaN or infinite.
 */
export function forward(program, x) {
  const { values, slopes } = scratch;
  let [value, slope] = [NaN, NaN];
  for (let k = 0; k < program.length; k++) {
    const operation = program[k]; // taken apart by hand: a formula is evaluated 10,000 times for every letter typed
    const [i, j] = [operation[1], operation[2]];
    switch (operation[0]) {
      case "x":
        value = x;
        slope = 1;
        break;
      case "number":
        value = i;
        slope = 0;
        break;
      case "pi":
        value = Math.PI;
        slope = 0;
        break;
      case "e":
        value = Math.E;
        slope = 0;
        break;
      case "+":
        value = values[i] + values[j];
        slope = slopes[i] + slopes[j];
        break;
      case "-":
        value = values[i] - values[j];
        slope = slopes[i] - slopes[j];
        break;
      case "*":
        value = values[i] * values[j];
        slope = slopes[i] * values[j] + values[i] * slopes[j];
        break;
      case "/":
        value = values[i] / values[j];
        slope = (slopes[i] - value * slopes[j]) / values[j];
        break;
      case "^":
        value = j === 0 ? 1 : values[i];
        slope = j === 0 ? 0 : slopes[i];
        if (j > 1) {
          let below = 1;
          for (let n = 1; n < j; n++) below *= values[i];
          value = below * values[i];
          slope = j * below * slopes[i];
        }
        break;
      case "minus":
        value = -values[i];
        slope = -slopes[i];
        break;
      case "sin":
        value = Math.sin(values[i]);
        slope = Math.cos(values[i]) * slopes[i];
        break;
      case "cos":
        value = Math.cos(values[i]);
        slope = -Math.sin(values[i]) * slopes[i];
        break;
      case "exp":
        value = Math.exp(values[i]);
        slope = value * slopes[i];
        break;
      case "log":
        value = Math.log(values[i]);
        slope = slopes[i] / values[i];
        break;
      case "sqrt":
        value = Math.sqrt(values[i]);
        slope = slopes[i] / (2 * value);
        break;
      case "abs":
        value = Math.abs(values[i]);
        slope = Math.sign(values[i]) * slopes[i];
        break;
    }
    values[k] = value;
    slopes[k] = slope;
  }
  return Number.isFinite(value) && Number.isFinite(slope) ? [value, slope] : [value, NaN];
}

const derivative = (coefficients) => coefficients.slice(0, -1).map((c, i) => c * (coefficients.length - 1 - i));

/** The real roots of odd multiplicity, ascending: between two roots of its derivative a polynomial has one at most. */
function realRoots(coefficients) {
  if (coefficients.length < 2) return [];
  const at = (u) => evaluate({ coefficients, centre: 0 }, u)[0];
  const bound = 1 + Math.max(...coefficients.slice(1).map((c) => Math.abs(c / coefficients[0]))); // Cauchy's
  const edges = [-bound, ...realRoots(derivative(coefficients)), bound];
  const roots = [];
  for (let i = 1; i < edges.length; i++) {
    let [low, high] = [edges[i - 1], edges[i]];
    const sign = Math.sign(at(low));
    if (sign * Math.sign(at(high)) >= 0) continue;
    for (let k = 0; k < 200 && low < high; k++) {
      const middle = (low + high) / 2;
      if (middle === low || middle === high) break;
      if (Math.sign(at(middle)) === sign) low = middle;
      else high = middle;
    }
    roots.push((low + high) / 2);
  }
  return roots;
}

/** The minima and maxima of a polynomial, from left to right: [{x, value, kind}]; a formula brings them. */
export function extrema(polynomial) {
  if (polynomial.points) return polynomial.points;
  const slope = derivative(polynomial.coefficients);
  let kind = (slope.length % 2 === 0) === slope[0] > 0 ? "minimum" : "maximum"; // of the leftmost
  const points = [];
  for (const u of realRoots(slope)) {
    const x = u + polynomial.centre;
    const point = { x, value: evaluate(polynomial, x)[0], kind };
    kind = kind === "minimum" ? "maximum" : "minimum";
    const sizes = { coefficients: polynomial.coefficients.map(Math.abs), centre: 0 };
    const rounding = 1e-14 * evaluate(sizes, Math.abs(u))[0];
    // Where a root of high order lies, rounding may put a minimum and a maximum side by side.
    if (points.length && Math.abs(points.at(-1).value - point.value) <= rounding) points.pop();
    else points.push(point);
  }
  return points;
}

/** Adam's two averages of gradients and of their squares, and the powers β₁ᵗ and β₂ᵗ as products of t factors. */
export function averages(beta1, beta2) {
  const state = { t: 0, power1: 1, power2: 1, m: 0, v: 0 };
  return (g) => {
    state.t += 1;
    state.power1 *= beta1;
    state.power2 *= beta2;
    state.m = beta1 * state.m + (1 - beta1) * g;
    state.v = beta2 * state.v + (1 - beta2) * g * g;
    return state;
  };
}

function adam({ lr, beta1, beta2, eps = 1e-8 }) {
  const average = averages(beta1, beta2);
  return (x, g) => {
    const { power1, power2, m, v } = average(g);
    const mean = m * (1 / (1 - power1));
    const square = v * (1 / (1 - power2));
    return x - (lr * mean) / (Math.sqrt(square) + eps);
  };
}

function momentum({ lr, beta1 }) {
  let b = 0;
  return (x, g) => {
    b = beta1 * b + g;
    return x - lr * b;
  };
}

function rmsprop({ lr, beta2, eps = 1e-8 }) {
  let v = 0;
  return (x, g) => {
    v = beta2 * v + (1 - beta2) * g * g;
    return x + (-lr * g) / (Math.sqrt(v) + eps);
  };
}

function nadam({ lr, beta1, beta2, eps = 1e-8 }) {
  const average = averages(beta1, beta2);
  const schedule = (t) => beta1 * (1 - 0.5 * 0.96 ** (t * 4e-3));
  let product = 1;
  return (x, g) => {
    const { t, power2, m, v } = average(g);
    const [now, next] = [schedule(t), schedule(t + 1)];
    product = Math.fround(product * Math.fround(now)); // torch keeps this one in single precision
    const denominator = Math.sqrt(v / (1 - power2)) + eps;
    const ahead = x + (((-lr * (1 - now)) / (1 - product)) * g) / denominator;
    return ahead + (((-lr * next) / (1 - product * next)) * m) / denominator;
  };
}

function radam({ lr, beta1, beta2, eps = 1e-8 }) {
  const average = averages(beta1, beta2);
  const longest = 2 / (1 - beta2) - 1;
  return (x, g) => {
    const { t, power1, power2, m, v } = average(g);
    const correction = 1 - power2;
    const step = (m / (1 - power1)) * lr;
    const length = longest - (2 * t * power2) / correction;
    if (length <= 5) return x - step;
    const rectified = Math.sqrt(((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length));
    return x - step * (Math.sqrt(correction) / (Math.sqrt(v) + eps)) * rectified;
  };
}

function coolMomentum({ lr, beta1, steps }) {
  let [t, displacement] = [0, 0];
  return (x, g) => {
    const rho = 1 - (1 - beta1) ** Math.max(1 - t++ / steps, 0);
    displacement = displacement * rho + ((-lr * (1 + rho)) / 2) * g;
    return x + displacement;
  };
}

/** name → (settings → (x, gradient) → next x). Hill-ADAM is Adam here; `run` turns it round. */
export const OPTIMIZERS = {
  "Hill-ADAM": adam,
  Adam: adam,
  momentum,
  RMSprop: rmsprop,
  NAdam: nadam,
  RAdam: radam,
  CoolMomentum: coolMomentum,
};

/** Algorithm 1, lines 8–19, as in hilladam.optim.decide: whether the next step climbs, what is remembered, and why. */
export function decide(loss, climbs, previous, delta, gamma, floor = -Infinity) {
  const critical = Math.abs(loss - previous) < delta;
  const deadEnd = Number.isFinite(loss) && loss > gamma;
  const fallen = Number.isFinite(loss) && loss < floor;
  const turned = fallen || (deadEnd ? false : climbs !== critical);
  const forget = critical || deadEnd || fallen || !Number.isFinite(loss);
  const reason = turned === climbs ? "" : fallen ? "floor" : deadEnd ? "dead_end" : "critical";
  return { climbs: turned, previous: forget ? NaN : loss, reason };
}

/**
 * One run of `settings.steps` steps from x0.
 *
 * Returns `x` and `loss` before each step and after the last one, `climbs` for each step, `switches` [{step, reason,
 * climbs}], `best`: at each index, the index of the lowest loss so far, and `end`: the index at which a formula has no
 * value or no slope, after which x and loss are NaN; null where the run goes on to its last step.
 */
export function run(polynomial, x0, name, settings) {
  const { steps, delta, gamma, floor } = settings;
  const [x, loss] = [new Float64Array(steps + 1), new Float64Array(steps + 1)];
  const [climbs, best] = [new Uint8Array(steps), new Int32Array(steps + 1)];
  const switches = [];
  let step = OPTIMIZERS[name](settings);
  let now = { climbs: false, previous: NaN, reason: "" };
  let place = x0;
  for (let t = 0; t <= steps; t++) {
    const [value, slope] = evaluate(polynomial, place);
    x[t] = place;
    loss[t] = value;
    best[t] = t === 0 || value < loss[best[t - 1]] ? t : best[t - 1];
    if (polynomial.program && Number.isNaN(slope)) {
      best.fill(t && value === -Infinity ? best[t - 1] : best[t], t);
      climbs.fill(now.climbs, t);
      x.fill(NaN, t + 1);
      loss.fill(NaN, t + 1);
      return { x, loss, climbs, switches, best, end: t };
    }
    if (t === steps) break;
    if (name === "Hill-ADAM") {
      now = decide(value, now.climbs, now.previous, delta, gamma, floor);
      if (now.reason) {
        switches.push({ step: t, reason: now.reason, climbs: now.climbs });
        step = adam(settings); // forgets its averages
      }
    }
    climbs[t] = now.climbs;
    place = step(place, now.climbs ? -slope : slope);
  }
  return { x, loss, climbs, switches, best, end: null };
}

/**
 * The step at which a run of `settings.steps` steps is first below `gate`, or −1: what `run` finds, without keeping the
 * way. As in hilladam.experiments.run_points the place after the last step does not count.
 */
export function arrival(polynomial, x0, name, settings, gate) {
  const { steps, delta, gamma, floor } = settings;
  let step = OPTIMIZERS[name](settings);
  let [x, climbs, previous] = [x0, false, NaN];
  for (let t = 0; t < steps; t++) {
    const [loss, slope] = evaluate(polynomial, x);
    if (loss < gate) return t;
    if (name === "Hill-ADAM") {
      const now = decide(loss, climbs, previous, delta, gamma, floor);
      [climbs, previous] = [now.climbs, now.previous];
      if (now.reason) step = adam(settings);
    }
    x = step(x, climbs ? -slope : slope);
  }
  return -1;
}
