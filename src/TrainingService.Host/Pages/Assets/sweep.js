// A sweep as its seeds arrive: runs, differences with the band that doesn't matter, claims, arms.
import { difference, el, get, percent, rarely, real, short, titled, debounce } from './api.js';
import { follow } from './live.js';
import { again, look } from './page.js';

const { sweep: address, metric: words, names } = document.getElementById('sweep').dataset;
const called = JSON.parse(names),
  shown = arm => called[arm] ?? arm,
  metric = words[0].toUpperCase() + words.slice(1);
const by = id => document.getElementById(id);
const word = verdict =>
  el(
    'span',
    { class: `word ${verdict}` },
    verdict === 'supported'
      ? 'better'
      : verdict === 'refuted'
        ? 'worse'
        : verdict === 'equivalent'
          ? 'no difference'
          : verdict === 'negligible'
            ? 'too small to matter'
            : verdict === 'inconclusive'
              ? 'undecided'
              : verdict,
  );
let report;

function forest() {
  const all = (report.contrasts ?? []).filter(one => one.meanDifference !== null && one.meanDifference !== undefined);
  by('forestbox').hidden = !all.length;
  if (!all.length) return;
  const delta = report.delta,
    unit = all[0].unit,
    baselines = [...new Set(all.map(one => one.baseline))];
  by('forestnote').textContent =
    `${metric}: each arm less ${baselines.length === 1 ? shown(baselines[0]) : 'its baseline'}, mean over seeds with its 95 % interval.` +
    (delta ? ` Inside the band of ±${difference(unit, delta).replace('+', '')} a difference does not matter.` : '');
  const box = by('forest'),
    width = Math.round(box.clientWidth) || 700,
    isNarrow = width < 560,
    row = isNarrow ? 66 : 36;
  const side = isNarrow ? 0 : Math.min(220, width * 0.28),
    far = isNarrow ? 0 : 250,
    top = 6,
    h = all.length * row;
  const x0 = side + 14,
    w = width - x0 - far - 10;
  const ends = all
    .flatMap(one => [real(one.meanDifference), ...(one.ci95 ?? []).map(real)])
    .filter(Number.isFinite)
    .concat(delta ? [-delta, delta] : [0]);
  // one that is far less certain than most must not press the others together
  const reach = all
    .map(one => Math.max(Math.abs(real(one.meanDifference)), ...(one.ci95 ?? []).map(end => Math.abs(real(end)))))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const most = Math.max(4 * (reach[Math.floor((reach.length - 1) / 2)] ?? 0), 2 * (delta ?? 0)) || Infinity;
  let low = Math.max(-most, Math.min(...ends)),
    high = Math.min(most, Math.max(...ends));
  const pad = (high - low) * 0.05 || 0.01;
  low -= pad;
  high += pad;
  const px = v => x0 + ((Math.max(low, Math.min(high, v)) - low) / (high - low)) * w;
  const svg = el('svg', {
    viewBox: `0 0 ${width} ${h + 40}`,
    height: h + 40,
    role: 'img',
    'aria-label': all.map(one => one.sentence).join(' '),
  });
  if (delta)
    svg.append(
      el('rect', { class: 'band', x: px(-delta), y: top, width: px(delta) - px(-delta), height: h }),
      ...[-delta, delta].map(v => el('line', { class: 'bandline', x1: px(v), x2: px(v), y1: top, y2: top + h })),
    );
  svg.append(el('line', { class: 'grid zero', x1: px(0), x2: px(0), y1: top, y2: top + h }));
  for (const v of [low + pad, 0, high - pad])
    svg.append(
      el(
        'text',
        { x: px(v), y: top + h + 16, 'text-anchor': v === 0 ? 'middle' : v < 0 ? 'start' : 'end' },
        v === 0 ? '0' : difference(unit, v),
      ),
    );
  svg.append(
    el('text', { x: x0 + w, y: top + h + 32, 'text-anchor': 'end' }, 'arm higher →'),
    el('text', { x: x0, y: top + h + 32 }, '← baseline higher'),
  );
  all.forEach((one, i) => {
    const y = top + i * row + (isNarrow ? 50 : row / 2),
      name = baselines.length > 1 ? `${shown(one.arm)} − ${shown(one.baseline)}` : shown(one.arm);
    const group = el('g', {
      class: `k${{ supported: 2, higher: 2, lower: 2, refuted: 7, equivalent: 0, negligible: 0 }[one.verdict] ?? 4}`,
    });
    group.append(
      el(
        'text',
        isNarrow ? { class: 'name', x: 0, y: y - 31 } : { class: 'name', x: side, y: y + 4, 'text-anchor': 'end' },
        name.length > 34 ? `${name.slice(0, 33)}…` : name,
      ),
    );
    if (one.ci95) {
      const [a, b] = one.ci95.map(real),
        end = (v, at) => (v < low ? `M${at + 7} ${y - 4}l-7 4l7 4` : v > high ? `M${at - 7} ${y - 4}l7 4l-7 4` : `M${at} ${y - 4}v8`);
      group.append(el('path', { class: 'curve', d: `M${px(a)} ${y}H${px(b)}${end(a, px(a))}${end(b, px(b))}` }));
    }
    if (real(one.meanDifference) >= low && real(one.meanDifference) <= high)
      group.append(el('circle', { class: 'dot', cx: px(real(one.meanDifference)), cy: y, r: 4.5 }));
    const text = `${difference(unit, one.meanDifference)}, n = ${one.n}, ${one.verdict}`;
    group.append(el('text', isNarrow ? { x: 0, y: y - 15 } : { x: x0 + w + 14, y: y + 4 }, text));
    svg.append(titled(group, one.sentence));
  });
  box.replaceChildren(svg);
}

function claims() {
  const open = [...document.querySelectorAll('#claims details[open]')].map(one => one.dataset.id);
  const all = report.claims ?? [];
  by('claimbox').hidden = !all.length;
  by('claims').replaceChildren(
    ...all.map(claim =>
      el(
        'div',
        { class: 'claim' },
        el('h3', {}, `${claim.id}  ${claim.claim}`),
        el(
          'ul',
          {},
          ...(claim.statements ?? []).map(one =>
            el(
              'li',
              {},
              el(
                'span',
                { class: `word ${one.verdict}` },
                one.verdict === 'inconclusive'
                  ? 'open'
                  : one.verdict === 'supported'
                    ? 'true'
                    : one.verdict === 'refuted'
                      ? 'false'
                      : one.verdict,
              ),
              el('span', {}, one.text, one.evidence && el('details', { 'data-id': one.id }, el('summary', {}, 'Evidence'), one.evidence)),
            ),
          ),
        ),
      ),
    ),
  );
  for (const one of document.querySelectorAll('#claims details')) one.open = open.includes(one.dataset.id);
}

let order = { key: null, down: true };

function arms() {
  const all = report.arms ?? [],
    isShare = /accuracy/i.test(report.metric),
    show = isShare ? percent : short;
  by('armbox').hidden = !all.length;
  const columns = [
    ['name', 'Arm', arm => shown(arm.name)],
    ['mean', metric, arm => show(arm.mean)],
    ['ci', '95 % interval', arm => (arm.ci95 ? `${show(arm.ci95[0])} to ${show(arm.ci95[1])}` : '–'), true],
    ['sd', 'sd', arm => (isShare && arm.sd !== null ? `${(100 * arm.sd).toFixed(2)} points` : short(arm.sd)), true],
    ['n', 'Runs', arm => String(arm.n)],
    ['diverged', 'Diverged', arm => String(arm.diverged)],
    [
      'secondsPerEpoch',
      'Epoch',
      arm => (arm.secondsPerEpoch === null || arm.secondsPerEpoch === undefined ? '–' : `${short(1000 * arm.secondsPerEpoch)} ms`),
      true,
    ],
  ];
  if (all.some(arm => arm.tuned))
    columns.push([
      'tuned',
      'Tuned',
      arm =>
        Object.entries(arm.tuned ?? {})
          .map(([place, value]) => `${place.split('/').at(-1)} ${typeof value === 'object' ? JSON.stringify(value) : short(value)}`)
          .join(', '),
      true,
    ]);
  const sorted = order.key
    ? [...all].sort((a, b) => {
        const [x, y] = [a[order.key], b[order.key]];
        return (typeof x === 'string' ? x.localeCompare(y) : real(x) - real(y)) * (order.down ? -1 : 1);
      })
    : all;
  const style = i => [i ? 'number' : null, columns[i][3] && 'wide'].filter(Boolean).join(' ') || null;
  by('arms').replaceChildren(
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        ...columns.map(([key, text], i) => {
          const button = el('button', { type: 'button' }, text);
          button.addEventListener('click', () => {
            order = { key, down: order.key === key ? !order.down : i > 0 };
            arms();
          });
          return el(
            'th',
            {
              scope: 'col',
              class: style(i),
              'aria-sort': order.key === key ? (order.down ? 'descending' : 'ascending') : null,
            },
            key === 'ci' || key === 'tuned' ? text : button,
          );
        }),
      ),
    ),
    el(
      'tbody',
      {},
      ...sorted.map(arm =>
        el(
          'tr',
          {},
          ...columns.map(([, , text], i) =>
            i
              ? el('td', { class: style(i) }, text(arm))
              : el('th', { scope: 'row' }, arm.name === report.baseline ? `${shown(arm.name)} (baseline)` : shown(arm.name)),
          ),
        ),
      ),
    ),
  );
}

const cells = new Map();

let meanwhile = null,
  isLearnt = false;

async function learnCells() {
  // what the stream tells until the answer is read may be newer than it; what is older, it tells anew
  const told = (meanwhile = []);
  try {
    const answer = await fetch(`${address}/cells?format=csv`);
    if (!answer.ok) return;
    const [head, ...lines] = (await answer.text()).trim().split('\n').map(fields);
    const at = Object.fromEntries(head.map((name, i) => [name, i]));
    cells.clear();
    for (const line of lines)
      keep({
        arm: line[at.arm],
        seed: line[at.seed],
        candidate: Number(line[at.candidate]),
        job: line[at.jobId],
        status: line[at.status],
        error: line[at.error],
      });
    told.forEach(tell);
    isLearnt = true;
    drawCells();
  } finally {
    meanwhile = null;
  }
}

/** Answers whether there was none of this arm, seed and candidate. */
function keep(cell) {
  const key = `${cell.seed} ${cell.candidate} ${cell.arm}`,
    known = cells.get(key);
  if (known) Object.assign(known, cell);
  else cells.set(key, cell);
  if (known?.place) paint(known);
  return !known;
}

/** A cell as events have it. */
const tell = ({ arm, seed, candidate = -1, jobId, status, errorCode }) =>
  keep({ arm, seed: String(seed), candidate, job: jobId, status, error: errorCode });

function paint({ place, arm, seed, status, error, job }) {
  place.className = `cell ${status}`;
  place.href = `/jobs/${job}`;
  place.title = `${shown(arm)}, seed ${seed}: ${error || status}`;
  place.setAttribute('aria-label', place.title);
}

function drawCells() {
  const rows = new Map();
  for (const cell of cells.values()) {
    if (!rows.has(cell.arm)) rows.set(cell.arm, []);
    rows.get(cell.arm).push(cell);
  }
  const box = by('cells'),
    top = box.scrollTop;
  box.replaceChildren(
    ...[...rows].map(([arm, all]) => {
      const final = all.some(cell => cell.candidate < 0) ? all.filter(cell => cell.candidate < 0) : all;
      for (const cell of final) {
        cell.place = el('a');
        paint(cell);
      }
      return el('div', { class: 'row' }, el('span', { title: arm }, shown(arm)), el('div', {}, ...final.map(cell => cell.place)));
    }),
  );
  box.scrollTop = top;
  by('cellbox').hidden = !rows.size;
}

/** A line of CSV (RFC 4180). */
function fields(line) {
  const found = [];
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g))
    found.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
  return found;
}

let isBusy = false,
  isDue = false,
  isTold = false;
async function all() {
  if (isBusy) {
    isDue = true;
    return;
  }
  isBusy = true;
  try {
    report = await get(`${address}/report`);
    const { sentence } = report.headline;
    if (by('verdict').textContent !== sentence) by('verdict').textContent = sentence;
    by('more').textContent = report.answer === sentence ? '' : report.answer;
    forest();
    claims();
    arms();
    if (!isTold || !isLearnt) await learnCells();
  } catch (error) {
    by('verdict').textContent = error.message;
  } finally {
    isBusy = false;
    if (isDue) {
      isDue = false;
      setTimeout(all, 300);
    }
  }
}

const page = document.querySelector('[data-events]')?.dataset;
if (page) {
  const told = look(page.poll, Number(page.every), true);
  const mind = isOpen => told((isTold = isOpen));
  // squares at once, the rest of the page seldom: a report is made of all runs
  const refresh = rarely(again, 3000);
  follow(
    page.events,
    page.told,
    {
      status: () => again(),
      cells: ({ cells: changed }) => {
        meanwhile?.push(...changed);
        if (changed.map(tell).includes(true)) drawCells();
        refresh();
      },
      // all runs were told
      done: () => {
        told(false);
        again();
      },
    },
    mind,
  );
}
document.addEventListener('refreshed', all);
addEventListener(
  'resize',
  debounce(() => {
    if (report) forest();
  }, 150),
);
all();
