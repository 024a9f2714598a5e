// What every explorer has from its settings alone: its state in the page's address, reset, links, pictures of itself, and
// controls that a link hides or locks.

import { namesOf, readAddress, textOf, valueOf, writeAddress } from "./address.js";
import { drawing, raster } from "./picture.js";
import { button, html } from "./controls.js";

const REST = 400; // milliseconds without a change, before the address follows: browsers refuse it many times a second
const KEEPING = ["hide", "lock", "only"];

/** A page of the book has an address that is the reader's; an editor's, or that of a notebook's output, is not ours. */
const ownsAddress = () => document.documentElement.hasAttribute("data-content_root");

/** The name by which an address calls an explorer: its figure's, so that it stays when another explorer comes. */
function nameOf(el, kind) {
  const figure = el.closest("figure[id]")?.id;
  if (figure && !document.querySelector(`[data-explorer="${CSS.escape(figure)}"]`)) return figure;
  let [name, number] = [kind, 1];
  while (document.querySelector(`[data-explorer="${name}"]`)) name = `${kind}-${++number}`;
  return name;
}

/** Do something once an element is on the page. */
function whenThere(el, signal, action) {
  if (el.isConnected) action();
  else if (!signal.aborted) requestAnimationFrame(() => whenThere(el, signal, action));
}

/**
 * Render an explorer with all that explorers share. `kind` is its name where its figure has none; `readable(name, text,
 * model)` says of a setting that is a text whether the explorer can do anything with it.
 */
export function share({ model, el }, render, kind, readable = () => false) {
  const closing = new AbortController();
  const { signal } = closing;
  const settings = model.get("settings") ?? {};
  const names = Object.keys(settings);
  let [name, hidden, locked, kept] = [null, new Set(), new Set(), new Map()];

  const view = {
    get: (trait) => model.get(trait),
    set(traits, value) {
      const all = Object.entries(typeof traits === "object" ? traits : { [traits]: value });
      model.set(Object.fromEntries(all.filter(([trait]) => !locked.has(trait))));
    },
    on: (event, action) => model.on(event, action),
    off: (event, action) => model.off(event, action),
    save_changes: () => model.save_changes(),
  };

  /** Set what a map of texts says, as far as it may be, and everything else as it was at first. */
  function take(words) {
    const value = (trait) => {
      const spec = settings[trait];
      const found = words.has(trait) ? valueOf(words.get(trait), spec) : undefined;
      const good = found !== undefined && (spec.type !== "text" || readable(trait, found, model));
      return good ? found : valueOf(opening.get(trait), spec);
    };
    const all = names.map((trait) => [trait, value(trait)]).filter(([, each]) => each !== undefined);
    const set = () => model.set(Object.fromEntries(all.filter(([trait, each]) => textOf(each) !== textOf(model.get(trait)))));
    set();
    set(); // what followed from another setting, but was set by itself
    model.save_changes();
  }

  /** What an address says of this explorer now. */
  function words(keeping = kept) {
    const changed = names.map((trait) => [trait, textOf(model.get(trait))]);
    return new Map([...changed.filter(([trait, text]) => text !== opening.get(trait)), ...keeping]);
  }
  function address() {
    const all = readAddress(location.hash);
    const mine = words();
    if (mine.size) all.set(name, mine);
    else all.delete(name);
    return writeAddress(all);
  }
  const link = () => location.href.replace(/#.*$/s, "") + writeAddress([[name, words(ruled() ?? kept)]]);

  let waiting = 0;
  function follow() {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const hash = address();
      const before = readAddress(location.hash).size ? location.hash : ""; // a place on the page is no state
      if (signal.aborted || hash === before) return;
      try {
        history.replaceState(history.state, "", hash || location.pathname + location.search);
      } catch {
        // Frames may forbid it, and Safari when it is asked too often; the link can be copied all the same.
      }
    }, REST);
  }

  /** Follow the address, at first and when it becomes another one. */
  function obey(first) {
    const all = readAddress(location.hash);
    const mine = all.get(name);
    if (!mine) return;
    kept = new Map(KEEPING.filter((word) => mine.has(word)).map((word) => [word, mine.get(word)]));
    const only = namesOf(kept.get("only"), settings);
    hidden = new Set([...namesOf(kept.get("hide"), settings), ...names.filter((each) => only.size && !only.has(each))]);
    locked = new Set([...namesOf(kept.get("lock"), settings), ...hidden]);
    take(mine);
    keep();
    const place = el.closest("figure") ?? el;
    if ([...all.keys()][0] === name)
      requestAnimationFrame(() => place.scrollIntoView({ block: first ? "start" : "nearest" }));
  }

  function keep() {
    for (const control of el.querySelectorAll("[data-trait], :is(input, select)[name]")) {
      const traits = (control.dataset.trait ?? control.name).split(" ");
      if (!traits.every((trait) => trait in settings)) continue;
      const state = [hidden, locked].map((set) => traits.every((trait) => set.has(trait)));
      const place = control.dataset.trait === undefined ? (control.closest("label") ?? control) : control;
      place.toggleAttribute("data-hidden", state[0]);
      place.toggleAttribute("data-locked", state[1]);
      for (const part of [control, ...control.querySelectorAll("input, select, button")])
        if ("disabled" in part) part.disabled = state[1];
      if (control instanceof SVGElement) {
        if (state[1]) control.setAttribute("aria-disabled", "true");
        else control.removeAttribute("aria-disabled");
      }
    }
    // A fold or a row of controls, of which none is left, goes too.
    for (const group of el.querySelectorAll("details, .controls, .player")) {
      if (group.querySelector("table, p, svg[role=group]")) continue; // it shows something too
      const places = [...group.querySelectorAll(".slider, .choice, .toggles, .formula, [data-trait]")];
      group.toggleAttribute("data-empty", places.length > 0 && places.every((each) => each.closest("[data-hidden]")));
    }
    free.hidden = kept.size === 0;
  }

  const reset = button("↺", "Reset: as it was at first", () => {
    take(new Map([...locked].map((trait) => [trait, textOf(model.get(trait))])));
    say("As it was at first.");
  });
  const more = button("⋯", "Link and pictures", () => open(!menu.classList.contains("open")));
  const status = html("span", { className: "status" });
  status.setAttribute("role", "status");
  const copied = html("input", { type: "text", readOnly: true, className: "link", hidden: true });
  copied.setAttribute("aria-label", "link to this state");
  const item = (text, action) => html("button", { type: "button", onclick: action }, text);
  const free = item("show all controls", () => {
    kept = new Map();
    hidden = new Set();
    locked = new Set();
    keep();
    follow();
    more.focus();
    open(false);
  });
  const copy = item("copy link", () => {
    copied.value = link();
    const done = () => say("Link copied.", copy);
    const byHand = () => {
      copied.hidden = false;
      copied.select();
      say("Copy the link that is selected.");
    };
    const written = navigator.clipboard?.writeText(copied.value) ?? Promise.reject();
    written.then(done, byHand);
  });
  // For a lecturer: what the link that is copied hides or locks. On this page all stays as it is.
  const rules = names.map((trait) => {
    const options = ["free", "lock", "hide"].map((value) => html("option", { value }, value));
    return html("label", {}, html("span", {}, trait), html("select", { dataset: { rule: trait } }, ...options));
  });
  const lesson = html("fieldset", { className: "lesson", hidden: true }, html("legend", {}, "in the link:"), ...rules);
  const teach = item("hide or lock controls …", () => {
    lesson.hidden = !lesson.hidden;
    teach.setAttribute("aria-expanded", !lesson.hidden);
  });
  teach.setAttribute("aria-expanded", false);
  /** What the form says, as the words of an address; null where it says nothing. */
  function ruled() {
    const chosen = (rule) => [...lesson.querySelectorAll("select")].filter(({ value }) => value === rule);
    const lists = ["hide", "lock"].map((rule) => [rule, chosen(rule).map((each) => each.dataset.rule).join(",")]);
    const found = new Map(lists.filter(([, list]) => list));
    return found.size ? found : null;
  }
  const save = (text, kind) => item(text, () => picture(kind).then(() => say("Picture saved.")));
  const items = html("div", { className: "items" }, copy, teach, lesson, save("save as SVG", "svg"), save("save as PNG", "png"), free);
  items.append(copied);
  const menu = html("div", { className: "shared" }, reset, more, items, status);
  free.hidden = true;

  function open(state) {
    menu.classList.toggle("open", state);
    more.setAttribute("aria-expanded", state);
    if (!state) copied.hidden = true;
  }
  open(false);
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.classList.contains("open")) return;
    event.stopPropagation();
    open(false);
    more.focus();
  });
  document.addEventListener("pointerdown", ({ target }) => menu.contains(target) || open(false), { signal });

  /** Say that something is done, to the eye on the button that did it. */
  function say(text, where) {
    status.textContent = "";
    requestAnimationFrame(() => (status.textContent = text));
    if (!where) return;
    const before = where.textContent;
    where.textContent = "copied ✓";
    setTimeout(() => (where.textContent = before), 1500);
  }

  /** Save what is shown; a promise of the file's bytes. */
  function picture(kind) {
    const root = el.querySelector(".hilladam");
    const title = root.getAttribute("aria-label");
    const source = ownsAddress() ? link() : "";
    const drawn = drawing(root, title, source);
    const blob =
      kind === "svg"
        ? Promise.resolve(new Blob([drawn.text], { type: "image/svg+xml" }))
        : raster(drawn, { Title: title, Source: source });
    return blob.then((file) => {
      const href = URL.createObjectURL(file);
      html("a", { href, download: `${name ?? kind}.${kind}` }).click();
      setTimeout(() => URL.revokeObjectURL(href), 10_000);
    });
  }

  function begin() {
    name = nameOf(el, kind);
    el.dataset.explorer = name;
    if (!ownsAddress()) return;
    obey(true);
    addEventListener("hashchange", () => obey(false), { signal });
    for (const trait of names) {
      model.on(`change:${trait}`, follow);
      signal.addEventListener("abort", () => model.off(`change:${trait}`, follow));
    }
  }
  copy.hidden = teach.hidden = !ownsAddress();
  const away = render({ model: view, el });
  const opening = new Map(names.map((trait) => [trait, textOf(model.get(trait))]));
  el.querySelector(".hilladam").prepend(menu);
  whenThere(el, signal, begin);
  return () => {
    closing.abort();
    delete el.dataset.explorer;
    away?.();
  };
}
