// A job or a sweep, composed: the request is the truth; form, JSON and address show it, and what it would be is asked while one types.
import { debounce, el, get, real, send, short } from './api.js';
import { Curves } from './chart.js';
import { Form } from './form.js';
import { pageOf, say } from './page.js';
import { list, merge, parsed, read, words, write } from './spec.js';

const by = id => document.getElementById(id);
const json = by('json');
let request = { dataset: 'digits' },
  fields = [],
  form,
  chart;
const isSweep = () => request !== null && typeof request === 'object' && 'base' in request;
const job = () => (isSweep() ? request.base : request);
const address = () => (isSweep() ? '/api/v1/sweeps' : '/api/v1/jobs');

// --- variants ---

/** A field of the job by its place, or an arm by its name, and what it is set to. */
function variant(name, label, text, set, remove) {
  const input = el('input', { value: text, spellcheck: 'false', 'aria-label': `Values of ${label}` }),
    off = el('button', { type: 'button', class: 'plain', 'aria-label': `Remove ${label}` }, 'Remove');
  input.addEventListener('input', () => {
    set(input.value);
    changed();
  });
  off.addEventListener('click', () => {
    remove();
    fill();
    changed();
  });
  return el('div', { class: 'variant' }, name, input, off);
}

function variants() {
  by('wrap').hidden = isSweep();
  by('sweep').hidden = !isSweep();
  if (!isSweep()) return by('grid').replaceChildren();
  const { grid, arms } = request;
  by('grid').replaceChildren(
    ...Object.entries(grid ?? {}).map(([place, values]) => {
      const pick = el('select', { 'aria-label': 'Field' }, ...places(place).map(one => el('option', { value: one }, one)));
      pick.value = place;
      pick.addEventListener('input', () => {
        request.grid = Object.fromEntries(Object.entries(request.grid).map(([key, value]) => [key === place ? pick.value : key, value]));
        fill();
        changed();
      });
      const text = Array.isArray(values) ? values.map(one => (typeof one === 'string' ? one : JSON.stringify(one))).join(', ') : '';
      return variant(
        pick,
        place,
        text,
        value => (request.grid[place] = list(value)),
        () => delete request.grid[place],
      );
    }),
    ...(Array.isArray(arms) ? arms : []).map((one, i) => {
      const name = el('input', { value: one.name ?? '', 'aria-label': 'Name of the arm', spellcheck: 'false' });
      name.addEventListener('input', () => {
        one.name = name.value;
        changed();
      });
      return variant(
        name,
        one.name ?? `arm ${i + 1}`,
        JSON.stringify(one.patch ?? {}),
        value => (one.patch = parsed('json', value) ?? {}),
        () => arms.splice(i, 1),
      );
    }),
  );
  const seeds = request.seeds ?? {},
    isOpen = 'until' in seeds;
  const values = {
    seeds: isOpen ? seeds.atLeast : (request.seedCount ?? (Array.isArray(seeds) ? seeds.length : undefined)),
    most: seeds.atMost,
    metric: request.metric,
    delta: request.delta,
  };
  for (const [id, value] of Object.entries(values)) if (document.activeElement !== by(id)) by(id).value = value ?? '';
  by('until').checked = isOpen;
  by('most').closest('label').hidden = !isOpen;
}

/** What can be varied: every field that is not varied yet. */
function places(own) {
  const all = fields.filter(field => field.place !== '/training/seed' && field.place !== '/name').map(field => field.place);
  for (const field of fields.filter(one => one.kind === 'named')) {
    const name = read(job(), field.place),
      choice = field.choices.find(one => one.name === (name?.name ?? name ?? field.choices[0].name));
    for (const parameter of choice?.parameters ?? []) all.push(field.place + parameter.place);
  }
  // the learning rate is a parameter of every optimiser
  const some = [...new Set([own, '/training/optimizer/learningRate', ...all])];
  return some.filter(place => place === own || !(place in (request.grid ?? {}))).sort();
}

function seeds() {
  const [count, most] = [parsed('integer', by('seeds').value), parsed('integer', by('most').value)];
  delete request.seedCount;
  delete request.seeds;
  if (by('until').checked)
    request.seeds = { until: 'decided', ...(count !== undefined && { atLeast: count }), ...(most !== undefined && { atMost: most }) };
  else if (count !== undefined) request.seedCount = count;
  for (const id of ['metric', 'delta']) write(request, `/${id}`, parsed(id === 'delta' ? 'number' : 'text', by(id).value));
  by('most').closest('label').hidden = !by('until').checked;
  changed();
}
for (const id of ['seeds', 'until', 'most', 'metric', 'delta']) by(id).addEventListener('input', seeds);

by('wrap').addEventListener('click', () => {
  request = { base: request, grid: { '/model/activation': ['relu', 'leaky_relu'] }, seedCount: 6 };
  fill();
  changed();
  by('seeds').focus();
});
by('unwrap').addEventListener('click', () => {
  request = request.base;
  fill();
  changed();
});
by('row').addEventListener('click', () => {
  delete request.arms;
  request.grid ??= {};
  const place = ['/model/activation', '/training/optimizer/learningRate', '/model/initializer'].find(one => !(one in request.grid));
  request.grid[place ?? places()[0]] = [];
  fill();
  changed();
});
by('arm').addEventListener('click', () => {
  delete request.grid;
  request.arms ??= [];
  request.arms.push({ name: `arm ${request.arms.length + 1}`, patch: {} });
  fill();
  changed();
});

// --- form, JSON and address ---

function fill() {
  form?.fill();
  variants();
}

function changed(isFromText = false) {
  const text = JSON.stringify(request, null, 2);
  if (!isFromText) {
    json.value = text;
    by('jsonwrong').textContent = '';
  }
  history.replaceState(null, '', `#${encodeURIComponent(JSON.stringify(request))}`);
  const body = JSON.stringify(request).replaceAll("'", "'\\''");
  by('curl').textContent = `curl -X POST '${location.origin}${address()}' -H 'Content-Type: application/json' -d '${body}'`;
  by('go').textContent = isSweep() ? 'Start the sweep' : 'Start';
  by('go').disabled = true;
  asked?.abort();
  check();
}

json.addEventListener('input', () => {
  try {
    const value = JSON.parse(json.value);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error('It must be an object.');
    request = value;
    by('jsonwrong').textContent = '';
  } catch (error) {
    by('jsonwrong').textContent = error.message;
    by('go').disabled = true;
    asked?.abort();
    return;
  }
  fill();
  changed(true);
});

// --- what it would be ---

let asked;
const time = seconds =>
  seconds < 0.1
    ? 'under 0.1 s'
    : seconds < 90
      ? `${short(seconds)} s`
      : seconds < 5400
        ? `${short(seconds / 60)} min`
        : `${short(seconds / 3600)} h`;
const bytes = size => (size < 1e6 ? `${short(size / 1e3)} kB` : size < 1e9 ? `${short(size / 1e6)} MB` : `${short(size / 1e9)} GB`);

const check = debounce(async () => {
  asked?.abort();
  const mine = (asked = new AbortController());
  const answered = promise =>
    promise.then(
      answer => ({ value: answer.value }),
      error => ({ error }),
    );
  const [one, many] = await Promise.all([
    answered(send('POST', '/api/v1/jobs/validate', job(), mine.signal)),
    isSweep() ? answered(send('POST', '/api/v1/sweeps/validate', request, mine.signal)) : null,
  ]);
  if (mine !== asked || mine.signal.aborted) return;
  const failed = (many ?? one).error;
  const errors = Object.fromEntries(
    Object.entries(failed?.errors ?? {}).map(([place, texts]) => [isSweep() ? place.replace(/^\/base(?=\/|$)/, '') : place, texts]),
  );
  const rest = form.tell(errors);
  if (failed && !Object.keys(errors).length) rest.push(failed.message);
  by('wrong').replaceChildren(...rest.map(text => el('p', { class: 'notice bad' }, text)), ...toFields());
  by('go').disabled = Boolean(failed);
  document.body.dataset.checked = failed ? 'refused' : 'accepted';
  if (one.value) before(one.value);
  if (!failed) cost(one.value, many?.value);
}, 180);

/** Where to look, since a field may be far away. */
function toFields() {
  if (!form.wrong.length) return [];
  const links = form.wrong.flatMap(([name, input], i) => [i ? ', ' : '', el('a', { href: `#${input.id}` }, name)]);
  const text = el('p', { class: 'notice bad' }, 'What is wrong is told at: ', ...links);
  text.addEventListener('click', event => {
    const field = event.target.hash && by(event.target.hash.slice(1));
    event.preventDefault();
    field?.focus();
  });
  return [text];
}

function cost(one, many) {
  const facts = many
    ? [
        [
          'Time',
          many.estimatedSecondsAtMost > many.estimatedSecondsAtLeast
            ? `${time(many.estimatedSecondsAtLeast)} to ${time(many.estimatedSecondsAtMost)}`
            : time(many.estimatedSecondsAtMost),
        ],
        ['Arms', short(many.arms)],
        ['Seeds', many.seedsAtMost > many.seedsAtLeast ? `${many.seedsAtLeast} to ${many.seedsAtMost}` : short(many.seedsAtMost)],
        ['Runs', many.runsAtMost > many.runsAtLeast ? `${short(many.runsAtLeast)} to ${short(many.runsAtMost)}` : short(many.runsAtMost)],
        ['Workers', short(many.workers)],
      ]
    : [
        ['Time', time(one.estimatedSeconds)],
        ['Steps', one.steps.toLocaleString('en')],
      ];
  if (one)
    facts.push(
      ['Parameters', one.parameterCount.toLocaleString('en')],
      ['Memory', bytes(one.memoryBytes)],
      ['Stored', bytes(one.storedBytes * (many?.runsAtMost ?? 1))],
    );
  by('cost').replaceChildren(
    el('dl', { class: 'facts' }, ...facts.map(([name, text]) => el('div', {}, el('dt', {}, name), el('dd', {}, text)))),
    ...[...(many?.warnings ?? []), ...(one?.notes ?? [])].map(text => el('p', { class: 'notice' }, text)),
  );
}

/** What is to be expected of the net at step 0, and what may be changed for the better. */
function before(answer) {
  form.taken(answer.spec);
  const { layers, gradientFlow, basis, draws } = answer.preflight;
  const line = (name, key, k, dash) => ({
    name,
    k,
    dash,
    marks: true,
    points: layers.map((layer, i) => [i + 1, real(layer[`${key}Median`] ?? layer[key])]).filter(([, value]) => !Number.isNaN(value)),
  });
  const options = {
    x: 'layer',
    y: 'expected size',
    log: true,
    across: true,
    height: 220,
    ticksX: Object.fromEntries(layers.map((layer, i) => [i + 1, layer.name.replace('hidden', '').replace('output', 'out')])),
    series: [line('activations', 'rms', 0), line('gradients', 'gradientRms', 1, '7 4')],
    empty: 'Nothing can be predicted of this net.',
  };
  if (chart) chart.set(options);
  else chart = new Curves(by('preflight'), options);
  const dead = Math.max(0, ...layers.map(layer => real(layer.bornDeadProbability)).filter(Number.isFinite));
  by('flow').textContent =
    `Root mean squares, by ${basis === 'draws' ? `${draws} draws of the net` : 'theory'}.` +
    (gradientFlow === null || gradientFlow === undefined
      ? ''
      : ` From the last hidden layer to the first the gradient’s norm (rms × √width) changes by a factor of ` +
        `${short(10 ** real(gradientFlow))}.`) +
    (dead > 0.0005 ? ` It is dead before it has learned anything with probability ${short(dead)}.` : '');
  by('findings').replaceChildren(
    ...answer.findings.map(one => {
      const apply = one.recommendation && el('button', { type: 'button', class: 'button quiet' }, 'Change it');
      apply?.addEventListener('click', () => {
        const better = merge(job(), one.recommendation.patch);
        request = isSweep() ? { ...request, base: better } : better;
        fill();
        changed();
      });
      return el(
        'li',
        { class: `finding ${one.severity}` },
        el('p', {}, one.message),
        one.recommendation && el('p', { class: 'muted' }, one.recommendation.sentence),
        apply && el('p', {}, apply),
      );
    }),
  );
  pictures(answer.spec);
}

/** The activations that are in it, as the engine computes them with their parameters. */
function pictures(spec) {
  const found = new Map();
  const add = one => {
    if (one?.name ?? one) {
      const { name, ...rest } = typeof one === 'string' ? { name: one } : one;
      found.set(JSON.stringify([name, rest]), [name, rest]);
    }
  };
  const varied = isSweep() ? (request.grid?.['/model/activation'] ?? []) : [];
  if (varied.length) varied.forEach(add);
  else {
    const inside = layers =>
      layers.forEach(layer => {
        add(layer.activation);
        inside(layer.layers ?? []);
      });
    add(spec.model.activation);
    inside(spec.model.layers ?? []);
  }
  const known = fields.find(field => field.place === '/model/activation').choices.map(choice => choice.name);
  const shown = [...found.values()].filter(([name]) => known.includes(name)).slice(0, 4);
  const sources = shown.map(([name, rest]) => {
    const query = new URLSearchParams(Object.entries(rest).map(([key, value]) => [key, String(value)]));
    return [name, `/api/v1/activations/${name}/plot.svg${[...query].length ? `?${query}` : ''}`];
  });
  if ([...by('pictures').children].map(image => image.getAttribute('src')).join() === sources.map(([, source]) => source).join()) return;
  by('pictures').replaceChildren(
    ...sources.map(([name, src]) => el('img', { src, alt: `${name} and its derivative`, width: 640, height: 400 })),
  );
}

by('compose').addEventListener('submit', async event => {
  event.preventDefault();
  if (by('go').disabled) return;
  by('go').disabled = true;
  try {
    const { location: made } = await send('POST', address(), request);
    location.assign(pageOf(made));
  } catch (error) {
    form.tell(error.errors ?? {});
    say(error.message);
    by('go').disabled = false;
  }
});

/** What the address says: a request, or a job or sweep that is there already. */
async function asAddressed() {
  const query = new URLSearchParams(location.search);
  if (location.hash.length > 1)
    try {
      return JSON.parse(decodeURIComponent(location.hash.slice(1)));
    } catch {
      say('The address holds no request that can be read.');
    }
  for (const kind of ['job', 'sweep'])
    if (query.has(kind)) {
      const { spec } = await get(`/api/v1/${kind}s/${encodeURIComponent(query.get(kind))}`);
      return spec;
    }
  return { dataset: query.get('dataset') ?? 'digits' };
}

try {
  const [catalogue, datasets, given] = await Promise.all([get('/api/v1/fields'), get('/api/v1/datasets?limit=500'), asAddressed()]);
  fields = catalogue.items;
  request = given;
  const names = datasets.items.filter(one => one.status === 'ready').map(one => one.name);
  form = new Form(by('fields'), fields, names, job, changed);
  by('fields').removeAttribute('aria-busy');
  variants();
  changed();
} catch (error) {
  by('fields').replaceChildren(el('p', { class: 'notice bad' }, error.message));
}
