// The rows that a job's net got wrong, beside the confusion matrix: all of them, or those of a cell.
import { el, get, percent, short } from './api.js';
import { picture } from './pictures.js';

const by = id => document.getElementById(id);
const mostColumns = 10;
let at = null,
  cursor = null,
  asked = 0;

const certainty = (kind, value) => (kind === 'probabilities' ? percent(value) : short(value));

function card(page, row) {
  const taken = row.predicted ?? 'nothing';
  return el(
    'figure',
    {},
    picture(row.features, page.image, `row ${row.row}: ${row.truth}, taken for ${taken}`),
    el('figcaption', {}, el('b', {}, row.truth), ' → ', el('b', {}, taken), el('br'), certainty(page.kind, row.certainty)),
  );
}

function table(page) {
  const columns = page.columns.slice(0, mostColumns);
  const numbers = columns.map((_, c) => page.items.every(row => row.features[c] === null || typeof row.features[c] === 'number'));
  return el(
    'table',
    {},
    el(
      'thead',
      {},
      el(
        'tr',
        {},
        ...['Row', page.target, 'Taken for'].map(text => el('th', { scope: 'col' }, text)),
        el('th', { scope: 'col', class: 'number' }, page.kind === 'probabilities' ? 'Certain' : 'Score'),
        ...columns.map((text, c) => el('th', { scope: 'col', class: numbers[c] && 'number' }, text)),
        page.columns.length > mostColumns && el('th', { scope: 'col' }, `and ${page.columns.length - mostColumns} more`),
      ),
    ),
    el('tbody', {}),
  );
}

function line(page, row) {
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, String(row.row)),
    el('td', {}, row.truth),
    el('td', {}, row.predicted ?? 'nothing'),
    el('td', { class: 'number' }, certainty(page.kind, row.certainty)),
    ...row.features
      .slice(0, mostColumns)
      .map(value => el('td', { class: typeof value === 'number' && 'number' }, typeof value === 'number' ? short(value) : (value ?? '·'))),
    page.columns.length > mostColumns && el('td', {}),
  );
}

async function show(isMore) {
  const box = by('mistakes'),
    list = by('mistakelist'),
    more = by('moremistakes');
  const mine = ++asked;
  const query = new URLSearchParams({ split: by('mistakesplit').value, limit: 24 });
  for (const name of ['truth', 'predicted']) if (by(`mistake${name}`).value) query.set(name, by(`mistake${name}`).value);
  if (isMore) query.set('cursor', cursor);
  for (const cell of document.querySelectorAll('.confusion [data-truth]'))
    cell.setAttribute(
      'aria-pressed',
      by('mistakesplit').value === 'test' && cell.dataset.truth === query.get('truth') && cell.dataset.predicted === query.get('predicted'),
    );
  try {
    const page = await get(`${box.dataset.job}/mistakes?${query}`);
    if (mine !== asked) return;
    cursor = page.nextCursor;
    const rows =
      page.askedRows === page.rows
        ? `${page.rows.toLocaleString('en')} ${page.split} rows`
        : `the first ${page.askedRows.toLocaleString('en')} of ${page.rows.toLocaleString('en')} ${page.split} rows`;
    by('mistakenote').textContent = page.wrong
      ? `${page.wrong.toLocaleString('en')} of ${rows} ${page.wrong === 1 ? 'is' : 'are'} taken so; what the net is most certain of first.`
      : `None of ${rows} is taken so.`;
    list.className = page.image ? 'pictures' : 'scroll';
    if (!isMore) list.replaceChildren(...(page.image || !page.items.length ? [] : [table(page)]));
    if (page.image) list.append(...page.items.map(row => card(page, row)));
    else list.querySelector('tbody')?.append(...page.items.map(row => line(page, row)));
    more.hidden = !cursor;
  } catch (error) {
    if (mine !== asked) return;
    list.replaceChildren();
    more.hidden = true;
    by('mistakenote').textContent = error.message;
  }
}

// the part comes when the run has ended
function begin() {
  const box = by('mistakes');
  if (!box || box === at) return;
  at = box;
  for (const name of ['mistakesplit', 'mistaketruth', 'mistakepredicted']) by(name).addEventListener('change', () => show(false));
  by('moremistakes').addEventListener('click', () => show(true));
  show(false);
}

document.addEventListener('click', event => {
  const cell = event.target.closest('.confusion [data-truth]');
  if (!cell || !at) return;
  const isOn = cell.getAttribute('aria-pressed') === 'true';
  by('mistakesplit').value = 'test';
  by('mistaketruth').value = isOn ? '' : cell.dataset.truth;
  by('mistakepredicted').value = isOn ? '' : cell.dataset.predicted;
  show(false);
  at.scrollIntoView({ block: 'nearest' });
});
document.addEventListener('refreshed', begin);
begin();
