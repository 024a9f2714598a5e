// Escape golf: from a given start, loss and λ to the global minimum with the fewest gradients.
//
// The score is counted on the run that is shown. A link holds the settings of a run and nothing of what came of it.

import { format } from "./plot.js";
import { button, follow, html } from "./controls.js";

const CLUBS = ["delta", "gamma", "beta1", "beta2"];

/**
 * A box to tick, and while it is ticked a line with the score; `score(gradients)` is told after how many gradients
 * Hill-ADAM was at the global minimum, −1 for never, and undefined where it does not run.
 */
export function escapeGolf(model, nameOf, signal) {
  const best = new Map(); // hole → { gradients, clubs }: of this visit alone
  const box = html("input", { type: "checkbox", name: "golf" });
  box.addEventListener("change", () => {
    model.set("golf", box.checked);
    model.save_changes();
  });
  const tick = html("label", { className: "tick", dataset: { trait: "golf" } }, box, "escape golf");
  const line = html("span");
  const back = button("my best", "back to the best so far", () => {
    model.set(best.get(hole()).clubs);
    model.save_changes();
  });
  const card = html("p", { className: "golf", hidden: true }, line, " ", back);
  line.setAttribute("aria-live", "polite");
  // λ belongs to the hole: with one as long as the way, a single step would do.
  const rate = () => model.get("rates")?.["Hill-ADAM"] ?? model.get("lr");
  const hole = () => JSON.stringify([model.get("loss"), model.get("start"), rate()]);

  function score(gradients) {
    if (!model.get("golf")) return;
    if (gradients > 0 && !(best.get(hole())?.gradients <= gradients)) {
      const clubs = Object.fromEntries(CLUBS.map((trait) => [trait, model.get(trait)]));
      best.set(hole(), { gradients, clubs });
    }
    const fewest = best.get(hole())?.gradients;
    const now =
      gradients === undefined
        ? "golf is played with Hill-ADAM: tick it"
        : gradients < 0
          ? `not at the global minimum within ${model.get("steps")} steps`
          : `at the global minimum after ${gradients} gradients`;
    const mine = fewest === gradients ? " Your fewest so far." : ` Your fewest so far: ${fewest}.`;
    const where = `${nameOf(model.get("loss"))} from x = ${format(model.get("start"))} with λ = ${format(rate())}`;
    line.textContent = `${where}: ${now}.${fewest === undefined ? "" : mine} Only δ, γ, β₁ and β₂ may change.`;
    back.hidden = fewest === undefined || fewest === gradients;
  }
  const show = () => {
    box.checked = model.get("golf") === true;
    card.hidden = !box.checked;
  };
  follow(model, ["golf"], show, signal);
  return { tick, card, score };
}
