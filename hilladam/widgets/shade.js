// A landscape from above, shaded by its height.

import { clamp } from "./plot.js";

/**
 * Shade a canvas of width × height pixels, `scale` of them to one of the page: black, with a line where one band of
 * heights meets the next. `level(i, j)` is the height at a pixel's upper left corner, in bands; there are lines at the
 * levels 1 … `lines`, and `tint(level)` is how opaque it is elsewhere, out of 255.
 */
export function shadeHeights(canvas, [width, height], scale, level, lines, tint) {
  [canvas.width, canvas.height] = [width, height];
  const levels = new Float32Array((width + 1) * (height + 1));
  for (let j = 0, k = 0; j <= height; j++) for (let i = 0; i <= width; i++, k++) levels[k] = level(i, j);
  const picture = new ImageData(width, height);
  for (let j = 0; j < height; j++) {
    for (let i = 0; i < width; i++) {
      const k = j * (width + 1) + i;
      const here = levels[k];
      const steepness = Math.hypot(levels[k + 1] - here, levels[k + width + 1] - here);
      const ink = clamp(0.5 + 0.45 * scale - Math.abs(here - clamp(Math.round(here), 1, lines)) / steepness, 0, 1);
      picture.data[4 * (j * width + i) + 3] = tint(here) + 46 * ink;
    }
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}
