// The hill: drag the start, and run.

import { OPTIMIZERS, evaluate, extrema, run } from "./dynamics.js";
import { lossOf } from "./formula.js";
import { Chart, STAR, clamp, draggable, format, grab, oncePerFrame, pointing, set, svg } from "./plot.js";
import { LETTERS, ball } from "./balls.js";
import { escapeGolf } from "./golf.js";
import { fitHeights, folded } from "./room.js";
import { BETAS, follow, html, inward, mount, player, powers, scrollable, slider, spoken, through, toggles } from "./controls.js";

const OWN = "your own";
const SETTINGS = ["lr", "beta1", "beta2", "delta", "gamma", "steps"];

const RATES = powers(-4, 0, 8);
const EDGE = 10; // formulas are looked at between ±10

/** What to show of a loss: its extrema, and as much of its walls as leaves the hills in sight. */
export function landscape(polynomial) {
  const points = extrema(polynomial);
  const at = (x) => evaluate(polynomial, x)[0];
  const lowest = points.reduce((a, b) => (b.value < a.value ? b : a));
  const highest = Math.max(...points.map((point) => point.value));
  const wall = Math.min(at(lowest.x - 3), at(lowest.x + 3));
  const rise = polynomial.rise ?? (points.length > 1 ? highest : wall) - lowest.value;
  let top = lowest.value + (points.length > 1 ? 2 : 1) * rise;
  const edge = (x, direction) => {
    let step = 0.01;
    while (at(x + direction * step) < top && !(polynomial.program && step > EDGE - direction * x)) step *= 1.1;
    return polynomial.program ? clamp(x + direction * step, -EDGE, EDGE) : x + direction * step;
  };
  const [left, right] = [edge(points[0].x, -1), edge(points.at(-1).x, 1)];
  if (polynomial.program) top = Math.min(top, lowest.value + 1.3 * rise); // its walls may be hills as high as the others
  return { points, lowest, near: 0.01 * rise, domain: [left, right, lowest.value - 0.12 * (top - lowest.value), top] };
}

/** Whether an address may set the loss to this text: all else of it is known from the traits. */
export function readable(name, text, model) {
  try {
    return Object.hasOwn(model.get("presets"), text) || landscape(lossOf(text)).domain.every(Number.isFinite);
  } catch {
    return false;
  }
}

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const presets = model.get("presets");
  let [polynomial, scene, runs] = [null, null, new Map()];

  // The curve, with the balls on it, and a ring around the start.
  const curve = svg("path", { class: "curve" });
  const balls = svg("g", { class: "handle" });
  const star = svg("path", { class: "star", d: STAR });
  const grip = svg("path", { class: "grip", d: "M-21 0l6-5v10ZM21 0l-6-5v10Z" });
  const ring = svg("circle", { class: "start", r: 12 });
  const slides = { role: "slider", "aria-label": "start", "data-trait": "start" };
  const handle = svg("g", slides, svg("circle", { class: "reach", r: 24 }), ring, grip);
  const hill = new Chart(
    { label: "The loss over x, and where each optimizer is", xLabel: "x", yLabel: "loss f(x)" },
    () => {
      const [left, right] = hill.domain;
      const count = polynomial.program ? 1500 : 300;
      const xs = Array.from({ length: count + 1 }, (_, i) => left + (i / count) * (right - left));
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
    return [...[0, 1].map((direction) => line(part(direction), { "data-climbs": direction === 1 })), ...marks];
  }

  /** Move what depends on the step alone. */
  function show() {
    if (!hill.x || !history.x || !scene) return;
    const [left, right, bottom, top] = hill.domain;
    const t = Math.min(model.get("step"), model.get("steps"));
    const place = (x, y) =>
      `translate(${hill.x(clamp(x, left, right)).toFixed(1)} ${hill.y(clamp(y, bottom, top)).toFixed(1)})`;
    balls.replaceChildren(
      ...[...runs].reverse().map(([name, { x, loss, climbs, end }]) => {
        const now = end === null ? t : Math.min(t, end - 1); // a ball stays where it stepped off the curve
        const up = name === "Hill-ADAM" && climbs[Math.min(t, climbs.length - 1)] === 1;
        const where = Number.isFinite(x[now]) ? place(x[now], loss[now]) : place(right, end === 0 ? bottom : top);
        return ball(name, up, where, svg("circle", { class: "reach", r: 22 }));
      }),
    );
    const leader = runs.get("Hill-ADAM") ?? runs.values().next().value;
    const lowestYet = leader?.loss[leader.best[t]];
    set(star, { visibility: Number.isFinite(lowestYet) ? "visible" : "hidden" });
    if (Number.isFinite(lowestYet))
      set(star, { transform: `${place(leader.x[leader.best[t]], lowestYet)} translate(0 20)` });
    const height = evaluate(polynomial, model.get("start"))[0];
    set(handle, {
      transform: place(model.get("start"), Number.isNaN(height) ? bottom : height),
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

  function row(name, { x, loss, climbs, switches, best, end }, t) {
    const now = end === null ? t : Math.min(t, end);
    const reached = arrival({ loss });
    const turns = switches.filter((each) => each.step <= t).length;
    const direction = climbs[Math.min(t, climbs.length - 1)] ? "▲ climbs" : "▼ descends";
    const cells = [
      Number.isFinite(x[now]) ? format(x[now]) : "has diverged",
      format(loss[now]),
      format(loss[best[t]]),
      reached < 0 ? "never" : reached > t ? "not yet" : `at step ${reached}`,
      name === "Hill-ADAM" ? `${direction}, ${turns} turn${turns === 1 ? "" : "s"}` : "",
    ];
    const rate = name in model.get("rates") ? `, λ = ${format(model.get("rates")[name])}` : "";
    const head = html("th", { scope: "row" }, `${LETTERS[name]} ${name}${rate}`);
    return html("tr", { dataset: { optimizer: name } }, head, ...cells.map((text) => html("td", {}, text)));
  }

  const heads = ["", "x", "loss", "best loss", "global minimum", ""].map((text) => html("th", { scope: "col" }, text));
  const rows = html("tbody");
  const table = html("table", {}, html("thead", {}, html("tr", {}, ...heads)), rows);

  /** Run again: something else than the step has changed. */
  const rerun = oncePerFrame(() => {
    if (!scene) return;
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, inward(model.get(name))]));
    const chosen = Object.keys(OPTIMIZERS).filter((name) => model.get("optimizers").includes(name));
    const own = (name) => ({ ...settings, lr: model.get("rates")[name] ?? settings.lr });
    runs = new Map(chosen.map((name) => [name, run(polynomial, model.get("start"), name, own(name))]));
    history.show(0, settings.steps, ...hill.domain.slice(2));
    verdict();
  });

  const task = html("p", { className: "task" });
  const reached = spoken();
  const game = escapeGolf(model, (name) => presets[name]?.name ?? name, signal);
  function verdict() {
    const there = [...runs].map(([name, each]) => [name, arrival(each)]).filter(([, step]) => step >= 0);
    const text = there.map(([name, step]) => `${name} at step ${step}`).join(", ");
    const ends = [...runs].filter(([, { end }]) => end !== null).map(ending);
    reached.say([`At the global minimum: ${text || "none of them"}.`, ...ends].join(" "));
    const player = runs.get("Hill-ADAM");
    game.score(player && arrival(player));
  }

  function ending([name, { x, loss, end }]) {
    const missing = Number.isFinite(loss[end]) ? "slope" : "value";
    const where = Number.isFinite(x[end]) ? `x = ${format(x[end])}` : "infinity";
    return `${name} ends at step ${end}: at ${where} the loss has no ${missing}.`;
  }

  // The loss: one of the presets, or what the reader types.
  const formula = html("input", { type: "text", name: "formula", spellcheck: false, autocomplete: "off" });
  const alert = html("p");
  alert.setAttribute("role", "alert");
  const words = "x, numbers, + − * / ^ ( ), sin, cos, exp, log, sqrt, abs, pi, e";
  const label = html("label", {}, html("span", {}, "f(x) ="), formula);
  const own = html("div", { className: "formula", hidden: true }, label, html("small", {}, words));
  const names = [...Object.entries(presets).map(([key, each]) => [key, each.name]), [OWN, "your own …"]];
  const losses = html("select", { name: "loss" }, ...names.map(([value, text]) => html("option", { value }, text)));
  losses.addEventListener("change", () => {
    if (losses.value === OWN) {
      own.hidden = false;
      formula.value ||= "(x^2 - 1)^2 + 0.3x";
      formula.focus();
      read();
    } else {
      model.set({ loss: losses.value, rates: {}, ...presets[losses.value].opening });
    }
    model.save_changes();
  });
  function read() {
    try {
      const loss = lossOf(formula.value);
      const { points, domain } = landscape(loss);
      alert.textContent = "";
      const start = loss.start ?? Number(((points.at(-1).x + domain[1]) / 2).toPrecision(3));
      model.set({ loss: formula.value, start, step: 0 });
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
  grab(balls, {
    move: (event) => {
      model.set("step", 0);
      start(hill.from(event)[0]);
    },
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

  // λ for all of them, and for each one alone.
  const together = through(
    model,
    ["lr"],
    () => model.get("lr"),
    (_, lr) => model.set({ lr, rates: {} }),
  );
  const rates = new Map(
    Object.keys(OPTIMIZERS).map((name) => {
      const alone = through(
        model,
        ["rates", "lr"],
        () => model.get("rates")[name] ?? model.get("lr"),
        (_, lr) => model.set("rates", { ...model.get("rates"), [name]: lr }),
      );
      return [name, slider(alone, `lr of ${name}`, `λ of ${name}`, RATES, signal)];
    }),
  );
  const each = html("div", { className: "controls", dataset: { trait: "rates" } });
  const chosen = () => each.replaceChildren(...[...rates].filter(([name]) => runsNow(name)).map(([, label]) => label));
  const runsNow = (name) => model.get("optimizers").includes(name);
  follow(model, ["optimizers"], chosen, signal);

  const sliders = (...each) => html("div", { className: "controls" }, ...each);
  const first = sliders(
    slider(together, "lr", "λ", RATES, signal),
    slider(model, "delta", "δ", [0, ...powers(-8, 1, 2)], signal),
  );
  const others = sliders(
    slider(model, "beta1", "β₁", BETAS, signal),
    slider(model, "beta2", "β₂", BETAS, signal),
    slider(model, "gamma", "γ", [...powers(0, 4, 4), Infinity], signal),
    slider(model, "steps", "steps", [100, 200, 300, 500, 1000, 2000, 5000], signal),
  );
  const summary = html("summary", {}, "λ of each, β₁, β₂, γ and the number of steps");
  const more = html("details", {}, summary, each, others);
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
      const known = Object.hasOwn(presets, name);
      try {
        polynomial = known ? presets[name] : lossOf(name);
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
  follow(model, ["optimizers", "start", "rates", "golf", ...SETTINGS], rerun, signal);
  follow(model, ["step"], show, signal);
  follow(model, ["task"], () => task.replaceChildren(model.get("task"), " ", reached.element), signal);
  const charts = html("div", { className: "charts" }, html("div", { className: "pinned" }, hill.root), history.root);
  const heights = new Map([
    [hill, [270, 190]],
    [history, [270, 115]],
  ]);
  fitHeights(charts, heights, signal);
  const running = toggles(model, "optimizers", "run", Object.keys(OPTIMIZERS), signal);
  const numbers = scrollable(table, "the optimizers at this step", signal);
  return mount(
    el,
    "optimizers on a hill",
    "hill",
    [hill, history],
    closing,
    picker,
    alert,
    charts,
    player(model, "step", () => model.get("steps"), ["steps"], signal),
    game.card,
    first,
    task,
    folded("the optimizers, and their numbers at this step", signal, running, numbers),
    more,
  );
}
