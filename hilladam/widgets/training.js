// Experiment 1: a row of Table 1 as its seeds come in, beside the paper's, and one of its runs step by step.

import { conduct } from "./training_dynamics.js";
import { Chart, STAR, clamp, oncePerFrame, pointing, set, steer, svg } from "./plot.js";
import { fitHeights } from "./room.js";
import { button, choice, follow, html, inward, mount, powers, slider, spoken } from "./controls.js";

const NAMES = ["Adam", "Hill-ADAM"];
const ACTIVATIONS = ["none", "tanh", "sigmoid", "relu"];
const LENGTHS = [100, 200, 500, 1000, 2000, 5000, 10_000, 15_000];
const RATES = powers(-4, 0, 10);
const DELTAS = [0, ...powers(-8, 0, 4)];
const GAMMAS = [...powers(0, 4, 10), Infinity];
const SCALES = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5];
const SETTINGS = ["loss", "activation", "steps", "lr", "delta", "gamma", "scale"];
const NEAR = 0.01; // of a minimum: as hilladam.experiments.summarize counts
const MEANS = { here: 2, paper: 5.8 }; // how far right of the last seed, so that their names do not meet on a phone

const fixed = (value, places) =>
  Number.isFinite(value) ? value.toFixed(places).replace(/^-(?=[0.]*$)/, "").replace("-", "−") : "∞";
const digits = (value) => fixed(value, 4); // as the paper prints
const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Adam is a ring, Hill-ADAM a dot in it; what lies above the chart, a wide arrow head and a narrow one. */
function sign(name, x, y, outside = false) {
  const wide = name === "Adam";
  const look = { "data-optimizer": name, class: outside ? "beyond" : "end" };
  if (outside) return svg("path", { ...look, d: wide ? `M${x - 7} ${y + 9}l7-9l7 9` : `M${x - 4} ${y + 10}l4-5l4 5` });
  return svg("circle", { ...look, cx: x, cy: y, r: wide ? 6 : 3.5 });
}

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const [losses, weights] = [model.get("losses"), model.get("weights")];
  const last = weights.length - 1;
  let runs = []; // seed → {Adam, "Hill-ADAM"}
  let halt = null; // what stops the training that goes on
  let wanted = false; // whether the reader has asked for one, so that other settings begin another

  const loss = () => losses[model.get("loss")];
  const lowest = () => Math.min(...loss().minima.map(([, value]) => value));
  const complete = () => runs.filter((run) => NAMES.every((name) => run[name]));
  const bests = (name) => complete().map((run) => run[name].best);
  const met = (name) => bests(name).filter((best) => best < lowest() + NEAR).length;

  /** How many of the losses are at each minimum, as a sum. */
  function mixture(counts, others = 0) {
    const values = loss().minima.map(([, value]) => value);
    const terms = values.map((value, i) => [counts[i], value]).filter(([count]) => count);
    terms.sort(([, a], [, b]) => a - b);
    const words = terms.map(([count, value]) => `${count}\u00a0×\u00a0${fixed(value, 3)}`);
    return [...words, ...(others ? [`${others} elsewhere`] : [])].join(" + ");
  }
  function counted(name) {
    const minima = loss().minima.map(([, value]) => value);
    const nearest = bests(name).map((best) => minima.findIndex((value) => Math.abs(best - value) < NEAR));
    const counts = minima.map((_, i) => nearest.filter((each) => each === i).length);
    return mixture(counts, nearest.filter((each) => each < 0).length);
  }

  // The best loss of every seed, and the means of them.
  const levels = svg("g");
  const column = svg("rect", { class: "column" });
  const marks = svg("g");
  const names = svg("g", { class: "means", "aria-hidden": "true" });
  const reach = svg("rect", { class: "reach" });
  const slides = { role: "slider", "aria-label": "seed", "data-trait": "seed" };
  const seeds = svg("g", slides, reach);
  const row = new Chart(
    { label: "The best loss of each seed", xLabel: "seed: tap one", yLabel: "best loss" },
    () => {
      const [left, right, bottom, top] = row.domain;
      const end = row.x(last + 0.5);
      const width = row.x(1) - row.x(0);
      const [ceiling, floor] = [row.y(top), row.y(bottom)];
      levels.replaceChildren(
        ...loss().minima.map(([, value]) =>
          svg("path", {
            class: value === lowest() ? "lowest" : "level",
            d: `M${row.x(left)} ${row.y(value)}H${row.x(right)}`,
          }),
        ),
      );
      const mark = (name, x, value) => sign(name, row.x(x), Math.max(row.y(value), ceiling), !(value <= top));
      const found = runs.flatMap((run, seed) =>
        NAMES.filter((name) => run[name]).map((name) => mark(name, seed, run[name].best)),
      );
      const means = NAMES.flatMap((name) => [
        ...(complete().length ? [mark(name, last + MEANS.here, average(bests(name)))] : []),
        mark(name, last + MEANS.paper, loss().paper[name].mean),
      ]);
      marks.replaceChildren(svg("path", { class: "rule", d: `M${end} ${ceiling}V${floor}` }), ...found, ...means);
      for (const part of row.axes.querySelectorAll("[text-anchor=middle], [d$=v5]")) {
        const x = Number(part.getAttribute("x") ?? part.getAttribute("d").match(/M(\S+)/)[1]);
        set(part, { visibility: x > end ? "hidden" : null }); // there are no seeds
      }
      names.replaceChildren(
        ...Object.keys(MEANS).map((name) => {
          const text = svg("text", { x: row.x(last + MEANS[name]), y: floor + 18, "text-anchor": "middle" });
          text.textContent = name === "here" ? "mean" : name;
          return text;
        }),
      );
      set(reach, { x: row.x(-0.5), y: ceiling, width: end - row.x(-0.5), height: floor - ceiling + 22 });
      set(column, {
        x: row.x(model.get("seed")) - width / 2,
        y: ceiling,
        width,
        height: floor - ceiling,
      });
      describe();
    },
  );
  row.plot.append(levels, column);
  row.above.append(marks, names, seeds);

  function describe() {
    const [seed, run] = [model.get("seed"), runs[model.get("seed")] ?? {}];
    const words = NAMES.filter((name) => run[name]).map((name) => `${name} ${digits(run[name].best)}`);
    set(seeds, {
      "aria-valuemin": 0,
      "aria-valuemax": last,
      "aria-valuenow": seed,
      "aria-valuetext": `seed ${seed}: ${words.join(", ") || "not trained yet"}`,
    });
  }

  // One run: x, step by step.
  const valleys = svg("g");
  const lines = [["Adam"], ["Hill-ADAM", false], ["Hill-ADAM", true]].map(([name, climbs]) =>
    svg("path", { class: "run", "data-optimizer": name, "data-climbs": climbs ?? null }),
  );
  const star = svg("path", { class: "star", d: STAR });
  const course = new Chart({ label: "x of one seed, step by step", xLabel: "step", yLabel: "x" }, () => {
    const [left, right] = course.domain;
    valleys.replaceChildren(
      ...loss().minima.map(([x, value]) =>
        svg("path", {
          class: value === lowest() ? "lowest" : "level",
          d: `M${course.x(left)} ${course.y(x)}H${course.x(right)}`,
        }),
      ),
    );
    const run = runs[model.get("seed")] ?? {};
    const [adam, hill] = NAMES.map((name) => run[name]);
    set(lines[0], { d: adam ? path(course, adam.x, () => true) : null });
    for (const phase of [0, 1]) set(lines[1 + phase], { d: hill ? path(course, hill.x, (t) => hill.climbs[t] === phase) : null });
    const seen = hill && hill.bestStep >= 0;
    set(star, {
      transform: seen ? `translate(${course.x(hill.bestStep)} ${course.y(hill.bestX)})` : null,
      visibility: seen ? null : "hidden",
    });
  });
  course.plot.append(valleys, ...lines);
  course.above.append(star);

  const task = html("p", { className: "task" });
  const verdict = spoken();
  const cells = Object.fromEntries(NAMES.map((name) => [name, ["paper", "here"].map(() => html("td"))]));
  const body = NAMES.map((name) => {
    const sample = svg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, sign(name, 8, 8));
    return html("tr", { dataset: { optimizer: name } }, html("th", { scope: "row" }, sample, name), ...cells[name]);
  });
  const heads = ["", "paper’s mean", "mean here"].map((text) => html("th", { scope: "col" }, text));
  heads[0].append(html("span", { className: "unseen" }, "optimizer"));
  const table = html("table", {}, html("thead", {}, html("tr", {}, ...heads)), html("tbody", {}, ...body));

  function tell() {
    const count = complete().length;
    for (const name of NAMES) {
      const { mean, counts } = loss().paper[name];
      const told = [
        [digits(mean), counts.length ? mixture(counts) : "no mixture of minima"],
        count ? [digits(average(bests(name))), counted(name)] : ["–", "not trained yet"],
      ];
      told.forEach(([value, words], i) => cells[name][i].replaceChildren(html("b", {}, value), html("span", {}, words)));
    }
    const seed = model.get("seed");
    const hill = runs[seed]?.["Hill-ADAM"];
    const about = hill ? `: ${hill.turns} turns, lowest at step ${hill.bestStep}` : "";
    course.names.children[1].textContent = `x of seed ${seed}${about}`;
    set(course.root, { "aria-label": `x of seed ${seed}, step by step${about}` });
    verdict.say(words(count));
  }
  function words(count) {
    if (!count) return halt ? "Training …" : `Press ▶ to train ${last + 1} networks with each optimizer.`;
    const [adam, hill] = NAMES.map(met);
    const going = halt ? `Seed ${count} of ${last + 1}: ` : count <= last ? `Stopped after ${count} seeds: ` : "";
    return `${going}Hill-ADAM has met the global minimum in ${hill} of ${count} runs, Adam in ${adam}.`;
  }

  function draw() {
    const values = loss().minima.map(([, value]) => value);
    const paper = NAMES.map((name) => loss().paper[name].mean);
    const all = [...values, ...paper];
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const span = Math.max(high - low, 0.5);
    const found = complete().flatMap((run) => NAMES.map((name) => run[name].best));
    const top = Math.max(high, ...found.filter((best) => best < high + 2 * span)); // those above are arrows
    row.show(-0.5, last + MEANS.paper + 1.6, low - 0.1 * span, top + 0.15 * span);
    const xs = loss().minima.map(([x]) => x);
    const [first, end] = [Math.min(...xs, 0), Math.max(...xs, 0)];
    const behind = 0.25 * Math.max(end - first, 2);
    course.show(0, model.get("steps"), first - behind, end + behind);
    tell();
  }
  const redraw = oncePerFrame(() => signal.aborted || draw());

  const play = button("", "", () => (halt ? stop() : start()));
  const label = () => {
    play.textContent = halt ? "■ Stop" : "▶ Train";
    play.title = halt ? "Stop the training" : `Train ${last + 1} seeds with both optimizers`;
    play.setAttribute("aria-label", play.title);
  };
  function stop() {
    halt?.();
    [halt, wanted] = [null, false];
    label();
    redraw();
  }
  function start() {
    halt?.();
    [runs, wanted] = [[], true];
    const told = Object.fromEntries(["steps", "lr", "activation", "scale"].map((name) => [name, model.get(name)]));
    const { coefficients, centre } = loss();
    const optimizers = {
      Adam: { delta: 0, gamma: Infinity },
      "Hill-ADAM": { delta: model.get("delta"), gamma: inward(model.get("gamma")) },
    };
    const experiment = { ...told, loss: { coefficients, centre }, sizes: model.get("sizes"), weights, optimizers };
    halt = conduct(
      experiment,
      ({ seed, optimizer, record }) => {
        (runs[seed] ??= {})[optimizer] = record;
        redraw();
      },
      () => {
        halt = null;
        label();
        redraw();
      },
    );
    label();
    redraw();
  }
  /** Other settings: what is shown is no longer true of them. */
  const renew = oncePerFrame(() => {
    if (signal.aborted) return;
    if (wanted) return start();
    runs = [];
    redraw();
  });

  const toSeed = (seed) => model.set("seed", clamp(seed, 0, last));
  const save = () => model.save_changes();
  pointing(seeds, { move: (event) => toSeed(Math.round(row.from(event)[0])), end: save });
  steer(seeds, { nudge: (across, up) => toSeed(model.get("seed") + across + up), end: save });

  const charts = html("div", { className: "charts" }, html("div", { className: "pinned" }, row.root), course.root);
  fitHeights(
    charts,
    new Map([
      [row, [250, 134]],
      [course, [250, 124]],
    ]),
    signal,
  );
  const options = Object.entries(losses).map(([key, { name }]) => [key, name]);
  const pickers = html(
    "div",
    { className: "player" },
    play,
    choice(model, "loss", "loss", options, signal),
    choice(model, "activation", "activation", ACTIVATIONS.map((name) => [name, name === "relu" ? "ReLU" : name]), signal),
  );
  const more = html(
    "details",
    {},
    html("summary", {}, "more settings"),
    html(
      "div",
      { className: "controls" },
      slider(model, "steps", "steps", LENGTHS, signal),
      slider(model, "lr", "λ", RATES, signal),
      slider(model, "scale", "first weights ×", SCALES, signal),
      slider(model, "delta", "δ", DELTAS, signal),
      slider(model, "gamma", "γ", GAMMAS, signal),
    ),
  );
  label();
  follow(model, ["task"], () => (task.textContent = model.get("task")), signal);
  follow(model, SETTINGS, renew, signal);
  follow(model, ["seed"], redraw, signal);
  signal.addEventListener("abort", () => halt?.());
  return mount(
    el,
    "Experiment 1, trained here",
    "training",
    [row, course],
    closing,
    task,
    pickers,
    charts,
    verdict.element,
    table,
    more,
  );
}

/**
 * The path of the steps that `belongs` picks, each with the way to the next. Steps within one pixel are one stroke, from
 * their lowest place to their highest.
 */
function path(chart, xs, belongs) {
  const pixel = (t) => Math.round(chart.x(t));
  const there = (t) => t < xs.length && Number.isFinite(xs[t]);
  const height = (x) => clamp(chart.y(x), -1e4, 1e4).toFixed(1);
  const point = (t) => `${chart.x(t).toFixed(1)} ${height(xs[t])}`;
  let [d, pen, t] = ["", "M", 0];
  while (t < xs.length) {
    if (!there(t) || !belongs(t)) {
      pen = "M";
      t += 1;
      continue;
    }
    let [low, high, end] = [xs[t], xs[t], t];
    while (there(end + 1) && belongs(end) && pixel(end + 1) === pixel(t)) {
      end += 1;
      low = Math.min(low, xs[end]);
      high = Math.max(high, xs[end]);
    }
    d += pen + point(t);
    if (end > t) d += `L${pixel(t)} ${height(low)}L${pixel(t)} ${height(high)}L${point(end)}`;
    pen = "L";
    t = belongs(end) ? end + 1 : end;
    if (t > end && there(t) && !belongs(t)) d += `L${point(t)}`;
  }
  return d;
}
