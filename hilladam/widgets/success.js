// The map of success: tap a cell, and see one run with its λ and δ, and what becomes of every start.

import { evaluate } from "./dynamics.js";
import { coarseToFine, travel } from "./crossing_dynamics.js";
import { levels, lawAbove, startsOf } from "./success_dynamics.js";
import { legsOn, strip } from "./way.js";
import { Chart, clamp, draggable, format, oncePerFrame, pointing, set, steer, svg } from "./plot.js";
import { fitHeights, folded } from "./room.js";
import { choice, follow, html, mount, spoken } from "./controls.js";

const SLICE = 20; // milliseconds of computing at a time: what is left to do waits for the next frame
const BAR = 22; // pixels, of the strip's height

const short = (value) => format(Number(value.toPrecision(3)));

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const landscapes = model.get("landscapes");
  const { lr: rates, delta: deltas, starts: count, startsPerLetter, ...rule } = model.get("rule");
  const shades = Math.round(count / startsPerLetter) + 1;
  let [scene, run, starts, fates, known, work] = [null, null, [], [], new Map(), []];

  const [columns, rows] = [rates.length, deltas.length];
  /** The edges of cells about values in geometric order. */
  const edges = (values) => {
    const half = Math.sqrt(values[1] / values[0]);
    return [values[0] / half, ...values.map((value) => value * half)];
  };
  const [across, up] = [edges(rates), edges(deltas)];

  // The map: a path for each shade, and on it the lines of the law and the cell.
  const areas = Array.from({ length: shades }, (_, level) => {
    const area = svg("path", { class: "share" });
    area.style.setProperty("--share", `${(100 * level) / (shades - 1)}%`);
    return area;
  });
  const laws = svg("g");
  const reach = svg("rect", { class: "reach" });
  const marker = svg("rect", { class: "marker", rx: 1.5 });
  const halo = svg("rect", { class: "marker halo", rx: 2.5 });
  const field = svg("g", { role: "slider", "aria-label": "cell", "data-trait": "cell" }, reach, halo, marker);
  const map = new Chart(
    { label: "How many starts succeed, over λ and δ", xLabel: "λ", yLabel: "δ: tap a cell", logX: true, logY: true },
    () => scene && drawMap(),
  );
  map.plot.append(...areas, laws);
  map.above.append(field);

  function drawMap() {
    const xs = across.map((value) => map.x(value).toFixed(1));
    const ys = up.map((value) => map.y(value).toFixed(1));
    const d = areas.map(() => "");
    for (let row = 0; row < rows; row++) {
      for (let from = 0, to = 1; from < columns; from = to, to = from + 1) {
        const level = scene.levels[row * columns + from];
        while (to < columns && scene.levels[row * columns + to] === level) to++;
        if (level) d[level] += `M${xs[from]} ${ys[row]}H${xs[to]}V${ys[row + 1]}H${xs[from]}Z`;
      }
    }
    d[0] = `M${xs[0]} ${ys[0]}H${xs[columns]}V${ys[rows]}H${xs[0]}Z`;
    areas.forEach((area, level) => set(area, { d: d[level] }));
    const lines = scene.laws.map((law) => map.line(rates, law.map((delta) => Math.max(delta, 1e-12)))); // prettier-ignore
    laws.replaceChildren(
      ...["halo", ""].flatMap((name) => lines.map((line) => svg("path", { class: `law ${name}`, d: line }))),
    );
    set(reach, { x: xs[0], y: ys[rows], width: xs[columns] - xs[0], height: ys[0] - ys[rows] });
    mark();
  }
  function mark() {
    const [column, row] = model.get("cell");
    const [x, y] = [map.x(rates[column]), map.y(deltas[row])];
    set(marker, { x: x - 5, y: y - 5, width: 10, height: 10 });
    set(halo, { x: x - 7, y: y - 7, width: 14, height: 14 });
  }

  // The loss, the run on it, and the fate of every start.
  const curve = svg("path", { class: "curve" });
  const code = svg("g");
  const legs = svg("g");
  const plumb = svg("path", { class: "plumb" });
  const goal = svg("text", { class: "goalname", "text-anchor": "middle" });
  goal.textContent = "deepest valley";
  const ball = svg("circle", { class: "ball", r: 9 });
  const slides = { role: "slider", "aria-label": "start", "data-trait": "start" };
  const handle = svg("g", slides, svg("circle", { class: "reach", r: 22 }), ball);
  const hill = new Chart(
    {
      label: "The loss, the run on it, and for every start whether it gets there",
      xLabel: "x: drag the start",
      yLabel: "loss f(x)",
    },
    () => run && drawHill(),
  );
  hill.plot.append(curve, legs, code, plumb);
  hill.above.append(goal, handle);
  const barTop = () => hill.y(hill.domain[2]) - BAR;

  function drawHill() {
    const { left, right } = scene;
    const xs = Array.from({ length: 301 }, (_, i) => left + (i / 300) * (right - left));
    const ys = xs.map((x) => evaluate(scene, x)[0]);
    set(curve, { d: hill.line(xs, ys) });
    set(goal, {
      x: clamp(hill.x(scene.minima[scene.goal]), hill.x(left) + 52, hill.x(right) - 52),
      y: Math.min(hill.y(Math.min(...ys.filter(Number.isFinite))) + 16, barTop() - 4),
    });
    drawRun();
    drawStrip();
  }
  function drawStrip() {
    if (!hill.x) return;
    const half = (scene.high - scene.low) / (count - 1) / 2;
    code.replaceChildren(...strip(fates, hill.x(scene.low - half), hill.x(scene.high + half), barTop(), BAR));
  }
  function drawRun() {
    if (!hill.x) return;
    const stops = [...run.turns];
    if (run.arrival >= 0 && !stops.at(-1).climbs) stops.push({ x: scene.minima[scene.goal] });
    legs.replaceChildren(...legsOn(hill, scene, stops));
    const x = clamp(model.get("start"), scene.left, scene.right);
    const y = Math.max(hill.y(evaluate(scene, x)[0]), hill.y(hill.domain[3]) + 9);
    set(plumb, { d: `M${hill.x(x)} ${y}V${barTop() + BAR}` });
    set(handle, {
      transform: `translate(${hill.x(x)} ${y})`,
      "aria-valuemin": scene.left,
      "aria-valuemax": scene.right,
      "aria-valuenow": x,
      "aria-valuetext": `x = ${format(x)}: ${run.arrival >= 0 ? "reaches the deepest valley" : "does not get there"}`,
    });
  }

  const task = html("p", { className: "task" });
  const verdict = spoken();
  const share = spoken("span");
  const setting = () => {
    const [column, row] = model.get("cell");
    return { ...rule, lr: rates[column], delta: deltas[row] };
  };

  function words() {
    const { lr, delta, steps } = setting();
    const climbs = run.turns.filter((turn) => turn.climbs && (run.arrival < 0 || turn.step < run.arrival)).length;
    const times = `${climbs} climb${climbs === 1 ? "" : "s"}`;
    const fate =
      run.arrival >= 0
        ? `it crosses: in the deepest valley at step ${run.arrival}, after ${times}`
        : `it does not cross: ${climbs ? `${times} in ${steps} steps, and` : `no climb in ${steps} steps,`} not there`;
    return `λ = ${short(lr)}, δ = ${short(delta)}. From x = ${format(model.get("start"))} ${fate}.`;
  }
  function tally() {
    const done = fates.filter((fate) => fate !== undefined);
    const arrived = done.filter(Boolean).length;
    const { delta } = setting();
    const law = lawAbove(scene.laws, model.get("cell")[0]);
    const ratio = delta / law;
    const room = ratio < 1e-2 || ratio > 100 ? (ratio < 1 ? "far below" : "far above") : `${format(Number(ratio.toPrecision(2)))} times`;
    const which = work.length ? `the ${done.length} starts computed so far` : `${count} starts`;
    return `Of ${which} ${arrived} cross. δ is ${room} the law’s ${scene.laws.length > 1 ? "highest " : ""}δ*.`;
  }

  /** Compute for a while what is not known yet, the coarse first, and go on with the next frame. */
  const goOn = oncePerFrame(() => {
    if (signal.aborted) return;
    const begun = performance.now();
    const { steps, ...settings } = setting();
    while (work.length && performance.now() - begun < SLICE) {
      const i = work.shift();
      fates[i] = travel(scene, starts[i], settings, steps, known).arrival >= 0;
    }
    drawStrip();
    share.say(tally());
    if (work.length) goOn();
  });

  function retrace() {
    const { steps, ...settings } = setting();
    run = travel(scene, model.get("start"), settings, steps);
    hill.show(scene.left, scene.right, scene.bottom, scene.top);
    const text = words();
    verdict.say(text);
    const [column, row] = model.get("cell");
    set(field, { "aria-valuemin": 0, "aria-valuemax": columns * rows - 1, "aria-valuenow": row * columns + column });
    set(field, { "aria-valuetext": text });
  }
  /** Another cell: everything is another. */
  const reset = oncePerFrame(() => {
    if (signal.aborted || !scene) return;
    [fates, known, work] = [new Array(count), new Map(), coarseToFine(count)];
    if (map.x) mark();
    retrace();
    goOn();
  });
  const moved = oncePerFrame(() => signal.aborted || !scene || retrace());

  const choose = (cell) => model.set("cell", cell);
  const save = () => model.save_changes();
  const nearest = (values, value) => {
    const share = Math.log(value / values[0]) / Math.log(values.at(-1) / values[0]);
    return clamp(Math.round(share * (values.length - 1)), 0, values.length - 1);
  };
  const under = (event) => {
    const [x, y] = map.from(event);
    return [nearest(rates, x), nearest(deltas, y)];
  };
  pointing(field, { move: (event) => choose(under(event)), end: save });
  const nudge = (right, above) => {
    const [column, row] = model.get("cell");
    choose([clamp(column + right, 0, columns - 1), clamp(row + above, 0, rows - 1)]);
  };
  steer(field, { nudge, end: save });

  const toStart = (x) => model.set("start", Number(clamp(x, scene.low, scene.high).toPrecision(4)));
  draggable(handle, {
    move: (event) => toStart(hill.from(event)[0]),
    nudge: (right, above) => toStart(model.get("start") + ((right + above) * (scene.high - scene.low)) / (count - 1)),
    end: save,
  });
  pointing(code, { move: (event) => toStart(hill.from(event)[0]), end: save });

  const names = Object.entries(landscapes).map(([key, { name }]) => [key, name]);
  const losses = choice(model, "loss", "loss", names, signal);
  losses.addEventListener("change", () => {
    model.set("start", landscapes[model.get("loss")].start);
    save();
  });
  const charts = html("div", { className: "charts" }, html("div", { className: "pinned pair" }, map.root, hill.root));
  const heights = new Map([
    [map, [350, 222]],
    [hill, [350, 168]],
  ]);
  fitHeights(charts, heights, signal);
  const scale = html("span", { className: "scale" });
  const key = html("ul", { className: "legend" }, html("li", {}, "none", scale, "all of the starts succeed"));
  const line = svg("svg", { viewBox: "0 0 18 12", width: 18, height: 12, "aria-hidden": "true" });
  line.append(svg("path", { class: "law", d: "M0 6H18" }));
  key.append(html("li", {}, line, "the law’s δ*, a line for each hill to cross"));
  follow(model, ["task"], () => (task.textContent = model.get("task")), signal);
  follow(
    model,
    ["loss"],
    () => {
      const found = landscapes[model.get("loss")];
      scene = { ...found, levels: levels(found.counts, deltas.length) };
      starts = startsOf(scene, count);
      run = null;
      map.show(across[0], across.at(-1), up[0], up.at(-1));
      reset();
    },
    signal,
  );
  follow(model, ["cell"], reset, signal);
  follow(model, ["start"], moved, signal);
  return mount(
    el,
    "the map of success",
    "crossing success",
    [map, hill],
    closing,
    task,
    html("div", { className: "player" }, losses),
    charts,
    html("p", { className: "say" }, verdict.element, " ", share.element),
    folded("the key", signal, key),
  );
}
