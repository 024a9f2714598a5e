// The phase diagram: point at a cell, and see that run on the curve.

import { evaluate } from "./dynamics.js";
import { adamPass, boundaryBand, sweepPasses } from "./escape_dynamics.js";
import { Chart, clamp, format, oncePerFrame, pointing, set, steer, svg, unique } from "./plot.js";
import { fitHeights, folded } from "./room.js";
import { choice, follow, html, mount, slider, spoken } from "./controls.js";

// By predicted + 2·truth.
const KINDS = ["stays", "said to escape, stays", "said to stay, escapes", "escapes"];
const COUNTS = ["no", "one", "two", "three", "four", "five", "six"];

const bits = (text) => Array.from(text, Number);

/** The edges of cells about values in geometric order. */
function edges(values) {
  const half = Math.sqrt(values[1] / values[0]);
  return [values[0] / half, ...values.map((value) => value * half)];
}

/** The way out that a diagram is about, and what it says of its cells. */
export function read({ coefficients, centre, x0, barrier, steps, lr, beta1, beta2, truth, predicted }) {
  const way = {
    polynomial: { coefficients, centre },
    x0,
    direction: Math.sign(barrier - x0),
    length: Math.abs(barrier - x0),
    steps,
  };
  const at = ([column, row]) => ({ lr: lr[column], beta1: beta1[row], beta2 });
  return {
    way,
    at,
    columns: lr.length,
    rows: beta1.length,
    lr,
    beta1,
    truth: bits(truth),
    predicted: predicted.map(bits),
  };
}

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const id = unique("phase");
  const diagrams = Object.fromEntries(Object.entries(model.get("diagrams")).map(([key, each]) => [key, read(each)]));
  let [scene, hover, run] = [null, null, null];

  // The diagram.
  const hatch = (name, d) =>
    svg(
      "pattern",
      { id: `${id}-${name}`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
      svg("path", { class: "hatch", d }),
    );
  const areas = KINDS.map((_, kind) => svg("path", { class: "area", "data-kind": kind }));
  const hatched = { 1: hatch("false", "M-1 1L1-1M0 6L6 0M5 7L7 5"), 2: hatch("missed", "M0 3H6M3 0V6") };
  const hatches = Object.entries(hatched).map(([kind, { id }]) =>
    svg("path", { fill: `url(#${id})`, "data-area": kind }),
  );
  const border = svg("path", { class: "border" });
  const marker = svg("rect", { class: "marker", rx: 1.5 });
  const halo = svg("rect", { class: "marker halo", rx: 2.5 });
  const reach = svg("rect", { class: "reach" });
  const field = svg("g", { role: "slider", "aria-label": "cell", "data-trait": "cell" }, reach, halo, marker);
  const names = { xLabel: "λ / L, step over distance to the top", yLabel: "1 − β₁, long memory above" };
  const diagram = new Chart({ label: "Which settings escape", ...names, logX: true, logY: true }, () => {
    if (!scene) return;
    const { columns, rows, truth } = scene;
    const xs = edges(scene.lr.map((lr) => lr / scene.way.length)).map(diagram.x);
    const ys = edges(scene.beta1.map((beta) => 1 - beta)).map(diagram.y);
    Object.assign(scene, { xs, ys });
    const predicted = scene.predicted[model.get("sweeps")];
    const d = KINDS.map(() => "");
    const kind = (row, column) => predicted[row * columns + column] + 2 * truth[row * columns + column];
    for (let row = 0; row < rows; row++) {
      for (let from = 0, to = 1; from < columns; from = to, to = from + 1) {
        while (to < columns && kind(row, to) === kind(row, from)) to++;
        d[kind(row, from)] += `M${xs[from]} ${ys[row]}H${xs[to]}V${ys[row + 1]}H${xs[from]}Z`;
      }
    }
    areas.forEach((area, i) => set(area, { d: d[i] }));
    hatches.forEach((area) => set(area, { d: d[area.dataset.area] }));
    let line = "";
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const here = truth[row * columns + column];
        if (column + 1 < columns && truth[row * columns + column + 1] !== here)
          line += `M${xs[column + 1]} ${ys[row]}V${ys[row + 1]}`;
        if (row + 1 < rows && truth[(row + 1) * columns + column] !== here)
          line += `M${xs[column]} ${ys[row + 1]}H${xs[column + 1]}`;
      }
    }
    set(border, { d: line });
    const box = { x: xs[0], y: ys.at(-1), width: xs.at(-1) - xs[0], height: ys[0] - ys.at(-1) };
    set(reach, box);
    mark();
  });
  diagram.root.querySelector("defs").append(...Object.values(hatched));
  diagram.plot.append(...areas, ...hatches, border);
  diagram.above.append(field);

  function mark() {
    if (!scene?.xs) return;
    const [column, row] = shown();
    const { xs, ys } = scene;
    const size = {
      x: xs[column] - 1,
      y: ys[row + 1] - 1,
      width: xs[column + 1] - xs[column] + 2,
      height: ys[row] - ys[row + 1] + 2,
    };
    set(marker, size);
    set(halo, { x: size.x - 2, y: size.y - 2, width: size.width + 4, height: size.height + 4 });
  }

  // The run on the curve. Either path is lifted off it, so that both can be seen.
  const curve = svg("path", { class: "curve" });
  const barrier = svg("path", { class: "cursor" });
  const top = svg("text");
  const paths = svg("g");
  const hill = new Chart(
    { label: "Adam’s path on the loss, and the predicted one", xLabel: "x", yLabel: "loss f(x)" },
    () => {
      if (!scene) return;
      const [left, right] = hill.domain;
      const xs = Array.from({ length: 201 }, (_, i) => left + (i / 200) * (right - left));
      set(curve, {
        d: hill.line(
          xs,
          xs.map((x) => evaluate(scene.way.polynomial, x)[0]),
        ),
      });
      const place = hill.x(scene.way.x0 + scene.way.direction * scene.way.length);
      set(barrier, { d: `M${place} ${hill.y(hill.domain[3])}V${hill.y(hill.domain[2])}` });
      set(top, {
        x: place - 5 * scene.way.direction,
        y: hill.y(hill.domain[3]) + 10,
        "text-anchor": scene.way.direction > 0 ? "end" : "start",
      });
      draw();
    },
  );
  top.textContent = "top of the barrier";
  hill.plot.append(curve, barrier, paths);
  hill.above.append(top);

  const shown = () => hover ?? model.get("cell");
  const criterion = () => {
    const count = model.get("sweeps");
    return count === 0 ? "equal distances" : `${COUNTS[count]} sweep${count > 1 ? "s" : ""}`;
  };

  /** Points on the curve, lifted, as a path with its marks and its end. */
  function trace(name, { path, escapes, turns }, lift) {
    const { way } = scene;
    const xs = path.map((u) => way.x0 + way.direction * u);
    const px = xs.map(hill.x);
    const py = xs.map((x) => Math.max(hill.y(evaluate(way.polynomial, x)[0]), -1e4) - lift);
    let [line, marks, before] = ["", "", -Infinity];
    px.forEach((x, i) => {
      const [cx, cy] = [x.toFixed(1), py[i].toFixed(1)];
      line += `${i ? "L" : "M"}${cx} ${cy}`;
      if (Math.abs(x - before) < 3 && i < px.length - 1) return; // marks that would cover each other
      before = x;
      marks +=
        name === "Adam"
          ? `M${cx} ${cy}m-2.8 0a2.8 2.8 0 1 0 5.6 0a2.8 2.8 0 1 0-5.6 0`
          : `M${cx} ${cy}m-3-3l6 6m0-6l-6 6`;
    });
    const [edgeLeft, edgeRight] = [hill.x(hill.domain[0]), hill.x(hill.domain[1])];
    const end = [clamp(px.at(-1), edgeLeft + 8, edgeRight - 8), Math.max(py.at(-1), hill.y(hill.domain[3]) + 8)];
    const points = (escapes ? 1 : turns ? -1 : 0) * way.direction;
    const shape = points ? `M${11 * points} 0L${-3 * points}-7V7Z` : "M-5-5H5V5H-5Z";
    return svg(
      "g",
      { class: "pass", "data-pass": name },
      svg("path", { class: "run", d: line }),
      svg("path", { class: "dots", d: marks }),
      svg("path", { class: "end", transform: `translate(${end})`, d: shape }),
    );
  }

  function draw() {
    if (!run || !hill.x) return;
    paths.replaceChildren(trace("predicted", run.predicted, 24), trace("Adam", run.adam, 9));
  }

  const first = html("p", { className: "reading" });
  const scores = spoken("span");
  const task = html("p", { className: "task" });
  const swatch = (kind) => {
    const box = svg("svg", { width: 18, height: 14, viewBox: "0 0 18 14", "aria-hidden": "true" });
    box.append(svg("rect", { class: "area", "data-kind": kind, width: 18, height: 14 }));
    if (hatched[kind]) box.append(svg("rect", { width: 18, height: 14, fill: `url(#${hatched[kind].id})` }));
    return box;
  };
  const counts = KINDS.map(() => html("span"));
  const legend = html(
    "ul",
    { className: "legend" },
    ...KINDS.map((name, kind) => html("li", {}, swatch(kind), html("span", {}, name, " ", counts[kind]))),
  );

  /** What was predicted of the cell, and what happens, in words. */
  function words() {
    const { way } = scene;
    const { lr, beta1 } = scene.at(shown());
    const { adam, predicted } = run;
    const where = format(Number((way.x0 + way.direction * adam.path.at(-2)).toPrecision(3)));
    const steps = adam.path.length - 1;
    const does = adam.escapes
      ? `crosses the top with step ${steps}`
      : adam.turns
        ? `turns back at x = ${where}, after ${steps - 1} steps`
        : `creeps: in ${steps} steps it neither crosses nor turns`;
    const who = criterion().replace(/^./, (letter) => letter.toUpperCase());
    const verb = model.get("sweeps") === 1 ? "says" : "say";
    const says = `${who} ${verb}: it ${predicted.escapes ? "escapes" : "stays"}.`;
    const right =
      predicted.escapes === adam.escapes
        ? "As predicted"
        : predicted.escapes
          ? "An escape promised that does not come"
          : "An escape missed";
    return [
      `λ = ${format(Number((lr / way.length).toPrecision(2)))} L, β₁ = ${format(Number(beta1.toPrecision(3)))}.`,
      says,
      `Adam ${does}.`,
      `${right}.`,
    ];
  }

  /** Run the cell that is pointed at. */
  const follows = oncePerFrame(() => {
    if (signal.aborted || !scene) return;
    const settings = scene.at(shown());
    run = {
      adam: adamPass(scene.way, settings),
      predicted: sweepPasses(scene.way, settings, model.get("sweeps")).at(-1),
    };
    draw();
    mark();
    const [where, says, does, right] = words();
    const part = (name, text) => html("span", { dataset: { pass: name } }, text);
    first.replaceChildren(
      html("b", {}, where),
      " ",
      part("predicted", says),
      " ",
      part("Adam", does),
      " ",
      html("b", {}, right),
    );
    const [column, row] = shown();
    const place = {
      "aria-valuemin": 0,
      "aria-valuemax": scene.columns * scene.rows - 1,
      "aria-valuenow": row * scene.columns + column,
    };
    if (!hover) set(field, { ...place, "aria-valuetext": first.textContent });
  });

  /** Colour the cells: the loss or the prediction has changed. */
  const recolour = oncePerFrame(() => {
    if (signal.aborted) return;
    scene = diagrams[model.get("loss")];
    const { way, truth } = scene;
    const predicted = scene.predicted[model.get("sweeps")];
    const [x, y] = [edges(scene.lr.map((lr) => lr / way.length)), edges(scene.beta1.map((beta) => 1 - beta))];
    const kinds = truth.map((escapes, i) => predicted[i] + 2 * escapes);
    counts.forEach((count, kind) => (count.textContent = `(${kinds.filter((each) => each === kind).length})`));
    const band = boundaryBand(truth, scene.columns);
    const right = (cells) => cells.filter(([said, escapes]) => said === escapes).length;
    const pairs = truth.map((escapes, i) => [predicted[i], escapes]);
    const near = pairs.filter((_, i) => band[i]);
    scores.say(
      `In the whole diagram, ${criterion()} ${model.get("sweeps") === 1 ? "is" : "are"} right in ${right(pairs)} of ` +
        `${pairs.length} cells, and in ${right(near)} of the ${near.length} beside the boundary.`,
    );
    task.textContent = model.get("task");
    diagram.show(x[0], x.at(-1), y[0], y.at(-1));
    const ends = [-0.04, 1.25].map((share) => way.x0 + way.direction * share * way.length).sort((a, b) => a - b);
    const values = Array.from(
      { length: 201 },
      (_, i) => evaluate(way.polynomial, ends[0] + (i / 200) * (ends[1] - ends[0]))[0],
    );
    const [low, high] = [Math.min(...values), Math.max(...values)];
    hill.show(...ends, low - 0.05 * (high - low), high + 0.15 * (high - low));
    follows();
  });

  function under(event) {
    const [x, y] = diagram.from(event);
    const index = (values, value) => {
      const nearest = values.map((each) => Math.abs(Math.log(each / value)));
      return nearest.indexOf(Math.min(...nearest));
    };
    return [
      index(scene.lr, x * scene.way.length),
      index(
        scene.beta1.map((beta) => 1 - beta),
        y,
      ),
    ];
  }
  const choose = (cell) => {
    hover = null;
    model.set("cell", cell);
    follows();
  };
  field.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || event.buttons) return;
    hover = under(event);
    follows();
  });
  field.addEventListener("pointerleave", () => {
    hover = null;
    follows();
  });
  const end = () => model.save_changes();
  pointing(field, { move: (event) => choose(under(event)), end });
  const nudge = (across, up) => {
    const [column, row] = model.get("cell");
    choose([clamp(column + across, 0, scene.columns - 1), clamp(row + up, 0, scene.rows - 1)]);
  };
  steer(field, { nudge, end });

  const losses = Object.entries(model.get("diagrams")).map(([key, { name, x0 }]) => [
    key,
    `${name}, from ${format(x0)}`,
  ]);
  const pickers = html(
    "div",
    { className: "player" },
    choice(model, "loss", "loss", losses, signal),
    slider(
      model,
      "sweeps",
      "sweeps",
      COUNTS.map((_, i) => i),
      signal,
    ),
  );
  follow(model, ["loss", "sweeps", "task"], recolour, signal);
  follow(model, ["cell"], follows, signal);
  const charts = html("div", { className: "charts" }, html("div", { className: "pinned pair" }, diagram.root, hill.root), first);
  const heights = new Map([
    [diagram, [340, 198]],
    [hill, [340, 148]],
  ]);
  fitHeights(charts, heights, signal);
  return mount(
    el,
    "where Adam escapes",
    "phase",
    [diagram, hill],
    closing,
    task,
    pickers,
    charts,
    folded("the key, and how often it is right", signal, legend, html("p", { className: "reading" }, scores.element)),
  );
}
