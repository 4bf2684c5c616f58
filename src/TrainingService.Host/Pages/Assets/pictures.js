// Rows that are images, as pictures.
import { el } from './api.js';

/** Black on white in all colours of a page, so that it prints. */
export function picture(pixels, { height, width, maxValue }, text) {
  const canvas = el('canvas', { class: 'pixels', width, height, role: 'img', 'aria-label': text });
  const image = new ImageData(width, height);
  pixels.forEach((value, i) => {
    image.data[4 * i + 3] = Math.round((255 * (value ?? 0)) / maxValue);
  });
  canvas.getContext('2d').putImageData(image, 0, 0);
  return canvas;
}
