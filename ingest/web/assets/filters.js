// Which events the table shows: a form, kept in the address.

import * as query from './query.js';

const NAMES = /** @type {const} */ (['country', 'region', 'sensor', 'status', 'text']);
const TYPING_MS = 350;

export class Filters {
  /** @type {string[][]} */ #tags = [];
  #timer = 0;

  /** @param {HTMLFormElement} form @param {() => void} changed */
  constructor(form, changed) {
    this.form = form;
    this.changed = changed;
    this.#fill(query.read(NAMES));
    form.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#apply(), TYPING_MS);
    });
    form.addEventListener('focusin', (event) => this.#suggest(event.target));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#apply();
    });
    form.addEventListener('reset', (event) => {
      event.preventDefault();
      this.set({});
    });
  }

  /** What is asked of the service. */
  get query() {
    return query.read(NAMES);
  }

  get isSet() {
    return this.query.size > 0;
  }

  /** These filters and no others. @param {Record<string, string>} values */
  set(values) {
    this.#fill(new URLSearchParams(values));
    this.#apply();
  }

  /** As people say it: `region sudeste, status erro`. */
  inWords() {
    return [...this.query].map(([name, value]) => `${name} ${name === 'text' ? `“${value}”` : value}`).join(', ');
  }

  /** What may be chosen. @param {string[][]} tags the segments of every sensor's tag */
  offer(tags) {
    this.#tags = tags;
  }

  /** A thousand names are put into the document only for who is about to choose one. @param {EventTarget | null} target */
  #suggest(target) {
    if (!(target instanceof HTMLInputElement && target.list)) return;
    const segment = NAMES.findIndex((name) => name === target.name);
    const names = [...new Set(this.#tags.map((tag) => tag[segment]))].sort();
    const options = names.map((name) => Object.assign(document.createElement('option'), { value: name }));
    target.list.replaceChildren(...options);
  }

  /** @param {URLSearchParams} values */
  #fill(values) {
    for (const name of NAMES) this.#field(name).value = values.get(name) ?? '';
    this.#show();
  }

  #apply() {
    clearTimeout(this.#timer);
    this.#splitTag();
    const values = new URLSearchParams();
    for (const name of NAMES) {
      // Spaces around a text may be meant; around a name they never are.
      const value = name === 'text' ? this.#field(name).value : this.#field(name).value.trim();
      if (value) values.set(name, value);
    }
    const isNew = values.toString() !== this.query.toString();
    if (isNew) query.write(NAMES, values);
    this.#show();
    if (isNew) this.changed();
  }

  /** Whoever pastes a whole tag means its three parts. */
  #splitTag() {
    const parts = this.#field('sensor').value.trim().split('.');
    if (parts.length !== 3) return;
    NAMES.slice(0, 3).forEach((name, segment) => (this.#field(name).value = parts[segment]));
  }

  /** A link may ask for what no field can show: a status that there is not. */
  #show() {
    const asked = this.query;
    const used = NAMES.filter((name) => this.#field(name).value.trim() || asked.has(name)).length;
    this.form.dataset.used = String(used);
    /** @type {HTMLButtonElement} */ (this.form.querySelector('[type=reset]')).hidden = used === 0;
  }

  /** @param {string} name @returns {HTMLInputElement | HTMLSelectElement} */
  #field(name) {
    return /** @type {any} */ (this.form.elements.namedItem(name));
  }
}
