// A data set's features: how often their values occur, by class where there are classes; rows that are images, as pictures.
import { el, get, percent, real, short, titled } from './api.js';
import { picture } from './pictures.js';

const box = document.getElementById('histograms'),
  address = box.dataset.dataset;
const by = id => document.getElementById(id);
const mostColours = 8,
  mostNames = 6;

const rows = count => `${count.toLocaleString('en')} ${count === 1 ? 'row' : 'rows'}`;

/** What a bar is made of, from below: a part a class, or one part. */
function parts(feature, classes, bin) {
  return feature.byClass && classes.length <= mostColours
    ? feature.byClass.map((counts, k) => [k, counts[bin]]).filter(part => part[1] > 0)
    : [[0, feature.counts[bin]]].filter(part => part[1] > 0);
}

function told(feature, classes, bin) {
  const of = feature.byClass ? parts(feature, classes, bin).map(([k, count]) => `${classes[k]} ${count.toLocaleString('en')}`) : [];
  return rows(feature.counts[bin]) + (of.length && classes.length <= mostColours ? `: ${of.join(', ')}` : '');
}

function bars(feature, classes) {
  const width = 240,
    height = 92,
    base = height - 16,
    n = feature.counts.length,
    most = Math.max(...feature.counts, 1);
  const svg = el('svg', {
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    class: 'histogram',
    'aria-label': `${feature.name} from ${short(feature.edges[0])} to ${short(feature.edges.at(-1))}, most often from ${short(
      feature.edges[feature.counts.indexOf(most)],
    )}`,
  });
  feature.counts.forEach((_, bin) => {
    let y = base;
    const group = titled(el('g', {}), `${short(feature.edges[bin])} to ${short(feature.edges[bin + 1])}: ${told(feature, classes, bin)}`);
    for (const [k, count] of parts(feature, classes, bin)) {
      const h = (count / most) * (base - 2);
      y -= h;
      group.append(
        el('rect', {
          class: `k${k}`,
          x: ((bin * width) / n).toFixed(2),
          y: y.toFixed(2),
          width: Math.max(0.5, width / n - 1).toFixed(2),
          height: Math.max(0.4, h).toFixed(2),
        }),
      );
    }
    svg.append(group);
  });
  svg.append(
    el('line', { class: 'grid', x1: 0, x2: width, y1: base, y2: base }),
    el('text', { x: 0, y: height - 3 }, short(feature.edges[0])),
    el('text', { x: width, y: height - 3, 'text-anchor': 'end' }, short(feature.edges.at(-1))),
  );
  return svg;
}

function names(feature, classes) {
  const most = Math.max(...feature.counts, 1);
  const shown = feature.categories.slice(0, mostNames);
  const left = feature.categories.length - shown.length + (feature.others ? 1 : 0);
  return el(
    'ul',
    { class: 'counts' },
    ...shown.map((name, bin) => {
      let x = 0;
      return el(
        'li',
        { title: told(feature, classes, bin) },
        el('span', {}, name),
        el(
          'svg',
          { viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': 'true', class: 'histogram' },
          ...parts(feature, classes, bin).map(([k, count]) => {
            const width = (100 * count) / most,
              from = x;
            x += width;
            return el('rect', { class: `k${k}`, x: from.toFixed(2), width: width.toFixed(2), height: 8 });
          }),
        ),
        el('span', { class: 'number' }, feature.counts[bin].toLocaleString('en')),
      );
    }),
    left > 0 && el('li', { class: 'muted' }, 'and others'),
  );
}

function card(feature, { classes, countedRows }) {
  return el(
    'figure',
    {},
    el('figcaption', {}, feature.name),
    feature.categories
      ? names(feature, classes)
      : feature.counts.length
        ? bars(feature, classes)
        : el('p', { class: 'nothing' }, 'No value.'),
    feature.missing > 0 &&
      el('p', { class: 'muted small' }, `${rows(feature.missing)} missing (${percent(feature.missing / countedRows)})`),
  );
}

let cursor = null;
async function show(query, isMore) {
  try {
    const page = await get(`${address}/histograms?${query}${isMore ? `&cursor=${cursor}` : ''}`);
    cursor = page.nextCursor;
    if (!isMore)
      by('classkeys').replaceChildren(
        ...(page.classes.length <= mostColours ? page.classes : []).map((name, k) =>
          el(
            'li',
            {},
            el(
              'svg',
              { viewBox: '0 0 10 10', 'aria-hidden': 'true', class: 'histogram' },
              el('rect', { class: `k${k}`, width: 10, height: 10 }),
            ),
            name,
          ),
        ),
      );
    const cards = [...(!isMore && page.target ? [page.target] : []), ...page.items].map(feature => card(feature, page));
    if (isMore) box.append(...cards);
    else box.replaceChildren(...cards);
    by('counted').textContent =
      page.countedRows === page.rows ? '' : `Counted on ${page.countedRows.toLocaleString('en')} of ${rows(page.rows)}, evenly taken.`;
    by('morefeatures').hidden = !cursor;
  } catch (error) {
    by('counted').textContent = error.message;
  }
}

const first = 'limit=24';
by('morefeatures').addEventListener('click', () => show(first, true));
by('onefeature')?.addEventListener('change', event =>
  show(event.target.value ? `feature=${encodeURIComponent(event.target.value)}` : first, false),
);
show(first, false);

const pictures = by('rowpictures');
if (pictures)
  get(`${address}/preview?rows=24`)
    .then(({ image, rows: all }) =>
      pictures.replaceChildren(
        ...all.map(row =>
          el(
            'figure',
            {},
            picture(row.slice(0, -1).map(real), image, `a row of class ${row.at(-1)}`),
            el('figcaption', {}, String(row.at(-1))),
          ),
        ),
      ),
    )
    .catch(() => pictures.remove());
