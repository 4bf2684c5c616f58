// What a job's net says all over the plane of two features, with the data's rows over it.
import { debounce, el, get, percent, short } from './api.js';
import { Player } from './player.js';

const by = id => document.getElementById(id);
const left = 44,
  bottom = 34,
  right = 8,
  top = 6;
/** Moments of a run that are shown, and cells across then: a quarter of a megabyte, before it is compressed. */
const moments = 20,
  coarse = 40;
/** Milliseconds between two looks at a run that goes on, which stores checkpoints about as often. */
const rest = 10_000;
let at = null,
  found = null,
  player = null,
  shown = '',
  place = null,
  asked = 0;

/** Shapes keep classes apart where colours can't. */
const marks = [
  'M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0Z',
  'M-2.7 -2.7H2.7V2.7H-2.7Z',
  'M0 -3.5L3.3 2.5H-3.3Z',
  'M0 -3.8L3.8 0L0 3.8L-3.8 0Z',
  'M0 3.5L3.3 -2.5H-3.3Z',
  'M-3.4 -1.1H-1.1V-3.4H1.1V-1.1H3.4V1.1H1.1V3.4H-1.1V1.1H-3.4Z',
  'M-3.5 0L-1.7 -3H1.7L3.5 0L1.7 3H-1.7Z',
  'M-4 -1.6H4V1.6H-4Z',
];

/** Of each cell which colour and which of ten shades it has. */
function shades({ labels, certainty, values, classes }) {
  if (labels) {
    const least = 1 / classes.length;
    return labels.map((label, i) => [
      label,
      label < 0 ? 0 : 1 + Math.round(5 * Math.max(0, Math.min(1, (certainty[i] - least) / (1 - least)))),
    ]);
  }
  const real = values.map(Number),
    finite = real.filter(Number.isFinite),
    low = Math.min(...finite),
    high = Math.max(...finite);
  return real.map(value => [0, Number.isFinite(value) ? Math.round((9 * (value - low)) / (high - low || 1)) : 0]);
}

function draw() {
  if (!found) return;
  // the end is that of the finer grid
  const frame = found.frames && !player.isLast ? found.frames.cells[player.at] : null;
  const { labels, certainty, values, resolution: n } = frame ? { ...frame, resolution: found.frames.resolution } : found;
  const { x, y, classes, points } = found;
  const width = Math.min(560, Math.round(by('plane').clientWidth) || 480),
    side = width - left - right,
    height = side + top + bottom;
  const px = v => left + ((v - x.low) / (x.high - x.low)) * side,
    py = v => top + side - ((v - y.low) / (y.high - y.low)) * side;
  const svg = el('svg', {
    viewBox: `0 0 ${width} ${height}`,
    role: 'img',
    class: 'plane',
    'aria-label': classes
      ? `What the net takes rows for over ${x.feature} and ${y.feature}: ${classes
          .map((name, k) => `${name} in ${percent(labels.filter(label => label === k).length / labels.length)}`)
          .join(', ')} of the plane`
      : `What the net predicts over ${x.feature} and ${y.feature}`,
  });
  const cells = shades({ labels, certainty, values, classes }),
    step = side / n;
  for (let row = 0; row < n; row++)
    for (let first = 0, end; first < n; first = end) {
      const [label, shade] = cells[row * n + first];
      for (end = first + 1; end < n && cells[row * n + end][0] === label && cells[row * n + end][1] === shade;) end++;
      svg.append(
        el('rect', {
          class: `k${Math.max(0, label) % 8} ${label < 0 ? 'qn' : `q${shade}`}`,
          x: (left + first * step).toFixed(2),
          y: (top + side - (row + 1) * step).toFixed(2),
          width: ((end - first) * step).toFixed(2),
          height: step.toFixed(2),
        }),
      );
    }
  if (labels) {
    let path = '';
    for (let row = 0; row < n; row++)
      for (let column = 0; column < n; column++) {
        const label = labels[row * n + column],
          cx = (left + column * step).toFixed(1),
          cy = (top + side - row * step).toFixed(1);
        if (column > 0 && labels[row * n + column - 1] !== label) path += `M${cx} ${cy}v${(-step).toFixed(2)}`;
        if (row > 0 && labels[(row - 1) * n + column] !== label) path += `M${cx} ${cy}h${step.toFixed(2)}`;
      }
    svg.append(el('path', { class: 'edge', d: path }));
  }
  const known = points.map(point => point.value).filter(Number.isFinite),
    low = Math.min(...known),
    high = Math.max(...known);
  for (const point of points) {
    const k = point.label ?? 0;
    svg.append(
      el('path', {
        class: values
          ? `mark q${Math.round((9 * (point.value - low)) / (high - low || 1))}`
          : `mark k${k % 8}${point.isTest ? ' test' : ''}`,
        d: marks[k % 8],
        transform: `translate(${px(point.x).toFixed(1)} ${py(point.y).toFixed(1)})`,
      }),
    );
  }
  svg.append(
    el('text', { x: left, y: height - 16 }, short(x.low)),
    el('text', { x: left + side, y: height - 16, 'text-anchor': 'end' }, short(x.high)),
    el('text', { x: left + side / 2, y: height - 3, 'text-anchor': 'middle', class: 'name' }, x.feature),
    el('text', { x: left - 5, y: top + side, 'text-anchor': 'end' }, short(y.low)),
    el('text', { x: left - 5, y: top + 10, 'text-anchor': 'end' }, short(y.high)),
    el('text', { x: 0, y: 0, 'text-anchor': 'middle', class: 'name', transform: `translate(12 ${top + side / 2}) rotate(-90)` }, y.feature),
  );
  by('plane').replaceChildren(svg);
  by('planekeys').replaceChildren(
    ...(classes ?? []).map((name, k) =>
      el(
        'li',
        {},
        el('svg', { viewBox: '-5 -5 10 10', 'aria-hidden': 'true' }, el('path', { class: `mark k${k % 8}`, d: marks[k % 8] })),
        name,
      ),
    ),
    classes && el('li', {}, 'filled: trained on; hollow: test rows; the line: where the net changes its mind'),
    values && el('li', {}, 'the darker, the more: of the plane what is predicted, of the marks what is true'),
  );
  for (const empty of [...by('planekeys').childNodes].filter(node => node.nodeType === Node.TEXT_NODE)) empty.remove();
}

function held({ held: all }) {
  if (!all.length) return '';
  const shown = all.slice(0, 12).map(one => `${one.feature} ${typeof one.value === 'number' ? short(one.value) : one.value}`);
  const rest = all.length > shown.length ? ` and ${all.length - shown.length} more` : '';
  return (
    `${all.length === 1 ? 'The other feature is' : `The other ${all.length} features are`} held, numbers at the training rows’ median, ` +
    `categories at their commonest: ${shown.join(', ')}${rest}. Rows lie anywhere in the others, so that not all must fit the colour ` +
    'below them.'
  );
}

/** The same at moments of the training, for which the service trains the net once more: only when somebody wants to see it. */
async function showMoments() {
  const mine = asked,
    button = by('planemoves');
  button.disabled = true;
  by('planeway').textContent = '';
  try {
    const answer = await get(`${at.dataset.job}/boundary?${place}&frames=${moments}&resolution=${coarse}`);
    if (mine !== asked) return;
    found.frames = { cells: answer.frames, resolution: answer.resolution };
    player.set(answer.frames.length);
    player.go(player.at);
    const isNew = by('planeplayer').hidden;
    by('planeplayer').hidden = false;
    button.hidden = true;
    if (isNew) by('planeplay').click();
  } catch (error) {
    if (mine === asked) by('planeway').textContent = error.message;
  } finally {
    button.disabled = false;
  }
}

function say() {
  const [{ step }, last] = [found.frames.cells[player.at], found.frames.cells.at(-1)];
  by('planestepname').textContent = `${short(step)} of ${short(last.step)}`;
  player.slider.setAttribute('aria-valuetext', `step ${step}`);
}

async function show() {
  const mine = ++asked,
    { goes } = at.dataset;
  const query = new URLSearchParams(goes && { resolution: coarse });
  if (by('planex').value) query.set('x', by('planex').value);
  if (by('planey').value) query.set('y', by('planey').value);
  try {
    // nothing is asked of a run that has come to no new checkpoint
    const [newest] = goes ? (await get(`${at.dataset.job}/checkpoints`)).items : [];
    if (mine !== asked || (goes && (!newest || `${newest.step}${query}` === shown))) return;
    const answer = await get(`${at.dataset.job}/boundary?${query}`);
    if (mine !== asked) return;
    found = answer;
    shown = `${found.step}${query}`;
    by('planenote').textContent = held(found);
    draw();
    place = query;
    if (!goes) {
      if (!by('planeplayer').hidden) showMoments();
      return;
    }
    by('planeway').textContent = `As of step ${short(found.step)}, its newest checkpoint; the next one follows.`;
    at.closest('section').hidden = false;
  } catch (error) {
    if (mine !== asked) return;
    by('planenote').textContent = error.message;
  }
}

/** Two features of the same name can't be chosen: they change places. */
function choose(one, other) {
  const before = one === by('planex') ? found?.x.feature : found?.y.feature;
  if (one.value === other.value && before) other.value = before;
  show();
}

async function begin() {
  const box = by('boundarybox');
  if (!box || box === at) return;
  at = box;
  try {
    const { features, image } = await get(box.dataset.dataset);
    const names = features.filter(feature => feature.kind === 'numeric').map(feature => feature.name);
    if (image || names.length < 2) return;
    for (const [id, i] of [
      ['planex', 0],
      ['planey', 1],
    ]) {
      by(id).replaceChildren(...names.map(name => el('option', { value: name }, name)));
      by(id).value = names[i];
    }
    player = new Player(by('planestep'), by('planeplay'), () => {
      if (found.frames) say();
      draw();
    });
    by('planemoves')?.addEventListener('click', showMoments);
    by('planex').addEventListener('change', () => choose(by('planex'), by('planey')));
    by('planey').addEventListener('change', () => choose(by('planey'), by('planex')));
    found = null;
    await show();
    if (found) box.closest('section').hidden = false;
    draw();
  } catch {
    // its data are gone: the page says so elsewhere
  }
}
addEventListener('resize', debounce(draw, 150));
document.addEventListener('refreshed', begin);
setInterval(() => {
  if (at?.dataset.goes && at.isConnected && player && !document.hidden) show();
}, rest);
begin();
