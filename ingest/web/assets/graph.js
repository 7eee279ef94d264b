// The graph of numeric events: which lines, which time, and the same in a table for whoever cannot see it.

import { ask, Refused, Unreachable } from './ask.js';
import { Choice } from './choice.js';
import { short, whole } from './numbers.js';
import { colour, draw, plotly } from './plot.js';
import * as query from './query.js';
import { setText } from './states.js';
import { span } from './time.js';

/** @typedef {import('./plot.js').Answer} Answer */

const NAMES = /** @type {const} */ (['path', 'range']);
const MOST_LINES = 12;
const FIRST_LINES = 6;
const STEPS = 300;
const SOONEST_MS = 2000;
const LATEST_MS = 60_000;
const SHORTEST_ZOOM_MS = 1000;
const SOURCES = { events: 'from single events', minutes: 'from counts by the minute', hours: 'from counts by the hour' };

export class Graph {
  /** @type {{start: number, stop: number} | null} */ #zoom = null;
  /** @type {Answer | null} */ #answer = null;
  /** @type {any} */ #library = null;
  /** @type {AbortController | null} */ #asking = null;
  #timer = 0;
  #seen = false;
  #hasOffer = false;
  #chosenByPeople = false;
  /** Whether the first lines are being chosen here: those are not in the address. */
  #choosing = false;

  /** @param {HTMLElement} section */
  constructor(section) {
    this.plot = /** @type {HTMLElement} */ (section.querySelector('.plot'));
    this.note = /** @type {HTMLElement} */ (section.querySelector('.note'));
    this.figures = /** @type {HTMLElement} */ (section.querySelector('.summary'));
    this.summary = /** @type {HTMLTableSectionElement} */ (this.figures.querySelector('tbody'));
    this.range = /** @type {HTMLSelectElement} */ (section.querySelector('[name=range]'));
    this.reset = /** @type {HTMLButtonElement} */ (section.querySelector('[name=reset-zoom]'));
    const kept = query.read(NAMES);
    if ([...this.range.options].some((option) => option.value === kept.get('range'))) {
      this.range.value = /** @type {string} */ (kept.get('range'));
    }
    this.choice = new Choice(/** @type {HTMLElement} */ (section.querySelector('.choice')), {
      most: MOST_LINES,
      changed: () => this.#chosen(),
      colour,
    });
    this.#chosenByPeople = kept.has('path');
    if (this.#chosenByPeople) this.choice.set(kept.getAll('path'));
    this.#listen();
  }

  /** Milliseconds. */
  get length() {
    return Number(this.range.value);
  }

  /** The regions and sensors that there are. @param {import('./counts.js').Counts} counts */
  offer(counts) {
    const regions = counts.regions.map((region) => region.path);
    const countries = [...new Set(regions.map((path) => path.split('.')[0]))];
    const sensors = counts.regions.flatMap((region) => region.sensors.map((sensor) => sensor.path));
    this.choice.offer([...countries, ...regions, ...sensors]);
    this.#hasOffer = sensors.length > 0;
    if (!this.#chosenByPeople && this.choice.chosen.length < Math.min(FIRST_LINES, regions.length)) {
      const largest = [...counts.regions].sort((a, b) => b.events - a.events).slice(0, FIRST_LINES);
      this.#choosing = true;
      this.choice.set(largest.map((region) => region.path).sort());
      this.#choosing = false;
    }
  }

  /** @param {string} path */
  add(path) {
    this.#zoomTo(null);
    if (!this.#chosenByPeople) this.choice.set([]);
    this.choice.add(path);
  }

  /** Ask again now. */
  refresh() {
    clearTimeout(this.#timer);
    if (this.#seen) this.#ask();
  }

  #listen() {
    this.range.addEventListener('change', () => {
      this.#keep();
      this.#zoomTo(null);
      this.range.dispatchEvent(new CustomEvent('range', { bubbles: true }));
    });
    this.reset.addEventListener('click', () => this.#zoomTo(null));
    document.addEventListener('theme', () => this.#draw());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.refresh();
    });
    new IntersectionObserver(([entry]) => {
      this.#seen = entry.isIntersecting;
      if (this.#seen) this.refresh();
    }).observe(this.plot);
  }

  /** The lines were chosen. */
  #chosen() {
    if (!this.#choosing) {
      this.#chosenByPeople = true;
      this.#keep();
    }
    this.refresh();
  }

  /** In the address. */
  #keep() {
    const chosen = this.#chosenByPeople ? this.choice.chosen : [];
    const part = new URLSearchParams(chosen.map((path) => ['path', path]));
    if (!this.range.selectedOptions[0].defaultSelected) part.set('range', this.range.value);
    query.write(NAMES, part);
  }

  /** @param {{start: number, stop: number} | null} zoom */
  #zoomTo(zoom) {
    this.#zoom = zoom;
    this.reset.hidden = zoom === null;
    this.refresh();
  }

  async #ask() {
    this.#asking?.abort();
    if (!this.choice.chosen.length) {
      this.#show(null, this.#hasOffer ? 'No sensor or region is chosen.' : 'Numeric events are drawn here once there are some.');
      return;
    }
    const asking = new AbortController();
    this.#asking = asking;
    const began = Date.now();
    let tookMs = 0;
    try {
      const answer = await ask('/series', this.#query(), asking.signal);
      tookMs = Date.now() - began;
      this.#library ??= await this.#arrive();
      if (!asking.signal.aborted) this.#show(answer, '');
    } catch (error) {
      if (asking.signal.aborted) return;
      this.#show(this.#answer, `Not up to date: ${/** @type {Error} */ (error).message}. Trying again by itself.`);
      if (!(error instanceof Refused || error instanceof Unreachable || this.#library === null)) throw error;
    }
    this.#again(tookMs);
  }

  #query() {
    const stop = this.#zoom?.stop ?? Date.now();
    const start = this.#zoom?.start ?? stop - this.length;
    const times = { start: String(Math.floor(start)), stop: String(Math.ceil(stop)), points: String(STEPS) };
    const asked = new URLSearchParams(times);
    for (const path of this.choice.chosen) asked.append('path', path);
    return asked;
  }

  async #arrive() {
    const library = await plotly();
    this.plot.replaceChildren();
    await library.newPlot(this.plot, [], {}, {});
    /** @type {any} */ (this.plot).on('plotly_relayout', (/** @type {any} */ change) => this.#zoomed(change));
    /** @type {any} */ (this.plot).on('plotly_doubleclick', () => this.#zoomTo(null));
    new ResizeObserver(() => this.#seen && library.Plots.resize(this.plot)).observe(this.plot);
    return library;
  }

  /** Whoever drags over a part sees it in finer steps. @param {Record<string, string>} change */
  #zoomed(change) {
    const start = Date.parse(change['xaxis.range[0]']);
    const stop = Date.parse(change['xaxis.range[1]']);
    if (stop - start >= SHORTEST_ZOOM_MS) this.#zoomTo({ start, stop });
  }

  /** How soon: a range that ends now by its length, what does not change never, and no sooner than it can be answered. @param {number} tookMs */
  #again(tookMs) {
    clearTimeout(this.#timer);
    const by_length = Math.min(LATEST_MS, Math.max(SOONEST_MS, this.length / STEPS));
    if (this.#zoom) return;
    this.#timer = setTimeout(() => {
      if (this.#seen && !document.hidden) this.#ask();
    }, Math.max(by_length, tookMs * 5));
  }

  /** @param {Answer | null} answer @param {string} trouble */
  #show(answer, trouble) {
    this.#answer = answer;
    const numbers = answer?.series.some((series) => series.times.length);
    const what = answer ? `Steps of ${span(answer.step_ms)}, ${SOURCES[/** @type {keyof typeof SOURCES} */ (answer.source)] ?? answer.source}.` : '';
    const none = answer && !numbers ? 'No numbers in this range. ' : '';
    setText(this.note, `${none}${trouble || what}`);
    this.note.classList.toggle('trouble', trouble !== '' && answer !== null);
    this.#summarise(answer);
    this.#draw();
  }

  #draw() {
    const none = { start: Date.now() - this.length, stop: Date.now(), step_ms: 1000, source: '', series: [] };
    if (this.#library) draw(this.#library, this.plot, this.#answer ?? none);
  }

  /** @param {Answer | null} answer */
  #summarise(answer) {
    this.figures.hidden = !answer;
    this.summary.replaceChildren(
      ...(answer?.series ?? []).map((series, index) => {
        const line = document.createElement('tr');
        const name = document.createElement('th');
        name.scope = 'row';
        name.textContent = series.path;
        name.style.setProperty('--line', colour(index));
        line.append(name);
        for (const text of figures(series)) line.insertCell().textContent = text;
        return line;
      }),
    );
  }
}

/** Latest, least, greatest, mean and count of a line. @param {import('./plot.js').Series} series */
function figures(series) {
  const count = series.n.reduce((sum, n) => sum + n, 0);
  if (!count) return ['–', '–', '–', '–', '0'];
  const mean = series.n.reduce((sum, n, i) => sum + (series.mean[i] ?? NaN) * n, 0) / count;
  const latest = series.mean.at(-1) ?? NaN;
  const [min, max] = [series.min.reduce((a, b) => Math.min(a, b)), series.max.reduce((a, b) => Math.max(a, b))];
  return [...[latest, min, max, mean].map((value) => (Number.isNaN(value) ? '–' : short(value))), whole(count)];
}
