// What all pages do: tell how long ago, copy, send what a button says, and look again while something runs.
import { changed, rarely, send } from './api.js';
import { follow } from './live.js';

const steps = [
  [60, 'second', 1],
  [3600, 'minute', 60],
  [86400, 'hour', 3600],
  [2592000, 'day', 86400],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

function ago(root) {
  for (const time of root.querySelectorAll('time')) {
    const at = new Date(time.dateTime),
      seconds = (at - Date.now()) / 1000;
    const step = steps.find(([most]) => Math.abs(seconds) < most);
    time.title = at.toLocaleString();
    time.textContent = step ? relative.format(Math.round(seconds / step[2]), step[1]) : at.toLocaleDateString();
  }
}

const said = document.getElementById('said');
let silence;

/** For a few seconds, and to screen readers. */
export function say(text) {
  said.textContent = text;
  said.classList.add('on');
  clearTimeout(silence);
  silence = setTimeout(() => said.classList.remove('on'), 6000);
}

/** Asks before something is done that can't be undone. */
export function confirmed(question) {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-label', question);
  const text = document.createElement('p'),
    form = document.createElement('form');
  text.textContent = question;
  form.method = 'dialog';
  form.className = 'actions';
  for (const [value, label, style] of [
    ['yes', 'Yes', 'button'],
    ['no', 'No', 'button quiet'],
  ]) {
    const button = document.createElement('button');
    Object.assign(button, { value, textContent: label, className: style });
    form.append(button);
  }
  dialog.append(text, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise(done =>
    dialog.addEventListener('close', () => {
      dialog.remove();
      done(dialog.returnValue === 'yes');
    }),
  );
}

/** The page of what has an address in the API. */
export const pageOf = address => address.replace(/^.*\/api\/v1/, '');

async function act(source, body) {
  const [method, address] = source.dataset.send.split(' ');
  if (source.dataset.confirm && !(await confirmed(source.dataset.confirm))) return;
  const button = source.matches('button') ? source : source.querySelector('button');
  button.disabled = true;
  try {
    const { location: made } = await send(method, address, body);
    const to = source.dataset.then ?? (made ? pageOf(made) : null);
    if (to && to !== window.location.pathname) window.location.assign(to);
    else if ((await refresh()) && !isFollowing)
      window.location.reload(); // it runs again
    else say('Done.');
  } catch (error) {
    say(error.message);
  } finally {
    button.disabled = false;
  }
}

document.addEventListener('click', async event => {
  const button = event.target.closest('button');
  if (button?.dataset.send) act(button, button.dataset.body);
  if (button?.dataset.copy !== undefined) {
    try {
      await navigator.clipboard.writeText(button.parentElement.querySelector('code').textContent);
      say('Copied.');
    } catch {
      getSelection().selectAllChildren(button.parentElement.querySelector('code'));
      say('Selected: copy it with Ctrl+C.');
    }
  }
});

document.addEventListener('submit', event => {
  const form = event.target;
  if (form.dataset.send) {
    event.preventDefault();
    act(form, form.elements.json?.value);
  }
  if (form.dataset.filters !== undefined) for (const field of form.elements) if (field.name && !field.value.trim()) field.disabled = true;
});
addEventListener('pageshow', () =>
  document.querySelectorAll('[data-filters] :disabled').forEach(field => {
    field.disabled = false;
  }),
);

// Parts that live are taken from the page as the service writes it now; nothing is written twice, here and there.
const written = new Map();
const parts = root => [...root.querySelectorAll('[data-live]')];
for (const part of parts(document)) written.set(part.id, part.outerHTML);
ago(document);

export async function refresh() {
  const answer = await fetch(window.location.href, { headers: { Accept: 'text/html' }, cache: 'no-cache' });
  if (!answer.ok) throw new Error(`The service answered ${answer.status}.`);
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of parts(page)) {
    const here = document.getElementById(part.id);
    if (!here || written.get(part.id) === part.outerHTML) continue;
    // what somebody is at stays until they leave it
    if (here.contains(document.activeElement) && document.activeElement.matches('input, select, textarea')) continue;
    const focused = here.contains(document.activeElement) ? document.activeElement.textContent : null;
    const ticked = [...here.querySelectorAll('input:checked')].map(box => box.value);
    written.set(part.id, part.outerHTML);
    ago(part);
    for (const box of part.querySelectorAll('input')) if (ticked.includes(box.value)) box.checked = true;
    here.replaceWith(part);
    if (focused) [...part.querySelectorAll('button, a')].find(one => one.textContent === focused)?.focus({ preventScroll: true });
  }
  document.dispatchEvent(new CustomEvent('refreshed'));
  return [...page.querySelectorAll('[data-poll]')].length > 0;
}

const poll = document.querySelector('[data-poll]');
let isFollowing = poll !== null;

/**
 * Looks again every so often, as long as something goes on and somebody sees it.
 * @param isTold Whether a stream tells what there is to see, or is being opened.
 * @returns Called with whether one does, so that it needn't look.
 */
export function look(address, every, isTold = false) {
  let pause = every,
    timer;
  const next = async () => {
    clearTimeout(timer);
    if (!isFollowing) return;
    // a page that is on its way tells all
    if (!document.hidden && !isTold && !isLooking)
      try {
        const isOfApi = address.startsWith('/api/');
        if (!isOfApi || (await changed(address))) {
          await again();
          if (!isFollowing) return;
        }
        pause = every;
      } catch {
        pause = Math.min(2 * pause, 30000); // the service is away: ask less often
      }
    timer = setTimeout(next, pause);
  };
  timer = setTimeout(next, every);
  return told => {
    isTold = told;
  };
}

let isLooking = false,
  isOld = false;

/** Takes the page as it is now, never two at once; what changes meanwhile is looked at once more. */
export async function again() {
  if (isLooking) {
    isOld = true;
    return;
  }
  isLooking = true;
  try {
    do {
      isOld = false;
      if (isFollowing && !(await refresh())) {
        isFollowing = false;
        document.dispatchEvent(new CustomEvent('ended'));
      }
    } while (isOld && isFollowing);
  } finally {
    isLooking = false;
  }
}

if (poll && !poll.dataset.events) look(poll.dataset.poll, Number(poll.dataset.every));
if (poll?.dataset.all !== undefined) {
  const told = look(poll.dataset.poll, Number(poll.dataset.every), true);
  const changes = rarely(again, 1000);
  let isOpen = false;
  // how far something is, is told by its own stream alone
  const mind = () => told(isOpen && !document.querySelector('[data-live] progress'));
  follow(poll.dataset.events, null, { begin: changes, job: changes, sweep: changes }, now => {
    isOpen = now;
    mind();
  });
  document.addEventListener('refreshed', mind);
}
setInterval(() => ago(document), 30000);
