// A job: its curves, and what its layers did, step by step.
import { debounce, el, get, percent, rarely, real, seconds, short } from './api.js';
import { Curves, heatmap } from './chart.js';
import { UnitMap, measures, series, stepsOf, valueOf } from './layers.js';
import { follow } from './live.js';
import { again, look } from './page.js';
import { Player } from './player.js';

const address = document.getElementById('job').dataset.job;
const by = id => document.getElementById(id);

// --- curves ---
const splits = { train: { k: 4, dash: '2 3' }, validation: { k: 0 }, test: { k: 1, dash: '7 4' } };
let loss, score;
/** Rows that a curve is made of at most; beyond it every second one is left out. */
const most = 1500;
let rows = [],
  meanwhile = null;

function curves(name) {
  return rows
    .filter(one => one.name === name)
    .map(one => ({
      name: one.split,
      ...splits[one.split],
      marks: one.points.length < 3,
      points: one.points.map(point => [real(point[1]), real(point[2])]),
    }));
}

async function learning() {
  const told = (meanwhile = []);
  rows = (await get(`${address}/metrics?maxPoints=600`)).series;
  for (const one of rows) one.gap = one.downsampled ? gapOf(one.points) : 0;
  told.forEach(append);
  meanwhile = null;
  drawCurves();
}

/** Steps between two points of a series. */
const gapOf = points => (points.at(-1)[0] - points[0][0]) / (points.length - 1);

/** A row as events have it. Of a long series only the last point is nearer to the one before it than the others are. */
function append({ step, epoch, split, ...values }) {
  for (const [name, value] of Object.entries(values)) {
    let one = rows.find(each => each.name === name && each.split === split);
    if (!one) rows.push((one = { name, split, points: [], gap: 0 }));
    const { points } = one;
    if (step <= (points.at(-1)?.[0] ?? -1)) continue;
    if (points.length > 1 && points.at(-1)[0] - points.at(-2)[0] < one.gap) points.pop();
    points.push([step, epoch, value]);
    if (points.length > most) {
      one.points = points.filter((_, i) => i % 2 === 0 || i === points.length - 1);
      one.gap = gapOf(one.points);
    }
  }
}

function drawCurves() {
  const scored = ['accuracy', 'r2', 'rmse'].find(name => rows.some(one => one.name === name)) ?? 'accuracy';
  by('scorename').textContent = { accuracy: 'Accuracy', r2: 'R²', rmse: 'Root mean squared error' }[scored];
  const smooth = Number(by('smooth').value);
  const first = { x: 'epoch', y: 'loss', series: curves('loss'), log: by('log').checked, smooth };
  const second = { x: 'epoch', y: scored, series: curves(scored), smooth, format: scored === 'accuracy' ? percent : short };
  if (loss) {
    loss.set(first);
    score.set(second);
  } else {
    loss = new Curves(by('loss'), first);
    score = new Curves(by('score'), second);
  }
}
by('smooth').addEventListener('input', () => {
  const smooth = Number(by('smooth').value);
  by('smoothness').textContent = smooth ? smooth.toFixed(2) : 'none';
  for (const chart of [loss, score]) chart?.set({ smooth });
});
by('log').addEventListener('change', () => loss?.set({ log: by('log').checked }));

// --- layers ---
let layers = [],
  steps = [],
  flow = new Map(),
  took = 0,
  depth;
const pick = by('measure'),
  player = new Player(by('step'), by('play'), draw);

async function inside() {
  const asked = performance.now();
  const found = await get(`${address}/layers?maxPoints=120`);
  took = performance.now() - asked;
  if (!found.layers.length) return;
  layers = found.layers;
  flow = new Map(found.gradientFlow.map(point => [point[0], real(point[2])]));
  steps = stepsOf(layers);
  const there = Object.keys(measures).filter(name => layers.some(layer => series(layer, name).length));
  const before = pick.value;
  if (there.length !== pick.options.length) pick.replaceChildren(...there.map(name => el('option', { value: name }, measures[name][0])));
  const worst = name => Math.max(...layers.flatMap(layer => series(layer, name).map(point => real(point[2]))).filter(Number.isFinite), 0);
  pick.value =
    before ||
    (worst('deadFraction') > 0.02
      ? 'deadFraction'
      : worst('saturatedUnitFraction') > 0.02
        ? 'saturation'
        : there.includes('gradientRms')
          ? 'gradientRms'
          : there[0]);
  player.set(steps.length);
  by('inside').hidden = false;
  draw();
}

function draw() {
  const name = pick.value,
    [, text, format, range, isLog] = measures[name];
  const shown = layers.filter(layer => series(layer, name).length),
    step = steps[player.at];
  by('measuretext').textContent =
    text +
    (flow.has(step) ? ` Gradient flow at this step: ${short(flow.get(step))} decades from the last hidden layer back to the first.` : '');
  by('stepname').textContent = `${short(step)} of ${short(steps.at(-1))}`;
  player.slider.setAttribute('aria-valuetext', `step ${step}`);
  const scale = v => (isLog ? Math.log10(v) : v);
  const all = shown.flatMap(layer => series(layer, name).map(point => scale(real(point[2])))).filter(Number.isFinite);
  let [low, high] = range ?? [Math.min(...all), Math.max(...all)];
  if (range) high = Math.max(0.05, Math.ceil(20 * Math.max(...all)) / 20);
  heatmap(by('heat'), {
    rows: shown.map(layer => layer.name),
    columns: steps,
    low,
    high,
    column: player.at,
    x: 'step',
    format: v => format(isLog ? 10 ** v : v),
    value: (i, j) => {
      const v = valueOf(shown[i], name, steps[j]);
      return v === undefined ? undefined : scale(v);
    },
    choose: column => player.go(column),
  });
  const along = s => shown.map((layer, i) => [i, valueOf(layer, name, s)]).filter(point => point[1] !== undefined);
  const options = {
    x: 'layer',
    y: measures[name][0],
    format,
    height: 230,
    across: true,
    log: isLog && shown.every(layer => !(valueOf(layer, name, step) <= 0)),
    zero: !!range,
    ticksX: Object.fromEntries(shown.map((layer, i) => [i, layer.name])),
    series: [
      { name: 'before training', k: 4, dash: '2 3', marks: true, ring: true, points: along(steps[0]) },
      { name: `at step ${short(step)}`, k: 0, marks: true, points: along(step) },
    ],
  };
  if (depth) depth.set(options);
  else depth = new Curves(by('depth'), options);
  drawUnits();
}

pick.addEventListener('change', draw);

// --- units ---
const map = new UnitMap(by('units'));

function drawUnits() {
  by('unitbox').hidden = layers.length < 2;
  if (layers.length < 2) return;
  by('unitnote').textContent = map.lives
    ? 'One square a unit, in the order of the layer. Each unit’s latest death and latest return are known.'
    : 'One square a unit. Until the run has ended it is known how many are dead, not which: the dead are drawn first.';
  map.draw(layers, steps[player.at], steps.at(-1));
}

// --- as it goes on ---
// layers cost the service more than the rest of the page: of a long run they are asked for as seldom as they change visibly, and so that
// a page that is looked at takes 1 % of a core at most
const rest = 5000;
const page = document.querySelector('[data-events]')?.dataset;
let isBusy = false,
  hasEnded = !page,
  isTold = false,
  drawnAt = 0,
  startedAt = Date.parse(by('job').dataset.started);
const pause = () => Math.max(rest, (Date.now() - startedAt) / 100 || 0, 100 * took);

async function all() {
  if (isBusy || (!hasEnded && loss && Date.now() - drawnAt < pause())) return;
  drawnAt = Date.now();
  isBusy = true;
  try {
    await Promise.all([isTold && rows.length && !hasEnded ? null : learning(), inside()]);
    if (hasEnded && !map.lives && layers.length && (await map.learn(address, layers))) drawUnits();
  } catch (error) {
    if (!loss) by('loss').textContent = error.message;
  } finally {
    isBusy = false;
  }
}

const drawSoon = rarely(drawCurves, 500);

function progress(now) {
  const bar = document.querySelector('#state progress');
  if (bar) bar.value = now.fraction;
  const eta = now.etaSeconds === undefined || now.etaSeconds === null ? '' : `, ${seconds(now.etaSeconds)} to go`;
  if (now.steps)
    by('at').textContent =
      `; epoch ${now.epoch} of ${now.epochs}, step ${now.step.toLocaleString('en')} of ${now.steps.toLocaleString('en')}${eta}`;
  all();
}

if (page) {
  const told = look(page.poll, Number(page.every), true);
  let isOpen = false,
    waits = !startedAt;
  // its place in the queue is told by nobody
  const mind = () => told((isTold = isOpen && !waits));
  follow(
    `${page.events}?types=status,progress,metrics,finding,done`,
    page.told,
    {
      status: now => {
        waits = now.status === 'queued';
        if (now.status === 'running' && now.at) startedAt = Date.parse(now.at);
        mind();
        again();
      },
      progress,
      metrics: row => {
        meanwhile?.push(row);
        append(row);
        drawSoon();
      },
      finding: rarely(again, 3000),
      done: () => {
        isOpen = false;
        mind();
        again();
      },
    },
    now => {
      isOpen = now;
      mind();
    },
  );
}
document.addEventListener('refreshed', () => {
  if (!isTold) all();
});
document.addEventListener('ended', async () => {
  hasEnded = true;
  while (isBusy) await new Promise(done => setTimeout(done, 50));
  all();
});
addEventListener(
  'resize',
  debounce(() => {
    if (layers.length) {
      map.clear();
      draw();
    }
  }, 150),
);
all();
