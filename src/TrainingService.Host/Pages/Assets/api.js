// The API as the pages use it, and numbers as people read them.

const tags = new Map();

/** What an address gives, or the problem it tells; what is wrong with a request, by place, stands in the error's `errors`. */
export async function get(address) {
  const answer = await fetch(address, { headers: { Accept: 'application/json' } });
  return read(answer);
}

/** Null while it is what it was when it was asked for last. */
export async function changed(address) {
  const answer = await fetch(address, {
    headers: { Accept: 'application/json', ...(tags.has(address) && { 'If-None-Match': tags.get(address) }) },
    cache: 'no-store',
  });
  if (answer.status === 304) return null;
  if (answer.headers.has('ETag')) tags.set(address, answer.headers.get('ETag'));
  return read(answer);
}

export async function send(method, address, body, signal) {
  const isForm = body instanceof FormData;
  const answer = await fetch(address, {
    method,
    headers: { Accept: 'application/json', ...(body !== undefined && !isForm && { 'Content-Type': 'application/json' }) },
    body: body === undefined ? undefined : isForm || typeof body === 'string' ? body : JSON.stringify(body),
    signal,
  });
  return { value: await read(answer), location: answer.headers.get('Location') };
}

async function read(answer) {
  const body = await answer.text();
  const value = body ? JSON.parse(body) : null;
  if (answer.ok) return value;
  const errors = Object.entries(value?.errors ?? {}).map(
    ([place, messages]) => `${place.slice(1).replaceAll('/', '.')} ${messages.join('; ')}`,
  );
  const text = errors.length ? errors.join(' · ') : (value?.detail ?? value?.title ?? `The service answered ${answer.status}.`);
  throw Object.assign(new Error(text), { errors: value?.errors ?? {} });
}

/** A number of the API: what is not finite comes as text. */
export const real = value => (value === null || value === undefined ? NaN : Number(value));

/** Three significant digits and a true minus. */
export function short(value) {
  if (value === null || value === undefined) return '–';
  value = Number(value);
  if (Number.isNaN(value)) return 'not a number';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text =
    size < 1e-3 || size >= 1e6
      ? value.toExponential(2).replace(/\.?0+e\+?/, 'e')
      : size >= 1000
        ? Math.round(value).toLocaleString('en')
        : String(Number(value.toPrecision(3)));
  return text.replaceAll('-', '−');
}

export const percent = value => (Number.isFinite(real(value)) ? `${(100 * value).toFixed(1)} %`.replace('-', '−') : short(value));

export const signed = (value, text) => (value > 0 && /[1-9∞]/.test(text) ? `+${text}` : text);

/** A difference in the unit that the report tells. */
export function difference(unit, value) {
  if (value === null || value === undefined) return '–';
  const v = Number(value);
  if (!Number.isFinite(v)) return short(v);
  return unit === 'fraction'
    ? signed(v, `${(100 * v).toFixed(2).replace('-', '−')} points`)
    : unit === 'relative'
      ? signed(v, `${(100 * v).toFixed(1).replace('-', '−')} %`)
      : signed(v, short(v)) + (unit === 'decades' ? ' decades' : '');
}

/** A time in seconds, as the service writes it. */
export const seconds = value =>
  value < 0.1
    ? `${short(1000 * value)} ms`
    : value < 120
      ? `${short(value)} s`
      : value < 7200
        ? `${short(value / 60)} min`
        : `${short(value / 3600)} h`;

/** An element: attributes by name, then children; texts are texts. */
export function el(name, attributes = {}, ...children) {
  const isSvg = svgNames.has(name) && !(name === 'a' || name === 'title');
  const node = isSvg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? '' : value);
  node.append(...children.filter(child => child !== null && child !== undefined && child !== false));
  return node;
}

const svgNames = new Set(['svg', 'g', 'path', 'line', 'rect', 'circle', 'text', 'polyline']);

/** SVG's own title, which browsers show and screen readers read. */
export function titled(node, text) {
  const title = document.createElementNS('http://www.w3.org/2000/svg', 'title');
  title.textContent = text;
  node.prepend(title);
  return node;
}

export const debounce = (what, ms) => {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => what(...args), ms);
  };
};

/** At once, but not again before some time has passed; what is asked for meanwhile is done once then. */
export const rarely = (what, ms) => {
  let timer,
    next = 0;
  return () => {
    timer ??= setTimeout(
      () => {
        timer = null;
        next = performance.now() + ms;
        what();
      },
      Math.max(0, next - performance.now()),
    );
  };
};
