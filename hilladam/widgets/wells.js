// The colour wells: move the gains on the landscape of their loss, and the photograph follows.

import { evaluate } from "./dynamics.js";
import { basins, differences, gainsAt, lossOf, outputs } from "./gains.js";
import { Chart, STAR, clamp, draggable, format, oncePerFrame, set, svg, unique } from "./plot.js";
import { fitHeights, folded } from "./room.js";
import { shadeHeights } from "./shade.js";
import { choice, follow, html, mount, player, scrollable, slider, spoken } from "./controls.js";

const GAINS = ["red", "green", "blue"];
const CROSS = "M-7-4L-4-7 0-3 4-7 7-4 3 0 7 4 4 7 0 3 -4 7 -7 4 -3 0Z";
const BAND = 0.25; // between two contour lines, in the square root of the loss above the lowest
const BANDS = 16;

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const signed = (value, digits) => value.toFixed(digits).replace("-", "−");
const lossText = (value) => (value < 100 ? value.toFixed(3) : format(value));
const gainText = (value) => signed(value, Math.abs(value) < 100 ? 2 : 0);

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const { channels, minima, truth, window: edges, green, steps, seeds } = model.get("scene");
  const [images, paths] = [model.get("images"), JSON.parse(model.get("paths"))];
  const basin = basins(channels, minima);
  const difference = differences(bytes(images.pixels.source), bytes(images.pixels.truth));
  const gains = () => GAINS.map((name) => model.get(name));
  const current = () => paths[model.get("path")]?.[model.get("seed")];
  const go = (place) => {
    model.set(Object.fromEntries(GAINS.map((name, c) => [name, place[c]])));
  };

  // The landscape: shades on a canvas, and above it everything else in SVG.
  const ground = html("canvas");
  const hatch = unique("hatch");
  const lines = svg("path", { class: "hatch", d: "M0 8L8 0M-2 2L2-2M6 10L10 6" });
  const pattern = svg("pattern", { id: hatch, width: 8, height: 8, patternUnits: "userSpaceOnUse" }, lines);
  const fiction = svg("path", { fill: `url(#${hatch})` });
  const border = svg("path", { class: "border" });
  const remark = svg("text", { class: "remark" });
  remark.textContent = "negative gains";
  const trace = svg("g");
  const marks = svg("g", { "aria-hidden": "true" });
  const ends = svg("g", { "aria-hidden": "true" });
  const rings = ["halo", "ring"].map((name) => svg("circle", { class: name, r: 10 }));
  const handle = svg("g", { role: "slider", "data-trait": "red blue" }, svg("circle", { class: "reach", r: 24 }), ...rings);
  const labels = {
    label: "The loss over the gains of red and blue",
    xLabel: "gain of red r",
    yLabel: "gain of blue b",
  };
  const map = new Chart(labels, () => {
    const [left, right, bottom, top] = map.domain;
    const [x, y] = [map.x(left), map.y(top)];
    const [width, height] = [map.x(right) - x, map.y(bottom) - y];
    const scale = Math.min(window.devicePixelRatio, 2);
    const [columns, rows] = [Math.round(width * scale), Math.round(height * scale)];
    const heights = (channel, count, value) =>
      Float64Array.from({ length: count + 1 }, (_, i) => evaluate(channel, value(i))[0]);
    const lowest = Math.min(
      ...minima.map((minimum) => lossOf([channels[0], channels[2]], [minimum.gains[0], minimum.gains[2]])),
    );
    const along = heights(channels[0], columns, (i) => map.toX(x + (i + 0.5) / scale)).map((value) => value - lowest);
    const up = heights(channels[2], rows, (j) => map.toY(y + (j + 0.5) / scale));
    const level = (i, j) => Math.sqrt(Math.max(along[i] + up[j], 0)) / BAND;
    shadeHeights(ground, [columns, rows], scale, level, BANDS, (each) => 8 + 7 * Math.min(Math.floor(each), BANDS));
    Object.assign(ground.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
    const [zeroX, zeroY] = [clamp(map.x(0), x, x + width), clamp(map.y(0), y, y + height)];
    set(fiction, { d: `M${x} ${y}H${zeroX}V${zeroY}H${x + width}V${y + height}H${x}Z` });
    set(remark, { x: x + 6, y: y + height - 7, visibility: zeroX - x > 90 ? null : "hidden" });
    set(border, { d: `M${zeroX} ${y}V${zeroY}H${x + width}` });
    marks.replaceChildren(...signs());
    retrace();
  });
  map.root.prepend(svg("defs", {}, pattern));
  map.plot.append(fiction, border, remark, trace);
  map.above.append(marks, ends, handle);
  const inside = ([r, , b]) => {
    const [left, right, bottom, top] = map.domain;
    return [map.x(clamp(r, left, right)), map.y(clamp(b, bottom, top))].map((pixel) => pixel.toFixed(1));
  };
  const at = (place) => `translate(${inside(place)})`;

  /** A sign for each place of the table. Minima that differ in green alone share one. */
  function signs() {
    const places = new Map();
    for (const { letter, gains } of minima) {
      const key = at(gains);
      places.set(key, (places.get(key) ?? "") + letter);
    }
    const sign = (kind, text, transform, shape) => {
      const name = svg("text", { y: 4 });
      name.textContent = text;
      return svg("g", { class: "sign", "data-kind": kind, transform }, shape, name);
    };
    const box = () => svg("rect", { x: -8, y: -8, width: 16, height: 16, rx: 3 });
    const lowest = at(minima[0].gains);
    return [
      sign("source", "S", at([1, 1, 1]), box()),
      sign("truth", "T", at(truth), box()),
      ...[...places].map(([place, text]) =>
        sign(place === lowest ? "lowest" : "minimum", text, place, svg("circle", { r: 9 })),
      ),
    ];
  }

  // The photograph with the gains, and those it is compared with.
  const photo = html("canvas", { width: 1, height: 1 });
  photo.setAttribute("role", "img");
  photo.setAttribute("aria-label", "The source with these gains");
  const captioned = (picture, text) => html("div", { className: "photograph" }, picture, html("div", {}, text));
  const small = ["source", "target", "truth"].map((name) => {
    // The book's theme dims pictures of another class.
    const picture = html("img", { src: images[name], alt: `The ${name}`, className: "dark-light" });
    return captioned(picture, name);
  });
  const photos = html("div", { className: "photos" }, captioned(photo, "with these gains"), html("div", {}, ...small));
  let [original, corrected] = [null, null];
  const source = new Image();
  source.addEventListener("load", () => {
    [photo.width, photo.height] = [source.naturalWidth, source.naturalHeight];
    const context = photo.getContext("2d", { willReadFrequently: true });
    context.drawImage(source, 0, 0);
    original = context.getImageData(0, 0, photo.width, photo.height);
    corrected = new ImageData(original.data.slice(), photo.width, photo.height);
    show();
  });
  source.src = images.source;

  function develop(place) {
    if (!original) return;
    const [from, to] = [original.data, corrected.data];
    const [r, g, b] = place.map(outputs);
    for (let i = 0; i < from.length; i += 4) {
      to[i] = r[from[i]];
      to[i + 1] = g[from[i + 1]];
      to[i + 2] = b[from[i + 2]];
    }
    photo.getContext("2d").putImageData(corrected, 0, 0);
  }

  // The path: all of it faint, and what has been walked in full colour.
  function stretches(path, last) {
    const until = path.steps.filter((step) => step < last);
    const stops = last === Infinity ? path.steps : [...until, Math.min(last, path.steps.at(-1))];
    const places = stops.map((step) => gainsAt(path, step));
    const climbs = (step) => path.turns.filter((turn) => turn <= step).length % 2 === 1;
    return [false, true].map((direction) => {
      const xs = [];
      const ys = [];
      for (let i = 0; i + 1 < stops.length; i++) {
        if (climbs(stops[i]) !== direction) continue;
        xs.push(NaN, places[i][0], places[i + 1][0]);
        ys.push(NaN, places[i][2], places[i + 1][2]);
      }
      return map.line(xs, ys);
    });
  }

  const runs = ["whole", "outline", "walked"].map((kind) => {
    const parts = [false, true].map((climbs) => svg("path", { class: `run ${kind}`, "data-climbs": climbs }));
    trace.append(...parts);
    return parts;
  });
  const draw = (parts, lines) => parts.forEach((part, i) => set(part, { d: lines[i] || null }));

  /** Draw what depends on which path it is. */
  function retrace() {
    const path = current();
    const name = model.get("path");
    for (const group of [trace, ends]) set(group, { "data-optimizer": name || null });
    draw(runs[0], path ? stretches(path, Infinity) : []);
    const place = (step) => gainsAt(path, step);
    const end = (kind, step, d) => svg("path", { class: `end ${kind}`, transform: at(place(step)), d });
    const last = path?.steps.at(-1);
    ends.replaceChildren(
      ...(path ? [end("last", last, CROSS), end("best", path.best, STAR), end("first", 0, "M0-7L7 0 0 7-7 0Z")] : []),
    );
    for (const part of [playing, seed, legend]) part.hidden = !path;
    rows.get("best").root.hidden = rows.get("last").root.hidden = !path;
    if (path) {
      fill("best", `${name}, its best`, place(path.best));
      fill("last", last < steps ? `${name}, before it left all bounds` : `${name}, at step ${last}`, place(last));
    }
    show();
  }

  // The table of places, each with a button that goes there.
  const rows = new Map();
  const body = html("tbody");
  function row(key, sign, place) {
    const name = html("span");
    const cells = Array.from({ length: 5 }, () => html("td"));
    const mark = html("span", { className: "emblem", dataset: { kind: key } }, sign);
    const visit = html(
      "button",
      { type: "button", onclick: () => (go(place ? place() : rows.get(key).place), model.save_changes()) },
      mark,
      name,
    );
    const head = html("th", { scope: "row" }, key === "here" ? html("span", { className: "here" }, mark, name) : visit);
    const root = html("tr", { dataset: { place: key } }, head, ...cells);
    rows.set(key, { root, name, cells, place: null });
    body.append(root);
  }
  function fill(key, name, place) {
    const entry = rows.get(key);
    const texts = [...place.map(gainText), lossText(lossOf(channels, place)), signed(difference(place), 1)];
    entry.place = place;
    if (entry.name.textContent !== name) entry.name.textContent = name;
    entry.cells.forEach((cell, i) => (cell.textContent = texts[i]));
  }
  row("here", "");
  row("source", "S");
  for (const { letter } of minima) row(letter, letter);
  row("truth", "T");
  row("best", "★");
  row("last", "✖");
  minima.forEach(({ letter, name, gains }, i) => {
    rows.get(letter).root.querySelector(".emblem").dataset.kind = i ? "minimum" : "lowest";
    fill(letter, name === "only" ? "the minimum" : name, gains);
  });
  fill("source", "the source as it is", [1, 1, 1]);
  fill("truth", "the truth’s means", truth);
  const heads = ["place", "r", "g", "b", "loss", "ΔE"].map((text) => html("th", { scope: "col" }, text));
  const table = html("table", { className: "places" }, html("thead", {}, html("tr", {}, ...heads)), body);

  const explained =
    "ΔE: how far the photograph is from the truth; 1 is barely visible. " +
    "T: the gains that would bring the source’s means back to the truth’s.";
  const note = html("p", { className: "note" }, explained);

  const verdict = spoken();
  const task = html("p", { className: "task" });
  function sentence(place) {
    const index = basin(place);
    const { letter, gains } = minima[index] ?? {};
    const negative = (values) => values.some((value) => value < 0);
    const depth =
      index === 0 ? "the lowest" : negative(gains ?? []) ? "which asks for a negative gain" : "not the lowest";
    const well = index < 0 ? "On a pass between wells." : `In the well of ${letter}, ${depth}.`;
    return negative(place) ? `${well} A negative gain leaves nothing of its colour.` : well;
  }
  /** Move what depends on the gains. */
  function show() {
    if (!map.x) return;
    const place = gains();
    const [left, right, bottom, top] = map.domain;
    const away = place[0] < left || place[0] > right || place[2] < bottom || place[2] > top;
    const letter = minima[basin(place)]?.letter;
    set(handle, {
      transform: at(place),
      "data-away": away,
      "aria-label": "gains of red and blue",
      "aria-roledescription": "two-way slider",
      "aria-valuemin": left,
      "aria-valuemax": right,
      "aria-valuenow": place[0],
      "aria-valuetext":
        `red ${gainText(place[0])}, blue ${gainText(place[2])}, loss ${format(lossOf(channels, place))}` +
        (letter ? `, in the well of ${letter}` : ""),
    });
    const path = current();
    const walked = path ? stretches(path, model.get("step")) : [];
    for (const parts of runs.slice(1)) draw(parts, walked);
    develop(place);
    fill("here", `${away ? "beyond the map" : "these gains"}${letter ? `, in ${letter}` : ""}`, place);
    verdict.say(sentence(place));
  }
  const moved = oncePerFrame(show);

  const round = (value) => Number(value.toFixed(3));
  const move = (r, b) => {
    const [left, right, bottom, top] = map.domain;
    model.set({ red: round(clamp(r, left, right)), blue: round(clamp(b, bottom, top)) });
  };
  draggable(handle, {
    move: (event) => move(...map.from(event)),
    nudge: (across, up) => move(model.get("red") + 0.01 * across, model.get("blue") + 0.01 * up),
    end: () => model.save_changes(),
  });
  map.root.addEventListener("click", (event) => {
    const [r, b] = map.from(event);
    const [left, right, bottom, top] = map.domain;
    if (handle.contains(event.target) || r < left || r > right || b < bottom || b > top) return;
    move(r, b);
    model.save_changes();
  });

  // Whose path, and from which seed.
  const names = Object.keys(paths);
  const picker = choice(model, "path", "replay", [["", "nothing"], ...names.map((name) => [name, name])], signal);
  const seedList = html("select", { name: "seed" }, ...seeds.map((value) => html("option", { value }, value)));
  const seed = html("label", { className: "choice" }, html("span", {}, "seed"), seedList);
  follow(model, ["seed"], () => (seedList.value = model.get("seed")), signal);
  for (const list of [picker, seed]) {
    list.addEventListener("change", () => {
      model.set({ seed: Number(seedList.value), step: 0 });
      model.save_changes();
    });
  }
  const legend = html("span", { className: "legend" }, "◆ start  ★ best  ✖ end");
  const playing = player(model, "step", () => steps, [], signal);

  const hundredths = (low, high) =>
    Array.from({ length: Math.round((high - low) * 100) + 1 }, (_, i) => Number((low + i / 100).toFixed(2)));
  const [left, right, bottom, top] = edges;
  const controls = html(
    "div",
    { className: "controls" },
    slider(model, "green", "green g", hundredths(...green), signal),
  );
  const dragged = html(
    "div",
    { className: "controls" },
    slider(model, "red", "red r", hundredths(left, right), signal),
    slider(model, "blue", "blue b", hundredths(bottom, top), signal),
  );
  const places = scrollable(table, "the places on the map", signal);
  const beside = html("div", { className: "beside" }, html("div", {}, dragged, note), places);
  const charts = html("div", { className: "charts" }, html("div", { className: "map" }, ground, map.root), html("div", { className: "pinned" }, photos));
  fitHeights(charts, new Map([[map, [340, 215]]]), signal);
  follow(model, ["task"], () => task.replaceChildren(model.get("task"), " ", verdict.element), signal);
  follow(model, GAINS, moved, signal);
  follow(
    model,
    ["path", "seed", "step"],
    () => {
      const path = current();
      if (path) go(gainsAt(path, model.get("step")));
    },
    signal,
  );
  follow(model, ["path", "seed"], () => map.x && retrace(), signal);
  map.show(...edges);
  return mount(
    el,
    "the gains of a photograph",
    "wells",
    [map],
    closing,
    ...(names.length ? [html("div", { className: "player" }, picker, seed, legend)] : []),
    charts,
    playing,
    controls,
    task,
    folded("red and blue, and the places on the map", signal, beside),
  );
}
