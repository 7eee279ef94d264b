// How many events there are, by region and sensor: as the lines of `/counts`, and as bars.

import { ask, Refused, Unreachable } from './ask.js';
import { many, whole } from './numbers.js';
import { setText } from './states.js';

/** @typedef {{path: string, events: number}} Count */
/** @typedef {{events: number, regions: (Count & {sensors: Count[]})[]}} Counts */

const SOONEST_MS = 2000;
const REST = 10;

export class CountsPanel {
  /** @type {Map<string, Branch>} */ #branches = new Map();
  /** @type {AbortController | null} */ #asking = null;
  #timer = 0;

  /** @param {HTMLElement} section @param {{graphLength: () => number, arrived: (counts: Counts) => void}} parts */
  constructor(section, parts) {
    this.parts = parts;
    this.tree = /** @type {HTMLElement} */ (section.querySelector('.tree'));
    this.bars = /** @type {HTMLTableSectionElement} */ (section.querySelector('.bars tbody'));
    this.figure = /** @type {HTMLElement} */ (section.querySelector('.bars'));
    this.note = /** @type {HTMLElement} */ (section.querySelector('.note'));
    this.range = /** @type {HTMLSelectElement} */ (section.querySelector('[name=counted]'));
    this.range.addEventListener('change', () => this.refresh());
    document.addEventListener('range', () => {
      if (this.range.value === 'graph') this.refresh();
    });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.refresh();
    });
  }

  /** Ask now, and again and again from then on. */
  async refresh() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const began = Date.now();
    try {
      const counts = await ask('/counts', this.#query(), asking.signal);
      this.#show(counts);
      if (this.range.value === 'all') this.parts.arrived(counts);
    } catch (error) {
      if (asking.signal.aborted) return;
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      setText(this.note, `Not up to date: ${error.message}. Trying again by itself.`);
      this.note.classList.add('trouble');
    }
    this.#timer = setTimeout(() => !document.hidden && this.refresh(), Math.max(SOONEST_MS, (Date.now() - began) * REST));
  }

  #query() {
    const query = new URLSearchParams();
    if (this.range.value === 'graph') query.set('start', String(Date.now() - this.parts.graphLength()));
    return query;
  }

  /** @param {Counts} counts */
  #show(counts) {
    const regions = counts.regions.length;
    const sensors = counts.regions.reduce((sum, region) => sum + region.sensors.length, 0);
    const all = `${many(counts.events, 'event')} of ${many(sensors, 'sensor')} in ${many(regions, 'region')}.`;
    setText(this.note, counts.events ? all : this.range.value === 'all' ? 'No events yet.' : 'No events in this range.');
    this.note.classList.remove('trouble');
    this.#showTree(counts);
    this.#showBars(counts);
  }

  /** @param {Counts} counts */
  #showTree(counts) {
    const paths = new Set(counts.regions.map((region) => region.path));
    for (const [path, branch] of this.#branches) {
      if (paths.has(path)) continue;
      branch.element.remove();
      this.#branches.delete(path);
    }
    let place = this.tree.firstChild;
    for (const region of counts.regions) {
      const branch = this.#branches.get(region.path) ?? new Branch(counts.regions.length === 1);
      this.#branches.set(region.path, branch);
      branch.show(region);
      if (branch.element === place) place = place.nextSibling;
      else this.tree.insertBefore(branch.element, place);
    }
  }

  /** @param {Counts} counts */
  #showBars(counts) {
    const greatest = Math.max(1, ...counts.regions.map((region) => region.events));
    const sorted = [...counts.regions].sort((a, b) => b.events - a.events);
    this.figure.hidden = sorted.length === 0;
    while (this.bars.rows.length > sorted.length) this.bars.deleteRow(-1);
    while (this.bars.rows.length < sorted.length) this.bars.append(newBar());
    sorted.forEach((region, i) => {
      const [name, bar, number] = this.bars.rows[i].cells;
      setText(name, region.path);
      /** @type {HTMLElement} */ (bar.firstChild).style.setProperty('--part', String(region.events / greatest));
      setText(number, whole(region.events));
    });
  }
}

/** A region, and its sensors once it has been opened. */
class Branch {
  /** @type {Count[]} */ #sensors = [];

  /** @param {boolean} open */
  constructor(open) {
    this.element = document.createElement('details');
    this.line = this.element.appendChild(document.createElement('summary'));
    this.list = this.element.appendChild(document.createElement('ul'));
    this.element.open = open;
    this.element.addEventListener('toggle', () => this.#showSensors());
  }

  /** @param {Count & {sensors: Count[]}} region */
  show(region) {
    setText(this.line, `${region.path} - ${region.events}`);
    this.#sensors = region.sensors;
    this.#showSensors();
  }

  #showSensors() {
    const sensors = this.element.open ? this.#sensors : [];
    while (this.list.childElementCount > sensors.length) this.list.lastElementChild?.remove();
    while (this.list.childElementCount < sensors.length) this.list.append(document.createElement('li'));
    sensors.forEach((sensor, i) => {
      setText(/** @type {HTMLElement} */ (this.list.children[i]), `${sensor.path} - ${sensor.events}`);
    });
  }
}

function newBar() {
  const line = document.createElement('tr');
  const name = document.createElement('th');
  name.scope = 'row';
  const bar = document.createElement('td');
  bar.append(document.createElement('span'));
  line.append(name, bar, document.createElement('td'));
  return line;
}
