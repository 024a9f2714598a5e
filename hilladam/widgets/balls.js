// The balls that stand for optimizers on a loss.

import { svg } from "./plot.js";

export const LETTERS = {
  ...{ "Hill-ADAM": "H", Adam: "A", SGD: "G", momentum: "m", Nesterov: "Ne", RMSprop: "R", AMSGrad: "Am" },
  ...{ NAdam: "N", RAdam: "Ra", CoolMomentum: "C", "self-tuning Hill-ADAM": "S", "over the hill": "O" },
};
const TURNING = ["Hill-ADAM", "self-tuning Hill-ADAM", "over the hill"];

/** A ball at a pixel of a picture, over what is `under` it: its letter, and an arrow, up where it climbs, if it does so at times. */
export function ball(name, climbs, transform, ...under) {
  const letter = svg("text", { y: 4 });
  letter.textContent = LETTERS[name];
  const arrow = svg("path", { class: "switch", d: climbs ? "M0-21L5-13H-5Z" : "M0 21L5 13H-5Z" });
  const parts = [...under, svg("circle", { r: 9 }), letter, ...(TURNING.includes(name) ? [arrow] : [])];
  return svg("g", { class: "ball", "data-optimizer": name, "data-climbs": climbs, transform }, ...parts);
}
