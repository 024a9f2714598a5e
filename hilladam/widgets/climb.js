// One climb: drag δ along it, and see on which side of the top it ends.

import { evaluate } from "./dynamics.js";
import { climb, ending, stripes } from "./crossing_dynamics.js";
import { Chart, clamp, draggable, format, oncePerFrame, pointing, set, steer, svg } from "./plot.js";
import { RATES } from "./crossing.js";
import { fitHeights, folded } from "./room.js";
import { choice, follow, html, mount, slider, spoken } from "./controls.js";

const LONGEST = 1500;
const BETA2 = 0.999;
const SETTINGS = ["start", "lr", "beta1"];
const SIDES = ["near", "beyond"];
const ROOM = 1.1; // at the right of the steps, for the bar over δ

const STARTS = Array.from({ length: 60 }, (_, i) => Number((0.05 * (i + 1)).toFixed(2)));
const MEMORIES = [0, 0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99];

const short = (value) => format(Number(value.toPrecision(2)));

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const landscapes = model.get("landscapes");
  let [hill, run, end, hover] = [null, null, -1, null];

  const last = () => run.x.length - 1;
  const shown = () => Math.min(hover ?? model.get("step"), last());
  const about = (t) => run.about[t];
  const dot = (x, y, r) =>
    `M${x.toFixed(1)} ${y.toFixed(1)}m${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;

  /** Marks for the steps of a climb: by side of the top, and fainter behind its end. */
  function marks(chart) {
    const parts = SIDES.flatMap((side) =>
      [false, true].map((after) => svg("path", { class: "mark", "data-side": side, "data-after": after })),
    );
    chart.plot.append(...parts);
    return (ys, from = 0, xs = null) => {
      const d = parts.map(() => "");
      const radius = clamp((chart.x(1) - chart.x(0)) / 2, 1.6, 2.8);
      let before = [-Infinity, 0];
      for (let t = from; t <= last(); t++) {
        const [px, py] = [chart.x(xs ? xs[t] : t), chart.y(ys[t])];
        if (!Number.isFinite(py) || Math.abs(px - before[0]) + Math.abs(py - before[1]) < 1) continue; // too close
        before = [px, py];
        d[2 * run.beyond[t] + (end >= 0 && t > end)] += dot(px, clamp(py, -1e4, 1e4), xs ? 2.2 : radius);
      }
      parts.forEach((part, i) => set(part, { d: d[i] }));
    };
  }
  const ring = () => svg("circle", { class: "ring", r: 6.5 });

  // The loss curve, and the climb on it.
  const curve = svg("path", { class: "curve" });
  const summit = svg("path", { class: "cursor" });
  const landscape = new Chart({ label: "The climb on the loss", xLabel: "x", yLabel: "loss f(x)" }, () => {
    if (!run) return;
    const [left, right, bottom, top] = landscape.domain;
    const xs = Array.from({ length: 201 }, (_, i) => left + (i / 200) * (right - left));
    set(curve, {
      d: landscape.line(
        xs,
        xs.map((x) => evaluate(hill, x)[0]),
      ),
    });
    set(summit, { d: `M${landscape.x(hill.top)} ${landscape.y(top)}V${landscape.y(bottom)}` });
    walk(run.loss, 0, run.x);
    point();
  });
  landscape.plot.append(summit, curve);
  const walk = marks(landscape);
  const fall = svg("path", { class: "fall" });
  const fate = svg("text", { class: "fate" });
  const ball = svg("circle", { class: "ball", r: 6 });
  landscape.above.append(fall, fate, ball);

  // x about the top, step by step.
  const zero = svg("path", { class: "cursor" });
  const swing = svg("path", { class: "thread" });
  const here = [svg("path", { class: "here" }), svg("path", { class: "here" })];
  const ends = [ring(), ring()];
  const dots = [svg("circle", { class: "ball", r: 5 }), svg("circle", { class: "ball", r: 5 })];
  const course = new Chart(
    { label: "x about the top, step by step", xLabel: "step", yLabel: "x about the top, in λ: above 0 it is across" },
    () => {
      if (!run) return;
      set(zero, { d: course.line(course.domain.slice(0, 2), [0, 0]) });
      set(swing, {
        d: course.line(
          run.x.map((_, t) => t),
          run.about,
        ),
      });
      lift(run.about);
      point();
    },
  );
  course.plot.append(here[0], zero, swing);
  const lift = marks(course);
  course.above.append(ends[0], dots[0]);

  // |ΔL|, its record lows, and δ, which the reader drags.
  const thread = svg("path", { class: "thread" });
  const stairs = svg("path", { class: "stairs" });
  const bar = svg("g");
  const field = svg("g", { role: "slider", "aria-label": "step", "data-trait": "step" }, svg("rect", { class: "reach" }));
  const touch = svg("rect", { class: "reach" });
  const level = svg("path", { class: "level" });
  const reach = svg("rect", { class: "reach", height: 26, y: -13 });
  const knob = svg(
    "g",
    {},
    svg("circle", { class: "reach", r: 22 }),
    svg("path", { class: "grip", d: "M-9-3L0-13L9-3ZM-9 3L0 13L9 3Z" }),
  );
  const label = svg("text", { class: "delta", y: -6, "text-anchor": "end" });
  const delta = svg(
    "g",
    { role: "slider", "aria-label": "δ", "aria-orientation": "vertical", "data-trait": "delta" },
    reach,
    level,
    label,
    knob,
  );
  const changes = new Chart(
    {
      label: "|ΔL|, the change of the loss, step by step",
      xLabel: "step",
      yLabel: "|ΔL|, log scale: drag δ",
      logY: true,
    },
    () => {
      if (!run) return;
      const [, right, low, high] = changes.domain;
      const steps = run.x.map((_, t) => t);
      const sizes = run.change.map((change) => Math.max(change, low / 10));
      set(thread, { d: changes.line(steps, sizes) });
      weigh(sizes);
      const corners = run.records.flatMap((t, i) => [
        [t, i ? sizes[run.records[i - 1]] : sizes[t]],
        [t, sizes[t]],
      ]);
      if (corners.length) corners.push([last(), corners.at(-1)[1]]);
      set(stairs, {
        d: changes.line(
          corners.map(([t]) => t),
          corners.map(([, size]) => size),
        ),
      });
      const [from, to] = [changes.x((right / ROOM) * 1.02), changes.x(right)];
      const [floor, ceiling] = [changes.y(low), changes.y(high)];
      bar.replaceChildren(
        ...run.stripes.map(({ beyond, low: least, high: most }) => {
          const [y, bottom] = [Math.max(changes.y(most), ceiling), Math.min(changes.y(least), floor)];
          const box = { x: from, y, width: to - from, height: Math.max(bottom - y, 0) };
          return svg("rect", { class: "outcome", "data-side": SIDES[Number(beyond)], ...box });
        }),
      );
      set(touch, { x: from, y: ceiling, width: to - from, height: floor - ceiling });
      set(field.firstChild, { x: changes.x(0), y: ceiling, width: from - changes.x(0), height: floor - ceiling });
      for (const tick of changes.axes.querySelectorAll("text[text-anchor=middle]"))
        set(tick, { visibility: Number(tick.getAttribute("x")) > from ? "hidden" : null }); // that is the bar's room
      set(reach, { x: changes.x(0), width: to - changes.x(0) });
      set(level, { d: `M${changes.x(0)} 0H${to}` });
      set(knob, { transform: `translate(${(from + to) / 2} 0)` });
      set(label, { x: from - 6 });
      point();
    },
  );
  changes.plot.append(here[1], bar, thread, stairs);
  const weigh = marks(changes);
  changes.above.append(field, touch, ends[1], dots[1], delta);

  const pointed = html("p", { className: "pointed" });
  const task = html("p", { className: "task" });
  const verdict = spoken();

  const place = (t) => {
    const by = short(Math.abs(about(t)));
    return about(t) > 0 ? `${by} λ beyond the top` : `${by} λ short of the top`;
  };

  /** Move what depends on the step that is pointed out, and on δ. */
  function point() {
    if (!run || !landscape.x || !course.x || !changes.x) return;
    const t = shown();
    const [low, high] = changes.domain.slice(2);
    const size = clamp(run.change[t], low, high);
    set(ball, { cx: landscape.x(run.x[t]), cy: landscape.y(run.loss[t]), "data-side": SIDES[Number(run.beyond[t])] });
    const [bottom, top] = course.domain.slice(2);
    const at = (chart, step, y, mark) => set(mark, { cx: chart.x(step), cy: chart.y(y) });
    at(course, t, about(t), dots[0]);
    at(changes, t, size, dots[1]);
    set(dots[0], { visibility: about(t) < bottom || about(t) > top ? "hidden" : null });
    set(dots[1], { visibility: t < 2 ? "hidden" : null });
    here.forEach((line, i) => set(line, { d: `M${[course, changes][i].x(t)} 0V400` }));
    for (const mark of [...ends, fall, fate]) set(mark, { visibility: end < 0 ? "hidden" : null });
    if (end >= 0) {
      at(course, end, clamp(about(end), bottom, top), ends[0]);
      at(changes, end, clamp(run.change[end], low, high), ends[1]);
      const side = Math.sign(hill.top - hill.bottom) * (run.beyond[end] ? 1 : -1);
      const [x, y] = [landscape.x(run.x[end]), landscape.y(run.loss[end])];
      set(fall, { d: `M${x} ${y - 15}h${26 * side}m${-8 * side} -5l${8 * side} 5l${-8 * side} 5` });
      set(fate, { x: x + 32 * side, y: y - 11, "text-anchor": side > 0 ? "start" : "end" });
      fate.textContent = run.beyond[end] ? "it falls across" : "it falls back";
    }
    set(delta, {
      transform: `translate(0 ${changes.y(clamp(model.get("delta"), low, high))})`,
      "aria-valuemin": Math.log10(low),
      "aria-valuemax": Math.log10(high),
      "aria-valuenow": Math.log10(clamp(model.get("delta"), low, high)),
      "aria-valuetext": `δ = ${format(model.get("delta"))}: ${end < 0 ? "no end" : `ends at step ${end}, ${place(end)}`}`,
    });
    label.textContent = `δ = ${format(model.get("delta"))}`;
    const record = run.records.includes(t) ? ", a record low" : "";
    const change = t < 2 ? "none yet: the turn has forgotten the loss" : `${short(run.change[t])}${record}`;
    pointed.textContent = `Step ${t}: ${place(t)}; |ΔL| ${change}.`;
    set(field, { "aria-valuemin": 0, "aria-valuemax": last() });
    if (hover === null) set(field, { "aria-valuenow": t, "aria-valuetext": pointed.textContent });
  }

  function words() {
    const value = format(model.get("delta"));
    if (end < 0)
      return run.leaves
        ? `With λ this large the climb leaves the hill at step ${last()}, before any |ΔL| is below δ.`
        : `Within ${last()} steps no |ΔL| is below δ = ${value}: the climb does not end.`;
    const { low, high } = run.stripes.find((stripe) => stripe.low <= run.change[end]);
    const range = high === Infinity ? `above about ${short(low)}` : `between about ${short(low)} and ${short(high)}`;
    const falls = run.beyond[end] ? "It falls into the next valley" : "It falls back to where it came from";
    return `δ = ${value} ends the climb at step ${end}, ${place(end)}. ${falls}, and so it does with every δ ${range}.`;
  }

  /** δ has changed: the run is the same. */
  function stop() {
    end = ending(run, model.get("delta"));
    for (const chart of [landscape, course, changes]) chart.show(...chart.domain);
    verdict.say(words());
  }
  const stops = oncePerFrame(() => signal.aborted || !run || stop());

  /** Climb again: something else has changed. */
  const rerun = oncePerFrame(() => {
    if (signal.aborted) return;
    hill = landscapes[model.get("loss")];
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
    run = climb(hill, { ...settings, beta2: BETA2 }, hill.lowest, LONGEST);
    const unit = Math.sign(hill.top - hill.bottom) * settings.lr;
    Object.assign(run, { stripes: stripes(run), about: run.x.map((x) => (x - hill.top) / unit) });
    const over = Math.max(...run.about, 0);
    const right = ROOM * Math.max(last(), 20);
    const behind = 0.2 * Math.abs(hill.far - hill.bottom);
    const edges = [hill.bottom, hill.far].sort((a, b) => a - b);
    const floor = Math.min(evaluate(hill, hill.bottom)[0], evaluate(hill, hill.far)[0]);
    const peak = evaluate(hill, hill.top)[0];
    const [low, high] = [floor - 0.08 * (peak - floor), peak + 0.35 * (peak - floor)];
    landscape.domain = [edges[0] - behind, edges[1] + behind, low, high];
    course.domain = [0, right, -Math.max(2.2 * over, 4), Math.max(1.25 * over, 1.5)];
    changes.domain = [0, right, hill.lowest, 2 * hill.height];
    stop();
  });

  const toDelta = (value) => {
    const [low, high] = changes.domain.slice(2);
    model.set("delta", Number(clamp(value, low, high).toPrecision(3)));
  };
  const save = () => model.save_changes();
  draggable(delta, {
    move: (event) => toDelta(changes.from(event)[1]),
    nudge: (across, up) => toDelta(model.get("delta") * 10 ** ((across + up) / 40)),
    end: save,
  });
  pointing(touch, { move: (event) => toDelta(changes.from(event)[1]), end: save });

  const stepUnder = (chart, event) => clamp(Math.round(chart.from(event)[0]), 0, last());
  for (const chart of [course, changes]) {
    chart.root.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "mouse" || event.buttons || !run) return;
      hover = stepUnder(chart, event);
      point();
    });
    chart.root.addEventListener("pointerleave", () => {
      hover = null;
      if (run) point();
    });
  }
  const toStep = (step) => {
    hover = null;
    model.set("step", clamp(step, 0, last()));
  };
  pointing(course.root, { move: (event) => toStep(stepUnder(course, event)), end: save });
  pointing(field, { move: (event) => toStep(stepUnder(changes, event)), end: save });
  steer(field, { nudge: (across, up) => toStep(shown() + across + up), end: save });

  const controls = html("div", { className: "controls" }, slider(model, "lr", "λ", RATES, signal));
  const others = html(
    "div",
    { className: "controls" },
    slider(model, "beta1", "β₁", MEMORIES, signal),
    slider(model, "start", "start, in λ", STARTS, signal),
  );
  const charts = html(
    "div",
    { className: "charts" },
    html("div", { className: "pinned pair" }, landscape.root, changes.root),
    html("div", { className: "below" }, html("p", { className: "say" }, verdict.element), controls),
    folded("step by step, β₁ and the start", signal, course.root, pointed, others),
  );
  fitHeights(
    charts,
    new Map([
      [landscape, [165, 120]],
      [course, [185, 145]],
      [changes, [378, 215]],
    ]),
    signal,
  );
  const names = Object.entries(landscapes).map(([key, { name }]) => [key, name]);
  const key = (side, text) => {
    const sample = svg("svg", { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" });
    sample.append(svg("path", { class: "mark", "data-side": side, d: dot(6, 6, 4) }));
    return html("li", {}, sample, text);
  };
  const legend = html("ul", { className: "legend" }, key("near", "short of the top"), key("beyond", "beyond it"));
  const stair = svg("svg", { viewBox: "0 0 18 12", width: 18, height: 12, "aria-hidden": "true" });
  stair.append(svg("path", { class: "stairs", d: "M0 3H9V9H18" }));
  legend.append(html("li", {}, stair, "record low"));
  const pickers = html("div", { className: "player" }, choice(model, "loss", "hill", names, signal), legend);
  follow(model, ["task"], () => (task.textContent = model.get("task")), signal);
  follow(model, ["loss", ...SETTINGS], rerun, signal);
  follow(model, ["delta"], stops, signal);
  follow(model, ["step"], () => point(), signal);
  return mount(
    el,
    "one climb, and the δ that ends it",
    "crossing climb",
    [landscape, course, changes],
    closing,
    task,
    pickers,
    charts,
  );
}
