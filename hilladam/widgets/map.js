// The map: drop a ball, or four hundred, on a loss of two variables.

import { Flock, NAMES, SURFACES, tunesItself, update, valley } from "./map_dynamics.js";
import { Chart, STAR, clamp, draggable, format, oncePerFrame, pointing, set, steer, svg } from "./plot.js";
import { BETAS, button, choice, follow, html, inward, mount, playing, powers, slider, spoken, through } from "./controls.js";
import { ball } from "./balls.js";
import { fitHeights } from "./room.js";
import { shadeHeights } from "./shade.js";

const SIDE = 20; // balls of the swarm along each side of the box
const BANDS = 14; // of height
const COLOURS = 6; // of valleys
const TALL = 1.1; // the height of the surface, in halves of its longer side
const MESH = 44; // cells of the surface along each side
const BUDGET = 9; // milliseconds of a frame for the swarm
const TITLES = { SGD: "gradient descent" };
const titleOf = (name) => TITLES[name] ?? name;
const RATES = powers(-6, 1, 8);
const SETTINGS = ["beta1", "beta2", "delta", "gamma", "steps", "noise", "seed", "frames"];
const RERUN = ["surface", "a", "b", "rates", "start", "swarm", ...SETTINGS];

/** How high a loss is drawn, from 0 to 1; where a run has gone so far out that it is ∞ − ∞, as high as can be. */
const heightOf = ({ low, top }, loss) => (Number.isNaN(loss) ? 1 : Math.sqrt(clamp((loss - low) / (top - low), 0, 1)));

const dot = (px, py) => `M${px.toFixed(1)} ${py.toFixed(1)}h0`;
const arrow = (x, y, dx, dy) => {
  const length = Math.hypot(dx, dy);
  if (!(length > 2)) return "";
  const [ux, uy] = [dx / length, dy / length];
  const head = Math.min(7, length);
  const barb = (side) => `${(x + dx - head * (ux + side * 0.6 * uy)).toFixed(1)} ${(y + dy - head * (uy - side * 0.6 * ux)).toFixed(1)}`; // prettier-ignore
  return `M${x.toFixed(1)} ${y.toFixed(1)}L${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}M${barb(1)}L${(x + dx).toFixed(1)} ${(y + dy).toFixed(1)}L${barb(-1)}`; // prettier-ignore
};

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const landscapes = model.get("landscapes");
  let [scene, flocks, shown] = [null, [], 0];

  const names = () => [...new Set([model.get("a"), model.get("b")])].filter((name) => name !== "none");
  const rateOf = (name) => model.get("rates")[name] ?? landscapes[model.get("surface")].lr[name];
  const lossAt = (x, y) => SURFACES[model.get("surface")](x, y)[0];
  const swarming = () => model.get("swarm");
  const deep = (k) => k >= 0 && scene.minima[k][2] < scene.gate;

  /** The loss from above: `drawn` layers that follow the step stand in it. */
  function plane(label) {
    const ground = html("canvas");
    const marks = svg("g", { "aria-hidden": "true", class: "marks" });
    const cells = Array.from({ length: COLOURS }, (_, k) => svg("path", { class: "cells", "data-valley": k }));
    const [halo, met] = [svg("path", { class: "halo" }), svg("path", { class: "met" })];
    const dots = Array.from({ length: COLOURS + 1 }, (_, k) => svg("path", { class: "dots", "data-valley": k - 1 }));
    const [tracks, arrows, balls] = [svg("g"), svg("g", { class: "arrows" }), svg("g")];
    const title = svg("text", { class: "whose", "text-anchor": "end" });
    const chart = new Chart({ label, xLabel: "x", yLabel: "y" }, () => {
      if (scene) draw();
    });
    const box = html("div", { className: "plane" }, ground, chart.root);
    chart.plot.append(...cells, tracks, halo, ...dots, met);
    chart.above.append(marks, title, arrows, balls);
    // One unit is as long on both axes, so that a gradient stands upright on the lines.
    chart.resize = (width) => {
      if (width === 0 || width === chart.width) return;
      chart.width = width;
      fit();
    };
    chart.show = (...domain) => {
      if (domain.length) fit();
    };
    function fit() {
      if (!scene || !chart.width) return;
      const [left, right, bottom, top] = scene.box;
      const [wide, high] = [chart.width - 56, chart.height - 64];
      const unit = Math.min(wide / (right - left), high / (top - bottom));
      const [x, y] = [(left + right) / 2, (bottom + top) / 2];
      const [dx, dy] = [wide / unit / 2, high / unit / 2];
      Chart.prototype.show.call(chart, x - dx, x + dx, y - dy, y + dy);
    }
    function draw() {
      const [left, right, bottom, top] = chart.domain;
      const [x, y] = [chart.x(left), chart.y(top)];
      const [width, height] = [chart.x(right) - x, chart.y(bottom) - y];
      const scale = Math.min(window.devicePixelRatio, 2);
      const [columns, rows] = [Math.round(width * scale), Math.round(height * scale)];
      if (!columns || !rows) return;
      const level = (i, j) =>
        BANDS * heightOf(scene, lossAt(left + ((right - left) * i) / columns, top - ((top - bottom) * j) / rows));
      shadeHeights(ground, [columns, rows], scale, level, BANDS - 1, (each) => 6 + 5 * Math.min(Math.floor(each), BANDS));
      Object.assign(ground.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
      marks.replaceChildren(
        ...scene.minima.map(([mx, my], k) => {
          const place = `translate(${chart.x(mx)} ${chart.y(my)})`;
          return deep(k)
            ? svg("path", { class: "star", d: STAR, transform: place })
            : svg("circle", { class: "floor", r: scene.minima.length > 20 ? 1.2 : 3, transform: place });
        }),
      );
      show();
    }
    return { chart, box, fit, cells, halo, met, dots, tracks, arrows, balls, title };
  }

  const left = plane("The loss from above");
  const right = plane("The loss from above, with the second optimizer");
  const ring = svg("circle", { class: "start", r: 12 });
  const slides = { role: "slider", "aria-label": "start", "data-trait": "start" };
  const handle = svg("g", slides, svg("circle", { class: "reach", r: 24 }), ring);
  left.chart.above.append(handle);

  // The surface: a mesh on a canvas, and above it everything else in SVG.
  const mesh = html("canvas");
  const overlay = svg("g", { "pointer-events": "none" });
  const grip = svg("rect", { class: "reach" });
  const turns = { role: "slider", "aria-label": "turn", "data-trait": "azimuth elevation" };
  const turner = svg("g", turns, grip);
  const solid = svg("svg", { role: "group", "aria-label": "The loss as a surface" }, turner, overlay);
  const relief = html("div", { className: "plane relief" }, mesh, solid);
  const size = { width: 0, height: 0 };
  const sight = { root: solid, height: 0, domain: [], show: () => placeRelief() };
  sight.observer = new ResizeObserver(([entry]) => {
    size.width = entry.contentRect.width;
    placeRelief();
  });
  sight.observer.observe(solid);
  let heights = null; // of the corners of the mesh

  function placeRelief() {
    size.height = sight.height;
    if (!size.width || !size.height) return;
    set(solid, { viewBox: `0 0 ${size.width} ${size.height}`, height: size.height });
    set(grip, { width: size.width, height: size.height });
    const scale = Math.min(window.devicePixelRatio, 2);
    [mesh.width, mesh.height] = [size.width * scale, size.height * scale];
    Object.assign(mesh.style, { left: 0, top: 0, width: `${size.width}px`, height: `${size.height}px` });
    drawRelief();
  }
  /** What takes a place in the box and a height to pixels. */
  function projection() {
    const radians = Math.PI / 180;
    const [around, above] = [model.get("azimuth") * radians, model.get("elevation") * radians];
    const [cos, sin, low, high] = [Math.cos(around), Math.sin(around), Math.sin(above), Math.cos(above)];
    const [l, r, b, t] = scene.box;
    const half = Math.max(r - l, t - b) / 2;
    const [wide, deepness] = [(r - l) / 2 / half, (t - b) / 2 / half];
    const unit = Math.min(size.width / 2 / Math.hypot(wide, deepness), size.height / (2 * Math.hypot(wide, deepness) * low + TALL * high)) * 0.94; // prettier-ignore
    return {
      cos,
      sin,
      place(x, y, z) {
        const [u, v] = [(clamp(x, l, r) - (l + r) / 2) / half, (clamp(y, b, t) - (b + t) / 2) / half];
        const [across, away] = [u * cos - v * sin, u * sin + v * cos];
        return [size.width / 2 + unit * across, size.height / 2 - unit * (away * low + TALL * (z - 0.5) * high)];
      },
    };
  }
  function drawRelief() {
    if (!scene || !heights || !size.width || relief.hidden) return;
    const scale = mesh.width / size.width;
    const context = mesh.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    const { cos, sin, place } = projection();
    const [l, r, b, t] = scene.box;
    const corners = heights.map((row, j) =>
      row.map((z, i) => place(l + ((r - l) * i) / MESH, b + ((t - b) * j) / MESH, z)),
    );
    // From far to near: how far a cell is away grows along u with sin, along v with cos.
    const order = (forward) => Array.from({ length: MESH }, (_, k) => (forward ? k : MESH - 1 - k));
    const [columns, rows] = [order(sin < 0), order(cos < 0)];
    context.lineWidth = 0.5;
    context.lineJoin = "round";
    for (const j of rows) {
      for (const i of columns) {
        const z = (heights[j][i] + heights[j + 1][i + 1] + heights[j + 1][i] + heights[j][i + 1]) / 4;
        const light = clamp(0.5 + (heights[j][i + 1] - heights[j][i]) * 2.2 * cos, 0, 1);
        const grey = Math.round(252 - 60 * z - 34 * (1 - light));
        context.beginPath();
        context.moveTo(...corners[j][i]);
        context.lineTo(...corners[j][i + 1]);
        context.lineTo(...corners[j + 1][i + 1]);
        context.lineTo(...corners[j + 1][i]);
        context.closePath();
        context.fillStyle = `rgb(${grey} ${grey} ${grey})`;
        context.strokeStyle = `rgb(${grey - 34} ${grey - 34} ${grey - 34})`;
        context.fill();
        context.stroke();
      }
    }
    const [turned, seen] = [model.get("azimuth"), model.get("elevation")].map((value) => Math.round(value));
    set(turner, {
      "aria-valuenow": turned,
      "aria-valuemin": -360,
      "aria-valuemax": 360,
      "aria-valuetext": `turned by ${turned}°, seen from ${seen}° above`,
    });
    showRelief(shown);
  }

  const finite = (...numbers) => numbers.every(Number.isFinite);
  /** The track of a ball until time t as paths: [d, whether it climbs]. `at` gives pixels. */
  function track(flock, t, at) {
    const paths = { 0: "", 1: "" };
    const pixels = (x, y, loss) => at(x, y, loss).map((each) => clamp(each, -9999, 9999).toFixed(1)).join(" ");
    let [before, direction] = ["", -1];
    for (let k = 0; k <= t; k++) {
      const [x, y] = [flock.x[k][0], flock.y[k][0]];
      if (!finite(x, y)) break;
      const here = pixels(x, y, flock.loss[k][0]);
      if (k > 0) {
        const climbs = flock.climbs[k - 1][0];
        const origin = flock.origin(k - 1);
        if (origin) before = pixels(...origin, lossAt(...origin));
        paths[climbs] += climbs === direction && !origin ? `L${here}` : `M${before}L${here}`;
        direction = climbs;
      }
      before = here;
    }
    return Object.entries(paths).map(([climbs, d]) => svg("path", { class: "run", "data-climbs": climbs === "1", d }));
  }
  function ballOf(flock, t, [px, py]) {
    const up = flock.climbs[Math.min(t, flock.done - 1)]?.[0] === 1;
    return ball(flock.name, up, `translate(${px.toFixed(1)} ${py.toFixed(1)})`);
  }

  /** The tracks, the balls and the arrows of one ball of each optimizer. */
  function showBalls({ chart, tracks, arrows, balls }, t) {
    const [l, r, b, top] = chart.domain;
    tracks.replaceChildren(
      ...[...flocks].reverse().map((flock, k) =>
        svg("g", { "data-optimizer": flock.name, "data-second": flocks.length - 1 - k === 1 },
          ...track(flock, t, (x, y) => [chart.x(x), chart.y(y)])),
      ), // prettier-ignore
    );
    const here = (flock) => [flock.x[t][0], flock.y[t][0]];
    balls.replaceChildren(
      ...[...flocks].reverse().filter((flock) => finite(...here(flock)) && t > 0).map((flock) => {
        const [x, y] = here(flock);
        return ballOf(flock, t, [chart.x(clamp(x, l, r)), chart.y(clamp(y, b, top))]);
      }), // prettier-ignore
    );
    arrows.replaceChildren();
    const flock = flocks[0];
    if (!model.get("arrows") || t >= flock.done || !finite(...here(flock)) || flock.origin(t)) return;
    const { gradient, momentum, scale, step } = update(flock, t);
    const [x, y] = here(flock);
    if (x < l || x > r || y < b || y > top || !finite(...gradient, ...momentum, ...step)) return;
    if (Math.hypot(...step) < 1e-6 * (r - l)) return; // it is at rest
    const [px, py] = [chart.x(x), chart.y(y)];
    const strongest = Math.max(Math.hypot(...gradient), Math.hypot(...momentum)) || 1;
    const along = (vector, factor) => [vector[0] * factor, -vector[1] * factor];
    const part = (kind, d) => svg("path", { class: kind, d });
    const pixels = chart.x(1) - chart.x(0);
    const factor = 52 / (Math.hypot(...step) * pixels || 1);
    magnified = factor;
    const widest = Math.max(...scale.map((each) => Math.abs(each ?? 0)));
    const room = Math.min(24, chart.width - px - 2); // or the edge of the page cuts it
    const [w, h] = scale.map((each) => (widest ? (room * Math.abs(each ?? 0)) / widest : 0));
    arrows.append(
      part("scale", `M${px - w} ${py - h}h${2 * w}v${2 * h}h${-2 * w}Z`),
      part("gradient", arrow(px, py, ...along(gradient, -64 / strongest))),
      part("momentum", arrow(px, py, ...along(momentum, -64 / strongest))),
      svg("g", { "data-optimizer": flock.name, "data-climbs": flock.climbs[t][0] === 1 }, part("step", arrow(px, py, ...along(step, factor * pixels)))), // prettier-ignore
    );
  }
  let magnified = 0;

  /** The balls of one swarm, and the cells that they started in, coloured by the valley that each is in. */
  function showSwarm({ chart, cells, halo, met, dots }, flock, t) {
    const [l, r, b, top] = scene.box;
    const [w, h] = [(r - l) / SIDE, (top - b) / SIDE];
    const [pw, ph] = [chart.x(l + w) - chart.x(l), chart.y(b) - chart.y(b + h)];
    const cell = `h${(pw + 0.4).toFixed(1)}v${(ph + 0.4).toFixed(1)}h${(-pw - 0.4).toFixed(1)}Z`; // no seam between two
    const areas = Array.from({ length: COLOURS }, () => "");
    const marks = Array.from({ length: COLOURS + 1 }, () => "");
    let [all, arrived] = ["", ""];
    const [x, y] = [flock.x[t], flock.y[t]];
    for (let i = 0; i < flock.count; i++) {
      const [cx, cy] = [chart.x(flock.x[0][i] - w / 2), chart.y(flock.y[0][i] + h / 2)];
      if (flock.arrival[i] >= 0 && flock.arrival[i] <= t) arrived += dot(cx + pw / 2, cy + ph / 2);
      if (!finite(x[i], y[i])) continue;
      const at = valley(scene, x[i], y[i]);
      const colour = at < 0 ? -1 : scene.minima[at][3];
      const mark = dot(clamp(chart.x(x[i]), -99, chart.width + 99), clamp(chart.y(y[i]), -99, chart.height + 99));
      all += mark;
      marks[colour + 1] += mark;
      if (colour >= 0) areas[colour] += `M${cx.toFixed(1)} ${cy.toFixed(1)}${cell}`;
    }
    cells.forEach((path, k) => set(path, { d: areas[k] }));
    dots.forEach((path, k) => set(path, { d: marks[k] }));
    set(halo, { d: all });
    set(met, { d: arrived });
  }
  function clear({ cells, halo, met, dots, tracks, arrows, balls }, swarm) {
    if (swarm) for (const group of [tracks, arrows, balls]) group.replaceChildren();
    else for (const path of [...cells, halo, met, ...dots]) set(path, { d: null });
  }

  function showRelief(t) {
    if (relief.hidden || !size.width || !flocks.length) return overlay.replaceChildren();
    const { place } = projection();
    const at = (x, y, loss) => place(x, y, heightOf(scene, loss));
    const stars = scene.minima.flatMap(([x, y, value], k) => {
      if (!deep(k)) return [];
      const [px, py] = at(x, y, value);
      return [svg("path", { class: "star", d: STAR, transform: `translate(${px} ${py})` })];
    });
    if (swarming()) {
      const [flock] = flocks;
      const marks = Array.from({ length: COLOURS + 1 }, () => "");
      let all = "";
      for (let i = 0; i < flock.count; i++) {
        const [x, y] = [flock.x[t][i], flock.y[t][i]];
        if (!finite(x, y)) continue;
        const k = valley(scene, x, y);
        const mark = dot(...at(x, y, flock.loss[t][i]));
        all += mark;
        marks[k < 0 ? 0 : scene.minima[k][3] + 1] += mark;
      }
      const paths = marks.map((d, k) => svg("path", { class: "dots", "data-valley": k - 1, d }));
      return overlay.replaceChildren(svg("path", { class: "halo", d: all }), ...paths, ...stars);
    }
    const groups = [...flocks].reverse().map((flock, k) =>
      svg("g", { "data-optimizer": flock.name, "data-second": flocks.length - 1 - k === 1 }, ...track(flock, t, at)),
    );
    const balls = [...flocks].reverse().filter((flock) => finite(flock.x[t][0], flock.y[t][0]));
    overlay.replaceChildren(...groups, ...stars, ...balls.map((flock) => ballOf(flock, t, at(flock.x[t][0], flock.y[t][0], flock.loss[t][0])))); // prettier-ignore
  }

  const verdict = spoken("span");
  const goal = () => (scene.minima.filter((_, k) => deep(k)).length > 1 ? "a deepest valley" : "the deepest valley");
  const many = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  function fate(flock, t) {
    const [x, y, loss, arrival] = [flock.x[t][0], flock.y[t][0], flock.loss[t][0], flock.arrival[0]];
    const name = titleOf(flock.name);
    const [l, r, b, top] = scene.box;
    const out = x < l - (r - l) || x > r + (r - l) || y < b - (top - b) || y > top + (top - b);
    const at = valley(scene, x, y);
    if (arrival >= 0 && arrival <= t)
      return `${name} met ${goal()} after ${many(arrival, "gradient")}${deep(at) ? "" : ", and has left it"}`;
    if (!finite(x, y) || out) return `${name} is ${tunesItself(flock.name) ? "far outside" : "lost: its λ is too large for these walls"}`; // prettier-ignore
    const does = flock.name === "over the hill" ? "walks" : "climbs";
    if (flock.climbs[Math.min(t, flock.done - 1)][0]) return `${name} ${does}, at loss ${format(loss)}`;
    const where = at < 0 ? "on its way" : deep(at) ? `nearly in ${goal()}` : "in another valley";
    return `${name} is ${where}, at loss ${format(loss)}`;
  }
  function crowd(flock, t) {
    const met = flock.arrival.filter((each) => each >= 0 && each <= t).length;
    let there = 0;
    for (let i = 0; i < flock.count; i++) there += deep(valley(scene, flock.x[t][i], flock.y[t][i]));
    return `of ${titleOf(flock.name)}’s ${met} have met ${goal()} and ${there} are there now`;
  }
  function say(t) {
    const who = flocks.map(({ name }) => titleOf(name)).join(" and ");
    if (t === 0) {
      verdict.say(swarming()
        ? `400 balls wait, one in each cell, for ${who}. Press ▶ and see where they go.`
        : `A ball waits at (${model.get("start").map(format).join(", ")}) for ${who}. Press ▶, or drop it somewhere else.`); // prettier-ignore
      return;
    }
    const noun = many(t, "gradient");
    if (swarming()) verdict.say(`After ${noun} each, ${flocks.map((flock) => crowd(flock, t)).join("; ")}.`);
    else verdict.say(`After ${noun}: ${flocks.map((flock) => fate(flock, t)).join("; ")}.`);
  }

  const legend = html("p", { className: "legend" });
  legend.setAttribute("aria-hidden", "true");
  const sample = (kind) =>
    svg("svg", { viewBox: "0 0 26 12", width: 26, height: 12 },
      svg("path", { class: kind, d: kind === "scale" ? "M3 2h20v8h-20Z" : arrow(1, 6, 23, 0) })); // prettier-ignore
  const times = html("span");
  const ofArrows = html("span", {},
    html("span", {}, sample("gradient"), "downhill"),
    html("span", {}, sample("momentum"), "momentum"),
    html("span", {}, sample("scale"), "scale"),
    html("span", {}, sample("step"), times)); // prettier-ignore
  const ofCells = html("span", {}, "A cell has the colour of the valley that its ball is in; with a dot in it, the ball has met ", html("span")); // prettier-ignore
  legend.append(ofArrows, ofCells);

  /** Show the step, as far as it is known; what is missing is computed in the frames to come. */
  function show() {
    if (!scene || !flocks.length) return;
    const wanted = Math.min(model.get("step"), model.get("steps"));
    const until = Math.min(wanted + 1, model.get("steps"));
    const begun = performance.now();
    for (let late = false; !late && flocks.some(({ done }) => done < until); ) {
      for (const flock of flocks) if (flock.done < until) flock.advance();
      late = performance.now() - begun > BUDGET;
    }
    const known = Math.min(...flocks.map(({ done }) => done));
    if (known < until) stepped();
    shown = Math.min(wanted, known);
    const swarm = swarming();
    const second = swarm && flocks.length > 1;
    clear(left, swarm);
    if (left.chart.x) {
      if (swarm) showSwarm(left, flocks[0], shown);
      else showBalls(left, shown);
      placeHandle();
    }
    if (second && right.chart.x) showSwarm(right, flocks[1], shown);
    left.title.textContent = swarm ? titleOf(flocks[0].name) : "";
    right.title.textContent = second ? titleOf(flocks[1].name) : "";
    for (const { chart, title } of [left, right]) set(title, { x: chart.width - 14, y: 18 });
    const times2 = Number(magnified.toPrecision(2));
    times.textContent = times2 > 1 ? `step, ${format(times2)} times as long` : times2 < 1 ? `step, ${format(times2)} of its length` : "step"; // prettier-ignore
    ofArrows.hidden = swarm || !left.arrows.childElementCount;
    ofCells.hidden = !swarm;
    ofCells.lastChild.textContent = `${goal()}.`;
    showRelief(shown);
    if (known >= until) say(shown);
  }
  function placeHandle() {
    const [x, y] = model.get("start");
    const [l, r, b, top] = left.chart.domain;
    set(handle, {
      transform: `translate(${left.chart.x(clamp(x, l, r)).toFixed(1)} ${left.chart.y(clamp(y, b, top)).toFixed(1)})`,
      visibility: swarming() ? "hidden" : null,
      "aria-valuenow": x,
      "aria-valuemin": l,
      "aria-valuemax": r,
      "aria-valuetext": `x = ${format(x)}, y = ${format(y)}`,
    });
  }
  const stepped = oncePerFrame(() => {
    if (!signal.aborted) show();
  });

  let drawn = null; // the surface that is drawn
  const rerun = oncePerFrame(() => {
    if (signal.aborted) return;
    const key = model.get("surface");
    scene = landscapes[key];
    const [l, r, b, top] = scene.box;
    const middle = (low, high, k) => low + ((high - low) * (k + 0.5)) / SIDE;
    const starts = swarming()
      ? Array.from({ length: SIDE * SIDE }, (_, i) => [middle(l, r, i % SIDE), middle(b, top, Math.floor(i / SIDE))])
      : [model.get("start")];
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, inward(model.get(name))]));
    flocks = names().map((name) => new Flock(key, starts, name, { ...settings, lr: rateOf(name) }, scene.gate));
    const second = swarming() && flocks.length > 1;
    right.box.hidden = !second;
    relief.hidden = second;
    if (drawn !== key) {
      drawn = key;
      heights = Array.from({ length: MESH + 1 }, (_, j) =>
        Array.from({ length: MESH + 1 }, (_, i) =>
          heightOf(scene, lossAt(l + ((r - l) * i) / MESH, b + ((top - b) * j) / MESH)),
        ),
      );
      left.fit();
      right.fit();
      drawRelief();
    } else show();
  });

  // What a reader does to the picture.
  const save = () => model.save_changes();
  const rounded = (value) => Number(value.toPrecision(4));
  function drop(x, y) {
    const [l, r, b, top] = left.chart.domain;
    model.set({ swarm: false, start: [rounded(clamp(x, l, r)), rounded(clamp(y, b, top))] });
  }
  const dropped = () => {
    save();
    if (model.get("step") === 0 && !plays()) play.click();
  };
  for (const { chart } of [left, right]) {
    pointing(chart.root, { move: (event) => drop(...chart.from(event)), end: dropped });
  }
  draggable(handle, {
    move: (event) => drop(...left.chart.from(event)),
    nudge: (across, up) => {
      const [l, r, b, top] = scene.box;
      const [x, y] = model.get("start");
      drop(x + (across * (r - l)) / 100, y + (up * (top - b)) / 100);
    },
    end: save,
  });
  const around = (degrees) => ((degrees + 180) % 360 + 360) % 360 - 180; // prettier-ignore
  const turn = (across, up) => {
    const azimuth = rounded(around(model.get("azimuth") + across));
    model.set({ azimuth, elevation: rounded(clamp(model.get("elevation") + up, 10, 90)) });
  };
  let held = null;
  turner.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    held = [event.clientX, event.clientY];
    turner.setPointerCapture(event.pointerId);
  });
  turner.addEventListener("pointermove", (event) => {
    if (!turner.hasPointerCapture(event.pointerId)) return;
    turn((event.clientX - held[0]) * 0.5, event.pointerType === "touch" ? 0 : (event.clientY - held[1]) * 0.3);
    held = [event.clientX, event.clientY];
  });
  turner.addEventListener("lostpointercapture", save);
  steer(turner, { nudge: (across, up) => turn(clamp(across, -36, 36) * 5, clamp(up, -10, 10) * 3), end: save });

  // The controls.
  const { play, scrub, by, plays } = playing(model, "step", () => model.get("steps"), ["steps"], signal);
  const go = html("span", { className: "go" }, play, button("↺", "Back to the start", by(-Infinity)), button("+1", "+1 step", by(1))); // prettier-ignore
  go.dataset.trait = scrub.dataset.trait = "step";
  const toggle = (trait, text, name, [off, on]) => {
    const element = button(text, name, () => {
      model.set(trait, model.get(trait) === on ? off : on);
      save();
    });
    element.dataset.trait = trait;
    follow(model, [trait], () => element.setAttribute("aria-pressed", model.get(trait) === on), signal);
    return element;
  };
  const crowds = toggle("swarm", "400 balls", "400 balls: a ball in each cell", [false, true]);
  const other = toggle("side", "⇄", "The other picture", ["left", "right"]);
  other.classList.add("other");
  const rateFor = (trait) =>
    through(
      model,
      [trait, "rates", "surface"],
      () => rateOf(model.get(trait) === "none" ? model.get("a") : model.get(trait)),
      (_, lr) => model.set("rates", { ...model.get("rates"), [model.get(trait)]: lr }),
    );
  const options = NAMES.map((name) => [name, titleOf(name)]);
  const pickers = ["a", "b"].map((trait) => {
    const name = trait === "a" ? "first optimizer" : "second optimizer";
    const picker = choice(model, trait, name, trait === "a" ? options : [...options, ["none", "no second one"]], signal);
    const rate = slider(rateFor(trait), "rates", "λ", RATES, signal);
    rate.querySelector("input").setAttribute("aria-label", `λ of the ${name}`);
    follow(model, [trait], () => (rate.hidden = model.get(trait) === "none"), signal);
    return html("div", { className: "rival" }, picker, rate);
  });
  const surfaces = choice(model, "surface", "surface", Object.entries(landscapes).map(([key, { name }]) => [key, name]), signal); // prettier-ignore
  surfaces.addEventListener("change", () => {
    const { start, gamma } = landscapes[model.get("surface")];
    model.set({ start, gamma, rates: {}, noise: 0, step: 0 });
    save();
  });
  const box = html("input", { type: "checkbox", name: "arrows" });
  box.addEventListener("change", () => {
    model.set("arrows", box.checked);
    save();
  });
  follow(model, ["arrows"], () => (box.checked = model.get("arrows")), signal);
  const arrowed = html("label", { className: "tick" }, box, "arrows of the update");
  const again = button("other noise", "Other noise", () => {
    model.set("seed", (model.get("seed") + 1) % 1_000_000);
    save();
  });
  again.dataset.trait = "seed";
  const others = html("div", { className: "controls" },
    surfaces, arrowed, scrub,
    slider(model, "noise", "noise σ", [0, ...powers(-2, 3, 4)], signal), again,
    slider(model, "delta", "δ", [0, ...powers(-6, 1, 4)], signal),
    slider(model, "gamma", "γ", [...powers(-1, 3, 8), Infinity], signal),
    slider(model, "beta1", "β₁", BETAS, signal),
    slider(model, "beta2", "β₂", BETAS, signal),
    slider(model, "steps", "steps", [50, 100, 200, 300, 500, 1000], signal),
    slider(model, "speed", "speed", [5, 10, 20, 40, 60, 120, 300], signal)); // prettier-ignore
  const more = html("details", {}, html("summary", {}, "more"), others);

  const task = html("p", { className: "task" });
  const says = html("p", { className: "say" }, verdict.element);
  const charts = html("div", { className: "charts pinned" }, left.box, right.box, relief);
  const bar = html("div", { className: "bar" }, go, crowds, other);
  const rivals = html("div", { className: "rivals" }, ...pickers);
  fitHeights(charts, new Map([[left.chart, [310, 262]], [right.chart, [310, 262]], [sight, [310, 262]]]), signal); // prettier-ignore
  follow(model, ["side"], () => (charts.dataset.side = model.get("side")), signal);
  follow(model, ["task"], () => (task.textContent = model.get("task")), signal);
  follow(model, RERUN, rerun, signal);
  follow(model, ["step", "arrows"], stepped, signal);
  follow(model, ["azimuth", "elevation"], oncePerFrame(() => signal.aborted || drawRelief()), signal); // prettier-ignore
  return mount(el, "the map", "map", [left.chart, right.chart, sight], closing, task, charts, legend, says, bar, rivals, more); // prettier-ignore
}
