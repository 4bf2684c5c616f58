// All runs of a sweep: any field against any result, all fields side by side, and what the result depends on.
import { debounce, el, get, percent, real, short, titled } from './api.js';

const box = document.getElementById('runs'),
  { sweep: address, metric, pictures } = box.dataset;
const by = id => document.getElementById(id);

const isShare = name => /accuracy$|^(sparsity|offRate|saturation)$|Fraction$/i.test(name);
const shown = (name, value) => (typeof value === 'number' ? (isShare(name) ? percent(value) : short(value)) : value);
const title = name =>
  name
    .replace(/\.name$/, '')
    .split('.')
    .at(-1)
    .replace(/([a-z])([A-Z0-9])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);

let rows = [],
  columns = [],
  varied = [],
  results = [];
const choice = { x: null, y: null, by: null, only: {} };

/** A line of CSV (RFC 4180). */
function split(line) {
  const found = [];
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g))
    found.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
  return found;
}

function read(text) {
  const [head, ...lines] = text.trim().split('\n').map(split);
  columns = head;
  rows = lines.map(line =>
    Object.fromEntries(
      head.map((name, i) => [
        name,
        line[i] === '' || line[i] === undefined
          ? null
          : ['arm', 'jobId'].includes(name) || Number.isNaN(Number(line[i]))
            ? line[i]
            : Number(line[i]),
      ]),
    ),
  );
  // of tuned arms the trials are no runs that are compared
  if (rows.some(row => row.candidate < 0)) rows = rows.filter(row => row.candidate < 0);
  const last = columns.indexOf('error');
  const firstResult = columns.indexOf('testAccuracy');
  varied = columns.slice(last + 1, firstResult).filter(name => new Set(rows.map(row => row[name])).size > 1);
  results = columns.slice(firstResult).filter(name => rows.some(row => typeof row[name] === 'number'));
}

const kept = () => rows.filter(row => Object.entries(choice.only).every(([name, value]) => String(row[name]) === value));

/** Places on an axis: numbers as they are or by their logarithm, all else side by side. */
function axis(name, all, length) {
  const values = all.map(row => row[name]).filter(value => value !== null);
  const isNumber = values.length > 0 && values.every(value => typeof value === 'number');
  if (!isNumber) {
    const names = [...new Set(values.map(String))].sort();
    const step = length / Math.max(1, names.length);
    return {
      at: (value, i) => (value === null ? null : (names.indexOf(String(value)) + 0.5 + (((i * 7919) % 101) / 101 - 0.5) * 0.5) * step),
      middle: value => (names.indexOf(String(value)) + 0.5) * step,
      ticks: names.map((value, i) => [(i + 0.5) * step, value]),
    };
  }
  let [low, high] = [Math.min(...values), Math.max(...values)];
  const isLog = low > 0 && high / low >= 12 && !isShare(name);
  const to = isLog ? Math.log10 : value => value;
  if (low === high) [low, high] = isLog ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  const [a, b] = [to(low), to(high)],
    pad = (b - a) * 0.04;
  const place = value => ((to(value) - a + pad) / (b - a + 2 * pad)) * length;
  const few = [...new Set(values)].sort((m, n) => m - n);
  // runs of equal values beside each other
  const aside = few.length <= 12 ? length / 40 / few.length : 0;
  const wanted = Math.max(2, Math.min(5, Math.floor(length / 60)));
  const marks =
    few.length <= wanted
      ? few
      : isLog
        ? Array.from({ length: Math.floor(b) - Math.ceil(a) + 1 }, (_, i) => 10 ** (Math.ceil(a) + i))
        : Array.from({ length: wanted }, (_, i) => low + ((high - low) * i) / (wanted - 1));
  return {
    at: (value, i) => (value === null ? null : place(value) + aside * ((((i * 7919) % 101) / 101 - 0.5) * 2)),
    middle: place,
    ticks: marks.map(value => [place(value), shown(name, value)]),
  };
}

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

// --- any field against any result ---

let points = [],
  near = null;

function scatter() {
  const all = kept().filter(row => row[choice.x] !== null && row[choice.y] !== null),
    plot = by('scatter');
  const width = Math.round(plot.clientWidth) || 700,
    height = width < 560 ? 300 : 360,
    left = 56,
    bottom = 44,
    w = width - left - 12,
    h = height - bottom - 12;
  const x = axis(choice.x, all, w),
    y = axis(choice.y, all, h);
  const groups = choice.by ? [...new Set(all.map(row => String(row[choice.by])))].sort() : [''];
  const svg = el('svg', {
    viewBox: `0 0 ${width} ${height}`,
    height,
    role: 'img',
    'aria-label': `${all.length} runs: ${title(choice.y)} against ${title(choice.x)}`,
  });
  for (const [at, text] of y.ticks)
    svg.append(
      el('line', { class: 'grid', x1: left, x2: left + w, y1: 12 + h - at, y2: 12 + h - at }),
      el('text', { x: left - 7, y: 16 + h - at, 'text-anchor': 'end' }, cut(text, 9)),
    );
  const every = Math.ceil((x.ticks.length * 70) / w);
  x.ticks.forEach(([at, text], i) => {
    if (i % every === 0) svg.append(el('text', { x: left + at, y: 12 + h + 17, 'text-anchor': 'middle' }, cut(text, 14)));
  });
  svg.append(el('text', { x: left + w, y: height - 3, 'text-anchor': 'end' }, title(choice.x)));
  points = all.map((row, i) => ({
    row,
    k: groups.indexOf(String(row[choice.by])) % 8,
    x: left + x.at(row[choice.x], i),
    y: 12 + h - y.middle(row[choice.y]),
  }));
  // a path a colour: ten thousand runs are drawn at once
  for (const k of new Set(points.map(point => point.k)))
    svg.append(
      el('path', {
        class: `points k${k < 0 ? 0 : k}`,
        d: points
          .filter(point => point.k === k)
          .map(point => `M${point.x.toFixed(1)} ${point.y.toFixed(1)}h0`)
          .join(''),
      }),
    );
  near = el('circle', { class: 'ring', r: 6, hidden: true });
  svg.append(near);
  plot.replaceChildren(svg);
  by('runkeys').replaceChildren(
    ...(choice.by
      ? groups
          .slice(0, 16)
          .map((name, k) =>
            el(
              'li',
              { class: `k${k % 8}` },
              el('svg', { viewBox: '0 0 20 8', 'aria-hidden': 'true' }, el('path', { d: 'M4 4H16' })),
              cut(String(shown(choice.by, name)), 40),
            ),
          )
      : []),
  );
  at(null);
}

let now = null;
function at(point) {
  now = point;
  if (!point) near?.setAttribute('hidden', '');
  else {
    near.removeAttribute('hidden');
    near.setAttribute('cx', point.x);
    near.setAttribute('cy', point.y);
  }
  by('run').replaceChildren(
    ...(point
      ? [
          el('a', { href: `/jobs/${point.row.jobId}` }, `${point.row.arm}, seed ${point.row.seed}`),
          `: ${title(choice.x)} ${shown(choice.x, point.row[choice.x])}, ${title(choice.y)} ${shown(choice.y, point.row[choice.y])}`,
        ]
      : [`${points.length.toLocaleString('en')} of ${rows.length.toLocaleString('en')} runs; point at one, or use the arrow keys.`]),
  );
}

function nearest(event) {
  const frame = by('scatter').getBoundingClientRect(),
    [px, py] = [event.clientX - frame.left, event.clientY - frame.top];
  let best = null,
    least = 30 ** 2;
  for (const point of points) {
    const distance = (point.x - px) ** 2 + (point.y - py) ** 2;
    if (distance < least) [best, least] = [point, distance];
  }
  return best;
}
by('scatter').addEventListener('pointermove', event => {
  const best = nearest(event);
  if (best) at(best);
});
by('scatter').addEventListener('click', event => {
  const best = nearest(event);
  if (best && event.pointerType === 'mouse') location.assign(`/jobs/${best.row.jobId}`);
  else if (best) at(best);
});
by('scatter').addEventListener('keydown', event => {
  const order = [...points].sort((a, b) => a.x - b.x || a.y - b.y),
    i = order.indexOf(now);
  const next = { ArrowRight: i + 1, ArrowLeft: i < 0 ? order.length - 1 : i - 1, Home: 0, End: order.length - 1 }[event.key];
  if (event.key === 'Enter' && now) location.assign(`/jobs/${now.row.jobId}`);
  if (next === undefined || !order.length) return;
  event.preventDefault();
  at(order[Math.max(0, Math.min(order.length - 1, next))]);
});

// --- all fields side by side ---

function parallel() {
  by('parallelbox').hidden = varied.length < 2;
  if (varied.length < 2) return;
  const names = [...varied, choice.y],
    all = kept().filter(row => typeof row[choice.y] === 'number');
  // the seeds of a combination are one line
  const lines = new Map();
  for (const row of all) {
    const key = varied.map(name => row[name]).join('|');
    if (!lines.has(key)) lines.set(key, { row, values: [] });
    lines.get(key).values.push(row[choice.y]);
  }
  const means = [...lines.values()].map(({ row, values }) => ({
    ...row,
    n: values.length,
    [choice.y]: values.reduce((a, b) => a + b) / values.length,
  }));
  const plot = by('parallel'),
    width = Math.max(Math.round(plot.clientWidth) || 700, names.length * 96),
    height = 300,
    top = 34,
    h = height - top - 12,
    step = (width - 120) / Math.max(1, names.length - 1);
  const axes = names.map(name => axis(name, name === choice.y ? means : rows, h));
  const ends = means.map(row => row[choice.y]).sort((a, b) => a - b);
  const svg = el('svg', {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'aria-label': `${means.length} combinations, each a line through its values of ${names.map(title).join(', ')}`,
  });
  const shades = Array.from({ length: 5 }, () => []);
  for (const row of means) {
    const rank = ends.length < 2 ? 4 : Math.min(4, Math.floor((5 * ends.indexOf(row[choice.y])) / ends.length));
    shades[rank].push(
      names
        .map((name, i) => (row[name] === null ? '' : `${60 + i * step} ${(top + h - axes[i].middle(row[name])).toFixed(1)}`))
        .filter(Boolean)
        .join('L'),
    );
  }
  shades.forEach((some, i) => some.length && svg.append(el('path', { class: `lines r${i}`, d: some.map(line => `M${line}`).join('') })));
  names.forEach((name, i) => {
    const px = 60 + i * step,
      isLast = i === names.length - 1;
    svg.append(
      el('line', { class: 'grid zero', x1: px, x2: px, y1: top, y2: top + h }),
      titled(
        el('text', { class: 'name', x: px, y: 14, 'text-anchor': isLast ? 'end' : i ? 'middle' : 'start' }, cut(title(name), 16)),
        name,
      ),
      ...axes[i].ticks.map(([place, text]) =>
        el(
          'text',
          { class: 'tickname', x: isLast ? px - 5 : px + 5, y: top + h - place + 4, 'text-anchor': isLast ? 'end' : 'start' },
          cut(text, 14),
        ),
      ),
    );
  });
  plot.replaceChildren(svg);
  by('parallelnote').textContent =
    `Each line is a combination, its ${title(choice.y)} the mean over seeds: the darkest fifth has the highest.`;
}

// --- what it depends on ---

let asked;
async function importance() {
  by('importancebox').hidden = varied.length < 2;
  if (varied.length < 2) return;
  const mine = (asked = `${address}/importance?result=${encodeURIComponent(choice.y)}`);
  try {
    const answer = await get(mine);
    if (mine !== asked) return;
    const bars = [
      ...answer.fields.map(one => [title(one.field), one.share]),
      ...answer.pairs.map(one => [one.fields.map(title).join(' with '), one.share]),
      ...(answer.more > 0.005 ? [['three and more together', answer.more]] : []),
      ...(answer.seeds === null ? [] : [['seeds', answer.seeds]]),
    ];
    by('importance').replaceChildren(
      ...bars.map(([name, share]) =>
        el(
          'li',
          {},
          el('span', {}, name),
          el(
            'svg',
            { viewBox: '0 0 100 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
            el('rect', { class: 'part', width: 100 * share, height: 10 }),
          ),
          el('b', {}, percent(share)),
        ),
      ),
    );
    by('importancenote').textContent =
      `${answer.method} ${answer.runs.toLocaleString('en')} runs of ${answer.combinations.toLocaleString('en')} combinations` +
      (answer.leftOut ? `, ${answer.leftOut} left out that have not ended, failed or diverged` : '') +
      (answer.full ? '.' : '; not all that there could be, so the shares are rough.');
  } catch (error) {
    if (mine !== asked) return;
    by('importance').replaceChildren();
    by('importancenote').textContent = error.message;
  }
}

// --- choices ---

function options(select, names, value) {
  select.replaceChildren(...names.map(name => el('option', { value: name ?? '' }, name ? title(name) : 'nothing')));
  select.value = value ?? '';
}

function controls() {
  const fields = ['seed', 'arm', ...varied];
  const asks = JSON.parse(pictures || '[]')
    .map(([x, y, text]) => [[...varied, ...results].find(name => name === x || name.endsWith(`.${x}`)), y, text])
    .filter(([x, y]) => x && results.includes(y));
  if (!choice.x) {
    const query = new URLSearchParams(location.hash.slice(1));
    const many = name => new Set(rows.map(row => row[name])).size;
    const number = varied
      .filter(name => rows.every(row => row[name] === null || typeof row[name] === 'number'))
      .sort((a, b) => many(b) - many(a))[0];
    const pick = (name, among, other) => (among.includes(query.get(name)) ? query.get(name) : other);
    choice.y = pick('y', results, asks[0]?.[1] ?? (results.includes(metric) ? metric : results[0]));
    choice.x = pick('x', [...fields, ...results], asks[0]?.[0] ?? number ?? varied[0] ?? 'arm');
    const rest = varied.filter(name => name !== choice.x);
    choice.by = pick('by', fields, rest.find(name => new Set(rows.map(row => row[name])).size <= 8) ?? (choice.x === 'arm' ? null : 'arm'));
  }
  options(by('x'), [...fields, ...results], choice.x);
  options(by('y'), results, choice.y);
  options(by('colour'), [null, ...fields], choice.by);
  by('presets').replaceChildren(
    ...asks.map(([x, y, text]) => {
      const button = el('button', { type: 'button', class: 'plain' }, text);
      button.addEventListener('click', () => {
        Object.assign(choice, { x, y });
        redraw();
      });
      return button;
    }),
  );
  by('only').replaceChildren(
    ...varied.map(name => {
      const values = [...new Set(rows.map(row => row[name]).filter(value => value !== null))].sort((a, b) => (a > b ? 1 : -1));
      const select = el(
        'select',
        {},
        el('option', { value: '' }, 'any'),
        ...values.map(value => el('option', { value: String(value) }, String(shown(name, value)))),
      );
      select.value = choice.only[name] ?? '';
      select.addEventListener('input', () => {
        if (select.value) choice.only[name] = select.value;
        else delete choice.only[name];
        draw();
      });
      return el('label', {}, title(name), ' ', select);
    }),
  );
}

function draw() {
  scatter();
  parallel();
}

function redraw() {
  for (const [id, key] of [
    ['x', 'x'],
    ['y', 'y'],
    ['colour', 'by'],
  ])
    by(id).value = choice[key] ?? '';
  history.replaceState(null, '', `#${new URLSearchParams({ x: choice.x, y: choice.y, by: choice.by ?? '' })}`);
  draw();
  importance();
}
for (const [id, key] of [
  ['x', 'x'],
  ['y', 'y'],
  ['colour', 'by'],
])
  by(id).addEventListener('input', event => {
    choice[key] = event.target.value || null;
    redraw();
  });

let before;
const load = debounce(async () => {
  if (!box.open) return;
  const answer = await fetch(`${address}/cells?format=csv`);
  if (!answer.ok) return;
  const text = await answer.text();
  if (text === before) return;
  before = text;
  read(text);
  const isThere = rows.length > 0 && results.length > 0;
  by('runsbox').hidden = !isThere;
  by('noruns').hidden = isThere;
  if (!isThere) return;
  controls();
  draw();
  importance();
}, 200);
box.addEventListener('toggle', load);
for (const event of ['refreshed', 'ended']) document.addEventListener(event, load);
addEventListener(
  'resize',
  debounce(() => rows.length && draw(), 150),
);
const isAsked = () => /^#(.*&)?x=/.test(location.hash);
addEventListener('hashchange', () => {
  if (!isAsked()) return;
  Object.assign(choice, { x: null, only: {} });
  before = undefined;
  box.open = true;
  load();
});
if (isAsked()) box.open = true;
