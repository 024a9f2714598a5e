// Heat: release many balls in one valley, and see what lets them over the hill.

import { evaluate } from "./dynamics.js";
import { NAMES, density, dice, reading, simulate } from "./heat_dynamics.js";
import { Chart, clamp, draggable, format, oncePerFrame, pointing, set, svg } from "./plot.js";
import { button, choice, follow, html, mount, playing, powers, slider, spoken } from "./controls.js";
import { fitHeights } from "./room.js";

const MEMBERS = 300;
const BINS = 44;
const SETTINGS = ["method", "start", "temperature", "momentum", "noise", "annealing", "cooling", "lr", "steps", "seed"];
const MOMENTA = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];
const FALLS = [
  ["none", "stays"],
  ["geometric", "geometric, to T₀/100"],
  ["logarithmic", "logarithmic"],
];
const COOLS = [
  ["none", "stays"],
  ["geometric_memory", "memory, geometric"],
  ["geometric_temperature", "temperature, geometric"],
  ["linear", "both, linear"],
];

// How far each ball is lifted off the curve, so that a crowd can be seen: evenly spread shares.
const LIFT = Array.from({ length: MEMBERS }, (_, i) => (0.618034 * i) % 1);

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const landscapes = model.get("landscapes");
  let [scene, settings, run, readings, still] = [null, null, null, [], { heat: NaN }];

  const now = () => Math.min(model.get("step"), settings.steps);
  const height = (x) => evaluate(scene, x)[0];
  const warmth = (t) => run.heat[Math.min(t, settings.steps - 1)];
  const beyond = (x) => x > (scene.goal[0] ?? -Infinity) && x < (scene.goal[1] ?? Infinity);
  /** Farther out than its own width beyond the picture, no ball comes back. */
  const bounds = () => {
    const [left, right] = scene.domain;
    return [2 * left - right, 2 * right - left];
  };

  // The curve, the balls above it, and below it the place where all of them start.
  const curve = svg("path", { class: "curve" });
  const tops = svg("path", { class: "cursor" });
  const crowd = svg("path", { class: "balls" });
  const over = svg("path", { class: "balls", "data-side": "beyond" });
  const goal = svg("text", { class: "goalname", "text-anchor": "middle" });
  goal.textContent = "the deepest valley";
  const handle = svg(
    "g",
    { role: "slider", "aria-label": "start", "data-trait": "start" },
    svg("circle", { class: "reach", r: 24 }),
    svg("path", { class: "grip", d: "M0-8L9 8H-9Z" }),
  );
  const names = { label: "The loss, with the balls on it", xLabel: "", yLabel: "loss f(x)" };
  const hill = new Chart(names, () => {
    if (!scene) return;
    const [left, right, bottom, top] = hill.domain;
    const xs = Array.from({ length: 301 }, (_, i) => left + (i / 300) * (right - left));
    set(curve, { d: hill.line(xs, xs.map(height)) });
    set(tops, { d: scene.hills.map((x) => `M${hill.x(x)} ${hill.y(top)}V${hill.y(bottom)}`).join("") });
    const below = Math.min(hill.y(height(scene.deepest)) + 16, hill.y(bottom) - 5);
    set(goal, { x: clamp(hill.x(scene.deepest), 112, hill.width - 70), y: below });
    show();
  });
  hill.plot.append(tops, curve);
  hill.above.append(goal, handle, crowd, over);

  // How many there are from place to place, and how many the density would have there.
  const bars = svg("path", { class: "bars" });
  const law = svg("path", { class: "law" });
  const lawName = svg("text", { class: "law", "text-anchor": "end" });
  lawName.textContent = "exp(−f/T)";
  const histogram = new Chart({ label: "How many balls are where", xLabel: "x", yLabel: "balls" }, () => show());
  histogram.plot.append(bars, law);
  histogram.above.append(lawName);

  // The temperature over the steps: as it is set, and as the balls' steps show it.
  const fall = svg("path", { class: "fall" });
  const shows = svg("path", { class: "reading" });
  const cursor = svg("path", { class: "cursor" });
  const fallName = svg("text", { class: "fallname" });
  const showsName = svg("text", { class: "readingname", "text-anchor": "end" });
  showsName.textContent = "from the balls’ steps";
  const heat = new Chart({ label: "The temperature", xLabel: "step", yLabel: "temperature", logY: true }, () => {
    if (!run) return;
    const steps = run.heat.map((_, t) => t);
    set(fall, { d: heat.line(steps, run.heat.map((value) => value || NaN)) });
    const warm = run.heat[0] > 0;
    set(fallName, { x: heat.x(0) + 8, y: warm ? heat.y(run.heat[0]) - 7 : heat.y(heat.domain[2]) - 10 });
    fallName.textContent = !warm ? "no heat: T = 0" : settings.method === "CoolMomentum" ? "T of the noise" : "T";
    set(showsName, { x: heat.width - 14, y: 14 });
    show();
  });
  heat.plot.append(shows, fall, cursor);
  heat.above.append(fallName, showsName);

  /** Move what depends on the step alone. */
  function show() {
    if (!run || !hill.x || !histogram.x || !heat.x) return;
    const t = now();
    const [left, right, bottom, top] = hill.domain;
    const room = (hill.y(bottom) - hill.y(top)) / 7;
    const marks = ["", ""];
    run.places[t].forEach((x, i) => {
      if (!Number.isFinite(x)) return;
      const px = hill.x(clamp(x, left, right));
      const py = hill.y(Math.min(height(x), top)) - 5 - LIFT[i] * room;
      marks[Number(beyond(x))] += `M${px.toFixed(1)} ${py.toFixed(1)}m-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0-5.2 0`;
    });
    set(crowd, { d: marks[0] });
    set(over, { d: marks[1] });
    const start = model.get("start");
    set(handle, {
      transform: `translate(${hill.x(clamp(start, left, right))} ${hill.y(bottom) - 4})`,
      "aria-valuenow": start,
      "aria-valuemin": left,
      "aria-valuemax": right,
      "aria-valuetext": `x = ${format(start)}`,
    });
    drawHistogram(t);
    const known = readings.slice(0, t);
    set(shows, { d: heat.line(known.map((_, i) => i), known) }); // prettier-ignore
    set(showsName, { visibility: settings.method === "simulated annealing" || !t ? "hidden" : null });
    set(cursor, { d: `M${heat.x(t)} ${heat.y(heat.domain[3])}V${heat.y(heat.domain[2])}` });
    say();
  }

  function drawHistogram(t) {
    const [left, right, , top] = histogram.domain;
    const counts = new Array(BINS).fill(0);
    for (const x of run.places[t]) if (x >= left && x < right) counts[Math.floor(((x - left) / (right - left)) * BINS)] += 1;
    const edge = (bin) => histogram.x(left + (bin / BINS) * (right - left)).toFixed(1);
    const base = histogram.y(0);
    const bar = (count, bin) => `M${edge(bin)} ${base}V${histogram.y(Math.min(count, 2 * top)).toFixed(1)}H${edge(bin + 1)}V${base}Z`;
    set(bars, { d: counts.map((count, bin) => (count ? bar(count, bin) : "")).join("") });
    const warm = still.heat > 0;
    set(law, { d: warm ? histogram.line(still.x, still.expected) : null });
    set(lawName, { x: histogram.width - 14, y: 14, visibility: warm ? null : "hidden" });
  }

  /** What exp(−f/T) says at the present temperature, in balls; and room for it. */
  function settle() {
    const [left, right] = scene.domain;
    const T = warmth(now());
    if (T === still.heat && scene === still.scene) return;
    still = { heat: T, scene };
    if (T > 0) {
      const { x, density: values, width } = density(scene, T, bounds());
      const cell = (right - left) / BINS;
      still.share = values.reduce((sum, value, i) => sum + (beyond(x[i]) ? value * width : 0), 0);
      const seen = Array.from(x.keys()).filter((i) => x[i] >= left && x[i] <= right);
      still.x = seen.map((i) => x[i]);
      still.expected = seen.map((i) => MEMBERS * values[i] * cell);
      still.highest = Math.max(...still.expected);
    }
    histogram.show(left, right, 0, T > 0 ? clamp(1.7 * still.highest, 40, MEMBERS) : MEMBERS);
  }

  const verdict = spoken("span");
  const task = html("p", { className: "task" });
  const verb = (count) => (count === 1 ? "is" : "are");
  const short = (value) => format(Number(value.toPrecision(2)));
  function say() {
    const t = now();
    if (t === 0) return verdict.say(`${MEMBERS} balls wait at x = ${format(settings.start)}. What will let them out? Press ▶.`);
    const places = Array.from(run.places[t]);
    const [low, high] = bounds();
    const lost = places.filter((x) => !(x > low && x < high)).length;
    const where = beyond(settings.start) ? "in the deepest valley" : scene.place;
    const law = still.heat > 0
      ? `At T\u00a0=\u00a0${short(still.heat)}, exp(−f/T) would have ${Math.round(MEMBERS * still.share)} there.`
      : "There is no heat: what they had at the start is all they have.";
    const gone = lost ? ` ${lost} ${verb(lost)} lost: η is too large for these walls.` : "";
    const there = places.filter(beyond).length;
    verdict.say(`Step ${t}: ${there} of ${MEMBERS} ${verb(there)} ${where}. ${law}${gone}`);
  }

  const stepped = oncePerFrame(() => {
    if (signal.aborted || !run) return;
    settle();
    show();
  });
  const rerun = oncePerFrame(() => {
    if (signal.aborted) return;
    scene = landscapes[model.get("loss")];
    settings = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    run = simulate(scene, settings, dice(settings.seed), MEMBERS);
    readings = run.heat.map((_, t) => reading(run, settings, t, bounds()));
    const highest = Math.max(...run.heat, ...readings.filter(Number.isFinite), 1e-3);
    const lowest = Math.min(...run.heat.filter((value) => value > 0), highest / 30);
    settle();
    hill.show(...scene.domain);
    heat.show(0, settings.steps, Math.max(lowest, highest / 1e4) / 2, highest * 2);
  });

  const save = () => model.save_changes();
  const release = (x) => model.set("start", Number(clamp(x, hill.domain[0], hill.domain[1]).toPrecision(4)));
  draggable(handle, {
    move: (event) => release(hill.from(event)[0]),
    nudge: (across, up) => release(model.get("start") + ((across + up) * (hill.domain[1] - hill.domain[0])) / 200),
    end: save,
  });
  pointing(heat.root, {
    move: (event) => model.set("step", Math.round(clamp(heat.from(event)[0], 0, settings.steps))),
    end: save,
  });

  // The controls. What a method has no use for is not shown.
  const { play, scrub, by } = playing(model, "step", () => model.get("steps"), ["steps"], signal);
  const back = button("↺", "Back to the start", by(-Infinity));
  const pair = html("span", { className: "go" }, play, back);
  pair.dataset.trait = scrub.dataset.trait = "step";
  const methods = choice(model, "method", "method", NAMES.map((name) => [name, name]), signal); // prettier-ignore
  const losses = choice(model, "loss", "loss", Object.entries(landscapes).map(([key, { name }]) => [key, name]), signal); // prettier-ignore
  const fitting = () => model.set("lr", landscapes[model.get("loss")].lr[model.get("method")]);
  for (const each of [methods, losses]) each.addEventListener("change", fitting);
  losses.addEventListener("change", () => model.set("start", landscapes[model.get("loss")].start));
  const again = button("other dice", "Other dice", () => {
    model.set("seed", (model.get("seed") + 1) % 1_000_000);
    save();
  });
  again.dataset.trait = "seed";
  const rates = powers(-3, 0, 10);
  const [rolls, hops, friction] = ["Langevin CoolMomentum", "simulated annealing", "Langevin CoolMomentum"];
  const used = new Map([
    [slider(model, "temperature", "T₀", [0, ...powers(-2, 0.5, 10)], signal), "Langevin simulated annealing"],
    [slider(model, "noise", "noise σ", [0, 0.1, 0.2, 0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 20], signal), "CoolMomentum"],
    [slider(model, "momentum", "momentum ρ", MOMENTA, signal), friction],
    [slider(model, "lr", "λ", rates, signal), hops],
    [choice(model, "annealing", "T", FALLS, signal), "Langevin simulated annealing"],
    [choice(model, "cooling", "ρ falls:", COOLS, signal), "CoolMomentum"],
    [slider(model, "lr", "η", rates, signal), rolls],
  ]);
  const each = [...used.keys()];
  const speed = slider(model, "speed", "speed", [10, 20, 50, 100, 200, 500, 1000], signal);
  const length = slider(model, "steps", "steps", [100, 200, 300, 500, 1000, 2000, 3000], signal);
  const bar = html("div", { className: "bar" }, pair, methods);
  const first = html("div", { className: "controls first" }, ...each.slice(0, 4));
  const others = html("div", { className: "controls" }, losses, ...each.slice(4), length, scrub, speed, again);
  const more = html("details", {}, html("summary", {}, "more"), others);
  follow(model, ["method"], () => {
    for (const [control, methods] of used) control.hidden = !methods.includes(model.get("method"));
  }, signal); // prettier-ignore

  const hills = html("div", { className: "hills pinned" }, hill.root, histogram.root);
  const says = html("p", { className: "say" }, verdict.element);
  const charts = html("div", { className: "charts" }, hills, html("div", {}, heat.root, says));
  const heights = new Map([
    [hill, [250, 165]],
    [histogram, [170, 122]],
    [heat, [250, 116]],
  ]);
  fitHeights(charts, heights, signal);
  follow(model, ["task"], () => (task.textContent = model.get("task")), signal);
  follow(model, ["loss", ...SETTINGS], rerun, signal);
  follow(model, ["step"], stepped, signal);
  return mount(el, "heat", "heat", [hill, histogram, heat], closing, task, charts, bar, first, more);
}
