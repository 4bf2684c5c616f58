// Jobs that are chosen: cancelled, deleted, labelled, copied with changes, or laid over each other and compared field by field.
import { get, send, real, short, percent, el } from './api.js';
import { Curves } from './chart.js';
import { confirmed, refresh, say } from './page.js';

const bar = document.getElementById('chosen'),
  section = document.getElementById('comparison');
const chosen = () => [...document.querySelectorAll('#jobs input[name=job]:checked')].map(box => box.value);
const most = 8;

function count() {
  const ids = chosen();
  bar.hidden = !ids.length;
  bar.querySelector('[data-count]').textContent = `${ids.length} ${ids.length === 1 ? 'job' : 'jobs'} selected`;
  bar.querySelector('[data-do=compare]').disabled = ids.length > most;
}

document.addEventListener('change', event => {
  if (event.target.matches('[data-all]'))
    for (const box of document.querySelectorAll('#jobs input[name=job]')) box.checked = event.target.checked;
  if (event.target.closest('#jobs')) count();
});

document.addEventListener('click', event => {
  const what = event.target.closest('[data-do]')?.dataset.do;
  if (what === 'compare') open(chosen());
  if (what === 'close') {
    section.hidden = true;
    history.replaceState(null, '', location.pathname + location.search);
  }
  if (what === 'cancel-all') every('cancel', 'Cancel');
  if (what === 'delete-all') every('delete', 'Delete');
  if (what === 'cancel') each('POST', id => `/api/v1/jobs/${id}/cancel`, 'Cancel', 'cancelled');
  if (what === 'delete') each('DELETE', id => `/api/v1/jobs/${id}`, 'Delete', 'deleted');
  if (what === 'label') label();
  if (what === 'clone') clone();
});

/** "team=a, -old": sets team, takes old off. */
async function label() {
  const [labels, removeLabels] = [{}, []];
  for (const text of document
    .getElementById('labels')
    .value.split(',')
    .map(one => one.trim())
    .filter(Boolean)) {
    const [key, ...value] = text.split('=');
    if (value.length) labels[key.trim()] = value.join('=').trim();
    else if (key.startsWith('-')) removeLabels.push(key.slice(1));
    else return say(`'${text}' must be written as key=value, or -key to take one off.`);
  }
  if (!Object.keys(labels).length && !removeLabels.length) return say('Write a label as key=value first.');
  try {
    const { value } = await send('POST', '/api/v1/jobs/bulk', {
      filter: { ids: chosen() },
      action: 'label',
      ...(Object.keys(labels).length && { labels }),
      ...(removeLabels.length && { removeLabels }),
    });
    await refresh();
    say(`${value.changed} of ${value.matched} changed.`);
  } catch (error) {
    say(error.message);
  }
}

async function clone() {
  let patch;
  try {
    patch = JSON.parse(document.getElementById('patch').value || '{}');
  } catch (error) {
    return say(`The changes are no JSON: ${error.message}`);
  }
  await each('POST', id => `/api/v1/jobs/${id}/clone`, 'Copy', 'copied', patch);
}

/** The filters of this page, as a change of many takes them. */
function filter() {
  const fields = {};
  for (const [name, value] of new URLSearchParams(location.search))
    if (value && !['orderBy', 'cursor', 'limit', 'total', 'visibility'].includes(name))
      fields[name] = name === 'status' || name === 'label' ? [...(fields[name] ?? []), value] : name === 'seed' ? Number(value) : value;
  return fields;
}

async function every(action, verb) {
  if (
    !(await confirmed(`${verb} all jobs that fit, on all pages?${action === 'delete' ? ' Their measurements and nets go with them.' : ''}`))
  )
    return;
  try {
    const { value } = await send('POST', '/api/v1/jobs/bulk', { filter: filter(), action });
    await refresh();
    say(`${value.changed} of ${value.matched} changed.`);
  } catch (error) {
    say(error.message);
  }
}

async function each(method, address, verb, done, body) {
  const ids = chosen();
  if (
    !(await confirmed(
      `${verb} ${ids.length} ${ids.length === 1 ? 'job' : 'jobs'}?` +
        (method === 'DELETE' ? ' Their measurements and nets go with them.' : ''),
    ))
  )
    return;
  const results = await Promise.allSettled(ids.map(id => send(method, address(id), body)));
  const failed = results.filter(result => result.status === 'rejected');
  await refresh();
  count();
  say(`${ids.length - failed.length} ${done}${failed.length ? `; ${failed.length} not: ${failed[0].reason.message}` : '.'}`);
}

let jobs = [],
  curves = [],
  chart;
const pick = document.getElementById('curve'),
  log = document.getElementById('log'),
  same = document.getElementById('same');

async function open(ids) {
  if (!ids.length) return;
  history.replaceState(null, '', `#compare=${ids.join(',')}`);
  try {
    jobs = await Promise.all(ids.map(id => get(`/api/v1/jobs/${id}`)));
    curves = await Promise.all(ids.map(id => get(`/api/v1/jobs/${id}/metrics?maxPoints=300`)));
  } catch (error) {
    return say(error.message);
  }
  section.hidden = false;
  const kinds = [...new Set(curves.flatMap(one => one.series.map(s => `${s.name} ${s.split}`)))];
  const before = pick.value;
  pick.replaceChildren(...kinds.map(kind => el('option', { value: kind }, kind)));
  pick.value = kinds.includes(before) ? before : (kinds.find(kind => /(accuracy|r2) validation/.test(kind)) ?? kinds[0]);
  draw();
  compare();
  section.scrollIntoView({ block: 'start' });
}

/** What tells the jobs apart; their names may not. */
function names() {
  const given = jobs.map(job => job.name ?? job.spec.dataset.name);
  return new Set(given).size === given.length ? given : jobs.map((job, i) => `${given[i]} #${i + 1}`);
}

function draw() {
  const [name, split] = pick.value.split(' '),
    labels = names();
  const options = {
    x: 'epoch',
    y: name,
    log: log.checked,
    format: name === 'accuracy' ? percent : short,
    series: curves.map((one, i) => ({
      name: labels[i],
      k: i % 8,
      dash: ['', '7 4', '2 3', '9 3 2 3'][i % 4] || null,
      points: (one.series.find(s => s.name === name && s.split === split)?.points ?? []).map(point => [real(point[1]), real(point[2])]),
    })),
  };
  if (chart) chart.set(options);
  else chart = new Curves(document.getElementById('overlay'), options);
}

function flat(value, place, into) {
  if (value !== null && typeof value === 'object' && !Array.isArray(value))
    for (const [key, inner] of Object.entries(value)) flat(inner, place ? `${place}.${key}` : key, into);
  else into[place] = Array.isArray(value) ? JSON.stringify(value) : String(value);
  return into;
}

function compare() {
  const specs = jobs.map(job =>
    flat(
      {
        ...job.spec,
        name: undefined,
        diagnostics: { ...job.spec.diagnostics, rules: undefined },
        result: {
          testAccuracy: job.result?.testAccuracy && percent(job.result.testAccuracy),
          testLoss: job.result?.testLoss && short(job.result.testLoss),
        },
      },
      '',
      {},
    ),
  );
  const places = [...new Set(specs.flatMap(Object.keys))].filter(place =>
    specs.some(spec => spec[place] !== undefined && spec[place] !== 'undefined'),
  );
  const rows = places
    .map(place => ({ place, values: specs.map(spec => spec[place] ?? '–'), differs: new Set(specs.map(spec => spec[place])).size > 1 }))
    .filter(row => row.differs || same.checked);
  document
    .getElementById('specs')
    .replaceChildren(
      el(
        'thead',
        {},
        el('tr', {}, el('td', {}), ...names().map((name, i) => el('th', { scope: 'col' }, el('a', { href: `/jobs/${jobs[i].id}` }, name)))),
      ),
      el(
        'tbody',
        {},
        ...rows.map(row =>
          el(
            'tr',
            { class: row.differs ? 'differs' : null },
            el('th', { scope: 'row' }, row.place, row.differs && el('span', { class: 'unseen' }, ' (differs)')),
            ...row.values.map(value => el('td', {}, value === 'undefined' ? '–' : value)),
          ),
        ),
      ),
    );
}

if (section) {
  pick.addEventListener('change', draw);
  log.addEventListener('change', draw);
  same.addEventListener('change', compare);
  document.addEventListener('refreshed', count);
  const ids = /^#compare=([0-9a-f,-]+)$/.exec(location.hash)?.[1].split(',');
  if (ids) open(ids.slice(0, most));
  count();
}
