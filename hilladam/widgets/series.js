// The series: drag the gradients, and see what each of them weighs and how long a step they make.

import { PRESETS, largest, series, weights } from "./series_dynamics.js";
import { Chart, clamp, draggable, format, oncePerFrame, set, svg } from "./plot.js";
import { fitHeights, folded } from "./room.js";
import { BETAS, choice, follow, html, mount, scrollable, slider, spoken } from "./controls.js";

const LONGEST = 40;
const STARTS = { zero: "at zero, corrected (torch)", first: "at the first gradient (the paper)" };
const NAMES = [
  ["constant", "constant"],
  ["alternating", "alternating in sign"],
  ["spike", "one, after silence"],
  ["growing", "growing by β₂/β₁"],
  ["slide", "a slide into a valley"],
  ["own", "your own"],
];
const SHOWN = ["t", "beta1", "beta2", "start", "silence", "preset", "gradients"];

const short = (value) => format(Number(value.toPrecision(2)));
const numbers = (count) => Array.from({ length: count }, (_, i) => i + 1);

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  let [scene, lit, limit, dragging] = [null, 0, 1, false];

  /** The bars of a chart, one for each gradient, and how to set their heights. */
  function columns(chart, parent) {
    const bars = numbers(LONGEST).map(() => svg("rect", { class: "column" }));
    parent.append(...bars);
    return (heights) => {
      const wide = Math.abs(chart.x(1) - chart.x(0));
      bars.forEach((bar, i) => {
        set(bar, { visibility: i < heights.length ? "visible" : "hidden" });
        bar.classList.toggle("lit", i === lit);
        if (i >= heights.length) return;
        const [from, to] = [chart.y(0), chart.y(heights[i])];
        const size = { width: 0.8 * wide, y: Math.min(from, to), height: Math.max(Math.abs(to - from), 0.5) };
        set(bar, { x: chart.x(i + 0.6), ...size });
      });
    };
  }

  // The gradients, which the reader drags.
  const places = numbers(LONGEST).map((k) => {
    const reach = svg("rect", { class: "reach", rx: 3 });
    const slides = { role: "slider", "aria-orientation": "vertical", "data-trait": "gradients" };
    return svg("g", { ...slides, "aria-label": `gradient ${k}` }, reach);
  });
  const gradients = new Chart(
    {
      label: "The gradients, to be dragged",
      xLabel: "gradient, oldest first",
      yLabel: "gradient: drag the bars",
    },
    () => {
      if (!scene) return;
      raise(scene.gradients);
      const wide = gradients.x(1) - gradients.x(0);
      const [, , bottom, top] = gradients.domain;
      places.forEach((place, i) => {
        set(place, { visibility: i < scene.gradients.length ? "visible" : "hidden", tabindex: i === lit ? 0 : -1 });
        if (i >= scene.gradients.length) return;
        const value = scene.gradients[i];
        set(place, {
          "aria-valuenow": value,
          "aria-valuemin": -limit,
          "aria-valuemax": limit,
          "aria-valuetext": format(value),
        });
        set(place.firstChild, {
          x: gradients.x(i + 0.5),
          y: gradients.y(top),
          width: wide,
          height: gradients.y(bottom) - gradients.y(top),
        });
      });
      set(zero, { d: gradients.line(gradients.domain.slice(0, 2), [0, 0]) });
    },
  );
  const zero = svg("path", { class: "axis" });
  const raise = columns(gradients, gradients.plot);
  gradients.plot.append(zero);
  gradients.above.append(...places);

  function change(values) {
    model.set({ gradients: values.map((value) => Number(clamp(value, -limit, limit).toPrecision(3))), preset: "own" });
  }
  function point(k) {
    lit = clamp(k, 0, scene.gradients.length - 1);
    update();
  }
  let last = null; // where a stroke over the bars has come from
  function paint(event) {
    const [x, y] = gradients.from(event);
    const k = clamp(Math.round(x) - 1, 0, scene.gradients.length - 1);
    const values = [...scene.gradients];
    const [from, height] = last ?? [k, y];
    for (let i = k; i !== from; i += Math.sign(from - k)) values[i] = y + ((height - y) * (i - k)) / (from - k);
    values[k] = y;
    [last, lit] = [[k, y], k];
    change(values);
  }
  places.forEach((place, k) => {
    place.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      [dragging, last] = [true, null];
      paint(event);
    });
    place.addEventListener("focus", () => lit !== k && point(k));
    place.addEventListener("pointerenter", () => dragging || point(k));
    draggable(place, {
      move: paint,
      nudge: (across, up) => {
        if (across) {
          point(k + across);
          places[lit].focus();
        } else change(scene.gradients.map((value, i) => (i === k ? value + (up * limit) / 50 : value)));
      },
      end: () => {
        if (dragging) places[lit].focus(); // a stroke may end on another bar
        dragging = false;
        model.save_changes();
        update();
      },
    });
  });

  // Their weights: bars for the chosen start, a line for the other.
  function weighing(label, yLabel, which) {
    const other = svg("path", { class: "outline" });
    const beyond = svg("text", { class: "note", y: 34 });
    const chart = new Chart({ label, xLabel: "gradient, oldest first", yLabel, height: 170 }, () => {
      if (!scene) return;
      const [chosen, rest] = [scene.start, scene.start === "zero" ? "first" : "zero"];
      const [heights, others] = [scene[chosen][which], scene[rest][which]];
      set(chart.plot, { "data-start": chosen });
      set(other, { "data-start": rest, d: steps(chart, others) });
      lift(heights);
      const high = others[0] > chart.domain[3];
      beyond.textContent = high ? `▲ ${format(others[0])}` : "";
      set(beyond, { "data-start": rest, x: chart.x(1.6) + 4 });
    });
    const lift = columns(chart, chart.plot);
    chart.plot.append(other);
    chart.above.append(beyond);
    return chart;
  }
  const steps = (chart, heights) =>
    chart.line(
      [0.5, ...heights.flatMap((_, i) => [i + 0.5, i + 1.5]), heights.length + 0.5],
      [0, ...heights.flatMap((height) => [height, height]), 0],
    );
  const momentum = weighing("What each gradient weighs in the momentum", "weight in the momentum", "a");
  const variance = weighing("What each gradient weighs in the variance", "weight in the variance", "b");

  // The steps so far, between the longest that there can be.
  const room = svg("path", { class: "room" });
  const edge = svg("text", { class: "note", "text-anchor": "end" });
  const known = svg("path", { class: "bound" });
  const name = svg("text", { class: "note", "text-anchor": "end" });
  const pen = () => [svg("path", { class: "outline" }), svg("path", { class: "mark" })];
  const runs = Object.keys(STARTS).map((start) => svg("g", { "data-start": start }, ...pen()));
  const shape = (start, x, y, r) =>
    start === "zero"
      ? `M${(x - r).toFixed(1)} ${y.toFixed(1)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`
      : `M${(x - r).toFixed(1)} ${(y - r).toFixed(1)}h${2 * r}v${2 * r}h${-2 * r}z`;
  const here = svg("path", { class: "cursor" });
  const walk = new Chart(
    { label: "The step after each gradient", xLabel: "step", yLabel: "step / λ" },
    () => {
      if (!scene) return;
      const [left, right, bottom, top] = walk.domain;
      const ks = numbers(scene.gradients.length);
      const [upper, lower] = [
        scene.largest.map((each) => Math.min(each, 10 * top)),
        scene.largest.map((each) => Math.max(-each, 10 * bottom)),
      ];
      set(room, { d: `${walk.line([...ks, ...[...ks].reverse()], [...upper, ...lower.reverse()])}Z` });
      const ceiling = scene.largest.at(-1);
      edge.textContent = ceiling < top ? `largest possible: ${format(ceiling)}` : "";
      set(edge, { x: walk.x(right) - 4, y: walk.y(Math.min(ceiling, top)) - 5 });
      set(known, { d: walk.line([left, right], [scene.bound, scene.bound]) });
      name.textContent =
        scene.bound < 0.85 * top && Math.abs(walk.y(scene.bound) - walk.y(ceiling)) > 16
          ? `the Adam paper’s bound: ${format(scene.bound)}`
          : "";
      set(name, { x: walk.x(right) - 4, y: walk.y(scene.bound) - 5 });
      for (const run of runs) {
        const { start } = run.dataset;
        if (start === scene.start) run.parentNode.append(run); // on top of the other
        const values = scene[start].steps.map(({ step }) => step);
        const marks = values.map((step, i) => shape(start, walk.x(i + 1), walk.y(step), i === lit ? 5 : 2.6)).join("");
        set(run.children[0], { d: walk.line(ks, values) });
        set(run.children[1], { d: marks });
      }
      set(here, { d: `M${walk.x(lit + 1)} 0V${walk.height}` });
    },
  );
  walk.plot.append(room, known, here, ...runs);
  walk.above.append(edge, name);

  // What it comes to.
  const rows = html("tbody");
  const heads = ["start", "momentum", "√variance", "step / λ", "largest / λ"].map((text) =>
    html("th", { scope: "col" }, text),
  );
  const table = html("table", {}, html("thead", {}, html("tr", {}, ...heads)), rows);
  const pointed = html("p", { className: "pointed" });
  const task = html("p", { className: "task" });
  const verdict = spoken();

  function compute() {
    const [t, silence] = [model.get("t"), model.get("silence")];
    const settings = { beta1: model.get("beta1"), beta2: model.get("beta2"), silence };
    const own = model.get("gradients");
    const preset = model.get("preset");
    const values = preset === "own" ? numbers(t).map((k) => own[k - 1] ?? 0) : PRESETS[preset](t, settings);
    const of = (start) => ({
      a: weights(silence + t, settings.beta1, start, t),
      b: weights(silence + t, settings.beta2, start, t),
      steps: series(values, settings, start),
      largest: largest(silence + t, settings, start, t),
    });
    const start = model.get("start");
    scene = { gradients: values, start, zero: of("zero"), first: of("first") };
    scene.largest = numbers(t).map((k) => largest(silence + k, settings, start, k));
    scene.bound = Math.max(1, (1 - settings.beta1) / Math.sqrt(1 - settings.beta2));
    lit = clamp(lit, 0, t - 1);
    if (!dragging) limit = Math.max(1, ...values.map(Math.abs));
  }

  /** Show a part of the plane; where that stays the same, its axes stay too. */
  function refresh(chart, ...domain) {
    if (chart.x && domain.every((value, i) => value === chart.domain[i])) chart.draw(chart);
    else chart.show(...domain);
  }

  const update = oncePerFrame(() => {
    if (signal.aborted) return;
    compute();
    const t = scene.gradients.length;
    refresh(gradients, 0.5, t + 0.5, -1.1 * limit, 1.3 * limit);
    for (const [chart, which] of [
      [momentum, "a"],
      [variance, "b"],
    ])
      refresh(chart, 0.5, t + 0.5, 0, 1.25 * Math.max(...scene[scene.start][which]));
    const all = [...scene.zero.steps, ...scene.first.steps].map(({ step }) => step);
    const high = Math.max(1, ...all.map(Math.abs), ...scene.largest.filter((each) => each < 20));
    const low = Math.min(...all);
    refresh(walk, 0.5, t + 0.5, low < -0.2 * high ? -1.2 * high : Math.min(1.2 * low, 0), 1.3 * high);
    rows.replaceChildren(...Object.keys(STARTS).map(row));
    const value = html("b", {}, `Gradient ${lit + 1} is ${format(scene.gradients[lit])}.`);
    const both = (which) =>
      `${short(scene.zero[which][lit])} with torch’s start, ${short(scene.first[which][lit])} with the paper’s`;
    pointed.replaceChildren(value, ` Its weight in the momentum: ${both("a")}. In the variance: ${both("b")}.`);
    const [torch, paper] = ["zero", "first"].map((start) => format(scene[start].steps.at(-1).step));
    const text = `The step is ${torch} λ with torch’s start, ${paper} λ with the paper’s.`;
    verdict.say(text);
  });

  function row(start) {
    const { momentum, root, step } = scene[start].steps.at(-1);
    const cells = [momentum, root, step, scene[start].largest].map((value) => html("td", {}, format(value)));
    const head = html("th", { scope: "row" }, start === "zero" ? "● zero (torch)" : "■ first (paper)");
    return html("tr", { dataset: { start } }, head, ...cells);
  }

  const pickers = html(
    "div",
    { className: "player" },
    choice(model, "preset", "gradients", NAMES, signal),
    choice(model, "start", "start", Object.entries(STARTS), signal),
  );
  const controls = html(
    "div",
    { className: "controls" },
    slider(model, "beta1", "β₁", BETAS, signal),
    slider(model, "beta2", "β₂", BETAS, signal),
  );
  const counts = html(
    "div",
    { className: "controls" },
    slider(model, "t", "t", numbers(LONGEST), signal),
    slider(model, "silence", "zeros before", [0, 10, 30, 100, 300, 1000, 3000, 10000], signal),
  );
  const charts = html("div", { className: "charts" }, html("div", { className: "pinned pair" }, gradients.root, walk.root));
  const heights = new Map([
    [gradients, [200, 140]],
    [walk, [200, 145]],
  ]);
  fitHeights(charts, heights, signal);
  const weighed = html("div", { className: "charts" }, momentum.root, variance.root);
  const numbered = scrollable(table, "what the gradients come to", signal);
  follow(
    model,
    ["preset"],
    () => {
      const kept = model.get("gradients").length > 0;
      if (model.get("preset") === "own" && !kept && scene) model.set("gradients", [...scene.gradients]);
    },
    signal,
  );
  follow(model, SHOWN, update, signal);
  follow(model, ["task"], () => task.replaceChildren(model.get("task"), " ", verdict.element), signal);
  return mount(
    el,
    "what past gradients weigh",
    "series",
    [gradients, walk, momentum, variance],
    closing,
    pickers,
    charts,
    controls,
    task,
    folded("the weights, and how many gradients there are", signal, counts, weighed, pointed, numbered),
  );
}
