// The table's rows on the screen: only those that can be seen are in the document, however long the list is.

import { localTime, utcTime } from './time.js';

const BEYOND = 10;
// A valor may have 64 kB; a cell shows its beginning, the dialog all of it.
const CELL_CHARACTERS = 240;

/** @typedef {import('./rows.js').Row} Row */

export class Table {
  /** @type {Row[]} */ #rows = [];
  /** @type {Map<number, HTMLTableRowElement>} By the row's number, from the newest of all. */ #lines = new Map();
  /** @type {WeakMap<HTMLTableRowElement, Row>} */ #shown = new WeakMap();

  /** @param {HTMLElement} scroller @param {HTMLTableElement} table */
  constructor(scroller, table) {
    this.scroller = scroller;
    this.table = table;
    const [above, body, below] = table.tBodies;
    this.above = above;
    this.body = body;
    this.below = below;
  }

  get rowHeight() {
    return parseFloat(getComputedStyle(this.table).getPropertyValue('--row-height'));
  }

  /** Pixels between what is seen and the end of the list; below 0 if the list does not fill the window. */
  get left() {
    return this.#rows.length * this.rowHeight - this.scroller.scrollTop - this.scroller.clientHeight;
  }

  /** The row that an element of the table belongs to. @param {Element} element */
  rowOf(element) {
    const line = element.closest('tr');
    return line ? this.#shown.get(line) : undefined;
  }

  /** @param {Row[]} rows @param {number} before how many newer ones there were @param {boolean} whole nothing is older */
  show(rows, before, whole) {
    this.#rows = rows;
    const height = this.rowHeight;
    const top = Math.floor(this.scroller.scrollTop / height);
    const last = Math.min(rows.length, top + Math.ceil(this.scroller.clientHeight / height) + BEYOND);
    const first = Math.max(0, Math.min(last, top - BEYOND));
    this.table.ariaRowCount = String(whole ? before + rows.length + 1 : -1);
    this.#keepLines(before + first, before + last);
    for (let i = first; i < last; i++) this.#fill(/** @type {any} */ (this.#lines.get(before + i)), rows[i], before + i);
    setHeight(this.above, first * height);
    setHeight(this.below, (rows.length - last) * height);
  }

  /** A line stays with its row's number, so that focus stays with the row. @param {number} first @param {number} last */
  #keepLines(first, last) {
    const free = [];
    for (const [number, line] of this.#lines) {
      if (number >= first && number < last) continue;
      this.#lines.delete(number);
      if (line.contains(document.activeElement)) this.scroller.focus({ preventScroll: true });
      line.remove();
      free.push(line);
    }
    let place = this.body.firstChild;
    for (let number = first; number < last; number++) {
      const line = this.#lines.get(number) ?? free.pop() ?? newLine();
      this.#lines.set(number, line);
      if (line === place) place = place.nextSibling;
      else this.body.insertBefore(line, place);
    }
  }

  /** @param {HTMLTableRowElement} line @param {Row} row @param {number} index */
  #fill(line, row, index) {
    line.ariaRowIndex = String(index + 2);
    line.classList.toggle('odd', index % 2 === 1);
    if (this.#shown.get(line) === row) return;
    this.#shown.set(line, row);
    const [time, tag, valor, status] = [...line.cells].map((cell) => /** @type {any} */ (cell.firstChild));
    time.textContent = localTime(row.timestamp);
    time.title = time.dateTime = utcTime(row.timestamp);
    tag.textContent = row.tag;
    valor.textContent = row.valor.length > CELL_CHARACTERS ? `${row.valor.slice(0, CELL_CHARACTERS)}…` : row.valor;
    status.textContent = row.status;
    line.dataset.status = row.status;
  }
}

function newLine() {
  const line = document.createElement('tr');
  line.setAttribute('role', 'row');
  for (const [name, element] of [['time', 'time'], ['tag', 'button'], ['valor', 'span'], ['status', 'span']]) {
    const cell = line.insertCell();
    cell.className = name;
    // On a phone rows are grids, and some browsers then forget that they are rows.
    cell.setAttribute('role', 'cell');
    cell.append(document.createElement(element));
  }
  const button = /** @type {HTMLButtonElement} */ (line.querySelector('button'));
  button.type = 'button';
  button.title = 'All of this event';
  return line;
}

/** @param {HTMLTableSectionElement} spacer @param {number} height */
function setHeight(spacer, height) {
  spacer.hidden = height === 0;
  /** @type {HTMLElement} */ (spacer.rows[0].cells[0]).style.height = `${height}px`;
}
