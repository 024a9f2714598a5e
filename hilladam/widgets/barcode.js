// The bar code: drag the ball along the curve, and see of every start at once whether Hill-ADAM gets across.

import { arrival, evaluate, run } from "./dynamics.js";
import { coarseToFine, valley } from "./crossing_dynamics.js";
import { Chart, STAR, clamp, draggable, format, oncePerFrame, pointing, set, svg } from "./plot.js";
import { BETAS, follow, html, inward, mount, playing, powers, slider, spoken } from "./controls.js";
import { landscapeMenu, showsTheRun } from "./menus.js";
import { fitHeights } from "./room.js";
import { LEGS, strip } from "./way.js";

const SETTINGS = ["lr", "beta1", "beta2", "delta", "gamma", "steps"];
const CONTENDERS = ["Hill-ADAM", "Adam"];
const BAR = 30; // pixels, of the bar code's height
const SLICE = 8; // milliseconds of computing in a frame, so that the next one comes in time

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const landscapes = model.get("landscapes");
  let [scene, settings, runs, fates, work] = [null, null, {}, {}, []];

  const now = () => Math.min(model.get("step"), settings.steps);
  const startOf = (i) => scene.left + ((i + 0.5) / scene.starts) * (scene.right - scene.left);
  const height = (x) => evaluate(scene, x)[0];
  const arrived = (name) => runs[name].loss.findIndex((value, t) => value < scene.gate && t < settings.steps);

  // The curve, and on it the way of the run, the balls, the best place, and the start, which is dragged.
  const [land, curve] = ["land", "curve"].map((name) => svg("path", { class: name }));
  const touch = svg("rect", { class: "reach" });
  const legs = svg("g");
  const code = svg("g");
  const question = svg("text", { class: "question", "text-anchor": "middle" });
  question.textContent = "and from every other start?";
  const named = (name, ...shapes) => svg("g", { class: name }, ...shapes, svg("text", { "text-anchor": "middle" }));
  const balls = CONTENDERS.map((name) => named("ball", svg("circle", { r: name === "Adam" ? 9 : 10 })));
  const star = named("kept", svg("path", { class: "star", d: STAR }));
  const goal = svg("text", { class: "goalname", "text-anchor": "middle" });
  const plumb = svg("path", { class: "plumb" });
  const hint = svg("text", { class: "hint" });
  hint.textContent = "↔ drag";
  const handle = svg(
    "g",
    { role: "slider", "aria-label": "start", "data-trait": "start" },
    svg("circle", { class: "reach", r: 24 }),
    svg("circle", { class: "grip", r: 12 }),
    hint,
  );
  const key = svg("text", { class: "key" });
  const label = "The loss, the two runs on it, and for every start whether Hill-ADAM reaches the deeper valley";
  const hill = new Chart({ label, xLabel: "x", yLabel: "loss f(x)" }, () => {
    if (!scene) return;
    const [left, right, bottom] = hill.domain;
    const xs = Array.from({ length: 401 }, (_, i) => left + (i / 400) * (right - left));
    const ys = xs.map(height);
    set(curve, { d: hill.line(xs, ys) });
    set(land, { d: `${hill.line(xs, ys)}L${hill.x(right)} ${barTop() - 6}H${hill.x(left)}Z` });
    set(touch, { x: hill.x(left), y: 0, width: hill.x(right) - hill.x(left), height: hill.y(bottom) });
    const [from, to] = [scene.left, scene.right].map(hill.x);
    set(question, { x: (from + to) / 2, y: barTop() + BAR / 2 + 5 });
    const deepest = scene.minima[scene.goal];
    set(goal, { x: clamp(hill.x(deepest), from + 90, to - 90), y: Math.min(hill.y(height(deepest)) + 20, barTop() - 9) });
    set(key, { x: hill.x(left), y: hill.height - 4 });
    show();
    drawBars();
  });
  hill.plot.append(land, curve, code, touch, legs);
  hill.above.append(question, goal, key, plumb, handle, ...balls, star);
  const barTop = () => hill.y(hill.domain[2]) - BAR;
  const shown = (element, visible) => set(element, { visibility: visible ? null : "hidden" });
  const inside = (x, y) => {
    const [left, right, , top] = hill.domain;
    return [hill.x(clamp(x, left, right)), hill.y(Math.min(y, top))].map((pixel) => Number(pixel.toFixed(1)));
  };

  /** The strip: the ground alone while it is a question what becomes of the starts. */
  function drawBars() {
    if (!hill.x || !fates.Adam) return;
    const open = now() > 0;
    const known = open ? fates["Hill-ADAM"] : [];
    code.replaceChildren(...strip(known, hill.x(scene.left), hill.x(scene.right), barTop(), BAR));
    shown(question, !open);
    key.textContent = open ? "every start: green reaches the deeper valley" : "";
  }

  /** The way so far, leg by leg, each higher above the curve. */
  function drawLegs(t) {
    const { x, loss, climbs, switches } = runs["Hill-ADAM"];
    const stops = [0, ...switches.map(({ step }) => step).filter((step) => step < t), t];
    const first = Math.max(stops.length - 1 - LEGS, 0);
    const parts = [];
    for (let k = first; k + 1 < stops.length; k++) {
      const lift = 12 + 6 * (k - first);
      const points = [];
      for (let i = stops[k]; i <= stops[k + 1]; i++) {
        if (!Number.isFinite(x[i]) || x[i] < hill.domain[0] || x[i] > hill.domain[1]) continue;
        const px = hill.x(x[i]);
        const same = points.length > 1 && i < stops[k + 1] && Math.abs(px - points.at(-1)[0]) < 0.5;
        if (!same) points.push([px, Math.max(hill.y(loss[i]), -1e3) - lift]);
      }
      if (points.length < 2) continue;
      const direction = climbs[stops[k]] ? "up" : "down";
      const d = points.map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
      const [[ax, ay], [bx, by]] = [points.at(-Math.min(4, points.length)), points.at(-1)];
      const angle = (Math.atan2(by - ay, bx - ax) * 180) / Math.PI;
      const transform = `translate(${bx} ${by}) rotate(${angle})`;
      parts.push(
        svg("path", { class: "leg", "data-direction": direction, d }),
        svg("path", { class: "arrow", "data-direction": direction, d: "M3 0L-6-4.5V4.5Z", transform }),
      );
    }
    legs.replaceChildren(...parts);
  }

  /** Move what depends on the start and the step. */
  function show() {
    if (!hill.x || !runs.Adam) return;
    const t = now();
    drawLegs(t);
    const place = (mark, [px, py], text, dy) => {
      set(mark, { transform: `translate(${px} ${py})` });
      const half = 3.6 * text.length; // of the text's width, about, which is to stay on the picture
      const [words] = mark.querySelectorAll("text");
      set(words, { x: clamp(px, half, hill.width - half) - px, y: dy });
      words.textContent = text;
    };
    const [walker, resting] = CONTENDERS.map((name) => runs[name]);
    const up = walker.climbs[Math.min(t, settings.steps - 1)] === 1;
    const [ball, adam] = [walker, resting].map(({ x, loss }) => inside(Number.isFinite(x[t]) ? x[t] : 1e9, loss[t]));
    const start = model.get("start");
    const [px, py] = inside(start, height(start));
    // What the ball says stands above the start, where that is beside it.
    const level = (high, mark) => (Math.hypot(mark[0] - px, mark[1] - py) < 70 && mark[1] - py > -20 ? py - mark[1] + high : high);
    set(balls[0], { "data-direction": up ? "up" : "down" });
    place(balls[0], ball, up ? "Hill-ADAM climbs" : "Hill-ADAM descends", Math.min(level(-18, ball), -18));
    place(balls[1], adam, "Adam", 26);
    const best = walker.best[t];
    const home = walker.loss[best] < scene.gate;
    const kept = `kept: ${short(walker.loss[best])}`;
    place(star, inside(walker.x[best], walker.loss[best]), home ? "" : kept, -16);
    for (const mark of [...balls, star]) shown(mark, t > 0);
    goal.textContent = t > 0 && home ? `the deeper valley, ${kept}` : "the deeper valley";
    set(handle, {
      transform: `translate(${px} ${Math.max(py, hill.y(hill.domain[3]) + 12)})`,
      "aria-valuenow": start,
      "aria-valuemin": scene.left,
      "aria-valuemax": scene.right,
      "aria-valuetext": t > 0 ? `x = ${format(start)}: ${fate()}` : `x = ${format(start)}`,
    });
    const right = px < hill.width - 90;
    set(hint, { x: right ? 20 : -20, y: 5, "text-anchor": right ? "start" : "end", visibility: t > 0 ? "hidden" : null });
    set(plumb, { d: `M${px} ${py}V${barTop() + BAR}M${px} ${barTop()}l7-10h-14z` });
  }

  const verdict = spoken("span");
  const task = html("p", { className: "task" });
  const fate = () => (arrived("Hill-ADAM") >= 0 ? "reaches the deeper valley" : "does not get across");

  /** What there is to say: a question at first, the run while it runs, and what came of it. */
  function say() {
    const t = now();
    const x = `x = ${format(model.get("start"))}`;
    if (t === 0) return verdict.say("Two optimizers will start from the ball. Where does each of them end? Press ▶.");
    const [walker, resting] = CONTENDERS.map((name) => runs[name]);
    if (t < settings.steps) {
      const does = walker.climbs[t] ? "climbs" : "descends";
      return verdict.say(
        `Step ${t}: Hill-ADAM ${does}, at a loss of ${short(walker.loss[t])}; Adam is at ${short(resting.loss[t])}.`,
      );
    }
    const [there, too] = CONTENDERS.map(arrived);
    const adam = too >= 0 ? `Adam at step ${too}` : "Adam never";
    const first = there >= 0 ? `reaches the deeper valley at step ${there}` : `does not get across in ${t} steps`;
    verdict.say(`From ${x} Hill-ADAM ${first}, ${adam}. ${tally()}`);
  }
  const short = (value) => format(Number(value.toPrecision(3)));

  function tally() {
    const outside = Array.from({ length: scene.starts }, (_, i) => i).filter(
      (i) => valley(scene, startOf(i)) !== scene.goal && fates.Adam[i] !== undefined,
    );
    const percent = CONTENDERS.map((name) => {
      const share = outside.filter((i) => fates[name][i]).length / Math.max(outside.length, 1);
      return `${Math.round(100 * share)} %`;
    });
    const which = work.length ? `the ${outside.length} computed so far` : `${outside.length} starts outside it`;
    return `Of ${which} ${percent[0]} get there; with Adam, ${percent[1]}.`;
  }

  /** Compute of the starts that are not known yet as many as a frame has time for, the coarse first. */
  function survey() {
    if (signal.aborted || !work.length) return;
    const begun = performance.now();
    while (work.length && performance.now() - begun < SLICE) {
      const i = work.shift();
      for (const name of CONTENDERS) fates[name][i] = arrival(scene, startOf(i), name, settings, scene.gate) >= 0;
    }
    drawBars();
    say();
    if (work.length) goOn();
  }
  const goOn = oncePerFrame(survey);

  const retrace = () => {
    runs = Object.fromEntries(CONTENDERS.map((name) => [name, run(scene, model.get("start"), name, settings)]));
    show();
    say();
  };
  const moved = oncePerFrame(() => signal.aborted || !scene || retrace());
  const stepped = oncePerFrame(() => {
    if (signal.aborted || !runs.Adam) return;
    show();
    drawBars();
    say();
  });
  const rerun = oncePerFrame(() => {
    if (signal.aborted) return;
    scene = landscapes[model.get("loss")];
    settings = Object.fromEntries(SETTINGS.map((name) => [name, inward(model.get(name))]));
    fates = Object.fromEntries(CONTENDERS.map((name) => [name, new Array(scene.starts)]));
    work = coarseToFine(scene.starts);
    runs = {};
    hill.show(scene.left, scene.right, scene.bottom, scene.top);
    retrace();
    survey(); // in this frame too, so that the strip does not flicker
  });

  const save = () => model.save_changes();
  const toStart = (x) =>
    model.set({ start: Number(clamp(x, scene.left, scene.right).toPrecision(4)), step: model.get("steps") });
  const nudge = (across, up) =>
    toStart(model.get("start") + ((across + up) * (scene.right - scene.left)) / scene.starts);
  draggable(handle, { move: (event) => toStart(hill.from(event)[0]), nudge, end: save });
  pointing(touch, { move: (event) => toStart(hill.from(event)[0]), end: save });

  const { play, scrub } = playing(model, "step", () => model.get("steps"), ["steps"], signal);
  play.classList.add("go");
  play.dataset.trait = scrub.dataset.trait = "step";
  const first = html(
    "div",
    { className: "bar" },
    play,
    slider(model, "lr", "step size λ", powers(-3, 0, 16), signal),
    slider(model, "delta", "threshold δ", powers(-6, 0, 8), signal),
  );
  const others = html(
    "div",
    { className: "controls" },
    landscapeMenu(model, landscapes, signal),
    slider(model, "gamma", "γ", [...powers(0, 4, 4), Infinity], signal),
    slider(model, "beta1", "β₁", BETAS, signal),
    slider(model, "beta2", "β₂", BETAS, signal),
    slider(model, "steps", "steps", [100, 200, 300, 500, 1000, 2000, 5000], signal),
    scrub,
  );
  showsTheRun(model, first, others);
  const more = html("details", {}, html("summary", {}, "more"), others);
  const charts = html("div", { className: "charts pinned" }, hill.root);
  fitHeights(charts, new Map([[hill, [380, 260]]]), signal);
  follow(model, ["task"], () => (task.textContent = model.get("task")), signal);
  follow(model, ["loss", ...SETTINGS], rerun, signal);
  follow(model, ["start"], moved, signal);
  follow(model, ["step"], stepped, signal);
  const says = html("p", { className: "say" }, verdict.element);
  return mount(el, "the bar code", "barcode", [hill], closing, task, charts, says, first, more);
}
