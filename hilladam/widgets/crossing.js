// What the explorers of crossing share: the values of λ, and charts that are lower where there is little room.

import { set } from "./plot.js";

const NARROW = 620; // pixels, as in explorer.css

/** The λ that a slider offers: two digits, close enough that no climb of one step more is missed. */
export const RATES = Array.from(
  { length: 181 },
  (_, i) => (i < 70 ? 30 + i : i < 160 ? (i - 60) * 10 : (i - 150) * 100) / 1e4,
);

/** Give each chart of a map chart → [height, height where `place` is narrow] the one that fits. */
export function fitHeights(place, heights, signal) {
  const fit = (width) => {
    for (const [chart, pair] of heights) {
      const height = pair[Number(width < NARROW)];
      if (chart.height === height) continue;
      chart.height = height;
      set(chart.root, { height });
      chart.show(...chart.domain);
    }
  };
  fit(Infinity);
  const observer = new ResizeObserver(([entry]) => fit(entry.contentRect.width));
  observer.observe(place);
  signal.addEventListener("abort", () => observer.disconnect());
}
