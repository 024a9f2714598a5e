// What explorers of one landscape among several have in common below their picture.

import { choice } from "./controls.js";

/** A menu of the landscapes, of which a chosen one brings the start and the γ that suit it. */
export function landscapeMenu(model, landscapes, signal) {
  const names = Object.entries(landscapes).map(([value, { name }]) => [value, name]);
  const menu = choice(model, "loss", "loss", names, signal);
  menu.addEventListener("change", () => {
    const { start, gamma } = landscapes[model.get("loss")];
    model.set({ start, gamma });
    model.save_changes();
  });
  return menu;
}

/** Let a setting that is moved show what comes of it: the whole run. */
export function showsTheRun(model, ...rows) {
  for (const row of rows)
    row.addEventListener("input", ({ target }) => target.name === "step" || model.set("step", model.get("steps")));
}
