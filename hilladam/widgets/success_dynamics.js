// What a map of success says of its cells, without drawing: see hilladam.widgets.SuccessMapExplorer.

/** The levels of a map, row by row, from the letters that stand for them column by column: so they compress well. */
export function levels(letters, rows) {
  const columns = letters.length / rows;
  const at = (cell) => letters.charCodeAt((cell % columns) * rows + Math.floor(cell / columns));
  return Array.from(letters, (_, cell) => at(cell) - 97);
}

/** The starts that a map counts, from left to right: with the bits of numpy's linspace. */
export function startsOf({ low, high }, count) {
  const step = (high - low) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? high : i * step + low));
}

/** The highest of the law's δ* in a column: above it no hill is crossed that the law knows of. */
export const lawAbove = (laws, column) => Math.max(...laws.map((law) => law[column]));
