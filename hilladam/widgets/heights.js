// Charts that are lower where there is little room: on a phone all of an explorer should be in sight.

import { set } from "./plot.js";

const NARROW = 620; // pixels, as in explorer.css

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
