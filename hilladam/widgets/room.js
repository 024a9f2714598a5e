// What gives way where there is little room, as on a phone: charts become lower, and what can wait is folded.

import { set } from "./plot.js";
import { html } from "./controls.js";

const NARROW = 620; // pixels, as in explorer.css

/** Say whether the explorer that a place is in is narrow, soon and whenever that changes, until the view goes. */
function whenNarrow(place, action, signal) {
  let before = null;
  const observer = new ResizeObserver(([{ contentRect }]) => {
    const narrow = contentRect.width < NARROW;
    if (contentRect.width === 0 || narrow === before) return;
    before = narrow;
    action(narrow);
  });
  // By then it stands in its explorer, whose width counts: in CSS too.
  queueMicrotask(() => observer.observe(place.closest(".hilladam") ?? place));
  signal.addEventListener("abort", () => observer.disconnect());
}

/** Give each chart of a map chart → [height, height where its explorer is narrow] the one that fits. */
export function fitHeights(place, heights, signal) {
  const fit = (narrow) => {
    for (const [chart, pair] of heights) {
      const height = pair[Number(narrow)];
      if (chart.height === height) continue;
      chart.height = height;
      set(chart.root, { height });
      chart.show(...chart.domain);
    }
  };
  fit(false);
  whenNarrow(place, fit, signal);
}

/** What a reader may do without: folded where its explorer is narrow; elsewhere in the open, without a fold. */
export function folded(text, signal, ...children) {
  const fold = html("details", { className: "fold", open: true }, html("summary", {}, text), ...children);
  whenNarrow(fold, (narrow) => (fold.open = !narrow), signal);
  return fold;
}
