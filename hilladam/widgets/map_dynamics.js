// Balls on losses of two variables, without drawing: what torch's optimizers do there in float64.
//
// Most optimizers work on each coordinate by itself, so their rules are those of one variable. Only Hill-ADAM's direction
// is decided for both, by the loss. Two decide all for both, and take λ from the run. On the polynomials a run of Adam or
// of one that turns is made of +, −, ×, ÷ and √ in a fixed order: it has the same bits in every browser, and those of
// hilladam/experiments/_compiled_arithmetic.py.

import { advance, along, coordinate, rests, setOut, steer } from "./course_dynamics.js";
import { OPTIMIZERS, averages, decide } from "./dynamics.js";
import { dice } from "./heat_dynamics.js";
import { OverTheHill } from "./trek_dynamics.js";

const BROWN = [
  [-200, -1, 0, -10, 1, 0],
  [-100, -1, 0, -10, 0, 0.5],
  [-170, -6.5, 11, -6.5, -0.5, 1.5],
  [15, 0.7, 0.6, 0.7, -1, 1],
];
const TURN = 2 * Math.PI;

/** key → (x, y) → [loss, slope along x, slope along y]: hilladam.losses.SURFACES. */
export const SURFACES = {
  camel(x, y) {
    const [xx, yy] = [x * x, y * y];
    const value = (4 - 2.1 * xx + (xx * xx) / 3) * xx + x * y + (4 * yy - 4) * yy;
    return [value, ((2 * xx - 8.4) * xx + 8) * x + y, x + (16 * yy - 8) * y];
  },
  himmelblau(x, y) {
    const [a, b] = [x * x + y - 11, x + y * y - 7];
    return [a * a + b * b, 4 * x * a + 2 * b, 2 * a + 4 * y * b];
  },
  rastrigin(x, y) {
    const value = 20 + x * x + y * y - 10 * (Math.cos(TURN * x) + Math.cos(TURN * y));
    return [value, 2 * x + 10 * TURN * Math.sin(TURN * x), 2 * y + 10 * TURN * Math.sin(TURN * y)];
  },
  mueller_brown(x, y) {
    let [value, alongX, alongY] = [0, 0, 0];
    for (const [height, a, b, c, x0, y0] of BROWN) {
      const [u, v] = [x - x0, y - y0];
      const part = height * Math.exp(a * u * u + b * u * v + c * v * v);
      value += part;
      alongX += part * (2 * a * u + b * v);
      alongY += part * (b * u + 2 * c * v);
    }
    return [value, alongX, alongY];
  },
};

function gradientDescent({ lr }) {
  return (x, g) => x - lr * g;
}

function nesterov({ lr, beta1 }) {
  let b = 0;
  return (x, g) => {
    b = beta1 * b + g;
    return x - lr * (g + beta1 * b);
  };
}

function amsgrad({ lr, beta1, beta2, eps = 1e-8 }) {
  const average = averages(beta1, beta2);
  let highest = 0;
  return (x, g) => {
    const { power1, power2, m, v } = average(g);
    highest = Math.max(highest, v);
    return x - (lr * m * (1 / (1 - power1))) / (Math.sqrt(highest * (1 / (1 - power2))) + eps);
  };
}

/** The average that Adam and its relatives keep, corrected for its start at zero. */
function average({ beta1, beta2 }) {
  const next = averages(beta1, beta2);
  return (g) => {
    const { power1, m } = next(g);
    return m / (1 - power1);
  };
}

function sum({ beta1 }, ahead) {
  let b = 0;
  return (g) => {
    b = beta1 * b + g;
    return ahead ? g + beta1 * b : b;
  };
}

function averageAhead({ beta1, beta2 }) {
  const average = averages(beta1, beta2);
  let product = 1;
  const schedule = (at) => beta1 * (1 - 0.5 * 0.96 ** (at * 4e-3));
  return (g) => {
    const { t, m } = average(g);
    const [now, next] = [schedule(t), schedule(t + 1)];
    product *= now;
    return ((1 - now) * g) / (1 - product) + (next * m) / (1 - product * next);
  };
}

function coolSum({ beta1, steps }) {
  let [t, b] = [0, 0];
  return (g) => {
    const rho = 1 - (1 - beta1) ** Math.max(1 - t++ / steps, 0);
    b = rho * b + ((1 + rho) / 2) * g;
    return b;
  };
}

const steepest = () => (g) => g;

/**
 * What is known of an optimizer, by its name: [settings → (x, gradient) → next x, of one coordinate; settings → gradient →
 * what stands in the place of the gradient in that step, the numerator of the rule]. Hill-ADAM is Adam here; a `Flock`
 * turns it round.
 */
const KNOWN = {
  "Hill-ADAM": [OPTIMIZERS["Hill-ADAM"], average],
  Adam: [OPTIMIZERS.Adam, average],
  SGD: [gradientDescent, steepest],
  momentum: [OPTIMIZERS.momentum, sum],
  Nesterov: [nesterov, (settings) => sum(settings, true)],
  RMSprop: [OPTIMIZERS.RMSprop, steepest],
  AMSGrad: [amsgrad, average],
  NAdam: [OPTIMIZERS.NAdam, averageAhead],
  RAdam: [OPTIMIZERS.RAdam, average],
  CoolMomentum: [OPTIMIZERS.CoolMomentum, coolSum],
};

const BOTH = { dimensions: 2 };

/** A run of hilladam.AdaptiveHillAdam from a place [x, y]; it is used and says what it did as an `OverTheHill` does. */
class SelfTuning {
  constructor([x, y], settings) {
    Object.assign(this, { settings, course: setOut(settings.lr), both: [coordinate(x), coordinate(y)], climbs: false });
  }

  step(loss, gradient) {
    const { course, settings } = this;
    const [first, second] = this.both;
    const [[slope1, bend1], [slope2, bend2]] = [along(first, gradient[0]), along(second, gradient[1])];
    const [slope, bend, before] = [slope1 + slope2, bend1 + bend2, course.scale];
    const verdict = steer(course, this.climbs, loss, slope, bend, BOTH);
    if (slope === 0 && bend === 0 && !verdict.again && this.both.every(rests)) course.scale = before;
    this.from = verdict.again ? [first.place, second.place] : null;
    advance(first, gradient[0], verdict, course.scale, settings);
    advance(second, gradient[1], verdict, course.scale, settings);
    this.momentum = [first.m / (1 - first.power1), second.m / (1 - second.power1)];
    this.climbs = verdict.climbs;
    this.reason = verdict.reason;
    return [first.x, second.x];
  }
}

/** Those that decide for both coordinates and take λ from the run, by name: (place, settings) → a run. */
const RUNS = {
  "self-tuning Hill-ADAM": (place, settings) => new SelfTuning(place, settings),
  "over the hill": (place, settings) => new OverTheHill(place, settings, settings.frames),
};

export const NAMES = [...Object.keys(KNOWN), ...Object.keys(RUNS)];

/** Whether an optimizer takes λ from the run, and decides for both coordinates. */
export const tunesItself = (name) => name in RUNS;

/** The minimum in whose reach a place is, as its number; −1 on the way. */
export function valley({ minima, reach }, x, y) {
  for (let k = 0; k < minima.length; k++) {
    const [dx, dy] = [x - minima[k][0], y - minima[k][1]];
    if (dx * dx + dy * dy < reach * reach) return k;
  }
  return -1;
}

/**
 * Balls that start at places [[x, y], …] and move by one rule; every one is a run of its own, with noise of its own that
 * does not depend on the rule.
 *
 * `x`, `y` and `loss` hold an array of the balls' for each of the times 0 … `done`, `gx`, `gy` and `climbs` for each step
 * until then; `arrival` the number of gradients after which each was first below `gate`, or −1. A rule that takes steps back
 * has `origins`, for each step a map from the balls whose step began elsewhere to where that was.
 */
export class Flock {
  constructor(surface, starts, name, settings, gate = -Infinity) {
    const count = starts.length;
    Object.assign(this, { evaluate: SURFACES[surface], name, settings, gate, count, turns: [] });
    Object.assign(this, { done: 0, x: [], y: [], loss: [], gx: [], gy: [], climbs: [] });
    this.arrival = new Int32Array(count).fill(-1);
    this.slopes = [new Float64Array(count), new Float64Array(count)];
    Object.assign(this, { mx: [], my: [], origins: [] });
    this.runs = name in RUNS ? starts.map((start) => RUNS[name](start, settings)) : null;
    this.rules = this.runs ? [] : starts.map(() => this.fresh());
    this.memory = starts.map(() => ({ climbs: false, previous: NaN, reason: "" }));
    this.sources = settings.noise > 0 ? starts.map((_, i) => dice(settings.seed + 1_000_000 * i)) : null;
    this.look(Float64Array.from(starts, ([x]) => x), Float64Array.from(starts, ([, y]) => y));
  }

  fresh() {
    const [rule] = KNOWN[this.name];
    return [rule(this.settings), rule(this.settings)];
  }

  /** Take in where the balls are. */
  look(x, y) {
    const loss = new Float64Array(this.count);
    for (let i = 0; i < this.count; i++) {
      const [value, alongX, alongY] = this.evaluate(x[i], y[i]);
      loss[i] = value;
      this.slopes[0][i] = alongX;
      this.slopes[1][i] = alongY;
      if (this.arrival[i] < 0 && value < this.gate) this.arrival[i] = this.done;
    }
    this.x.push(x);
    this.y.push(y);
    this.loss.push(loss);
  }

  /** A step of all. */
  advance() {
    const { count, settings, sources, runs } = this;
    const { noise } = settings;
    const [x, y, gx, gy] = Array.from({ length: 4 }, () => new Float64Array(count));
    const climbs = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      gx[i] = this.slopes[0][i] + (sources ? noise * sources[i].normal() : 0);
      gy[i] = this.slopes[1][i] + (sources ? noise * sources[i].normal() : 0);
    }
    if (runs) this.advanceRuns(x, y, gx, gy, climbs);
    else this.advanceRules(x, y, gx, gy, climbs);
    this.gx.push(gx);
    this.gy.push(gy);
    this.climbs.push(climbs);
    this.done += 1;
    this.look(x, y);
  }

  advanceRules(x, y, gx, gy, climbs) {
    const { done, rules, memory } = this;
    const { delta, gamma } = this.settings;
    const turning = this.name === "Hill-ADAM";
    for (let i = 0; i < this.count; i++) {
      if (turning) {
        const now = decide(this.loss[done][i], memory[i].climbs, memory[i].previous, delta, gamma);
        memory[i] = now;
        climbs[i] = now.climbs;
        if (now.reason) {
          this.turns.push({ ball: i, step: done, reason: now.reason, climbs: now.climbs });
          rules[i] = this.fresh(); // forgets its averages
        }
      }
      x[i] = rules[i][0](this.x[done][i], climbs[i] ? -gx[i] : gx[i]);
      y[i] = rules[i][1](this.y[done][i], climbs[i] ? -gy[i] : gy[i]);
    }
  }

  advanceRuns(x, y, gx, gy, climbs) {
    const { count, done } = this;
    const [mx, my, origins] = [new Float64Array(count), new Float64Array(count), new Map()];
    for (let i = 0; i < count; i++) {
      const run = this.runs[i];
      const before = run.climbs;
      [x[i], y[i]] = run.step(this.loss[done][i], [gx[i], gy[i]]);
      [mx[i], my[i]] = run.momentum;
      climbs[i] = run.climbs;
      if (run.from) origins.set(i, run.from);
      if (run.climbs !== before) this.turns.push({ ball: i, step: done, reason: run.reason, climbs: run.climbs });
    }
    this.mx.push(mx);
    this.my.push(my);
    this.origins.push(origins);
  }

  /** Where the step from time t of a ball began, if that was not where it was then. */
  origin(t, ball = 0) {
    return this.origins[t]?.get(ball) ?? null;
  }
}

/**
 * What the step from time t of a ball is made of, t < `done`: { gradient, momentum, scale, step }, each [along x, along
 * y], with step = −scale × momentum. The momentum is the gradient itself where a rule has none, and zero in a walk over
 * the hill. A scale is null where momentum is zero. A step that began elsewhere is counted from there.
 */
export function update(flock, t, ball = 0) {
  const { name, settings, x, y, gx, gy, mx, my, climbs, turns } = flock;
  const begin = turns.reduce((last, turn) => (turn.ball === ball && turn.step <= t ? turn.step : last), 0);
  const sign = climbs[t][ball] ? -1 : 1;
  const remembered = (gradients) => {
    const numerator = KNOWN[name][1](settings);
    let last = 0;
    for (let k = begin; k <= t; k++) last = numerator(sign * gradients[k][ball]);
    return last;
  };
  const momentum = flock.runs ? [sign * mx[t][ball], sign * my[t][ball]] : [gx, gy].map(remembered);
  const [fromX, fromY] = flock.origin(t, ball) ?? [x[t][ball], y[t][ball]];
  const step = [x[t + 1][ball] - fromX, y[t + 1][ball] - fromY];
  const scale = step.map((each, k) => (momentum[k] ? -each / momentum[k] : null));
  return { gradient: [gx[t][ball], gy[t][ball]], momentum, scale, step };
}
