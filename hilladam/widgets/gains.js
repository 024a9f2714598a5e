// What three gains make of a photograph, and what a loss thinks of them, without drawing.

import { evaluate, extrema } from "./dynamics.js";

/** The loss of the gains (red, green, blue): a polynomial of each, added up. */
export function lossOf(channels, gains) {
  return channels.reduce((sum, channel, c) => sum + evaluate(channel, gains[c])[0], 0);
}

/** A function from gains to the place in `minima` of the one that gradient flow comes to rest at. */
export function basins(channels, minima) {
  const passes = channels.map((channel) =>
    extrema(channel)
      .filter((point) => point.kind === "maximum")
      .map((point) => point.x),
  );
  const cell = (gains) => gains.map((gain, c) => passes[c].filter((x) => x < gain).length).join();
  const cells = minima.map((minimum) => cell(minimum.gains));
  return (gains) => cells.indexOf(cell(gains));
}

/** What a gain makes of the values 0 to 255 of its channel, rounded and clipped as hilladam.colour.apply_gains clips. */
export const outputs = (gain) => Uint8ClampedArray.from({ length: 256 }, (_, value) => (value ? value * gain : 0));

/** The gains of a run at a step: a run keeps some of its steps, with straight lines between them. */
export function gainsAt({ steps, gains }, step) {
  const after = steps.findIndex((each) => each > step);
  const i = after < 0 ? steps.length - 1 : Math.max(after - 1, 0);
  const share = after < 0 ? 0 : (step - steps[i]) / (steps[after] - steps[i]);
  return gains.map((each) => Number((share ? each[i] + share * (each[after] - each[i]) : each[i]).toPrecision(4)));
}

// sRGB to CIE XYZ, each row divided by the white point D65, as scikit-image has them.
const XYZ = [
  [0.412453 / 0.95047, 0.35758 / 0.95047, 0.180423 / 0.95047],
  [0.212671, 0.71516, 0.072169],
  [0.019334 / 1.08883, 0.119193 / 1.08883, 0.950227 / 1.08883],
];
const linear = (v) => (v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92);

/** L, a and b of pixels given as bytes (red, green, blue), one after another, after gains. */
function lab(bytes, gains) {
  const light = gains.map((gain) =>
    Float64Array.from({ length: 256 }, (_, v) => linear(Math.min(Math.max((v / 255) * gain, 0), 1))),
  );
  const out = new Float64Array(bytes.length);
  for (let i = 0; i < bytes.length; i += 3) {
    const [r, g, b] = [light[0][bytes[i]], light[1][bytes[i + 1]], light[2][bytes[i + 2]]];
    const [x, y, z] = XYZ.map((row) => {
      const t = row[0] * r + row[1] * g + row[2] * b;
      return t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
    });
    out[i] = 116 * y - 16;
    out[i + 1] = 500 * (x - y);
    out[i + 2] = 200 * (y - z);
  }
  return out;
}

/** CIEDE2000 of two colours in Lab. */
function ciede2000(L1, a1, b1, L2, a2, b2) {
  const seventh = ((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2) ** 7;
  const scale = 1.5 - 0.5 * Math.sqrt(seventh / (seventh + 25 ** 7));
  const [C1, C2] = [Math.hypot(a1 * scale, b1), Math.hypot(a2 * scale, b2)];
  const turn = 2 * Math.PI;
  const angle = (y, x) => (Math.atan2(y, x) + turn) % turn;
  const [h1, h2] = [angle(b1, a1 * scale), angle(b2, a2 * scale)];
  let [dh, h] = [h2 - h1, (h1 + h2) / 2];
  if (C1 * C2 === 0) [dh, h] = [0, 2 * h];
  else if (Math.abs(dh) > Math.PI) {
    dh -= Math.sign(dh) * turn;
    h += h < Math.PI ? Math.PI : -Math.PI;
  }
  const [L, C] = [(L1 + L2) / 2, (C1 + C2) / 2];
  const degrees = (value) => (value * Math.PI) / 180;
  const T =
    1 -
    0.17 * Math.cos(h - degrees(30)) +
    0.24 * Math.cos(2 * h) +
    0.32 * Math.cos(3 * h + degrees(6)) -
    0.2 * Math.cos(4 * h - degrees(63));
  const lightness = (L2 - L1) / (1 + (0.015 * (L - 50) ** 2) / Math.sqrt(20 + (L - 50) ** 2));
  const chroma = (C2 - C1) / (1 + 0.045 * C);
  const hue = (2 * Math.sqrt(C1 * C2) * Math.sin(dh / 2)) / (1 + 0.015 * C * T);
  const bend = degrees(60) * Math.exp(-((((h * 180) / Math.PI - 275) / 25) ** 2));
  const rotation = -2 * Math.sqrt(C ** 7 / (C ** 7 + 25 ** 7)) * Math.sin(bend);
  return Math.sqrt(Math.max(lightness ** 2 + chroma ** 2 + hue ** 2 + rotation * chroma * hue, 0));
}

/** A function from gains to ΔE: how far the source with these gains is from the truth, over some of their pixels. */
export function differences(source, truth) {
  const goal = lab(truth, [1, 1, 1]);
  return (gains) => {
    const here = lab(source, gains);
    let sum = 0;
    for (let i = 0; i < here.length; i += 3) {
      sum += ciede2000(goal[i], goal[i + 1], goal[i + 2], here[i], here[i + 1], here[i + 2]);
    }
    return (3 * sum) / here.length;
  };
}
