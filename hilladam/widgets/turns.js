// From turn to turn: drag the start, and see whether a door leads its run across, or a prison keeps it.

import { evaluate } from "./dynamics.js";
import { coarseToFine, travel, turnToTurn, valley } from "./crossing_dynamics.js";
import { Chart, clamp, draggable, format, oncePerFrame, pointing, set, svg } from "./plot.js";
import { legsOn, strip } from "./way.js";
import { follow, html, inward, mount, powers, slider, spoken } from "./controls.js";
import { landscapeMenu } from "./menus.js";
import { RATES } from "./crossing.js";
import { fitHeights, folded } from "./room.js";

const SAMPLES = 320; // bottom turns whose next one is computed
const WINDOWS = [3.6, 6, 10, 16, 25, 40]; // of bottom turns, on either side of the minimum, in λ
const LONGEST = 3000; // steps of one leg of the map
const LIFE = 25_000; // steps of the run from the start: long enough to end in a cycle, to the last bit
const SLICE = 20; // milliseconds of computing at a time: what is left to do waits for the next frame
const EARLY = 80; // so many turns are looked through for one that has been there before
const BAR = 26; // pixels, of the bar code's height
const BETAS = { beta1: 0.9, beta2: 0.999 };
const RULE = ["lr", "delta", "gamma"];

const short = (value) => format(Number(value.toPrecision(2)));
const signed = (value) => `${value > 0 ? "+" : ""}${short(value)}`;

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const landscapes = model.get("landscapes");
  let [scene, rule, run, well, reach] = [null, null, null, -1, WINDOWS[0]];
  let [bars, samples, known, work] = [[], [], new Map(), []];

  const minimum = () => scene.minima[well];
  const arrives = () => run.arrival >= 0 && run.arrival < model.get("steps");
  /** 1 where the valley's inner side, towards the deepest, lies to the right, −1 to the left. */
  const inner = () => Math.sign(scene.goal - well) || 1;
  const startOf = (i) => scene.left + ((i + 0.5) / scene.starts) * (scene.right - scene.left);
  const offsetOf = (i) => reach * ((2 * i + 1) / SAMPLES - 1);
  const kind = ({ next, valley }) =>
    Number.isNaN(next) ? "none" : valley === well ? "stays" : (valley - well) * inner() > 0 ? "door" : "away";
  const outside = (b) => b * inner() < 0;

  // The loss, the legs of the run on it, and the fate of every start.
  const curve = svg("path", { class: "curve" });
  const ceiling = svg("path", { class: "gamma" });
  const gammaName = svg("text", { class: "note" });
  const code = svg("g");
  const legs = svg("g");
  const plumb = svg("path", { class: "plumb" });
  const ball = svg("circle", { class: "ball", r: 9 });
  const star = svg("text", { class: "goalname", "text-anchor": "middle" });
  star.textContent = "deepest valley";
  const slides = { role: "slider", "aria-label": "start", "data-trait": "start" };
  const handle = svg("g", slides, svg("circle", { class: "reach", r: 22 }), ball);
  const labels = {
    label: "The loss, the run on it, and for every start whether it gets there",
    xLabel: "x: drag the start",
  };
  const hill = new Chart({ ...labels, yLabel: "loss f(x)" }, () => {
    if (!run) return;
    const [left, right] = hill.domain;
    const xs = Array.from({ length: 301 }, (_, i) => left + (i / 300) * (right - left));
    set(curve, {
      d: hill.line(
        xs,
        xs.map((x) => evaluate(scene, x)[0]),
      ),
    });
    const level = hill.y(rule.gamma);
    const seen = level > hill.y(hill.domain[3]) && level < barTop() - 4;
    set(ceiling, { d: seen ? `M${hill.x(left)} ${level}H${hill.x(right)}` : null });
    set(gammaName, { x: hill.x(left) + 6, y: seen ? level - 4 : 0, visibility: seen ? null : "hidden" });
    gammaName.textContent = `γ = ${format(rule.gamma)}`;
    const deepest = scene.minima[scene.goal];
    set(star, {
      x: clamp(hill.x(deepest), hill.x(left) + 52, hill.x(right) - 52),
      y: Math.min(hill.y(evaluate(scene, deepest)[0]) + 16, barTop() - 4),
    });
    drawLegs();
    drawBars();
  });
  hill.plot.append(ceiling, curve, legs, code, plumb);
  hill.above.append(star, gammaName, handle);
  const barTop = () => hill.y(hill.domain[2]) - BAR;

  function drawBars() {
    if (!hill.x) return;
    code.replaceChildren(...strip(Array.from(bars), hill.x(scene.left), hill.x(scene.right), barTop(), BAR));
  }

  /** The legs of the run, its start, and a line from there to its fate. */
  function drawLegs() {
    const early = run.turns.slice(0, EARLY);
    const again = early.findIndex(
      ({ x, climbs }, i) =>
        climbs && early.slice(0, i).some((each) => each.climbs && Math.abs(each.x - x) < 0.02 * rule.lr),
    );
    const stops = run.turns.slice(0, run.period && again >= 0 ? again + 1 : undefined); // a cycle once
    if (run.arrival >= 0 && !stops.at(-1).climbs) stops.push({ x: scene.minima[scene.goal] });
    const [, , , top] = hill.domain;
    legs.replaceChildren(...legsOn(hill, scene, stops));
    const x = clamp(model.get("start"), scene.left, scene.right);
    const y = Math.max(hill.y(evaluate(scene, x)[0]), hill.y(top) + 9);
    set(plumb, { d: `M${hill.x(x)} ${y}V${barTop() + BAR}` });
    const range = { "aria-valuemin": scene.left, "aria-valuemax": scene.right, "aria-valuenow": x };
    const fate = arrives() ? "reaches the deepest valley" : "does not get there";
    set(handle, {
      transform: `translate(${hill.x(x)} ${y})`,
      ...range,
      "aria-valuetext": `x = ${format(x)}: ${fate}`,
    });
  }

  // The map from one bottom turn to the next, and the run on it.
  const shade = svg("rect", { class: "outer" });
  const doors = svg("path", { class: "door" });
  const exits = svg("path", { class: "away" });
  const diagonal = svg("path", { class: "diagonal" });
  const axes = svg("path", { class: "cross" });
  const dots = ["hill", "wall"].map((by) => svg("path", { class: "dot", "data-by": by }));
  const web = svg("path", { class: "web" });
  const out = svg("path", { class: "arrow", "data-direction": "across", d: "M0-8L6 2H-6Z" });
  const rings = svg("g");
  const remark = svg("text", { class: "note" });
  const names = { xLabel: "where this descent stops, in λ from the floor", yLabel: "where the next one stops" };
  const map = new Chart({ label: "The map from one bottom turn to the next", ...names }, () => run && drawMap());
  map.plot.append(shade, doors, exits, axes, diagonal, ...dots, web);
  map.above.append(rings, out, remark);

  function drawMap() {
    if (!map.x) return;
    const [left, right, bottom, top] = map.domain;
    const [ceil, floor] = [map.y(top), map.y(bottom)];
    const [edge, middle] = [map.x(inner() > 0 ? left : right), map.x(0)];
    set(shade, { x: Math.min(edge, middle), y: ceil, width: Math.abs(edge - middle), height: floor - ceil });
    set(axes, { d: `M${middle} ${ceil}V${floor}M${map.x(left)} ${map.y(0)}H${map.x(right)}` });
    set(diagonal, { d: map.line([left, right], [left, right]) });
    const d = { door: "", away: "", hill: "", wall: "" };
    const computed = Array.from(samples.keys()).filter((i) => samples[i]);
    computed.forEach((i, k) => {
      // Each stands for those to its right that are not computed yet.
      const [from, to] = [i, computed[k + 1] ?? SAMPLES].map((each) => map.x(offsetOf(each - 0.5)));
      const what = kind(samples[i]);
      if (what === "door" || what === "away") d[what] += `M${from} ${ceil}H${to}V${floor}H${from}Z`;
      if (what !== "stays") return;
      const py = map.y((samples[i].next - minimum()) / rule.lr);
      d[outside(offsetOf(i)) ? "wall" : "hill"] += `M${from} ${clamp(py, ceil - 9, floor + 9).toFixed(1)}H${to}`;
    });
    set(doors, { d: d.door });
    set(exits, { d: d.away });
    awayKey.hidden = d.away === "";
    dots.forEach((path) => set(path, { d: d[path.dataset.by] }));
    const held = work.length ? false : prison();
    remark.textContent = held === null ? "" : held ? "prison" : "outer side";
    set(remark, { x: (edge + middle) / 2, y: ceil + 14, "text-anchor": "middle", "data-held": held });
    drawWeb();
  }

  /** Whether all computed turns on the outer side lead to turns on the outer side: null while there are none. */
  function prison() {
    const outer = samples.filter((_, i) => outside(offsetOf(i)));
    if (!outer.length) return null;
    return outer.every((sample) => kind(sample) === "stays" && outside(sample.next - minimum()));
  }

  /** The last bottom turns of the run that lie in this valley, in λ from its floor. */
  function stay() {
    const all = run.turns.filter(({ climbs }) => climbs);
    let last = all.length - 1;
    while (last > 0 && valley(scene, all[last].x) !== well) last--;
    let first = last;
    while (first > 0 && valley(scene, all[first - 1].x) === well) first--;
    const turns = all.slice(Math.max(first, 0), last + 1).filter(({ x }) => valley(scene, x) === well);
    return {
      offsets: turns.map(({ x }) => (x - minimum()) / rule.lr),
      leaves: last + 1 < all.length || run.arrival >= 0,
    };
  }

  function drawWeb() {
    const { offsets, leaves } = stay();
    const [left, right, bottom, top] = map.domain;
    const inside = (b) => clamp(b, left, right);
    let d = "";
    offsets.forEach((b, i) => {
      const px = map.x(inside(b)).toFixed(1);
      d += i ? `V${map.y(inside(b)).toFixed(1)}H${px}` : `M${px} ${map.y(bottom)}`;
    });
    if (offsets.length && leaves) d += `V${map.y(top)}`;
    set(web, { d });
    const last = offsets.at(-1);
    const arrow = leaves && offsets.length ? `translate(${map.x(inside(last))} ${map.y(top)})` : null;
    set(out, { transform: arrow, visibility: arrow ? null : "hidden" });
    const cycle = run.period ? offsets.slice(-run.period) : [];
    rings.replaceChildren(
      ...cycle.map((b) => svg("circle", { class: "ring", r: 7, cx: map.x(inside(b)), cy: map.y(inside(b)) })),
    );
  }

  const awayKey = html("li", { hidden: true });
  const task = html("p", { className: "task" });
  const verdict = spoken();
  const share = spoken("span");

  function words() {
    const x = format(model.get("start"));
    const arrived = run.arrival >= 0;
    const climbs = run.turns.filter(({ climbs, step }) => climbs && (!arrived || step < run.arrival)).length;
    const when = arrives() ? "" : `, later than the ${model.get("steps")} steps of the bar code`;
    if (!climbs)
      return arrived
        ? `From x = ${x} the first descent leads into the deepest valley, at step ${run.arrival}${when}.`
        : `From x = ${x} the first descent has not ended after ${LIFE} steps.`;
    const { offsets } = stay();
    const more = offsets.length > 4 ? ", …" : "";
    const places = offsets.slice(0, 4).map(signed).join(", ") + more;
    const which = offsets.length < climbs ? "the last descents" : "descents";
    const stops = `From x = ${x} ${which} stop at ${places} λ from the valley’s floor`;
    if (arrived) {
      const count = `${climbs} climb${climbs === 1 ? "" : "s"}`;
      return `${stops}; after ${count}, at step ${run.arrival}${when}, it is in the deepest valley.`;
    }
    if (!run.period)
      return `${stops}: after ${LIFE} steps it has neither reached the deepest valley nor come to a cycle.`;
    const held = offsets.slice(-run.period).every(outside) ? ", up the outer side and back" : "";
    const cycle = run.period === 1 ? "the same place for ever" : `a cycle of ${run.period} turns for ever`;
    return `${stops}: ${cycle}${held}. It never crosses.`;
  }

  function tally() {
    const done = bars.filter((fate, i) => fate !== undefined && outsideGoal(i));
    const percent = Math.round((100 * done.filter(Boolean).length) / Math.max(done.length, 1));
    const which = work.length ? `the ${done.length} starts computed so far` : `${done.length} starts`;
    return `Of ${which} outside the deepest valley ${percent} % get there in ${model.get("steps")} steps.`;
  }
  const outsideGoal = (i) => valley(scene, startOf(i)) !== scene.goal;

  /** Compute for a while what is not known yet, the coarse first, and go on with the next frame. */
  const goOn = oncePerFrame(() => {
    if (signal.aborted) return;
    const begun = performance.now();
    while (work.length && performance.now() - begun < SLICE) work.shift()();
    drawBars();
    drawMap();
    if (work.length) goOn();
    share.say(tally());
  });

  /** Fill the map and the bar code anew, as far as what they show has changed. */
  function survey(all) {
    if (all) [bars, known] = [new Array(scene.starts), new Map()];
    const steps = model.get("steps");
    const starts = coarseToFine(scene.starts).filter((i) => bars[i] === undefined);
    const turns = coarseToFine(SAMPLES).filter((i) => samples[i] === undefined);
    const jobs = [
      ...starts.map((i, k) => [
        k / starts.length,
        () => (bars[i] = travel(scene, startOf(i), rule, steps, known).arrival >= 0),
      ]),
      ...turns.map((i, k) => [
        k / turns.length,
        () => (samples[i] = turnToTurn(scene, minimum() + offsetOf(i) * rule.lr, rule, LONGEST)),
      ]),
    ];
    work = jobs.sort(([a], [b]) => a - b).map(([, job]) => job);
    goOn();
  }

  /** Run from the start, and choose the valley of the map: the last one but the deepest that the run has been in. */
  function retrace(all) {
    run = travel(scene, model.get("start"), rule, LIFE);
    const wells = run.turns.filter(({ climbs }) => climbs).map(({ x }) => valley(scene, x));
    const now = wells.findLast((each) => each !== scene.goal) ?? wells.at(-1) ?? valley(scene, model.get("start"));
    const same = !all && now === well;
    well = now;
    const farthest = 1.15 * Math.max(...stay().offsets.map(Math.abs), 0);
    const wide = WINDOWS.find((each) => each >= farthest) ?? WINDOWS.at(-1);
    if (!same || wide !== reach) samples = new Array(SAMPLES);
    reach = wide;
    hill.show(scene.left, scene.right, scene.bottom, scene.top);
    map.show(-reach, reach, -reach, reach);
    verdict.say(words());
    survey(all);
  }
  const restart = oncePerFrame(() => signal.aborted || !scene || retrace(false));
  const rerun = oncePerFrame(() => {
    if (signal.aborted) return;
    scene = landscapes[model.get("loss")];
    rule = { ...BETAS, ...Object.fromEntries(RULE.map((name) => [name, inward(model.get(name))])) };
    retrace(true);
  });

  const toStart = (x) => model.set("start", Number(clamp(x, scene.left, scene.right).toPrecision(4)));
  const save = () => model.save_changes();
  draggable(handle, {
    move: (event) => toStart(hill.from(event)[0]),
    nudge: (across, up) => toStart(model.get("start") + ((across + up) * (scene.right - scene.left)) / scene.starts),
    end: save,
  });
  pointing(code, { move: (event) => toStart(hill.from(event)[0]), end: save });

  const key = (className, data, text, d) => {
    const sample = svg("svg", { viewBox: "0 0 18 12", width: 18, height: 12, "aria-hidden": "true" });
    sample.append(svg("path", { class: className, ...data, d }));
    return html("li", {}, sample, text);
  };
  awayKey.append(...key("away", {}, "it leads away", "M0 0H18V12H0Z").childNodes);
  const legend = html(
    "ul",
    { className: "legend" },
    key("door", {}, "door: the next climb crosses", "M0 0H18V12H0Z"),
    awayKey,
    key("dot", { "data-by": "hill" }, "back from the hill", "M1 6H17"),
    key("dot", { "data-by": "wall" }, "back from the outer side", "M1 6H17"),
  );
  const controls = html(
    "div",
    { className: "controls" },
    slider(model, "lr", "λ", RATES, signal),
    slider(model, "gamma", "γ", [...powers(-1, 3, 8), Infinity], signal),
  );
  const patience = html("div", { className: "controls" }, slider(model, "delta", "δ", powers(-8, 0, 4), signal));
  const charts = html("div", { className: "charts pinned" }, hill.root, map.root);
  fitHeights(
    charts,
    new Map([
      [hill, [360, 172]],
      [map, [360, 184]],
    ]),
    signal,
  );
  follow(model, ["task"], () => (task.textContent = model.get("task")), signal);
  follow(model, ["loss", "steps", ...RULE], rerun, signal);
  follow(model, ["start"], restart, signal);
  return mount(
    el,
    "from turn to turn",
    "crossing turns",
    [hill, map],
    closing,
    task,
    charts,
    html("p", { className: "say" }, verdict.element),
    controls,
    folded("δ, the loss and the key", signal, patience, html("div", { className: "player" }, landscapeMenu(model, landscapes, signal), legend), html("p", {}, share.element)),
  );
}
