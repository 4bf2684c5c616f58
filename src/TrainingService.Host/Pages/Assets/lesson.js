// Two nets beside each other while they learn. The address says which run is shown, so that it can be handed out.
import { changed, debounce, get, percent, real, send, short } from './api.js';
import { Curves } from './chart.js';
import { UnitMap, measures, stepsOf, valueOf } from './layers.js';
import { say } from './page.js';

const by = id => document.getElementById(id);
const { base, place, measure, slug, ...lesson } = by('lesson').dataset;
const sides = ['left', 'right'];

/** RFC 7396. */
function merge(onto, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const result = { ...(onto !== null && typeof onto === 'object' && !Array.isArray(onto) ? onto : {}) };
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete result[key];
    else result[key] = merge(result[key], value);
  return result;
}

function spec(side) {
  const knob = place
    .split('/')
    .slice(1)
    .reduceRight((inner, key) => ({ [key]: inner }), JSON.parse(by('knob').value));
  if (place.includes('/optimizer/')) knob.training.optimizer = { name: 'sgd', ...knob.training.optimizer };
  return merge(merge(merge(JSON.parse(base), JSON.parse(lesson[side])), knob), {
    name: `${lesson[`${side}Name`]}: ${slug}`,
    labels: { lesson: slug },
    diagnostics: { everySteps: 10, tryPatches: false },
    priority: 'high',
  });
}

function curl() {
  for (const side of sides)
    by(`curl-${side}`).textContent =
      `curl -X POST '${location.origin}/api/v1/jobs' -H 'Content-Type: application/json' -d '${JSON.stringify(spec(side))}'`;
}

let run = 0,
  nets = [],
  steps = [],
  at = 0,
  isLast = true,
  accuracy,
  depth;

async function follow(ids) {
  const mine = ++run;
  nets = ids.map((id, i) => ({
    address: `/api/v1/jobs/${id}`,
    side: sides[i],
    layers: [],
    curve: [],
    job: null,
    map: new UnitMap(by(`${sides[i]}units`)),
  }));
  nets.forEach(net => {
    net.map.clear();
    by(`${net.side}link`).href = net.address.replace('/api/v1', '');
  });
  isLast = true;
  by('run').hidden = false;
  while (mine === run) {
    let isOver = true;
    try {
      for (const net of nets) isOver = (await look(net)) && isOver;
    } catch (error) {
      say(error.message);
      return;
    }
    if (mine !== run) return;
    steps = [...new Set(nets.flatMap(net => stepsOf(net.layers)))].sort((a, b) => a - b);
    if (isLast) at = Math.max(0, steps.length - 1);
    draw();
    if (isOver) return;
    await new Promise(done => setTimeout(done, 500));
  }
}

/** True once nothing more is to come of it. */
async function look(net) {
  const job = (await changed(net.address)) ?? net.job;
  const isNew = job !== net.job;
  net.job = job;
  if (!isNew) return net.isOver ?? false;
  const isEnd = ['succeeded', 'failed', 'canceled'].includes(job.status);
  const [curves, found] = await Promise.all([
    get(`${net.address}/metrics?names=accuracy&split=validation&maxPoints=300`),
    get(`${net.address}/layers?maxPoints=120`),
  ]);
  net.curve = (curves.series[0]?.points ?? []).map(point => [real(point[1]), real(point[2])]);
  net.layers = found.layers;
  if (isEnd && net.layers.length && !net.map.lives) await net.map.learn(net.address, net.layers);
  net.isOver = isEnd;
  return isEnd;
}

function draw() {
  const step = steps[at];
  by('step').max = Math.max(0, steps.length - 1);
  by('step').value = at;
  by('stepname').textContent = steps.length ? `${short(step)} of ${short(steps.at(-1))}` : '';
  for (const net of nets) {
    const { job, side } = net,
      last = net.curve.at(-1)?.[1];
    by(`${side}state`).textContent =
      job.status === 'running'
        ? `epoch ${job.progress.epoch} of ${job.progress.epochs}`
        : (job.error?.code ?? (job.status === 'queued' ? 'waiting' : job.status));
    by(`${side}score`).replaceChildren(
      last === undefined ? '–' : percent(last),
      Object.assign(document.createElement('small'), { textContent: ' accuracy now' }),
    );
    if (net.layers.length) net.map.draw(net.layers, step, stepsOf(net.layers).at(-1));
  }
  const names = sides.map(side => lesson[`${side}Name`]);
  const first = {
    x: 'epoch',
    y: 'accuracy',
    format: percent,
    height: 220,
    series: nets.map((net, i) => ({ name: names[i], k: 1 - i, dash: i ? null : '7 4', points: net.curve })),
  };
  const [title, , format, range, isLog] = measures[measure];
  by('measurename').textContent = `${title[0].toUpperCase()}${title.slice(1)} along depth at this step`;
  const along = nets.map(net => net.layers.map((layer, i) => [i, valueOf(layer, measure, step)]).filter(point => point[1] !== undefined));
  const longest = nets.reduce((most, net) => (net.layers.length > most.length ? net.layers : most), []);
  const second = {
    x: 'layer',
    y: title,
    format,
    height: 220,
    across: true,
    zero: !!range,
    log: isLog && along.flat().some(point => point[1] > 0),
    ticksX: Object.fromEntries(longest.map((layer, i) => [i, layer.name.replace('hidden', '')])),
    empty: 'These nets have no such measure.',
    series: nets.map((net, i) => ({ name: names[i], k: 1 - i, dash: i ? null : '7 4', marks: along[i].length < 20, points: along[i] })),
  };
  if (accuracy) {
    accuracy.set(first);
    depth.set(second);
  } else {
    accuracy = new Curves(by('accuracy'), first);
    depth = new Curves(by('depth'), second);
  }
}

by('start').addEventListener('submit', async event => {
  event.preventDefault();
  const button = event.target.querySelector('button');
  button.disabled = true;
  try {
    const made = await Promise.all(sides.map(side => send('POST', '/api/v1/jobs', spec(side))));
    const ids = made.map(one => one.value.id);
    history.replaceState(null, '', `?value=${encodeURIComponent(by('knob').value)}&run=${ids.join(',')}`);
    follow(ids);
  } catch (error) {
    say(error.message);
  } finally {
    button.disabled = false;
  }
});

function go(to) {
  at = Number(to);
  isLast = at === steps.length - 1;
  draw();
}
by('step').addEventListener('input', event => go(event.target.value));
let playing;
function stop() {
  clearInterval(playing);
  playing = null;
  by('play').textContent = 'Play';
  by('play').setAttribute('aria-pressed', 'false');
}
by('play').addEventListener('click', () => {
  if (playing) return stop();
  if (at >= steps.length - 1) go(0);
  by('play').textContent = 'Pause';
  by('play').setAttribute('aria-pressed', 'true');
  playing = setInterval(
    () => {
      if (at >= steps.length - 1) stop();
      else go(at + 1);
    },
    Math.max(60, 4000 / Math.max(1, steps.length)),
  );
});
by('link').addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    say('Copied.');
  } catch {
    say(location.href);
  }
});
by('knob').addEventListener('change', curl);
addEventListener(
  'resize',
  debounce(() => {
    if (nets.length) {
      nets.forEach(net => net.map.clear());
      draw();
    }
  }, 150),
);

const asked = new URLSearchParams(location.search);
if ([...by('knob').options].some(option => option.value === asked.get('value'))) by('knob').value = asked.get('value');
curl();
const ids = asked.get('run')?.split(',');
if (ids?.length === 2) follow(ids);
