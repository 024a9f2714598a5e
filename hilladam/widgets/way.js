// A run on its loss as it goes from turn to turn, and the fate of every start below it.

import { evaluate } from "./dynamics.js";
import { svg } from "./plot.js";

export const LEGS = 8; // so many are drawn, the last ones of a longer run
const POINTS = 24; // to a leg

/** The legs from stop to stop { x, climbs }, beside the curve, each higher above it, with an arrow at its end. */
export function legsOn(chart, landscape, stops) {
  const first = Math.max(stops.length - 1 - LEGS, 0);
  const parts = [];
  for (let k = first; k + 1 < stops.length; k++) {
    const lift = 7 + 4.5 * (k - first);
    const [from, to] = [stops[k].x, stops[k + 1].x];
    const along = Array.from({ length: POINTS + 1 }, (_, i) => {
      const x = from + (i / POINTS) * (to - from);
      return [chart.x(x), Math.max(chart.y(evaluate(landscape, x)[0]), -1e3) - lift];
    });
    const points = along.filter(([, py]) => Number.isFinite(py)); // a formula may have no value at a minimum's very place
    const d = points.map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
    const [[ax, ay], [bx, by]] = points.slice(-2);
    const angle = (Math.atan2(by - ay, bx - ax) * 180) / Math.PI;
    const direction = stops[k].climbs ? "up" : "down";
    const transform = `translate(${bx} ${by}) rotate(${angle})`;
    parts.push(
      svg("path", { class: "leg", "data-direction": direction, d }),
      svg("path", { class: "arrow", "data-direction": direction, d: "M2 0L-6-4V4Z", transform }),
    );
  }
  return parts;
}

/**
 * A strip with a line for each start, from pixel `from` to pixel `to`. Where the fate of one is not known yet, it is
 * that of the next known one to its left, which is computed sooner.
 */
export function strip(fates, from, to, top, height) {
  const known = [];
  for (let i = 0; i < fates.length; i++) known[i] = fates[i] ?? known[i - 1] ?? false;
  const width = (to - from) / fates.length;
  let d = "";
  for (let i = 0, end; i < known.length; i = end) {
    for (end = i + 1; end < known.length && known[end] === known[i]; ) end++;
    if (known[i]) d += `M${from + i * width} ${top}H${from + end * width}V${top + height}H${from + i * width}Z`;
  }
  return [
    svg("rect", { class: "ground", x: from, y: top, width: to - from, height }),
    svg("path", { class: "arrives", d }),
  ];
}
