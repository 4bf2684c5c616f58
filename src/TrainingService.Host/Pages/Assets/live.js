// What happens, as it happens: a stream of events while somebody looks. A page that nobody sees has none, and asks nothing.

/** A browser opens six connections to a service over HTTP/1.1, whatever the number of its windows: these may be streams. */
const most = 4;
const soon = 10000;

/** One of the few places that all windows of this browser share; null if they are taken. */
async function place() {
  // only where the address is a safe one; elsewhere windows don't know of each other
  if (!navigator.locks) return () => {};
  for (let i = 0; i < most; i++) {
    const release = await new Promise((taken, failed) => {
      navigator.locks
        .request(`events ${i}`, { ifAvailable: true }, lock => {
          if (!lock) return taken(null);
          return new Promise(end => taken(end));
        })
        .catch(failed);
    });
    if (release) return release;
  }
  return null;
}

/**
 * Follows a stream of events, after the last that was told, until `done` is or `stop` is called.
 * @param address Of the stream.
 * @param last The id after which it begins.
 * @param tell What is done with each kind of event, by its name.
 * @param change Called when the stream is open (true), and when there is none (false) and one has to ask instead.
 */
export function follow(address, last, tell, change = () => {}) {
  let source,
    release,
    again,
    hasEnded = false,
    isOpening = false;

  async function open() {
    clearTimeout(again);
    if (source || isOpening || hasEnded || document.hidden) return;
    isOpening = true;
    try {
      release = await place();
    } catch {
      release = null;
    } finally {
      isOpening = false;
    }
    if (hasEnded || document.hidden) return close();
    if (!release) return lost();
    const from = last ? `${address.includes('?') ? '&' : '?'}lastEventId=${encodeURIComponent(last)}` : '';
    source = new EventSource(address + from);
    source.onopen = () => change(true);
    source.onerror = () => {
      // else the browser comes again by itself, after the last event
      if (source?.readyState === EventSource.CLOSED) lost();
    };
    for (const [kind, what] of Object.entries(tell))
      source.addEventListener(kind, event => {
        last = event.lastEventId || last;
        if (kind === 'done') stop();
        what(JSON.parse(event.data));
      });
  }

  function lost() {
    close();
    if (hasEnded) return;
    change(false);
    again = setTimeout(open, soon);
  }

  function close() {
    clearTimeout(again);
    source?.close();
    release?.();
    source = release = null;
  }

  function stop() {
    hasEnded = true;
    close();
  }

  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
  // a page that the browser keeps for "back" keeps no stream
  addEventListener('pagehide', close);
  addEventListener('pageshow', open);
  open();
  return stop;
}
