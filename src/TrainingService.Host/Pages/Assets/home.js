// Verdicts: what a sweep's report answers, asked for when it comes into view and kept while the page is open.
import { get } from './api.js';

const known = new Map();

async function answer(place) {
  const address = place.dataset.answer;
  if (!known.has(address))
    known.set(
      address,
      get(address).then(
        report => report.headline.sentence,
        () => 'Its report can’t be read now.',
      ),
    );
  place.textContent = await known.get(address);
}

const seen = new IntersectionObserver(entries => {
  for (const entry of entries)
    if (entry.isIntersecting) {
      seen.unobserve(entry.target);
      answer(entry.target);
    }
});
const watch = () => document.querySelectorAll('[data-answer]:empty').forEach(place => seen.observe(place));
watch();
document.addEventListener('refreshed', watch);
