// The hill: drag the start, and run.

import { OPTIMIZERS, evaluate, extrema, parse, run } from "./dynamics.js";
import { Chart, STAR, clamp, draggable, format, oncePerFrame, pointing, set, svg } from "./plot.js";
import { escapeGolf } from "./golf.js";
import { BETAS, follow, html, inward, mount, player, powers, scrollable, slider, spoken, toggles } from "./controls.js";

const LETTERS = {
  "Hill-ADAM": "H",
  Adam: "A",
  momentum: "m",
  RMSprop: "R",
  NAdam: "N",
  RAdam: "Ra",
  CoolMomentum: "C",
};
const OWN = "your own";
const SETTINGS = ["lr", "beta1", "beta2", "delta", "gamma", "steps"];

/** What to show of a polynomial: its extrema, and as much of its walls as leaves the hills in sight. */
function landscape(polynomial) {
  const points = extrema(polynomial);
  const at = (x) => evaluate(polynomial, x)[0];
  const lowest = points.reduce((a, b) => (b.value < a.value ? b : a));
  const highest = Math.max(...points.map((point) => point.value));
  const rise = points.length > 1 ? highest - lowest.value : Math.min(at(lowest.x - 3), at(lowest.x + 3)) - lowest.value;
  const top = lowest.value + (points.length > 1 ? 2 : 1) * rise;
  const edge = (x, direction) => {
    let [inside, step] = [0, 0.01];
    while (at(x + direction * step) < top) [inside, step] = [step, 1.1 * step];
    return x + direction * step;
  };
  const [left, right] = [edge(points[0].x, -1), edge(points.at(-1).x, 1)];
  return { points, lowest, near: 0.01 * rise, domain: [left, right, lowest.value - 0.12 * (top - lowest.value), top] };
}

/** Whether an address may set the loss to this text: all else of it is known from the traits. */
export function readable(name, text, model) {
  try {
    return Object.hasOwn(model.get("presets"), text) || landscape(parse(text)).domain.every(Number.isFinite);
  } catch {
    return false;
  }
}

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const presets = model.get("presets");
  let [polynomial, scene, runs] = [null, null, new Map()];

  // The curve, with the start below it and the balls on it.
  const curve = svg("path", { class: "curve" });
  const balls = svg("g");
  const star = svg("path", { class: "star", d: STAR });
  const grip = svg("path", { class: "grip", d: "M0-4L9 12H-9Z" });
  const handle = svg(
    "g",
    { role: "slider", "aria-label": "start", "data-trait": "start" },
    svg("circle", { class: "reach", r: 24, cy: 4 }),
    grip,
  );
  const hill = new Chart(
    { label: "The loss over x, and where each optimizer is", xLabel: "x", yLabel: "loss f(x)" },
    () => {
      const [left, right] = hill.domain;
      const xs = Array.from({ length: 301 }, (_, i) => left + (i / 300) * (right - left));
      set(curve, {
        d: hill.line(
          xs,
          xs.map((x) => evaluate(polynomial, x)[0]),
        ),
      });
      show();
    },
  );
  hill.plot.append(curve);
  hill.above.append(balls, star, handle);

  // The loss over the steps.
  const lines = svg("g");
  const lowest = svg("path", { class: "lowest" });
  const cursor = svg("path", { class: "cursor" });
  const history = new Chart({ label: "The loss over the steps", xLabel: "step", yLabel: "loss" }, () => {
    lines.replaceChildren(...[...runs].flatMap(([name, each]) => traces(name, each)));
    show();
  });
  history.plot.append(lowest, lines, cursor);

  function traces(name, { loss, climbs, switches }) {
    const steps = Array.from(loss, (_, t) => t);
    const line = (values, attributes) =>
      svg("path", { class: "run", "data-optimizer": name, ...attributes, d: history.line(steps, values) });
    if (name !== "Hill-ADAM") return [line(loss)];
    // A step belongs to its direction with both of its ends.
    const part = (direction) =>
      loss.map((value, t) => (climbs[t] === direction || climbs[t - 1] === direction ? value : NaN));
    const marks = switches.map((turn) => {
      const place = `translate(${history.x(turn.step)} ${history.y(loss[turn.step])})`;
      const shape = turn.climbs ? "M0-6L5 4H-5Z" : "M0 6L5-4H-5Z";
      return svg("path", {
        class: "switch",
        "data-optimizer": name,
        "data-climbs": turn.climbs,
        transform: place,
        d: shape,
      });
    });
    return [line(part(0)), line(part(1), { "data-climbs": true }), ...marks];
  }

  /** Move what depends on the step alone. */
  function show() {
    if (!hill.x || !history.x || !scene) return;
    const [left, right, bottom, top] = hill.domain;
    const t = Math.min(model.get("step"), model.get("steps"));
    const place = (x, y) =>
      `translate(${hill.x(clamp(x, left, right)).toFixed(1)} ${hill.y(clamp(y, bottom, top)).toFixed(1)})`;
    balls.replaceChildren(
      ...[...runs].reverse().map(([name, { x, loss, climbs }]) => {
        const up = name === "Hill-ADAM" && climbs[Math.min(t, climbs.length - 1)] === 1;
        const letter = svg("text", { y: 4 });
        letter.textContent = LETTERS[name];
        const arrow = svg("path", { class: "switch", d: up ? "M0-21L5-13H-5Z" : "M0 21L5 13H-5Z" });
        const parts = [svg("circle", { r: 9 }), letter, ...(name === "Hill-ADAM" ? [arrow] : [])];
        const where = Number.isFinite(x[t]) ? place(x[t], loss[t]) : place(right, top);
        return svg("g", { class: "ball", "data-optimizer": name, "data-climbs": up, transform: where }, ...parts);
      }),
    );
    const leader = runs.get("Hill-ADAM") ?? runs.values().next().value;
    set(star, { visibility: leader ? "visible" : "hidden" });
    if (leader)
      set(star, { transform: `${place(leader.x[leader.best[t]], leader.loss[leader.best[t]])} translate(0 20)` });
    set(handle, {
      transform: place(model.get("start"), bottom),
      "aria-valuenow": model.get("start"),
      "aria-valuemin": left,
      "aria-valuemax": right,
      "aria-valuetext": `x = ${format(model.get("start"))}`,
    });
    set(cursor, { d: `M${history.x(t)} 0V${history.height}` });
    set(lowest, { d: history.line(history.domain.slice(0, 2), [scene.lowest.value, scene.lowest.value]) });
    rows.replaceChildren(...[...runs].map(([name, each]) => row(name, each, t)));
  }

  const arrival = ({ loss }) => loss.findIndex((value) => value < scene.lowest.value + scene.near);

  function row(name, { x, loss, climbs, switches, best }, t) {
    const reached = arrival({ loss });
    const turns = switches.filter((each) => each.step <= t).length;
    const direction = climbs[Math.min(t, climbs.length - 1)] ? "▲ climbs" : "▼ descends";
    const cells = [
      Number.isFinite(x[t]) ? format(x[t]) : "has diverged",
      format(loss[t]),
      format(loss[best[t]]),
      reached < 0 ? "never" : reached > t ? "not yet" : `at step ${reached}`,
      name === "Hill-ADAM" ? `${direction}, ${turns} turn${turns === 1 ? "" : "s"}` : "",
    ];
    const head = html("th", { scope: "row" }, `${LETTERS[name]} ${name}`);
    return html("tr", { dataset: { optimizer: name } }, head, ...cells.map((text) => html("td", {}, text)));
  }

  const heads = ["", "x", "loss", "best loss", "global minimum", ""].map((text) => html("th", { scope: "col" }, text));
  const rows = html("tbody");
  const table = html("table", {}, html("thead", {}, html("tr", {}, ...heads)), rows);

  /** Run again: something else than the step has changed. */
  const rerun = oncePerFrame(() => {
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, inward(model.get(name))]));
    const chosen = Object.keys(OPTIMIZERS).filter((name) => model.get("optimizers").includes(name));
    runs = new Map(chosen.map((name) => [name, run(polynomial, model.get("start"), name, settings)]));
    history.show(0, settings.steps, ...hill.domain.slice(2));
    verdict();
  });

  const task = html("p", { className: "task" });
  const reached = spoken();
  const game = escapeGolf(model, (name) => presets[name]?.name ?? name, signal);
  function verdict() {
    const there = [...runs].map(([name, each]) => [name, arrival(each)]).filter(([, step]) => step >= 0);
    const text = there.map(([name, step]) => `${name} at step ${step}`).join(", ");
    reached.say(`At the global minimum: ${text || "none of them"}.`);
    const player = runs.get("Hill-ADAM");
    game.score(player && arrival(player));
  }

  // The loss: one of the presets, or what the reader types.
  const formula = html("input", { type: "text", name: "formula", spellcheck: false, autocomplete: "off" });
  const alert = html("p");
  alert.setAttribute("role", "alert");
  const own = html("label", { className: "formula", hidden: true }, html("span", {}, "f(x) ="), formula);
  const names = [...Object.entries(presets).map(([key, each]) => [key, each.name]), [OWN, "your own …"]];
  const losses = html("select", { name: "loss" }, ...names.map(([value, text]) => html("option", { value }, text)));
  losses.addEventListener("change", () => {
    if (losses.value === OWN) {
      own.hidden = false;
      formula.value ||= "(x^2 - 1)^2 + 0.3x";
      formula.focus();
      read();
    } else {
      model.set({ loss: losses.value, start: presets[losses.value].start, step: 0 });
    }
    model.save_changes();
  });
  function read() {
    try {
      const [, right] = landscape(parse(formula.value)).domain;
      const { x } = extrema(parse(formula.value)).at(-1);
      alert.textContent = "";
      model.set({ loss: formula.value, start: Number(((x + right) / 2).toPrecision(3)), step: 0 });
    } catch (error) {
      refuse(error);
    }
  }
  function refuse(error) {
    alert.textContent = `This is no loss to run on: ${error.message}.`;
  }
  formula.addEventListener("input", read);
  formula.addEventListener("change", () => model.save_changes());

  draggable(handle, {
    move: (event) => start(hill.from(event)[0]),
    nudge: (across, up) => start(model.get("start") + ((across + up) * (hill.domain[1] - hill.domain[0])) / 200),
    end: () => model.save_changes(),
  });
  function start(x) {
    const [left, right] = hill.domain;
    model.set("start", Number(clamp(x, left, right).toPrecision(4)));
  }

  pointing(history.root, {
    move: (event) => model.set("step", Math.round(clamp(history.from(event)[0], 0, model.get("steps")))),
    end: () => model.save_changes(),
  });

  const sliders = (...each) => html("div", { className: "controls" }, ...each);
  const first = sliders(
    slider(model, "lr", "λ", powers(-4, 0, 8), signal),
    slider(model, "delta", "δ", [0, ...powers(-8, 1, 2)], signal),
  );
  const others = sliders(
    slider(model, "beta1", "β₁", BETAS, signal),
    slider(model, "beta2", "β₂", BETAS, signal),
    slider(model, "gamma", "γ", [...powers(0, 4, 4), Infinity], signal),
    slider(model, "steps", "steps", [100, 200, 300, 500, 1000, 2000, 5000], signal),
  );
  const more = html("details", {}, html("summary", {}, "β₁, β₂, γ and the number of steps"), others);
  const picker = html(
    "div",
    { className: "player" },
    html("label", { className: "choice" }, html("span", {}, "loss"), losses),
    own,
    game.tick,
  );
  follow(
    model,
    ["loss"],
    () => {
      const name = model.get("loss");
      const known = name in presets;
      try {
        polynomial = known ? presets[name] : parse(name);
      } catch (error) {
        return refuse(error);
      }
      alert.textContent = "";
      losses.value = known ? name : OWN;
      own.hidden = known;
      if (!known && document.activeElement !== formula) formula.value = name;
      scene = landscape(polynomial);
      hill.show(...scene.domain);
      rerun();
    },
    signal,
  );
  follow(model, ["optimizers", "start", "golf", ...SETTINGS], rerun, signal);
  follow(model, ["step"], show, signal);
  follow(model, ["task"], () => task.replaceChildren(model.get("task"), " ", reached.element), signal);
  return mount(
    el,
    "optimizers on a hill",
    "hill",
    [hill, history],
    closing,
    picker,
    alert,
    html("div", { className: "charts" }, hill.root, history.root),
    player(model, "step", () => model.get("steps"), ["steps"], signal),
    game.card,
    toggles(model, "optimizers", "run", Object.keys(OPTIMIZERS), signal),
    first,
    more,
    task,
    scrollable(table, "the optimizers at this step", signal),
  );
}
