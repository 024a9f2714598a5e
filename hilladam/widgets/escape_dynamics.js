// Adam's first pass out of a basin, and the paths that are predicted for it, without drawing.
//
// A way out is { polynomial, x0, direction, length, steps }: distances u are travelled from x0 in that direction, the
// barrier's top is `length` away, and a run has so many steps to get there.

import { OPTIMIZERS, evaluate } from "./dynamics.js";

/** −df/du at the distance u: positive where the loss falls ahead. */
const push = ({ polynomial, x0, direction }, u) => -direction * evaluate(polynomial, x0 + direction * u)[1];

/** The steps that Adam takes along given pushes. */
function stepper(settings) {
  const step = OPTIMIZERS.Adam(settings);
  return (force) => step(0, -force);
}

/**
 * Adam's first pass: the distances that it travels, up to the first beyond the top or the first step back, and
 * whether it escapes.
 */
export function adamPass(way, settings) {
  const [step, path] = [stepper(settings), [0]];
  for (let t = 0, u = 0; t < way.steps; t++) {
    const move = step(push(way, u));
    u += move;
    path.push(u);
    if (move < 0) return { path, escapes: false, turns: true };
    if (u > way.length) return { path, escapes: true, turns: false };
  }
  return { path, escapes: false, turns: false };
}

/** The same along the points of sweeps 0 … count: sweep 0 puts them λ apart, and each other where the last calls for. */
export function sweepPasses(way, settings, count) {
  const rows = Array.from({ length: count + 1 }, () => ({ u: 0, step: stepper(settings), path: [0], ended: false }));
  const passes = rows.map(({ path }) => ({ path, escapes: false, turns: false }));
  for (let t = 0; t < way.steps && !rows.every((row) => row.ended); t++) {
    let called = settings.lr;
    rows.forEach((row, k) => {
      const asked = row.step(push(way, Math.min(row.u, way.length))); // what has crossed waits at the top
      row.u += called;
      called = asked;
      if (row.ended) return;
      row.path.push(row.u);
      const [turns, escapes] = [asked < 0, asked >= 0 && row.u > way.length];
      row.ended = turns || escapes;
      Object.assign(passes[k], { turns, escapes });
    });
  }
  return passes;
}

/** The cells of a grid, rows of so many columns, that differ from one beside, above or below them. */
export function boundaryBand(truth, columns) {
  return truth.map((here, i) => {
    const [column, rows] = [i % columns, truth.length / columns];
    const row = (i - column) / columns;
    return (
      (column > 0 && truth[i - 1] !== here) ||
      (column < columns - 1 && truth[i + 1] !== here) ||
      (row > 0 && truth[i - columns] !== here) ||
      (row < rows - 1 && truth[i + columns] !== here)
    );
  });
}
