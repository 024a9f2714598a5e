// Heat, friction and chance on many balls, without drawing: hilladam.optim's Langevin, CoolMomentum and
// SimulatedAnnealing in float64.
//
// The operations and their order are the package's, so that the same random numbers lead to the same places. They come
// from a `source`: { normal, exponential }, each call of which gives the next number.

import { evaluate } from "./dynamics.js";

/** Random numbers from a whole number, the same ones every time, by the generator sfc32. */
export function dice(seed) {
  let [a, b, c, count] = [seed | 0, 0x243f6a88, 0x85a308d3, 1];
  const bits = () => {
    const now = (a + b + count) | 0;
    count = (count + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + now) | 0;
    return now >>> 0;
  };
  for (let i = 0; i < 16; i++) bits(); // until the seed is everywhere
  const uniform = () => (bits() + 0.5) / 2 ** 32; // never 0 nor 1
  let [angle, radius] = [0, -1];
  return {
    uniform,
    exponential: () => -Math.log(uniform()),
    normal() {
      if (radius >= 0) {
        const second = radius * Math.sin(angle);
        radius = -1;
        return second;
      }
      [angle, radius] = [2 * Math.PI * uniform(), Math.sqrt(-2 * Math.log(uniform()))];
      return radius * Math.cos(angle);
    },
  };
}

// ρ from ρ₀ and the part of the cooling that is left, as in hilladam.optim.cooling.
const COOLING = {
  none: (rho) => rho,
  geometric_memory: (rho, left) => 1 - (1 - rho) ** left,
  geometric_temperature: (rho, left) => Math.tanh(left * Math.atanh(rho)),
  linear: (rho, left) => (rho * left) / (1 - rho * (1 - left)),
};

// The temperature of step t of so many, as in hilladam.optim.annealing; the geometric one ends at a hundredth.
const ANNEALING = {
  none: (heat) => heat,
  geometric: (heat, t, steps) => heat * (0.01 ** (1 / steps)) ** t,
  logarithmic: (heat, t) => heat * (Math.log(2) / Math.log(t + 2)),
};

/** ρ and the temperature of every step; CoolMomentum's is the one that its gradients' noise sustains. */
export function schedules({ method, lr, momentum, temperature, noise, cooling, annealing, steps }) {
  const times = Array.from({ length: steps }, (_, t) => t);
  if (method !== "CoolMomentum")
    return { rho: times.map(() => momentum), heat: times.map((t) => ANNEALING[annealing](temperature, t, steps)) };
  const rho = times.map((t) => COOLING[cooling](momentum, Math.max(1 - t / steps, 0)));
  return { rho, heat: rho.map((now) => (((lr * noise ** 2) / 4) * (1 + now)) / (1 - now)) };
}

/** method → (polynomial, settings, source, places) → what moves all the places by a step at ρ and a temperature. */
const METHODS = {
  Langevin(polynomial, { lr }, { normal }, x) {
    const [displacement, kick] = [new Float64Array(x.length), new Float64Array(x.length)];
    return (rho, temperature) => {
      const [half, scale] = [(1 + rho) / 2, Math.sqrt((lr * temperature * (1 - rho)) / (1 + rho))];
      const pull = -lr * half;
      for (let i = 0; i < x.length; i++) {
        const before = displacement[i] * rho + pull * evaluate(polynomial, x[i])[1] + half * kick[i];
        kick[i] = scale * normal();
        displacement[i] = before + half * kick[i];
        x[i] += displacement[i];
      }
    };
  },
  CoolMomentum(polynomial, { lr, noise }, { normal }, x) {
    const displacement = new Float64Array(x.length);
    return (rho) => {
      const pull = (-lr * (1 + rho)) / 2;
      for (let i = 0; i < x.length; i++) {
        const gradient = evaluate(polynomial, x[i])[1] + noise * normal();
        displacement[i] = displacement[i] * rho + pull * gradient;
        x[i] += displacement[i];
      }
    };
  },
  "simulated annealing"(polynomial, { lr }, { normal, exponential }, x) {
    const loss = x.map((place) => evaluate(polynomial, place)[0]);
    const proposed = new Float64Array(x.length);
    return (_, temperature) => {
      for (let i = 0; i < x.length; i++) proposed[i] = x[i] + lr * normal();
      for (let i = 0; i < x.length; i++) {
        const value = evaluate(polynomial, proposed[i])[0];
        const allowance = temperature * exponential();
        if (!Number.isFinite(value) || !(value - loss[i] <= allowance)) continue;
        [x[i], loss[i]] = [proposed[i], value];
      }
    };
  },
};

export const NAMES = Object.keys(METHODS);

/** A run of `settings.steps` steps of so many balls from one place: where they are before each step and after the last. */
export function simulate(polynomial, settings, source, members) {
  const x = new Float64Array(members).fill(settings.start);
  const move = METHODS[settings.method](polynomial, settings, source, x);
  const { rho, heat } = schedules(settings);
  const places = [x.slice()];
  for (let t = 0; t < settings.steps; t++) {
    move(rho[t], heat[t]);
    places.push(x.slice());
  }
  return { places, rho, heat };
}

/**
 * The temperature that the mean squared step shows, by the formula for a valley and short steps; NaN where the method
 * does not roll. Balls outside [low, high] do not count.
 */
export function reading({ places, rho }, { method, lr }, t, [low, high]) {
  if (method === "simulated annealing") return NaN;
  let [sum, count] = [0, 0];
  places[t + 1].forEach((x, i) => {
    if (!(x > low && x < high)) return;
    sum += (x - places[t][i]) ** 2;
    count += 1;
  });
  return sum / count / (method === "Langevin" ? (lr * (1 + rho[t])) / 2 : lr);
}

/** The density exp(−f/T) at the middles of so many cells of [low, high], outside of which there is none. */
export function density(polynomial, temperature, [low, high], cells = 4000) {
  const width = (high - low) / cells;
  const x = Float64Array.from({ length: cells }, (_, i) => low + (i + 0.5) * width);
  const loss = x.map((place) => evaluate(polynomial, place)[0]);
  const lowest = loss.reduce((a, b) => Math.min(a, b));
  const weight = loss.map((value) => Math.exp(-(value - lowest) / temperature));
  const total = weight.reduce((sum, each) => sum + each, 0) * width;
  return { x, density: weight.map((each) => each / total), width };
}
