// No tuning: the published rule and the one that tunes itself, on one curve and from every start, in any units.

import { arrival, evaluate, run } from "./dynamics.js";
import { coarseToFine } from "./crossing_dynamics.js";
import { arrivalOnCourse, runCourse, scaled, twoTo } from "./course_dynamics.js";
import { Chart, STAR, clamp, draggable, format, oncePerFrame, pointing, set, svg } from "./plot.js";
import { follow, html, inward, mount, playing, powers, slider, spoken } from "./controls.js";
import { landscapeMenu, showsTheRun } from "./menus.js";
import { fitHeights } from "./room.js";
import { LEGS, legsOn, strip } from "./way.js";

const [ITSELF, PUBLISHED] = ["tuning itself", "published"];
const RULES = [ITSELF, PUBLISHED];
const SETTINGS = ["height", "width", "lr", "delta", "gamma", "steps"];
const SLICE = 8; // milliseconds of computing in a frame, so that the next one comes in time
const NAME = 15; // pixels above a strip, for its name
const WHY = {
  critical: ["M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z", "it stood still"],
  crest: ["M0-5.5L5 4H-5Z", "it was over a crest"],
  lid: ["M-4-4H4V4H-4Z", "it hit the lid"],
};

const short = (value) => format(Number(value.toPrecision(3)));
const times = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const landscapes = model.get("landscapes");
  let [scene, settings, runs, fates, work] = [null, null, {}, {}, []];

  const now = () => Math.min(model.get("step"), settings.steps);
  const unit = () => twoTo(model.get("width"));
  const start = () => model.get("start") * unit();
  const startOf = (i) => scene.left + ((i + 0.5) / scene.starts) * (scene.right - scene.left);
  const height = (x) => evaluate(scene, x)[0];
  const arrived = (name) => runs[name].loss.findIndex((value, t) => value < scene.gate && t < settings.steps);
  const made = { [ITSELF]: [runCourse, arrivalOnCourse] };
  made[PUBLISHED] = [
    (scene, x, settings) => run(scene, x, "Hill-ADAM", settings),
    (scene, x, settings, gate) => arrival(scene, x, "Hill-ADAM", settings, gate),
  ];

  // The curve, the way of the rule that tunes itself, its turns and its lid, and both balls; below, a strip for each.
  const [land, curve, lid, plumb] = ["land", "curve", "lid", "plumb"].map((name) => svg("path", { class: name }));
  const touch = svg("rect", { class: "reach" });
  const [legs, turns, code] = [svg("g"), svg("g"), svg("g")];
  const lidName = svg("text", { class: "lidname", "text-anchor": "middle" });
  const names = RULES.map(() => svg("text", { class: "stripname" }));
  const named = (...shapes) => svg("g", { class: "ball" }, ...shapes, svg("text", { "text-anchor": "middle" }));
  const balls = [named(svg("circle", { r: 10 })), named(svg("circle", { r: 9 }))];
  const star = svg("g", { class: "kept" }, svg("path", { class: "star", d: STAR }));
  const grip = svg("circle", { class: "grip", r: 12 });
  const handle = svg(
    "g",
    { role: "slider", "aria-label": "start", "data-trait": "start" },
    svg("circle", { class: "reach", r: 24 }),
    grip,
  );
  const key = svg("g", { class: "key" });
  const label = "The loss, the two rules on it, and for every start which of them keeps the deepest valley";
  const hill = new Chart({ label, xLabel: "x", yLabel: "loss f(x)" }, () => {
    if (!scene) return;
    const [left, right] = hill.domain;
    const xs = Array.from({ length: 401 }, (_, i) => left + (i / 400) * (right - left));
    const d = hill.line(xs, xs.map(height));
    set(curve, { d });
    set(land, { d: `${d}L${hill.x(right)} ${ground() + 4}H${hill.x(left)}Z` });
    const [first, last] = [scene.left, scene.right].map(hill.x);
    set(touch, { x: first, y: 0, width: last - first, height: hill.y(hill.domain[2]) });
    drawKey();
    show();
    drawStrips();
  });
  hill.plot.append(land, curve, code, touch, lid, legs);
  hill.above.append(...names, turns, lidName, key, plumb, handle, balls[1], balls[0], star);

  /** Where the land ends and the strips begin, and how high one of these is. */
  const ground = () => hill.y(scene.low) + 14;
  const bar = () => (hill.y(scene.bottom) - ground()) / 2 - NAME - 1;
  const stripTop = (row) => ground() + NAME + row * (bar() + NAME);
  const shown = (element, visible) => set(element, { visibility: visible ? null : "hidden" });
  const inside = (x, y) => {
    const [left, right, , top] = hill.domain;
    return [hill.x(clamp(x, left, right)), hill.y(Math.min(y, top))].map((pixel) => Number(pixel.toFixed(1)));
  };

  /** What the marks at the turns mean, under the axis. */
  function drawKey() {
    const words = { critical: "stood still", crest: "crest", lid: "lid" };
    let x = hill.x(scene.from) + 4;
    const parts = Object.entries(words).flatMap(([why, text]) => {
      const name = svg("text", { x: x + 8, y: hill.height - 4 });
      name.textContent = text;
      const mark = svg("path", { class: "turn", d: WHY[why][0], transform: `translate(${x} ${hill.height - 8})` });
      x += 22 + 6.2 * text.length;
      return [mark, name];
    });
    key.replaceChildren(...parts);
  }

  function drawStrips() {
    if (!hill.x || !fates[PUBLISHED]) return;
    const open = now() > 0;
    const [from, to] = [hill.x(scene.left), hill.x(scene.right)];
    code.replaceChildren(
      ...RULES.flatMap((name, row) => {
        set(names[row], { x: from, y: stripTop(row) - 4 });
        const share = open ? `: ${count(name)} of ${asked()} starts` : ": from other starts?";
        names[row].textContent = (row ? "published" : "tuning itself") + share;
        return strip(open ? fates[name] : [], from, to, stripTop(row), bar());
      }),
    );
  }
  const count = (name) => fates[name].filter(Boolean).length;
  const asked = () => scene.starts - work.length;

  /** Move what depends on the start and the step. */
  function show() {
    if (!hill.x || !runs[PUBLISHED]) return;
    const t = now();
    const own = runs[ITSELF];
    const before = own.switches.filter(({ step }) => step < t);
    const stops = [{ x: own.x[0], climbs: false }, ...before.map(({ step, climbs }) => ({ x: own.x[step], climbs }))];
    if (own.x[t] !== stops.at(-1).x) stops.push({ x: own.x[t] });
    legs.replaceChildren(...legsOn(hill, scene, stops));
    const marks = before.slice(-LEGS).map(({ step, reason, climbs }) => {
      const [px, py] = inside(own.x[step], own.loss[step]);
      return svg("path", { class: "turn", "data-direction": climbs ? "down" : "up", d: WHY[reason][0], transform: `translate(${px} ${py})` });
    });
    turns.replaceChildren(...marks);

    let judged = t - 1;
    while (judged >= 0 && Number.isNaN(own.lid[judged])) judged--;
    const high = own.lid[judged] > hill.domain[3];
    const y = high || judged < 0 ? hill.y(hill.domain[3]) : hill.y(own.lid[judged]);
    set(lid, { d: high || judged < 0 ? "" : `M${hill.x(scene.from)} ${y}H${hill.x(scene.to)}` });
    lidName.textContent = judged < 0 ? "" : `lid: ${own.heights[judged]} heights of hills up${high ? ", beyond the picture ↑" : ""}`;
    set(lidName, { x: (hill.x(scene.from) + hill.x(scene.to)) / 2, y: y - (high ? 8 : 6) });

    const texts = [own.climbs[Math.min(t, settings.steps - 1)] ? "climbs" : "descends", PUBLISHED];
    const places = RULES.map((name) => {
      const { x, loss } = runs[name];
      return inside(Number.isFinite(x[t]) ? x[t] : hill.domain[1], Number.isFinite(loss[t]) ? loss[t] : Infinity);
    });
    const [[ownX, ownY], [otherX, otherY]] = places;
    const near = Math.abs(ownX - otherX) < 80 && Math.abs(ownY - otherY) < 32; // then the names stand one above the other
    balls.forEach((ball, row) => {
      const [px, py] = places[row];
      const words = ball.querySelector("text");
      words.textContent = texts[row];
      const half = 3.8 * texts[row].length; // of the text's width, about, which is to stay on the picture
      set(ball, { transform: `translate(${px} ${py})`, "data-direction": row ? null : texts[0] === "climbs" ? "up" : "down" });
      set(words, { x: clamp(px, half, hill.width - half) - px, y: row && near ? Math.min(ownY - otherY, 0) - 32 : -16 });
      shown(ball, t > 0);
    });
    const best = own.best[t];
    const [sx, sy] = inside(own.x[best], own.loss[best]);
    set(star, { transform: `translate(${sx} ${sy})` });
    shown(star, t > 0);
    const [px, py] = inside(start(), height(start()));
    set(handle, {
      transform: `translate(${px} ${Math.max(py, hill.y(hill.domain[3]) + 12)})`,
      "aria-valuenow": start(),
      "aria-valuemin": scene.left,
      "aria-valuemax": scene.right,
      "aria-valuetext": t > 0 ? `x = ${format(start())}: ${fate(ITSELF)}` : `x = ${format(start())}`,
    });
    const ticks = RULES.map((_, row) => `M${px} ${stripTop(row)}v${bar()}`); // and none through the strips' names
    set(plumb, { d: `M${px} ${py}V${ground()}${ticks.join("")}` });
  }

  const task = html("p", { className: "task" });
  const verdict = spoken("span");
  const fate = (name) => {
    const there = arrived(name);
    return there < 0 ? "never" : `at step ${there}`;
  };

  /** What there is to say: a question at first, the run while it runs, and what came of it. */
  function say() {
    const t = now();
    if (t === 0) return verdict.say("Two rules will start from the ball with the same λ. Which of them keeps the deepest valley? Press ▶.");
    const { climbs, switches, length } = runs[ITSELF];
    if (t < settings.steps) {
      const last = switches.filter(({ step }) => step <= t).at(-1);
      const why = last ? `; it turned at step ${last.step}, for ${WHY[last.reason][1]}` : "";
      const does = climbs[t] ? "climbs" : "descends";
      return verdict.say(`Step ${t}: the rule that tunes itself ${does} with λ = ${short(length[t])}${why}.`);
    }
    const reasons = Object.keys(WHY).map((why) => switches.filter(({ reason }) => reason === why).length);
    const [still, crests, lids] = reasons;
    const way = `It turned ${times(switches.length, "time")}: ${still} standing still, ${crests} over a crest, ${lids} at the lid.`;
    const whole = work.length ? `Of the ${asked()} starts computed so far` : `Of ${scene.starts} starts`;
    verdict.say(
      `The rule that tunes itself is in the deepest valley ${fate(ITSELF)}, the published one ${fate(PUBLISHED)}. ${way} ` +
        `${whole} it gets there from ${count(ITSELF)}, the published rule from ${count(PUBLISHED)}.`,
    );
  }

  /** Compute of the starts that are not known yet as many as a frame has time for, the coarse first. */
  function survey() {
    if (signal.aborted || !work.length) return;
    const begun = performance.now();
    while (work.length && performance.now() - begun < SLICE) {
      const i = work.shift();
      for (const name of RULES) fates[name][i] = made[name][1](scene, startOf(i), settings, scene.gate) >= 0;
    }
    drawStrips();
    say();
    if (work.length) goOn();
  }
  const goOn = oncePerFrame(survey);

  const retrace = () => {
    runs = Object.fromEntries(RULES.map((name) => [name, made[name][0](scene, start(), settings)]));
    show();
    say();
  };
  const moved = oncePerFrame(() => signal.aborted || !scene || retrace());
  const stepped = oncePerFrame(() => {
    if (signal.aborted || !runs[PUBLISHED]) return;
    show();
    drawStrips();
    say();
  });
  const rerun = oncePerFrame(() => {
    if (signal.aborted) return;
    const { height, width, ...others } = Object.fromEntries(SETTINGS.map((name) => [name, inward(model.get(name))]));
    settings = { beta1: 0.9, beta2: 0.999, floor: -Infinity, ...others };
    scene = scaled(landscapes[model.get("loss")], height, width);
    fates = Object.fromEntries(RULES.map((name) => [name, new Array(scene.starts)]));
    work = coarseToFine(scene.starts);
    runs = {};
    hill.show(scene.from, scene.to, scene.bottom, scene.top);
    retrace();
    survey(); // in this frame too, so that the strips do not flicker
  });

  const save = () => model.save_changes();
  const toStart = (x) => {
    const { left, right } = landscapes[model.get("loss")];
    model.set({ start: Number(clamp(x, left, right).toPrecision(4)), step: model.get("steps") });
  };
  const nudge = (across, up) => {
    const { left, right, starts } = landscapes[model.get("loss")];
    toStart(model.get("start") + ((across + up) * (right - left)) / starts);
  };
  const drop = (event) => toStart(hill.from(event)[0] / unit());
  draggable(handle, { move: drop, nudge, end: save });
  pointing(touch, { move: drop, end: save });

  const { play, scrub } = playing(model, "step", () => model.get("steps"), ["steps"], signal);
  play.classList.add("go");
  play.dataset.trait = scrub.dataset.trait = "step";
  const exponents = (most) => Array.from({ length: most + 1 }, (_, i) => 2 * i - most);
  const bars = html(
    "div",
    { className: "bar" },
    play,
    slider(model, "lr", "λ", powers(-8, 2, 2), signal),
    slider(model, "height", "loss × 2ᵏ, k =", exponents(40), signal),
    slider(model, "width", "x × 2ᵏ, k =", exponents(20), signal),
  );
  const others = html(
    "div",
    { className: "controls" },
    landscapeMenu(model, landscapes, signal),
    slider(model, "delta", "δ, published", powers(-8, 0, 2), signal),
    slider(model, "gamma", "γ, published", [...powers(0, 4, 4), Infinity], signal),
    slider(model, "steps", "steps", [100, 200, 300, 500, 1000, 2000, 5000], signal),
    scrub,
  );
  showsTheRun(model, bars, others);
  const more = html("details", {}, html("summary", {}, "more"), others);
  const charts = html("div", { className: "charts pinned" }, hill.root);
  fitHeights(charts, new Map([[hill, [380, 262]]]), signal);
  follow(model, ["task"], () => (task.textContent = model.get("task")), signal);
  follow(model, ["loss", ...SETTINGS], rerun, signal);
  follow(model, ["start"], moved, signal);
  follow(model, ["step"], stepped, signal);
  const says = html("p", { className: "say" }, verdict.element);
  return mount(el, "no tuning", "barcode course", [hill], closing, task, charts, says, bars, more);
}
