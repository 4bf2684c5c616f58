// A job as JSON, field by field: places are JSON pointers, a plain name stands for an object that has only a name.

const keys = place => place.split('/').slice(1);

/** What stands at a place; undefined if nothing does. */
export function read(spec, place) {
  let at = spec;
  for (const key of keys(place)) {
    if (typeof at === 'string' && key === 'name') return at;
    if (at === null || typeof at !== 'object') return undefined;
    at = at[key];
  }
  return at;
}

/** Puts a value there, or takes it out (undefined) with all that is empty then. */
export function write(spec, place, value) {
  const path = keys(place),
    last = path.pop(),
    above = [spec];
  for (const [i, key] of path.entries()) {
    const at = above.at(-1);
    if (typeof at[key] === 'string') at[key] = { name: at[key] };
    if (at[key] === null || typeof at[key] !== 'object') {
      if (value === undefined) return;
      at[key] = {};
    }
    above.push(at[path[i]]);
  }
  if (value !== undefined) above.at(-1)[last] = value;
  else delete above.at(-1)[last];
  for (let i = path.length; i > 0; i--) {
    const [parent, key, at] = [above[i - 1], path[i - 1], above[i]];
    const left = Object.keys(at);
    if (left.length === 0) delete parent[key];
    else if (left.length === 1 && left[0] === 'name' && typeof at.name === 'string') parent[key] = at.name;
    else break;
  }
}

/** RFC 7396. */
export function merge(spec, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const merged = spec !== null && typeof spec === 'object' && !Array.isArray(spec) ? { ...spec } : {};
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete merged[key];
    else merged[key] = merge(merged[key], value);
  return merged;
}

/** "learningRate" as people say it. */
export const words = place =>
  place
    .split('/')
    .at(-1)
    .replace(/([a-z])([A-Z0-9])/g, (_, a, b) => `${a} ${b.toLowerCase()}`)
    .replace(/^./, first => first.toUpperCase());

/** What somebody wrote, as the field's kind has it; what doesn't fit stays text, and the service says what is wrong with it. */
export function parsed(kind, text) {
  text = text.trim();
  if (text === '') return undefined;
  if (kind === 'number' || kind === 'integer') return Number.isFinite(Number(text)) ? Number(text) : text;
  if (kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (kind === 'integers')
    return text
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(one => (Number.isFinite(Number(one)) ? Number(one) : one));
  if (kind === 'json')
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  return text;
}

/** The other way. */
export function shown(kind, value) {
  if (value === undefined || value === null) return '';
  if (kind === 'integers' && Array.isArray(value)) return value.join(', ');
  if (kind === 'named') return typeof value === 'string' ? value : (value.name ?? '');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Values with commas between, as somebody writes them: 0.01, relu, [64, 64], {"name": "leaky_relu", "negativeSlope": 0.2}. */
export function list(text) {
  const parts = [];
  let depth = 0,
    from = 0;
  for (let i = 0; i <= text.length; i++) {
    if ('[{'.includes(text[i] ?? ' ')) depth++;
    if (']}'.includes(text[i] ?? ' ')) depth--;
    if (i === text.length || (text[i] === ',' && depth === 0)) {
      parts.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  return parts.filter(Boolean).map(part => {
    try {
      return JSON.parse(part);
    } catch {
      return part;
    }
  });
}
