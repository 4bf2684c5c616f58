// A question: data that is chosen or brought, what shall be known, and what it takes before it starts.
import { debounce, el, send, short } from './api.js';
import { pageOf, say } from './page.js';

const by = id => document.getElementById(id);
const form = by('ask'),
  dataset = by('dataset');
const listed = text =>
  text
    .split(/[,\s]+/)
    .filter(Boolean)
    .map(Number);
const ticked = name => [...form.querySelectorAll(`input[name=${name}]:checked`)].map(box => box.value);

/** The request that is to be sent. */
function asked() {
  const study = form.elements.study.value,
    data = dataset.value,
    isNumber = dataset.selectedOptions[0]?.dataset.kind !== 'classes';
  if (study) return { address: `/api/v1/studies/${study}`, body: { size: form.elements.size.value, dataset: data } };
  const [activations, initializers, rates] = [ticked('activation'), ticked('initializer'), listed(form.elements.rates.value)];
  const isFull = form.elements.size.value === 'full';
  return {
    address: '/api/v1/sweeps',
    body: {
      name: `${activations.join(', ')} on ${data}`.slice(0, 200),
      base: {
        dataset: { name: data, validationFraction: 0.15 },
        model: { hiddenLayers: listed(form.elements.layers.value) },
        training: {
          epochs: Number(form.elements.epochs.value),
          optimizer: { name: 'sgd', momentum: 0.9, ...(rates.length === 1 && { learningRate: rates[0] }) },
          schedule: { name: 'cosine' },
        },
      },
      grid: { '/model/activation': activations, ...(initializers.length && { '/model/initializer': initializers }) },
      ...(rates.length > 1 && { tune: { '/training/optimizer/learningRate': rates } }),
      seeds: { until: 'decided', atLeast: isFull ? 12 : 8, atMost: isFull ? 40 : 16 },
      metric: isNumber ? 'testR2' : 'testAccuracy',
      ...(form.elements.baseline.value && !initializers.length && { baseline: form.elements.baseline.value }),
      ...(!isNumber && { delta: isFull ? 0.005 : 0.01 }),
    },
  };
}

function time(seconds) {
  return seconds < 1
    ? 'under a second'
    : seconds < 90
      ? `about ${short(Math.round(seconds))} s`
      : seconds < 5400
        ? `about ${short(Math.round(seconds / 60))} min`
        : `about ${short(seconds / 3600)} h`;
}

let round = 0,
  isTouched = false;
form.elements.baseline.addEventListener('input', () => {
  isTouched = true;
});
const estimate = debounce(async () => {
  const { address, body } = asked(),
    mine = ++round,
    box = by('estimate');
  by('curl').textContent = `curl -X POST '${location.origin}${address}' -H 'Content-Type: application/json' -d '${JSON.stringify(body)}'`;
  try {
    const { value } = await send('POST', `${address}/validate`, body);
    if (mine !== round) return;
    const isOpen = value.seedsAtMost > value.seedsAtLeast;
    box.replaceChildren(
      el(
        'p',
        { class: 'takes' },
        el(
          'b',
          {},
          isOpen
            ? `${time(value.estimatedSecondsAtLeast)}, at most ${time(value.estimatedSecondsAtMost).replace('about ', '')}`
            : time(value.estimatedSecondsAtMost),
        ),
        ` on ${value.workers || 'one'} ${value.workers > 1 ? 'workers' : 'worker'}: ${value.arms} arms, `,
        isOpen
          ? `${value.seedsAtLeast} to ${value.seedsAtMost} seeds, ${short(value.runsAtLeast)} to ${short(value.runsAtMost)} runs.`
          : `${value.seedsAtMost} seeds, ${short(value.runsAtMost)} runs.`,
      ),
      value.warnings.length
        ? el('ul', {}, ...value.warnings.map(warning => el('li', {}, warning)))
        : el('p', {}, isOpen ? 'The seeds suffice to decide; it stops as soon as it can.' : 'The seeds suffice to decide.'),
    );
    by('go').disabled = false;
  } catch (error) {
    if (mine !== round) return;
    box.replaceChildren(el('p', { class: 'notice bad' }, error.message));
    by('go').disabled = true;
  }
}, 250);

function shown() {
  const isOwn = !form.elements.study.value,
    names = ticked('activation'),
    baseline = form.elements.baseline;
  by('own').hidden = !isOwn;
  by('about').textContent = dataset.selectedOptions[0]?.dataset.about ?? '';
  const before = baseline.value;
  baseline.replaceChildren(...names.map(name => el('option', {}, name)));
  baseline.value = names.includes(before) && before !== '' && isTouched ? before : names.includes('relu') ? 'relu' : (names[0] ?? '');
  by('go').disabled = true;
  estimate();
}
form.addEventListener('input', event => {
  if (!event.target.closest('#look, #drop')) shown();
});

form.addEventListener('submit', async event => {
  event.preventDefault();
  by('go').disabled = true;
  const { address, body } = asked();
  try {
    const { location: made } = await send('POST', address, body);
    location.assign(pageOf(made));
  } catch (error) {
    say(error.message);
    by('go').disabled = false;
  }
});

// --- a file of one's own ---
let file, seen;
// what somebody said of its columns that it does not say itself
const nothing = () => ({ types: {}, drop: new Set(), group: null, time: null, task: null });
let said = nothing();
const drop = by('drop');
for (const name of ['dragover', 'dragleave', 'drop'])
  drop.addEventListener(name, event => {
    event.preventDefault();
    drop.classList.toggle('over', name === 'dragover');
    if (name === 'drop' && event.dataTransfer.files.length) look(event.dataTransfer.files[0]);
  });
by('file').addEventListener('change', event => {
  if (event.target.files.length) look(event.target.files[0]);
});
by('target').addEventListener('change', () => {
  said.task = null;
  inspect();
});

function fields(...more) {
  const data = new FormData();
  data.append('file', file);
  if (by('target').value) data.append('target', by('target').value);
  if (Object.keys(said.types).length) data.append('types', JSON.stringify(said.types));
  for (const [name, value] of [
    ['groupBy', said.group],
    ['timeBy', said.time],
    ['task', said.task],
  ])
    if (value) data.append(name, value);
  for (const [name, value] of more) data.append(name, value);
  return data;
}

/** With what is left out of it. */
const without = more => {
  const names = [...new Set([...said.drop, ...more])];
  return names.length ? [['drop', JSON.stringify(names)]] : [];
};

function look(chosen) {
  file = chosen;
  seen = undefined;
  said = nothing();
  by('target').replaceChildren();
  by('name').value = file.name
    .replace(/\..*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  inspect();
}

/** A choice for one column, after which the file is looked at again. */
function choice(label, options, value, set) {
  const select = el('select', { 'aria-label': label }, ...options.map(([key, text]) => el('option', { value: key }, text)));
  select.value = value;
  select.addEventListener('change', () => {
    set(select.value);
    inspect();
  });
  return select;
}

function role(column) {
  const { name } = column,
    roles = [
      ['feature', 'input'],
      ['target', 'to be predicted'],
      ['dropped', 'ignored'],
      ['group', 'group: rows that belong together'],
      ['time', 'time: the latest are tested'],
    ];
  // what can't be used as it is has to be left out, or be of another kind
  if (column.role === 'unfit') roles.push(['unfit', 'can’t be used so']);
  const now = said.drop.has(name) ? 'dropped' : name === said.group ? 'group' : name === said.time ? 'time' : column.role;
  return choice(`What ${name} is for`, roles, now, value => {
    said.drop.delete(name);
    if (said.group === name) said.group = null;
    if (said.time === name) said.time = null;
    if (value === 'dropped') said.drop.add(name);
    else if (value === 'target') [by('target').value, said.task] = [name, null];
    else if (value === 'group') [said.group, said.time] = [name, null];
    else if (value === 'time') [said.group, said.time] = [null, name];
  });
}

function kind(column) {
  const { name } = column;
  if (column.role === 'dropped' || said.drop.has(name)) return column.kind ?? '–';
  if (column.role === 'target')
    return choice(
      `What ${name} holds`,
      [
        ['classification', 'classes'],
        ['regression', 'a number'],
      ],
      said.task ?? seen.task ?? 'classification',
      value => (said.task = value),
    );
  const kinds = ['number', 'category', 'ordinal', 'boolean', 'date'].map(one => [one, one]);
  if (!column.kind && !said.types[name]) kinds.unshift(['', 'not known']);
  return choice(`What ${name} holds`, kinds, said.types[name] ?? column.kind ?? '', value => {
    if (value) said.types[name] = value;
    else delete said.types[name];
  });
}

let looks = 0;

async function inspect() {
  const mine = ++looks;
  by('look').hidden = false;
  by('filename').textContent = file.name;
  by('filesize').textContent = 'is being read …';
  // what is stored is what was seen
  by('store').disabled = true;
  try {
    const { value } = await send('POST', '/api/v1/datasets/inspect', fields(...without([])));
    if (mine !== looks) return;
    seen = value;
  } catch (error) {
    if (mine !== looks) return;
    by('filesize').textContent = '';
    // what was said of a column can be taken back
    if (!seen) by('columns').replaceChildren();
    by('problems').replaceChildren(el('p', { class: 'notice bad' }, error.message));
    return;
  }
  // the last column is what most files have to be predicted, so it is proposed, not taken
  if (!seen.target && by('target').options.length === 0) {
    by('target').replaceChildren(...seen.columns.map(column => el('option', {}, column.name)));
    by('target').value =
      seen.columns.find(column => /^(target|label|class|y|species|survived|outcome)$/i.test(column.name))?.name ?? seen.columns.at(-1).name;
    return inspect();
  }
  const target = seen.task === 'classification' ? `${seen.classes.length} classes` : 'a number';
  by('filesize').textContent =
    `${short(seen.rows)} rows, ${seen.columns.length} columns; ${target} to be predicted from ${seen.encodedFeatures} inputs`;
  by('problems').replaceChildren(
    ...seen.problems.map(one => el('p', { class: 'notice bad' }, one.message)),
    ...seen.warnings.map(one => el('p', { class: 'notice' }, one.message)),
    ...(seen.suggestedDrop.length ? [el('p', { class: 'muted' }, `Left out when it is stored: ${seen.suggestedDrop.join(', ')}.`)] : []),
  );
  // who goes through the columns by keyboard stays where they are
  const at = by('columns').contains(document.activeElement) && document.activeElement.getAttribute('aria-label');
  by('columns').replaceChildren(
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        ...['Column', 'For', 'Holds', 'Missing', 'Different', 'First rows'].map((text, i) =>
          el('th', { scope: 'col', class: i === 3 || i === 4 ? 'number wide' : null }, text),
        ),
      ),
    ),
    el(
      'tbody',
      {},
      ...seen.columns.map((column, i) =>
        el(
          'tr',
          { class: column.role === 'target' ? 'chosen' : null },
          el('th', { scope: 'row' }, column.name),
          el('td', {}, role(column)),
          el('td', {}, kind(column)),
          el('td', { class: 'number wide' }, short(column.missing)),
          el('td', { class: 'number wide' }, short(column.distinct)),
          el(
            'td',
            { class: 'muted' },
            seen.preview
              .slice(0, 4)
              .map(row => (row[i] === '' ? '·' : row[i]))
              .join(', '),
          ),
        ),
      ),
    ),
  );
  if (at) [...by('columns').querySelectorAll('select')].find(one => one.getAttribute('aria-label') === at)?.focus();
  by('store').disabled = seen.problems.length > 0 && !seen.suggestedDrop.length;
}

by('store').addEventListener('click', async () => {
  by('store').disabled = true;
  try {
    const more = [['name', by('name').value], ...without(seen.suggestedDrop)];
    const { value } = await send('POST', '/api/v1/datasets', fields(...more));
    const option = el(
      'option',
      { value: value.name, 'data-kind': value.target.kind, 'data-about': `${file.name}, stored just now.` },
      `${value.name}: ${short(value.rows)} rows, ${value.features.length} features`,
    );
    dataset.prepend(option);
    dataset.value = value.name;
    by('look').hidden = true;
    if (value.target.kind !== 'classes') form.querySelector('input[name=study][value=""]').checked = true;
    shown();
    say(`Stored as ${value.name}.`);
    dataset.focus();
  } catch (error) {
    say(error.message);
    by('store').disabled = false;
  }
});

shown();
