// The balls that stand for optimizers on a loss.

import { svg } from "./plot.js";

export const LETTERS = {
  ...{ "Hill-ADAM": "H", Adam: "A", SGD: "G", momentum: "m", Nesterov: "Ne", RMSprop: "R", AMSGrad: "Am" },
  ...{ NAdam: "N", RAdam: "Ra", CoolMomentum: "C" },
};

/** A ball at a pixel of a picture, over what is `under` it: its letter, and with Hill-ADAM an arrow, up where it climbs. */
export function ball(name, climbs, transform, ...under) {
  const letter = svg("text", { y: 4 });
  letter.textContent = LETTERS[name];
  const arrow = svg("path", { class: "switch", d: climbs ? "M0-21L5-13H-5Z" : "M0 21L5 13H-5Z" });
  const parts = [...under, svg("circle", { r: 9 }), letter, ...(name === "Hill-ADAM" ? [arrow] : [])];
  return svg("g", { class: "ball", "data-optimizer": name, "data-climbs": climbs, transform }, ...parts);
}
