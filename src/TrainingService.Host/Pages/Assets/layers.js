// What is measured of layers, and a map of their units.
import { el, get, percent, real, short, titled } from './api.js';

/** By name: what it is called, what it is, how its values are written, from where to where, and whether it is told by powers of ten. */
export const measures = {
  deadFraction: [
    'dead units',
    'Share of a layer’s units that are off (z ≤ 0) on every row looked at, and so get no gradient.',
    percent,
    [0, 1],
  ],
  offEveryRowFraction: [
    'units off on every row',
    'The same for all activations, also those that still pass a gradient there.',
    percent,
    [0, 1],
  ],
  sparsity: ['zeros', 'Share of a layer’s outputs that are exactly 0.', percent, [0, 1]],
  offRate: ['off entries', 'Share of entries with z ≤ 0.', percent, [0, 1]],
  saturation: [
    'saturated entries',
    'Share of entries where the slope is below 5 % of the activation’s largest. ReLU’s zeros count, too.',
    percent,
    [0, 1],
  ],
  saturatedUnitFraction: ['saturated units', 'Share of units that are saturated on more than 99 % of the rows.', percent, [0, 1]],
  dormantFraction: ['dormant units', 'Share of units whose mean output is at most 2.5 % of the layer’s.', percent, [0, 1]],
  rmsActivation: ['size of outputs', 'Root mean square of a layer’s outputs.', short, null, true],
  gradientRms: [
    'size of gradients',
    'Root mean square of the gradient that reaches a layer. Along depth it shows whether the gradient vanishes or explodes.',
    short,
    null,
    true,
  ],
  updateRatio: ['size of updates', 'Norm of a step’s change over the norm of the weights; about 0.001 is healthy.', short, null, true],
  weightRms: ['size of weights', 'Root mean square of a layer’s weights.', short, null, true],
  centredness: ['mean over rms', 'How far from zero the outputs lie on average.', short, null],
};

export const series = (layer, name) => layer.series[name] ?? [];

export const stepsOf = layers =>
  [...new Set(layers.flatMap(layer => Object.values(layer.series).flatMap(points => points.map(point => point[0]))))].sort((a, b) => a - b);

/** A layer's value at a step, or the last one before it. */
export function valueOf(layer, name, step) {
  let found;
  for (const point of series(layer, name)) {
    if (point[0] > step) break;
    found = point;
  }
  return found ? real(found[2]) : undefined;
}

const most = 2048;
const words = { alive: 'alive', dead: 'dead', born: 'dead since before training', revived: 'came back', saturated: 'saturated' };

/** What is known of a unit: whether it was dead at step 0, its latest death and its latest revival. */
function stateOf(unit, step, end) {
  const { bornDead, diedAtStep: died, revivedAtStep: back } = unit;
  if (died !== null && step >= died && !(back !== null && back > died && step >= back)) return 'dead';
  if (bornDead && (back === null || step < back) && !(died !== null && step >= died)) return 'born';
  if (back !== null && step >= back) return 'revived';
  return step >= end && unit.state === 'saturated' ? 'saturated' : 'alive';
}

/** One square a unit: dark where it is dead. Before the run has ended only their number is known. */
export class UnitMap {
  constructor(box) {
    this.box = box;
    this.lives = null;
  }

  clear() {
    this.box.replaceChildren();
  }

  /** Which units died when, once the run has ended; false while that is not known. */
  async learn(job, layers) {
    const found = [];
    let sum = 0;
    for (const layer of layers.slice(0, -1)) {
      if ((sum += layer.units) > most) break;
      const items = [];
      let cursor = null;
      do {
        const page = await get(`${job}/layers/${layer.index}/units?limit=500${cursor ? `&cursor=${cursor}` : ''}`);
        items.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor);
      if (!items.length) return false;
      found.push(items);
    }
    if (!found.length) return false;
    this.lives = found;
    this.clear();
    return true;
  }

  draw(layers, step, end) {
    const hidden = this.lives ? layers.slice(0, this.lives.length) : layers.slice(0, -1);
    if (this.box.childElementCount !== hidden.length) this.build(hidden);
    hidden.forEach((layer, row) => {
      const place = this.box.children[row],
        counts = {},
        items = this.lives?.[row];
      const born = Math.round(layer.units * (valueOf(layer, 'bornDeadFraction', step) ?? 0)),
        dead = Math.round(layer.units * (valueOf(layer, 'deadFraction', step) ?? 0));
      place.querySelectorAll('rect').forEach((square, i) => {
        const state = items ? stateOf(items[i], step, end) : i < born ? 'born' : i < dead ? 'dead' : 'alive';
        counts[state] = (counts[state] ?? 0) + 1;
        if (square.getAttribute('class') !== `u ${state}`) square.setAttribute('class', `u ${state}`);
        if (items?.[i].causeSentence && !square.firstChild)
          titled(square, `Unit ${i}: died at step ${items[i].diedAtStep}. ${items[i].causeSentence}`);
      });
      place.querySelector('i').textContent = `${(counts.dead ?? 0) + (counts.born ?? 0)} of ${layer.units} dead`;
      place.querySelector('svg').setAttribute(
        'aria-label',
        `${layer.name} at step ${step}: ${Object.entries(counts)
          .map(([state, n]) => `${n} ${words[state]}`)
          .join(', ')}`,
      );
    });
  }

  build(hidden) {
    const isNarrow = this.box.clientWidth < 520;
    this.box.classList.toggle('tight', isNarrow);
    const width = Math.max(150, (this.box.clientWidth || 700) - (isNarrow ? 0 : 115));
    this.box.replaceChildren(
      ...hidden.map(layer => {
        const size = layer.units > 600 ? 6 : layer.units > 150 ? 9 : 12,
          across = Math.max(8, Math.floor(width / (size + 2)));
        const squares = Array.from({ length: layer.units }, (_, i) =>
          el('rect', {
            class: 'u',
            x: (i % across) * (size + 2) + 0.5,
            y: Math.floor(i / across) * (size + 2) + 0.5,
            width: size,
            height: size,
            rx: 1.5,
          }),
        );
        return el(
          'div',
          { class: 'layer' },
          el('span', {}, el('b', {}, layer.name), ' ', el('i', {}, '')),
          el('svg', { viewBox: `0 0 ${across * (size + 2)} ${Math.ceil(layer.units / across) * (size + 2)}`, role: 'img' }, ...squares),
        );
      }),
    );
  }
}
