// A form of the fields that the catalogue lists.
import { el } from './api.js';
import { parsed, read, shown, words, write } from './spec.js';

/** What is seen at once; all else is behind "More". What a field is for stands in the API's reference. */
const first = [
  '/name',
  '/dataset/name',
  '/dataset/validationFraction',
  '/model/hiddenLayers',
  '/model/activation',
  '/model/initializer',
  '/model/dropout',
  '/model/normalization',
  '/training/epochs',
  '/training/batchSize',
  '/training/seed',
  '/training/optimizer',
  '/training/schedule',
];

const groups = [
  ['/dataset', 'Data'],
  ['/model', 'Net'],
  ['/training', 'Training'],
  ['/diagnostics', 'Measurements'],
  ['', 'Job'],
];

let count = 0;

export class Form {
  /**
   * @param fields of the catalogue.
   * @param datasets of the service.
   * @param spec answers the job as it is.
   * @param changed is called after somebody changed it.
   */
  constructor(box, fields, datasets, spec, changed) {
    Object.assign(this, { spec, changed });
    this.controls = new Map();
    box.replaceChildren(
      ...groups.map(([start, title]) => {
        const own = fields.filter(field =>
          start ? field.place.startsWith(`${start}/`) : !groups.some(([other]) => other && field.place.startsWith(`${other}/`)),
        );
        const [seen, more] = [own.filter(field => first.includes(field.place)), own.filter(field => !first.includes(field.place))];
        const make = field =>
          this.field(
            field.place === '/dataset/name' ? { ...field, kind: 'word', words: datasets } : field,
            field.place,
            this.controls,
            start,
          );
        return el(
          'fieldset',
          { class: 'group' },
          el('legend', {}, title),
          el('div', { class: 'fields' }, ...seen.map(make)),
          more.length > 0 && el('details', {}, el('summary', {}, 'More'), el('div', { class: 'fields' }, ...more.map(make))),
        );
      }),
    );
    this.fill();
  }

  /** A field with its label and the place where what is wrong with it is told. */
  field(field, place, controls, group = '') {
    const id = `f${++count}`,
      isChoice = ['word', 'boolean', 'named'].includes(field.kind);
    const options =
      field.kind === 'boolean' ? ['true', 'false'] : field.kind === 'named' ? field.choices.map(one => one.name) : field.words;
    const input = isChoice
      ? el('select', { id }, el('option', { value: '' }), ...options.map(text => el('option', {}, text)))
      : el('input', {
          id,
          inputmode: field.kind === 'number' ? 'decimal' : field.kind === 'integer' ? 'numeric' : null,
          spellcheck: 'false',
          title: field.range ?? null,
        });
    const wrong = el('span', { class: 'wrong', id: `${id}w` });
    // "Early stopping: patience" says more than "Patience"
    const inner = place.slice(group.length).split('/').slice(1);
    const title =
      inner.length > 1 && inner[0] !== 'dataset' ? `${words(inner.at(-2))}: ${words(inner.at(-1)).toLowerCase()}` : words(place);
    const parameters = field.kind === 'named' ? el('div', { class: 'fields inner' }) : null;
    const node = el(
      'div',
      { class: field.kind === 'named' || field.kind === 'json' ? 'field broad' : 'field' },
      el('label', { for: id }, place === '/dataset/name' ? 'Data set' : title),
      input,
      wrong,
      parameters,
    );
    const control = { field, place, input, wrong, isChoice, parameters, inner: new Map() };
    controls.set(place, control);
    this.placeholder(control, undefined);
    input.addEventListener('input', () => {
      const value = parsed(field.kind, input.value);
      write(this.spec(), place, value);
      if (control.parameters) this.parameters(control);
      this.changed();
    });
    return node;
  }

  /** Those of what is chosen; where nothing is, of what would be taken. */
  parameters(control) {
    const name = shown('named', read(this.spec(), control.place)) || control.taken || '';
    if (control.name === name) return;
    control.name = name;
    control.inner.clear();
    const choice = control.field.choices.find(one => one.name === name);
    control.parameters.replaceChildren(
      ...(choice?.parameters ?? []).map(field => this.field(field, control.place + field.place, control.inner, control.place)),
    );
    for (const one of control.inner.values()) {
      // a parameter needs the name that it is of
      one.input.addEventListener('input', () => {
        const value = read(this.spec(), control.place);
        if (value && typeof value === 'object' && !value.name) {
          write(this.spec(), `${control.place}/name`, name);
          control.input.value = name;
          this.changed();
        }
      });
      this.show(one);
    }
  }

  show(control) {
    if (document.activeElement !== control.input) {
      const text = shown(control.field.kind, read(this.spec(), control.place));
      if (control.isChoice && text && ![...control.input.options].some(option => option.value === text))
        control.input.append(el('option', {}, text));
      control.input.value = text;
    }
    if (control.parameters) {
      this.parameters(control);
      for (const one of control.inner.values()) this.show(one);
    }
  }

  /** From the job into the form. */
  fill() {
    for (const control of this.controls.values()) this.show(control);
  }

  placeholder(control, value) {
    const text = shown(control.field.kind, value ?? control.field.default);
    if (control.isChoice) control.input.options[0].textContent = text && `${text} (default)`;
    else control.input.placeholder = text;
    control.input.classList.toggle('unset', !control.input.value);
    if (control.parameters) {
      control.taken = text;
      this.parameters(control);
      for (const one of control.inner.values()) this.placeholder(one, read(value, one.field.place));
    }
  }

  /** What is taken where nothing was said. */
  taken(resolved) {
    for (const control of this.controls.values()) this.placeholder(control, read(resolved, control.place));
  }

  *all() {
    for (const control of this.controls.values()) {
      yield control;
      yield* control.inner.values();
    }
  }

  /** Tells each field what is wrong with it, and answers what belongs to none. */
  tell(errors) {
    const at = new Map([...this.all()].map(control => [control.place, control])),
      rest = [],
      texts = new Map();
    for (const [pointer, messages] of Object.entries(errors)) {
      let place = pointer;
      while (place && !at.has(place)) place = place.slice(0, place.lastIndexOf('/'));
      if (!place && at.has(`${pointer}/name`)) place = `${pointer}/name`;
      if (place) texts.set(place, [...(texts.get(place) ?? []), ...messages]);
      else rest.push(`${pointer} ${messages.join('; ')}`.trim());
    }
    this.wrong = [];
    for (const [place, control] of at) {
      const text = (texts.get(place) ?? []).join('; ');
      if (control.wrong.textContent !== text) control.wrong.textContent = text;
      if (text) {
        control.input.setAttribute('aria-invalid', 'true');
        control.input.setAttribute('aria-describedby', control.wrong.id);
        this.wrong.push([words(place === '/dataset/name' ? '/dataSet' : place), control.input]);
        control.input.closest('details')?.setAttribute('open', '');
      } else for (const name of ['aria-invalid', 'aria-describedby']) control.input.removeAttribute(name);
    }
    return rest;
  }
}
