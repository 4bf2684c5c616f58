// Curves as SVG: they follow the page's colours, print, and can be read by arrow keys.
// What is not finite is marked at the edge, never left out.
import { el, short, titled } from './api.js';

const left = 50,
  right = 10,
  top = 10,
  bottom = 34;

function ticks(low, high, wanted) {
  const rough = (high - low) / wanted || 1,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find(factor => rough / power <= factor + 1e-9) ?? 10);
  const list = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step) list.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return list;
}

function powers(low, high) {
  const list = [],
    few = Math.log10(high / low) < 2.2;
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    for (const factor of few ? [1, 2, 5] : [1]) {
      const at = factor * 10 ** power;
      if (at >= low * 0.999 && at <= high * 1.001) list.push(at);
    }
  return list.length > 8 ? list.filter((_, i) => i % Math.ceil(list.length / 8) === 0) : list;
}

/** The exponential moving average of values in their order, without the pull of its beginning; what is not finite stays as it is. */
function smoothed(points, kept) {
  let mean = 0,
    weight = 0;
  return points.map(([x, y]) => {
    if (!Number.isFinite(y)) return [x, y];
    mean = kept * mean + (1 - kept) * y;
    weight = kept * weight + 1 - kept;
    return [x, mean / weight];
  });
}

/**
 * @param box Where it is drawn.
 * @param options series: [{name, points: [[x, y]], k?: colour, dash?, marks?: true}], x and y: names of the axes, log,
 *   ticksX?: {value: text}, format: of values, zero: whether y must begin at 0, height, across: whether x is no
 *   time, so that the last value is no result, smooth?: what is kept of the mean so far at each point, below 1.
 */
export class Curves {
  constructor(box, options) {
    this.box = box;
    this.options = options;
    this.range = null;
    this.keys = el('ul', { class: 'keys' });
    this.frame = el('div', { tabindex: 0, role: 'group' });
    box.replaceChildren(this.keys, this.frame);
    new ResizeObserver(() => {
      if (this.width !== Math.round(box.clientWidth)) this.draw();
    }).observe(box);
    this.frame.addEventListener('pointermove', event => this.hover(event));
    this.frame.addEventListener('pointerleave', () => {
      if (!this.from) this.at(null);
    });
    this.frame.addEventListener('pointerdown', event => {
      if (event.pointerType === 'mouse') this.from = this.xOf(event);
    });
    addEventListener('pointerup', event => this.zoom(event));
    this.frame.addEventListener('dblclick', () => {
      this.range = null;
      this.draw();
    });
    this.frame.addEventListener('keydown', event => this.key(event));
    this.draw();
  }

  set(options) {
    Object.assign(this.options, options);
    this.draw();
  }

  draw() {
    const { series, x, y, log, zero, height = 250, format = short, ticksX, summary, smooth } = this.options;
    this.width = Math.round(this.box.clientWidth) || 480;
    const shown = series.map((one, i) => ({ k: i % 8, ...one })).filter(one => one.points.length);
    this.shown = shown;
    if (!shown.length) {
      this.keys.replaceChildren();
      this.frame.replaceChildren(el('p', { class: 'nothing' }, this.options.empty ?? 'Nothing has been measured yet.'));
      return;
    }
    const all = shown.flatMap(one => one.points),
      xs = all.map(point => point[0]);
    let [x0, x1] = this.range ?? [Math.min(...xs), Math.max(...xs)];
    if (x1 === x0) [x0, x1] = [x0 - 0.5, x1 + 0.5];
    const inside = all
      .filter(point => point[0] >= x0 && point[0] <= x1 && Number.isFinite(point[1]) && (!log || point[1] > 0))
      .map(point => point[1]);
    let [y0, y1] = inside.length ? [Math.min(...inside), Math.max(...inside)] : log ? [0.1, 1] : [0, 1];
    if (zero && !log) y0 = Math.min(0, y0);
    if (log) [y0, y1] = y0 === y1 ? [y0 / 2, y1 * 2] : [y0 / (y1 / y0) ** 0.05, y1 * (y1 / y0) ** 0.05];
    else {
      const pad = (y1 - y0) * 0.06 || Math.abs(y1) * 0.1 || 0.5;
      [y0, y1] = [zero && y0 === 0 ? 0 : y0 - pad, y1 + pad];
    }
    const w = this.width - left - right,
      h = height - top - bottom;
    const px = v => left + ((v - x0) / (x1 - x0)) * w;
    const py = log ? v => top + h - (Math.log(v / y0) / Math.log(y1 / y0)) * h : v => top + h - ((v - y0) / (y1 - y0)) * h;
    Object.assign(this, { px, x0, x1, w });
    const svg = el('svg', {
      viewBox: `0 0 ${this.width} ${height}`,
      height,
      role: 'img',
      'aria-label': summary ?? this.summary(shown, y, format),
    });
    for (const at of log ? powers(y0, y1) : ticks(y0, y1, h < 150 ? 3 : 5))
      svg.append(
        el('line', { class: at === 0 ? 'grid zero' : 'grid', x1: left, x2: left + w, y1: py(at), y2: py(at) }),
        el('text', { x: left - 7, y: py(at) + 4, 'text-anchor': 'end' }, format(at).replace('.0 %', ' %')),
      );
    const named = ticksX
      ? Object.entries(ticksX).map(([at, text]) => [Number(at), text])
      : ticks(x0, x1, Math.max(2, w / 90)).map(at => [at, short(at)]);
    const every = Math.ceil((named.length * 62) / w);
    named.forEach(([at, text], i) => {
      // a name at the edge of the paper must not be cut
      const anchor = ticksX && px(at) > left + w - 12 ? 'end' : 'middle';
      if (i % every === 0 && at >= x0 && at <= x1) svg.append(el('text', { x: px(at), y: top + h + 16, 'text-anchor': anchor }, text));
    });
    svg.append(el('text', { x: left + w, y: height - 3, 'text-anchor': 'end' }, x));
    const line = points =>
      points
        .filter(([vx, vy]) => vx >= x0 && vx <= x1 && Number.isFinite(vy) && (!log || vy > 0))
        .map(([vx, vy], i) => `${i ? 'L' : 'M'}${px(vx).toFixed(1)} ${py(vy).toFixed(1)}`)
        .join('');
    for (const one of shown) {
      const group = el('g', { class: `k${one.k}` });
      const isSmooth = smooth > 0 && one.points.length > 3;
      let path = '',
        pen = false;
      for (const [vx, vy] of one.points) {
        if (vx < x0 || vx > x1) {
          pen = false;
          continue;
        }
        if (!Number.isFinite(vy) || (log && vy <= 0)) {
          const edge = vy < 0 || (log && vy <= 0) ? top + h : top + 4;
          group.append(
            titled(
              el('path', { class: 'lost', d: `M${px(vx) - 4} ${edge - 4}l8 8m0 -8l-8 8` }),
              `${one.name}: ${short(vy)} at ${short(vx)}`,
            ),
          );
          pen = false;
          continue;
        }
        path += `${pen ? 'L' : 'M'}${px(vx).toFixed(1)} ${py(vy).toFixed(1)}`;
        pen = true;
      }
      group.append(el('path', { class: isSmooth ? 'curve raw' : 'curve', d: path, 'stroke-dasharray': isSmooth ? null : one.dash }));
      if (isSmooth) group.append(el('path', { class: 'curve', d: line(smoothed(one.points, smooth)), 'stroke-dasharray': one.dash }));
      if (one.marks || one.points.length < 3)
        for (const [vx, vy] of one.points)
          if (Number.isFinite(vy) && (!log || vy > 0) && vx >= x0 && vx <= x1)
            group.append(el('circle', { class: one.ring ? 'ring' : 'dot', cx: px(vx), cy: py(vy), r: 3.2 }));
      svg.append(group);
    }
    this.cross = el('line', { class: 'cross', y1: top, y2: top + h, hidden: true });
    this.zoomed = el('rect', { class: 'zoom', y: top, height: h, hidden: true });
    svg.append(this.zoomed, this.cross);
    this.frame.replaceChildren(svg);
    this.format = format;
    this.at(null);
  }

  summary(shown, y, format) {
    return `${y}: ${shown.map(one => `${one.name} from ${format(one.points[0][1])} to ${format(one.points.at(-1)[1])}`).join('; ')}`;
  }

  xOf(event) {
    const box = this.frame.getBoundingClientRect();
    return this.x0 + ((event.clientX - box.left - left) / this.w) * (this.x1 - this.x0);
  }

  hover(event) {
    if (!this.shown?.length) return;
    const x = this.xOf(event);
    if (this.from !== undefined && this.from !== null) {
      const [a, b] = [this.px(this.from), this.px(x)].sort((m, n) => m - n);
      this.zoomed.removeAttribute('hidden');
      this.zoomed.setAttribute('x', a);
      this.zoomed.setAttribute('width', b - a);
    }
    this.at(x);
  }

  zoom(event) {
    if (this.from === undefined || this.from === null) return;
    const [a, b] = [this.from, this.xOf(event)].sort((m, n) => m - n);
    this.from = null;
    if ((b - a) / (this.x1 - this.x0) > 0.02) this.range = [Math.max(a, this.x0), Math.min(b, this.x1)];
    this.draw();
  }

  key(event) {
    if (!this.shown?.length) return;
    const xs = [...new Set(this.shown.flatMap(one => one.points.map(point => point[0])))].sort((a, b) => a - b);
    const now = this.shownAt === undefined || this.shownAt === null ? -1 : xs.findIndex(x => x >= this.shownAt);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: xs.length - 1 }[event.key];
    if (event.key === 'Escape') {
      this.range = null;
      this.draw();
    }
    if (next === undefined) return;
    event.preventDefault();
    this.at(xs[Math.max(0, Math.min(xs.length - 1, next))]);
  }

  /** The values at x, or the last ones. */
  at(x) {
    this.shownAt = x;
    const near = one =>
      x === null ? one.points.at(-1) : one.points.reduce((best, point) => (Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best));
    if (x === null) this.cross.setAttribute('hidden', '');
    else {
      const there = near(this.shown[0])[0];
      this.cross.removeAttribute('hidden');
      this.cross.setAttribute('x1', this.px(there));
      this.cross.setAttribute('x2', this.px(there));
    }
    this.keys.replaceChildren(
      ...this.shown.map(one =>
        el(
          'li',
          { class: `k${one.k}` },
          el('svg', { viewBox: '0 0 20 8', 'aria-hidden': 'true' }, el('path', { d: 'M0 4H20', 'stroke-dasharray': one.dash })),
          one.name,
          ' ',
          x === null && this.options.across ? null : el('b', {}, this.format(near(one)[1])),
        ),
      ),
      ...(x === null ? [] : [el('li', {}, `at ${this.options.x} ${short(near(this.shown[0])[0])}`)]),
    );
  }
}

/** Rows by columns as squares in ten shades; a click chooses a column; -1 marks none. */
export function heatmap(box, { rows, columns, value, low, high, format, column, choose, x, what = 'layers' }) {
  const width = Math.round(box.clientWidth) || 480,
    side = Math.min(118, width * 0.28),
    bar = 26;
  const w = width - side - 4,
    ch = Math.max(10, Math.min(26, 300 / rows.length)),
    cw = w / columns.length;
  const svg = el('svg', {
    viewBox: `0 0 ${width} ${rows.length * ch + bar}`,
    height: rows.length * ch + bar,
    role: 'img',
    'aria-label': `${rows.length} ${what} by ${columns.length} steps, from ${format(low)} to ${format(high)}`,
  });
  rows.forEach((row, i) => {
    if (ch >= 12 || i % 2 === 0) svg.append(el('text', { x: side - 7, y: i * ch + ch / 2 + 4, 'text-anchor': 'end' }, row));
    columns.forEach((at, j) => {
      const v = value(i, j);
      if (v === undefined) return;
      const shade = Number.isFinite(v) ? `q${Math.max(0, Math.min(9, Math.round((9 * (v - low)) / (high - low || 1))))}` : 'qn';
      svg.append(
        titled(
          el('rect', {
            class: shade,
            x: (side + j * cw).toFixed(2),
            y: i * ch,
            width: Math.max(0.5, cw - (cw > 6 ? 1 : 0)).toFixed(2),
            height: ch - 1,
          }),
          `${row}, step ${short(at)}: ${format(v)}`,
        ),
      );
    });
  });
  if (column >= 0)
    svg.append(el('rect', { class: 'at', x: side + column * cw - 0.75, y: -1, width: cw + 0.5, height: rows.length * ch + 1 }));
  svg.append(
    el('text', { x: side, y: rows.length * ch + 17 }, short(columns[0])),
    el('text', { x: side + w, y: rows.length * ch + 17, 'text-anchor': 'end' }, `${x} ${short(columns.at(-1))}`),
  );
  svg.addEventListener('click', event => {
    const at = event.clientX - svg.getBoundingClientRect().left - side;
    if (at >= 0) choose(Math.min(columns.length - 1, Math.floor(at / cw)));
  });
  const scale = el(
    'svg',
    { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    ...Array.from({ length: 10 }, (_, i) => el('rect', { class: `q${i}`, x: i * 10, width: 10.2, height: 10 })),
  );
  box.replaceChildren(svg, el('div', { class: 'scale' }, format(low), scale, format(high)));
}
