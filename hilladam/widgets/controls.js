// Labelled native controls, each tied to one trait of the model. They write the trait as they move, and tell Python when
// they come to rest.

import { format } from "./plot.js";

/** An HTML element with properties and children. */
export function html(tag, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const element = Object.assign(document.createElement(tag), rest);
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
}

/** A table in a box that scrolls where the table is wider, and then by keys too. */
export function scrollable(table, name, signal) {
  const box = html("div", { className: "scroll" }, table);
  const observer = new ResizeObserver(() => {
    const states = { tabindex: 0, role: "region", "aria-label": name };
    for (const [state, value] of Object.entries(states)) {
      if (box.scrollWidth > box.clientWidth) box.setAttribute(state, value);
      else box.removeAttribute(state);
    }
  });
  observer.observe(box);
  observer.observe(table);
  signal.addEventListener("abort", () => observer.disconnect());
  return box;
}

/** Call `action` now and whenever one of the traits changes, until the view goes. */
export function follow(model, traits, action, signal) {
  for (const trait of traits) {
    model.on(`change:${trait}`, action);
    signal.addEventListener("abort", () => model.off(`change:${trait}`, action));
  }
  action();
}

/** Values from 10^low to 10^high, so many to a factor of ten, each rounded to two digits. */
export function powers(low, high, count) {
  const length = Math.round((high - low) * count) + 1;
  return Array.from({ length }, (_, i) => Number((10 ** (low + i / count)).toPrecision(2)));
}

/** The decay rates that a slider offers: their memories 1 / (1 − β) grow by about the same factor. */
export const BETAS = [0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9995, 0.9999];

/** A slider through a list of values. A value between two of them, set from Python, has the place of the upper one. */
export function slider(model, trait, name, values, signal) {
  const input = html("input", { type: "range", min: 0, max: values.length - 1, step: 1, name: trait });
  const shown = value();
  input.addEventListener("input", () => model.set(trait, outward(values[input.valueAsNumber])));
  input.addEventListener("change", () => model.save_changes());
  follow(
    model,
    [trait],
    () => {
      const value = inward(model.get(trait));
      const above = values.findIndex((each) => each >= value);
      const index = above < 0 ? values.length - 1 : above;
      if (values[input.valueAsNumber] !== value) input.valueAsNumber = index;
      shown.textContent = format(value);
      input.setAttribute("aria-valuetext", format(value));
    },
    signal,
  );
  return html("label", { className: "slider" }, html("span", {}, name), input, shown);
}

/** The value beside a slider, which says it itself to those who cannot see it. */
function value() {
  const element = html("span", { className: "value" });
  element.setAttribute("aria-hidden", "true");
  return element;
}

// JSON has no infinity, so Python and the page write null for it.
const outward = (value) => (value === Infinity ? null : value);
export const inward = (value) => (value === null ? Infinity : value);

/** What stands for a model where a slider moves several `traits` at once, or a part of one. */
export function through(model, traits, get, set) {
  return {
    get,
    set,
    save_changes: () => model.save_changes(),
    on: (_, action) => traits.forEach((trait) => model.on(`change:${trait}`, action)),
    off: (_, action) => traits.forEach((trait) => model.off(`change:${trait}`, action)),
  };
}

/** A drop-down list of [value, text] pairs. */
export function choice(model, trait, name, options, signal) {
  const select = html("select", { name: trait }, ...options.map(([value, text]) => html("option", { value }, text)));
  select.addEventListener("change", () => {
    model.set(trait, select.value);
    model.save_changes();
  });
  follow(model, [trait], () => (select.value = model.get(trait)), signal);
  return html("label", { className: "choice" }, html("span", {}, name), select);
}

/** Check boxes for a trait that is a list of some of the names. */
export function toggles(model, trait, legend, names, signal) {
  const boxes = names.map((name) => html("input", { type: "checkbox", value: name }));
  const labels = boxes.map((box) => html("label", { dataset: { optimizer: box.value } }, box, box.value));
  for (const box of boxes) {
    box.addEventListener("change", () => {
      model.set(
        trait,
        names.filter((_, i) => boxes[i].checked),
      );
      model.save_changes();
    });
  }
  follow(model, [trait], () => boxes.forEach((box) => (box.checked = model.get(trait).includes(box.value))), signal);
  const dataset = { trait };
  return html("fieldset", { className: "toggles", dataset }, html("legend", {}, legend), ...labels);
}

/** A button with a short text and a longer name. */
export function button(text, name, action) {
  const element = html("button", { type: "button", title: name, onclick: action }, text);
  element.setAttribute("aria-label", name);
  return element;
}

/** Words that change as things move: seen at once, read out when they have come to rest, but not the first time. */
export function spoken(tag = "strong") {
  const [seen, heard] = [html(tag), html("span", { className: "unseen" })];
  seen.setAttribute("aria-hidden", "true");
  let waiting = 0;
  const say = (text) => {
    if (seen.textContent === text) return;
    const first = seen.textContent === "";
    seen.textContent = text;
    if (first) heard.textContent = text;
    else heard.setAttribute("aria-live", "polite");
    clearTimeout(waiting);
    waiting = setTimeout(() => (heard.textContent = text), 600);
  };
  return { element: html("span", {}, seen, heard), say };
}

/** Put an explorer into its place; what is returned takes it away again. */
export function mount(el, title, kind, charts, closing, ...children) {
  const root = html("div", { className: `hilladam ${kind}` }, ...children);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", `Explorer: ${title}`);
  el.append(root);
  return () => {
    closing.abort();
    for (const chart of charts) chart.observer.disconnect();
  };
}

/**
 * What plays a trait from 0 to `end()`, `speed` steps a second: a button, a slider for its value, and `by(steps)`, which
 * makes an action that moves it so far; `plays()` says whether it moves by itself. `end` depends on the traits `ends`.
 */
export function playing(model, trait, end, ends, signal) {
  let [playing, last, exact] = [false, 0, 0];
  const now = () => Math.min(model.get(trait), end());
  const go = (value) => model.set(trait, Math.min(Math.max(Math.round(value), 0), end()));
  const stop = () => {
    playing = false;
    show();
    model.save_changes();
  };
  const frame = (time) => {
    if (!playing || signal.aborted) return;
    if (Math.round(exact) !== now()) exact = now(); // somebody else has moved it
    exact += (Math.min(time - last, 100) / 1000) * model.get("speed"); // a page in the background stands still
    last = time;
    go(exact);
    if (exact >= end()) stop();
    else requestAnimationFrame(frame);
  };
  const toggle = () => {
    if (playing) return stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      go(now() >= end() ? 0 : end());
      return stop();
    }
    playing = true;
    if (now() >= end()) go(0);
    exact = now();
    last = performance.now();
    requestAnimationFrame(frame);
    show();
  };
  const by = (steps) => () => {
    go(now() + steps);
    stop();
  };
  const play = button("", "Play", toggle);
  play.classList.add("play");
  const show = () => {
    play.textContent = playing ? "❚❚" : "▶";
    play.title = playing ? "Pause" : "Play";
    play.setAttribute("aria-label", play.title);
  };
  show();
  const input = html("input", { type: "range", min: 0, step: 1, name: trait });
  const shown = value();
  input.addEventListener("input", () => {
    playing = false;
    show();
    go(input.valueAsNumber);
  });
  input.addEventListener("change", () => model.save_changes());
  const follows = () => {
    input.max = end();
    input.valueAsNumber = now();
    shown.textContent = now();
  };
  follow(model, [trait, ...ends], follows, signal);
  const scrub = html("label", { className: "slider scrub" }, html("span", {}, trait), input, shown);
  return { play, scrub, by, plays: () => playing };
}

/** The same as a row, with buttons for single steps and a slider for the speed. */
export function player(model, trait, end, ends, signal) {
  const { play, scrub, by } = playing(model, trait, end, ends, signal);
  const buttons = [
    button("0", "0: back to the start", by(-Infinity)),
    button("−1", "−1 step", by(-1)),
    play,
    button("+1", "+1 step", by(1)),
  ];
  const speed = slider(model, "speed", "speed", [5, 10, 20, 40, 60, 120, 300], signal);
  return html("div", { className: "player playing", dataset: { trait } }, ...buttons, scrub, speed);
}
