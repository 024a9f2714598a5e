// Adam's averages as weighted sums of past gradients, without drawing: hilladam.theory in float64.
//
// `silence` counts gradients of zero that came before those that are given.

import { evaluate, run } from "./dynamics.js";

const DOUBLE_WELL = { coefficients: [1, 0, -2, 0.3, 1], centre: 0 };
const EPS = 1e-8;

/** The weights of the last `count` of `t` values in their average, the oldest first. */
export function weights(t, beta, start, count = t) {
  const entering = start === "zero" ? (1 - beta) / (1 - beta ** t) : 1 - beta;
  return Array.from({ length: count }, (_, i) => {
    const age = count - 1 - i;
    return (start === "first" && age === t - 1 ? 1 : entering) * beta ** age;
  });
}

/** After each gradient: the momentum, the root of the variance, and Adam's step against the gradient in units of λ. */
export function series(gradients, { beta1, beta2, silence }, start) {
  const missing = (beta, t) => (start === "zero" ? 1 - beta ** t : 1);
  const kept = start === "first" && silence === 0 ? gradients[0] : 0;
  let [m, v] = [kept, kept * kept];
  return gradients.map((g, i) => {
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const momentum = m / missing(beta1, silence + i + 1);
    const root = Math.sqrt(v / missing(beta2, silence + i + 1));
    return { momentum, root, step: momentum / (root + EPS) };
  });
}

/** The largest step, in units of λ, that the last `count` of `t` gradients can make if those before were zero. */
export function largest(t, { beta1, beta2 }, start, count) {
  const b = weights(t, beta2, start, count);
  const squares = weights(t, beta1, start, count).map((a, i) => (a === 0 ? 0 : (a * a) / b[i]));
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
}

/** Gradients of a kind: t of them, none above 1 in size. */
export const PRESETS = {
  constant: (t) => new Array(t).fill(1),
  alternating: (t) => Array.from({ length: t }, (_, i) => (-1) ** i),
  spike: (t) => Array.from({ length: t }, (_, i) => Number(i === t - 1)),
  growing(t, { beta1, beta2 }) {
    const factor = beta1 / beta2;
    return Array.from({ length: t }, (_, i) => factor ** (factor <= 1 ? t - 1 - i : -i));
  },
  slide(t) {
    const { x } = run(DOUBLE_WELL, 2, "Adam", { lr: 0.05, beta1: 0.9, beta2: 0.999, steps: t - 1 });
    return Array.from(x, (place) => evaluate(DOUBLE_WELL, place)[1] / evaluate(DOUBLE_WELL, 2)[1]);
  },
};
