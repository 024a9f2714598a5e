// The race: the share of runs that have found the minimum, over evaluations and over λ.

import { apart, cumulate, lastBelow, versus, wilson } from "./race_dynamics.js";
import { Chart, clamp, draggable, oncePerFrame, set, svg } from "./plot.js";
import { choice, follow, html, mount, slider, spoken, toggles } from "./controls.js";
import { fitHeights } from "./room.js";

const NEAR = 26; // pixels from a curve that is pointed at
const LINE = 13; // pixels between two labels
const WIDE = 480; // pixels: with fewer, labels stand within the chart, and of the coloured curves alone

const percent = (share) => (100 * share).toFixed(1).replace("-", "−");
const spelled = (name) => name.replace(/^(.*), restarted$/, "restarted $1"); // within a sentence
const between = ([low, high]) => `${percent(low)} to ${percent(high)}`;

export function render({ model, el }) {
  const closing = new AbortController();
  const { signal } = closing;
  const { grid, runs, tuningRuns, hero, courses } = model.get("races");
  const counted = Object.fromEntries(
    Object.entries(courses).map(([key, { rows }]) => {
      const both = (row) => ({ ...row, found: cumulate(row.found), both: cumulate(row.both) });
      return [key, Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, both(row)]))];
    }),
  );
  const names = Object.keys(courses[model.get("course")].rows);
  const others = names.filter((name) => name !== hero);
  let hot = null; // the contender that the mouse points at

  const rows = () => counted[model.get("course")];
  const chosen = (name) => name === hero || name === model.get("rival");
  const drawn = () => names.filter((name) => chosen(name) || model.get("contenders").includes(name));
  const role = (name) => {
    if (name === hero) return "hero";
    if (name === model.get("rival") || name === hot) return "rival";
    return name === "Adam" ? "adam" : "other";
  };
  const place = () => lastBelow(grid, model.get("evaluations"));

  /** The marks of each contender on a chart: a band, a line, and a name. Made once, moved and hidden afterwards. */
  function marks(chart) {
    const each = new Map(
      names.map((name) => {
        const parts = [svg("path", { class: "band" }), svg("path", { class: "line" }), svg("text", { class: "name" })];
        parts[2].textContent = name;
        const group = svg("g", {}, parts[0], parts[1]);
        chart.plot.append(group);
        chart.above.append(parts[2]);
        return [name, { group, band: parts[0], line: parts[1], label: parts[2] }];
      }),
    );
    return each;
  }
  function paint(each) {
    const order = ["other", "adam", "rival", "hero"];
    const seen = [...each].sort(([a], [b]) => order.indexOf(role(a)) - order.indexOf(role(b)));
    for (const [name, { group, label }] of seen) {
      set(group, { "data-role": role(name) });
      set(label, { "data-role": role(name) });
      group.parentNode.append(group); // those in colour on top
    }
  }

  const handle = svg(
    "g",
    { role: "slider", "aria-label": "evaluations", "data-trait": "evaluations" },
    svg("rect", { class: "reach", x: -22, y: -26, width: 44, height: 44 }),
    svg("path", { class: "grip", d: "M0-10L9 0H-9Z" }), // between the axis and its numbers
  );
  const cursor = svg("path", { class: "cursor" });
  const race = new Chart(
    { label: "How many runs have found the minimum", xLabel: "evaluations", yLabel: "share of runs", logX: true },
    () => {
      const shown = drawn();
      const doubled = grid.flatMap((n, i) => (i ? [n, n] : [n]));
      const steps = (shares) => shares.flatMap((share, i) => (i ? [shares[i - 1], share] : [share]));
      for (const [name, { band, line }] of lines) {
        const here = shown.includes(name);
        const found = rows()[name].found;
        set(line, { d: here ? race.line(doubled, steps(found.map((count) => count / runs))) : null });
        const ends = here ? found.map((count) => wilson(count, runs)) : [];
        const [low, high] = [0, 1].map((side) => steps(ends.map((end) => end[side])));
        const outline = race.line([...doubled, ...[...doubled].reverse()], [...high, ...low.reverse()]);
        set(band, { d: here ? `${outline}Z` : null });
      }
      nameLines(shown);
      show();
    },
  );
  const lines = marks(race);
  race.plot.append(cursor);
  race.above.append(handle);

  function nameLines(shown) {
    const wide = charts.clientWidth >= WIDE;
    const named = wide ? shown : shown.filter((name) => role(name) !== "other");
    const ends = named.map((name) => race.y(rows()[name].found.at(-1) / runs));
    const [top, bottom] = [race.y(race.domain[3]) + (wide ? 0 : 12), race.y(race.domain[2])];
    const heights = apart(wide ? ends : ends.map((y) => y - 9), LINE, top, bottom - 4);
    for (const [name, { label }] of lines) {
      const k = named.indexOf(name);
      set(label, { visibility: k < 0 ? "hidden" : null });
      if (k < 0) continue;
      const x = wide ? race.width - 8 : race.width - 14;
      set(label, { x, y: heights[k] + 4, "text-anchor": wide ? "start" : "end" });
    }
  }

  const tuned = svg("path", { class: "tuned" });
  const none = svg("text", { class: "none" });
  const rates = new Chart(
    { label: "The share of the tuning runs, over λ", xLabel: "λ", yLabel: "share of the tuning runs", logX: true },
    () => {
      const shown = drawn();
      for (const [name, { band, line, label }] of curves) {
        const tried = rows()[name].tried;
        const here = tried && shown.includes(name);
        set(label, { visibility: "hidden" });
        const [at, counts] = [0, 1].map((k) => (here ? tried.map((pair) => pair[k]) : []));
        set(line, { d: here ? rates.line(at, counts.map((count) => count / tuningRuns)) : null });
        const ends = counts.map((count) => wilson(count, tuningRuns));
        const [low, high] = [0, 1].map((side) => ends.map((end) => end[side]));
        const outline = rates.line([...at, ...[...at].reverse()], [...high, ...low.reverse()]);
        set(band, { d: here ? `${outline}Z` : null });
      }
      const stars = [hero, model.get("rival")].filter((name) => rows()[name].tried);
      const star = (name) => {
        const { lr, tried } = rows()[name];
        const [x, y] = [rates.x(lr), rates.y(tried.find(([rate]) => rate === lr)[1] / tuningRuns)];
        return `M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0-8 0`;
      };
      set(tuned, { d: stars.map(star).join("") });
      none.textContent = stars.length < 2 ? `${spelled(model.get("rival"))}: no λ` : "";
      set(none, { x: rates.x(rates.domain[0]) + 8, y: rates.y(0.5) });
    },
  );
  const curves = marks(rates);
  rates.above.append(tuned, none);
  rates.root.classList.add("rates");

  /** Move what depends on the budget alone. */
  function show() {
    if (!race.x) return;
    const n = grid[place()];
    const x = race.x(n);
    set(cursor, { d: `M${x} ${race.y(race.domain[3])}V${race.y(race.domain[2])}` });
    set(handle, {
      transform: `translate(${x} ${race.y(race.domain[2]) + 8})`,
      "aria-valuenow": n,
      "aria-valuemin": grid[0],
      "aria-valuemax": grid.at(-1),
      "aria-valuetext": `${n} evaluations`,
    });
    say();
  }

  const verdict = spoken("span");
  const task = html("p", { className: "task" });
  function say() {
    const [i, rival] = [place(), spelled(model.get("rival"))];
    const [one, other] = [rows()[hero], rows()[model.get("rival")]];
    const compared = versus(one.found[i], other.found[i], other.both[i], runs);
    const { first, second, onlyFirst, onlySecond, difference, interval } = compared;
    const rate = ({ share, interval }) => `${percent(share)} % (${between(interval)})`;
    const sign = difference > 0 ? "+" : "";
    verdict.say(
      `After ${grid[i].toLocaleString("en")} evaluations ${hero} has found it in ${rate(first)} of the runs, ${rival} in ${rate(second)}. ` +
        `${hero} alone found it in ${onlyFirst} runs, ${rival} alone in ${onlySecond}: ` +
        `a difference of ${sign}${percent(difference)} % (${between(interval)}).`,
    );
  }

  const redraw = oncePerFrame(() => {
    if (signal.aborted) return;
    const all = names.flatMap((name) => (rows()[name].tried ?? []).map(([rate]) => rate));
    race.show(grid[0], grid.at(-1), 0, 1);
    rates.show(Math.min(...all), Math.max(...all), 0, 1);
    paint(lines);
    paint(curves);
  });
  const moved = oncePerFrame(() => signal.aborted || show());

  const save = () => model.save_changes();
  const spend = (n) => model.set("evaluations", grid[lastBelow(grid, clamp(n, grid[0], grid.at(-1)) + 1e-9)]);
  draggable(handle, {
    move: (event) => spend(race.from(event)[0]),
    nudge: (across, up) => model.set("evaluations", grid[clamp(place() + across + up, 0, grid.length - 1)]),
    end: save,
  });

  /** The curve under a pointer. */
  function under(event) {
    const [n, share] = race.from(event);
    if (n < grid[0] / 1.2 || share < -0.04) return null;
    const i = lastBelow(grid, n);
    const distance = (name) => Math.abs(race.y(rows()[name].found[i] / runs) - race.y(share));
    const near = drawn().filter((name) => name !== hero && distance(name) < NEAR);
    return near.sort((a, b) => distance(a) - distance(b))[0] ?? null;
  }
  const point = (name) => {
    if (name === hot) return;
    hot = name;
    paint(lines);
    paint(curves);
  };
  const choose = (name) => {
    if (!name || name === hero) return;
    model.set("rival", name);
    save();
  };
  const onHandle = (event) => handle.contains(event.target);
  race.root.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") point(onHandle(event) ? null : under(event));
  });
  race.root.addEventListener("pointerleave", () => point(null));
  race.root.addEventListener("click", (event) => onHandle(event) || choose(under(event)));
  for (const [name, { label }] of lines) {
    label.addEventListener("pointerenter", () => point(name === hero ? null : name));
    label.addEventListener("pointermove", (event) => event.stopPropagation());
    label.addEventListener("click", (event) => {
      event.stopPropagation();
      choose(name);
    });
  }

  const where = choice(model, "course", "course", Object.entries(courses).map(([key, { name }]) => [key, name]), signal); // prettier-ignore
  const beside = choice(model, "rival", `${hero} and`, others.map((name) => [name, name]), signal); // prettier-ignore
  const budget = slider(model, "evaluations", "budget", grid, signal);
  const bar = html("div", { className: "bar" }, where, beside);
  const all = toggles(model, "contenders", "drawn", others, signal);
  const more = html("details", {}, html("summary", {}, "whose curves are drawn"), all);
  const says = html("p", { className: "say" }, verdict.element);
  const charts = html("div", { className: "charts" }, html("div", { className: "curves pinned" }, race.root), rates.root);
  const heights = new Map([
    [race, [320, 190]],
    [rates, [320, 118]],
  ]);
  fitHeights(charts, heights, signal);
  follow(model, ["task"], () => (task.textContent = model.get("task")), signal);
  follow(model, ["course", "rival", "contenders"], redraw, signal);
  follow(model, ["evaluations"], moved, signal);
  return mount(el, "the race", "race", [race, rates], closing, task, bar, charts, budget, says, more);
}
