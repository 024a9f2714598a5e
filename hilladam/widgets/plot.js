// Axes and marks in SVG.

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes and children. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

/** Give an element attributes; those that are null or undefined go. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
  return element;
}

/** A number for a reader: four digits that mean something, no exponent where none is needed. */
export function format(value) {
  if (value === Infinity) return "∞";
  if (!Number.isFinite(value)) return "none";
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(4)));
  return text.replaceAll("-", "−").replace(".0e", "e").replace("e+", "e");
}

function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** A name for an element that others refer to: several explorers may stand on a page, each with modules of its own. */
export const unique = (name) => `hilladam-${name}-${Math.random().toString(36).slice(2)}`;

export const STAR = "M0-9L2.6-3.2 8.6-2.8 4 1.2 5.4 7.3 0 4 -5.4 7.3 -4 1.2 -8.6-2.8 -2.6-3.2Z";

const MARGIN = { left: 44, right: 12, top: 26, bottom: 38 };

/**
 * A chart as wide as its place, with text of the same size at any width.
 *
 * `draw` is called whenever its scales have changed; by then `x(value)` and `y(value)` give pixels, and `from(event)`
 * gives the values under a pointer. What is drawn into `plot` is cut off at the axes, what is drawn into `above` is not.
 */
export class Chart {
  constructor({ label, xLabel, yLabel, height = 270, logX = false, logY = false }, draw) {
    const unit = (log) => (log ? [1, 10] : [0, 1]);
    Object.assign(this, { height, logX, logY, draw, width: 0, domain: [...unit(logX), ...unit(logY)] });
    const clip = unique("clip");
    this.box = svg("rect");
    this.axes = svg("g", { class: "axes", "aria-hidden": "true" });
    this.names = svg("g", { class: "names", "aria-hidden": "true" }, svg("text"), svg("text"));
    this.names.children[0].textContent = xLabel;
    this.names.children[1].textContent = yLabel;
    this.plot = svg("g", { "clip-path": `url(#${clip})` });
    this.above = svg("g");
    const parts = [
      svg("defs", {}, svg("clipPath", { id: clip }, this.box)),
      this.axes,
      this.names,
      this.plot,
      this.above,
    ];
    this.root = svg("svg", { role: "group", "aria-label": label, height }, ...parts);
    this.observer = new ResizeObserver(([entry]) => this.resize(entry.contentRect.width));
    this.observer.observe(this.root);
  }

  resize(width) {
    if (width === 0 || width === this.width) return;
    this.width = width;
    this.show(...this.domain);
  }

  /** Show this part of the plane. */
  show(left, right, bottom, top) {
    this.domain = [left, right, bottom, top];
    if (!this.width) return;
    const { width, height } = this;
    const place = (low, high, start, end, log) => {
      const scale = log ? Math.log : (value) => value;
      return (value) => start + ((scale(value) - scale(low)) / (scale(high) - scale(low))) * (end - start);
    };
    const back = (low, high, start, end, log) => (pixel) => {
      const share = (pixel - start) / (end - start);
      return log ? low * (high / low) ** share : low + share * (high - low);
    };
    const across = [left, right, MARGIN.left, width - MARGIN.right, this.logX];
    const up = [bottom, top, height - MARGIN.bottom, MARGIN.top, this.logY];
    Object.assign(this, { x: place(...across), y: place(...up), toX: back(...across), toY: back(...up) });
    set(this.root, { viewBox: `0 0 ${width} ${height}` });
    const [plotWidth, plotHeight] = [width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom];
    set(this.box, { x: MARGIN.left, y: MARGIN.top, width: plotWidth, height: plotHeight });
    this.drawAxes(across, up);
    this.draw(this);
  }

  drawAxes([left, right, start, end], [bottom, top, base, ceiling]) {
    const text = (value, attributes) => {
      const node = svg("text", attributes);
      node.textContent = format(value);
      return node;
    };
    const decades = (low, high) => {
      const first = Math.ceil(Math.log10(low) - 1e-9);
      return Array.from({ length: Math.floor(Math.log10(high) + 1e-9) - first + 1 }, (_, i) => 10 ** (first + i));
    };
    const xs = this.logX ? decades(left, right) : ticks(left, right, Math.max((end - start) / 70, 2));
    const ys = this.logY ? decades(Math.min(bottom, top), Math.max(bottom, top)) : ticks(bottom, top, 5);
    const within = (value) => Math.min(this.x(value), this.width - 4 * format(value).length); // or it would be cut off
    this.axes.replaceChildren(
      svg("path", { d: `M${start} ${ceiling}V${base}H${end}` }),
      ...xs.map((value) => svg("path", { d: `M${this.x(value)} ${base}v5` })),
      ...xs.map((value) => text(value, { x: within(value), y: base + 18, "text-anchor": "middle" })),
      ...ys.map((value) => svg("path", { d: `M${start} ${this.y(value)}h-5` })),
      ...ys.map((value) => text(value, { x: start - 8, y: this.y(value) + 4, "text-anchor": "end" })),
    );
    set(this.names.children[0], { x: end, y: base + 34, "text-anchor": "end" });
    set(this.names.children[1], { x: 0, y: ceiling - 12, "text-anchor": "start" });
  }

  /** The values under a pointer. */
  from(event) {
    const box = this.root.getBoundingClientRect();
    return [this.toX(event.clientX - box.left), this.toY(event.clientY - box.top)];
  }

  /** The path through points, as the d of a path element. A point that is not finite breaks it. */
  line(xs, ys) {
    let [d, pen] = ["", "M"];
    for (let i = 0; i < xs.length; i++) {
      const [px, py] = [this.x(xs[i]), this.y(ys[i])];
      if (Number.isFinite(px) && Number.isFinite(py)) {
        // Far outside they need no digits, and browsers dislike very large ones.
        d += `${pen}${px.toFixed(1)} ${Math.min(Math.max(py, -1e4), 1e4).toFixed(1)}`;
        pen = "L";
      } else pen = "M";
    }
    return d;
  }
}

/** Let a mark be dragged: `move(event)` is called for every pointer position, `end()` when it is over. */
export function grab(mark, { move, end }) {
  mark.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false }); // or the page scrolls
  mark.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    mark.setPointerCapture(event.pointerId);
  });
  mark.addEventListener("pointermove", (event) => mark.hasPointerCapture(event.pointerId) && move(event));
  mark.addEventListener("lostpointercapture", end);
}

/** The same, and by keys; for `nudge` see `steer`. */
export function draggable(mark, { move, nudge, end }) {
  mark.addEventListener("pointerdown", (event) => event.button === 0 && mark.focus());
  grab(mark, { move, end });
  steer(mark, { nudge, end });
}

/** Follow a pointer over a large area: a mouse that is pressed and dragged there, a finger that taps and else scrolls. */
export function pointing(area, { move, end }) {
  area.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    area.setPointerCapture(event.pointerId);
    move(event);
  });
  area.addEventListener("pointermove", (event) => area.hasPointerCapture(event.pointerId) && move(event));
  area.addEventListener("lostpointercapture", end);
  area.addEventListener("click", (event) => {
    move(event);
    end();
  });
}

const KEYS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowDown: [0, -1],
  ArrowUp: [0, 1],
  PageDown: [0, -10],
  PageUp: [0, 10],
  Home: [-Infinity, 0],
  End: [Infinity, 0],
};

/** Let keys move a mark, which is a slider to assistive technology: `nudge(across, up)` counts steps, ten with Shift. */
export function steer(mark, { nudge, end }) {
  set(mark, { tabindex: 0 });
  mark.classList.add("handle");
  mark.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    nudge(...KEYS[event.key].map((step) => step * (event.shiftKey ? 10 : 1)));
    end();
  });
}

/** Do something before the next frame, once, however often it is asked for. */
export function oncePerFrame(action) {
  let asked = 0;
  return () => {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      action();
    });
  };
}
