// An explorer's picture as a file: its charts where they stand, with the styles written in, on a light ground.

import { svg } from "./plot.js";

const ROOM = 12; // pixels around it
const SCALE = 2; // pixels of a PNG to one on the page

// Written where they differ from those of the element around, or, of those that are not inherited, from the initial ones.
const INHERITED = [
  ...["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap"],
  ...["stroke-linejoin", "paint-order", "visibility", "text-anchor", "shape-rendering"],
  ...["font-family", "font-size", "font-weight", "font-style"],
];
const OWN = { opacity: "1", "clip-path": "none" };
const LEFT_OUT = /^(class|style|tabindex|role|aria-|data-)/;
const THEMES = { html: ["data-theme", "theme"], body: ["data-jp-theme-light"] };

/** Do something as if the page were light: nothing is painted before it is as it was. */
function inLight(action) {
  const switches = Object.entries(THEMES).flatMap(([tag, names]) => {
    const element = document.querySelector(tag);
    return names.filter((name) => element.hasAttribute(name)).map((name) => [element, name, element.getAttribute(name)]);
  });
  for (const [element, name] of switches) element.setAttribute(name, name === "data-jp-theme-light" ? "true" : "light");
  try {
    return action();
  } finally {
    for (const [element, name, value] of switches) element.setAttribute(name, value);
  }
}

/** A colour and its opacity apart: programs that draw SVG need not know rgba(). */
function opaque(name, { [name]: colour, [`${name}-opacity`]: opacity }) {
  const [, rgb, alpha] = colour.match(/^rgba\((.*), ([\d.]+)\)$/) ?? [];
  if (rgb === undefined) return {};
  return Number(alpha) ? { [name]: `rgb(${rgb})`, [`${name}-opacity`]: String(alpha * opacity) } : { [name]: "none" };
}

/** A copy of an SVG element that needs no style sheet. */
function plain(element, around) {
  const style = getComputedStyle(element);
  const drawn = !element.closest("defs"); // what stands there is never shown by itself
  if (drawn && (style.display === "none" || style.opacity === "0")) return null;
  const copy = element.cloneNode(false);
  for (const { name } of [...copy.attributes]) if (LEFT_OUT.test(name)) copy.removeAttribute(name);
  const now = Object.fromEntries(INHERITED.map((name) => [name, style.getPropertyValue(name)]));
  for (const name of ["fill", "stroke"]) Object.assign(now, opaque(name, now));
  for (const name of INHERITED) if (now[name] !== around[name]) copy.setAttribute(name, now[name]);
  for (const [name, initial] of Object.entries(OWN)) {
    const value = style.getPropertyValue(name);
    if (value && value !== initial && !copy.hasAttribute(name)) copy.setAttribute(name, value);
  }
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) copy.append(child.cloneNode());
    else if (child.nodeType === Node.ELEMENT_NODE) copy.append(plain(child, now) ?? "");
  }
  return copy;
}

/** The bytes of a canvas or a picture of the page, as an address. */
function pixels(element) {
  if (element.tagName === "CANVAS") return element.toDataURL();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [element.naturalWidth, element.naturalHeight];
  canvas.getContext("2d").drawImage(element, 0, 0);
  return canvas.toDataURL();
}

/** All that an explorer draws, as one SVG: { text, width, height }. */
export function drawing(root, title, link) {
  const shown = [...root.querySelectorAll("svg[role=group], canvas, img")].map((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return { element, left, top, width, height };
  });
  const parts = shown.filter(({ width, height }) => width > 1 && height > 1);
  const least = (side) => Math.min(...parts.map((part) => part[side]));
  const most = (side, size) => Math.max(...parts.map((part) => part[side] + part[size]));
  const [left, top] = [least("left") - ROOM, least("top") - ROOM];
  const [width, height] = [most("left", "width") + ROOM - left, most("top", "height") + ROOM - top].map(Math.ceil);
  const whole = svg("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height });
  whole.setAttribute("role", "img");
  const words = svg("title");
  words.textContent = title;
  whole.append(words, metadata(title, link), svg("rect", { width, height, fill: "#ffffff" }));
  inLight(() => {
    for (const { element, ...box } of parts) {
      const place = { x: box.left - left, y: box.top - top, width: box.width, height: box.height };
      if (element.tagName === "svg") {
        const copy = plain(element, {});
        if (!copy) continue;
        copy.removeAttribute("xmlns");
        copy.setAttribute("overflow", "visible");
        for (const [name, value] of Object.entries(place)) copy.setAttribute(name, value);
        whole.append(copy);
      } else whole.append(svg("image", { ...place, preserveAspectRatio: "none", href: pixels(element) }));
    }
  });
  return { text: new XMLSerializer().serializeToString(whole), width, height };
}

function metadata(title, link) {
  const [rdf, dc] = ["http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://purl.org/dc/elements/1.1/"];
  const about = document.createElementNS(rdf, "rdf:Description");
  about.setAttributeNS(rdf, "rdf:about", "");
  for (const [name, value] of Object.entries({ title, source: link })) {
    if (!value) continue;
    const element = document.createElementNS(dc, `dc:${name}`);
    element.textContent = value;
    about.append(element);
  }
  const all = document.createElementNS(rdf, "rdf:RDF");
  all.append(about);
  return svg("metadata", {}, all);
}

/** The same as a PNG: a Blob, to come. */
export function raster({ text, width, height }, words) {
  const picture = new Image();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [SCALE * width, SCALE * height];
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  return picture
    .decode()
    .then(() => {
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      return new Promise((done) => canvas.toBlob(done, "image/png"));
    })
    .then((blob) => blob.arrayBuffer())
    .then((buffer) => new Blob([labelled(new Uint8Array(buffer), words)], { type: "image/png" }));
}

const crcOf = (bytes) => {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
};

/** A PNG with words in it, as iTXt chunks behind its header: { Title: …, Source: … }. */
export function labelled(png, words) {
  const header = 8 + 25;
  const chunks = Object.entries(words)
    .filter(([, value]) => value)
    .map(([key, value]) => {
      const data = new TextEncoder().encode(`iTXt${key}\0\0\0\0\0${value}`);
      const chunk = new Uint8Array(data.length + 8);
      const view = new DataView(chunk.buffer);
      view.setUint32(0, data.length - 4);
      chunk.set(data, 4);
      view.setUint32(data.length + 4, crcOf(data));
      return chunk;
    });
  const all = [png.subarray(0, header), ...chunks, png.subarray(header)];
  const whole = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  all.reduce((at, each) => (whole.set(each, at), at + each.length), 0);
  return whole;
}
