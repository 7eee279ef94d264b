// A choice of several among thousands: type to search, chosen ones are buttons that take them away again.

const MOST_SHOWN = 60;

export class Choice {
  /** @type {string[]} */ #options = [];
  /** @type {string[]} */ #chosen = [];
  #active = -1;

  /**
   * @param {HTMLElement} element holds an input, a listbox and a list of what is chosen
   * @param {{most: number, changed: () => void, colour: (index: number) => string}} parts
   */
  constructor(element, parts) {
    this.parts = parts;
    this.input = /** @type {HTMLInputElement} */ (element.querySelector('[role=combobox]'));
    this.list = /** @type {HTMLElement} */ (element.querySelector('[role=listbox]'));
    this.chips = /** @type {HTMLElement} */ (element.querySelector('.chips'));
    this.input.addEventListener('input', () => this.#open());
    this.input.addEventListener('focus', () => this.#open());
    this.input.addEventListener('click', () => this.#open());
    this.input.addEventListener('blur', () => this.#close());
    this.input.addEventListener('keydown', (event) => this.#key(event));
    // Before the input loses focus, and the list with it.
    this.list.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      const option = /** @type {Element} */ (event.target).closest('[role=option]');
      if (option) this.#pick(/** @type {string} */ (option.textContent));
    });
  }

  get chosen() {
    return this.#chosen;
  }

  /** @param {string[]} options */
  offer(options) {
    this.#options = options;
  }

  /** @param {string[]} paths */
  set(paths) {
    this.#chosen = [...new Set(paths)].slice(0, this.parts.most);
    this.#showChosen();
    this.parts.changed();
  }

  /** @param {string} path */
  add(path) {
    // The oldest choice gives way to the newest.
    const others = this.#chosen.filter((one) => one !== path);
    this.set([...others.slice(-(this.parts.most - 1)), path]);
  }

  #matching() {
    const words = this.input.value.toLowerCase().split(/[\s.]+/).filter(Boolean);
    const free = this.#options.filter((path) => !this.#chosen.includes(path));
    return free.filter((path) => words.every((word) => path.toLowerCase().includes(word)));
  }

  #open() {
    const matching = this.#matching();
    this.list.replaceChildren(...matching.slice(0, MOST_SHOWN).map((path, i) => option(path, `${this.list.id}-${i}`)));
    if (matching.length > MOST_SHOWN) this.list.append(note(`${matching.length - MOST_SHOWN} more: type to search`));
    if (matching.length === 0) this.list.append(note(this.#options.length ? 'no other sensor or region of that name' : 'nothing has come yet'));
    this.list.hidden = false;
    this.input.ariaExpanded = 'true';
    this.#activate(this.input.value && matching.length ? 0 : -1);
  }

  #close() {
    this.list.hidden = true;
    this.input.ariaExpanded = 'false';
    this.#activate(-1);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const options = this.list.querySelectorAll('[role=option]');
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (this.list.hidden) this.#open();
      else if (options.length) this.#activate((this.#active + (event.key === 'ArrowDown' ? 1 : -1) + options.length) % options.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (options[this.#active]) this.#pick(/** @type {string} */ (options[this.#active].textContent));
    } else if (event.key === 'Escape') {
      this.#close();
    } else if (event.key === 'Backspace' && !this.input.value && this.#chosen.length) {
      this.set(this.#chosen.slice(0, -1));
    }
  }

  /** @param {number} index */
  #activate(index) {
    this.#active = index;
    const options = this.list.querySelectorAll('[role=option]');
    options.forEach((one, i) => (one.ariaSelected = String(i === index)));
    if (options[index]) {
      this.input.setAttribute('aria-activedescendant', options[index].id);
      options[index].scrollIntoView({ block: 'nearest' });
    } else {
      this.input.removeAttribute('aria-activedescendant');
    }
  }

  /** @param {string} path */
  #pick(path) {
    this.input.value = '';
    this.add(path);
    this.#close();
  }

  #showChosen() {
    this.chips.replaceChildren(...this.#chosen.map((path, index) => this.#chip(path, index)));
  }

  /** @param {string} path @param {number} index */
  #chip(path, index) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = path;
    button.title = `Take ${path} out of the graph`;
    button.ariaLabel = `${path}: take it out of the graph`;
    button.style.setProperty('--line', this.parts.colour(index));
    button.addEventListener('click', () => {
      this.set(this.#chosen.filter((one) => one !== path));
      const following = [...this.chips.querySelectorAll('button')].at(index);
      (following ?? this.input).focus();
    });
    const item = document.createElement('li');
    item.append(button);
    return item;
  }
}

/** @param {string} text @param {string} id */
function option(text, id) {
  const element = document.createElement('li');
  element.id = id;
  element.setAttribute('role', 'option');
  element.textContent = text;
  return element;
}

/** @param {string} text */
function note(text) {
  const element = document.createElement('li');
  element.className = 'note';
  element.setAttribute('role', 'presentation');
  element.textContent = text;
  return element;
}
