// How the outputs of each layer are spread: before training and at its end, or step by step where a run measured that.
import { el, get, percent, real, short } from './api.js';
import { Curves, heatmap } from './chart.js';

const by = id => document.getElementById(id);
const box = by('spread'),
  address = box.dataset.job;
const bins = 30,
  mostLayers = 24;

const share = histogram => {
  const all = histogram.counts.reduce((sum, count) => sum + count, 0);
  return histogram.counts.map(count => count / all);
};

/** The share of what isn't 0 by value, per unit of value, so that bins of other widths can be compared. */
function curve(histogram) {
  const width = (real(histogram.high) - real(histogram.low)) / histogram.counts.length;
  return share(histogram).map((part, bin) => [real(histogram.low) + (bin + 0.5) * width, part / width]);
}

/** Steps across, values upwards. */
function overTime(place, histograms) {
  const low = Math.min(...histograms.map(one => real(one.low))),
    high = Math.max(...histograms.map(one => real(one.high))),
    width = (high - low) / bins;
  const parts = histograms.map(one => {
    const into = new Array(bins).fill(0),
      from = real(one.low),
      each = (real(one.high) - from) / one.counts.length;
    share(one).forEach((part, bin) => {
      into[Math.max(0, Math.min(bins - 1, Math.floor((from + (bin + 0.5) * each - low) / width)))] += part;
    });
    return into;
  });
  heatmap(place, {
    rows: Array.from({ length: bins }, (_, row) => short(high - (row + 0.5) * width)),
    columns: histograms.map(one => one.step),
    what: 'values',
    low: 0,
    high: Math.max(...parts.flat()),
    column: -1,
    x: 'step',
    format: percent,
    value: (row, column) => parts[column][bins - 1 - row],
    choose: () => {},
  });
}

async function draw() {
  try {
    const { layers } = await get(`${address}/layers?maxPoints=2`);
    const shown = layers.slice(0, -1).filter(layer => layer.histograms.length);
    if (!shown.length) return;
    box.hidden = false;
    const places = by('spreads');
    places.replaceChildren(
      ...shown.slice(0, mostLayers).map(layer => el('figure', {}, el('figcaption', {}, layer.name), el('div', { class: 'plot heatmap' }))),
    );
    [...places.children].forEach((figure, i) => {
      const { histograms } = shown[i],
        place = figure.lastElementChild;
      if (histograms.length > 2) return overTime(place, histograms);
      new Curves(place, {
        x: 'output',
        y: 'density',
        height: 170,
        across: true,
        zero: true,
        summary: `How the outputs of ${shown[i].name} are spread`,
        series: histograms.map((one, k) => ({
          name: one.step === 0 ? 'before training' : `at step ${short(one.step)}`,
          k: one.step === 0 ? 4 : 0,
          dash: k === 0 && one.step === 0 ? '2 3' : undefined,
          points: curve(one),
        })),
      });
    });
    by('morespreads').textContent = shown.length > mostLayers ? `and ${shown.length - mostLayers} layers more.` : '';
  } catch {
    // what is wrong is said above, where curves would be
  }
}
document.addEventListener('ended', draw);
draw();
