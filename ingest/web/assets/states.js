// How things are between this page and the service, said in the header and, if something is wrong, in a banner.

import { ask, Refused } from './ask.js';
import { clockTime } from './time.js';

const CHECK_MS = 5000;
const CHECK_IN_TROUBLE_MS = 2000;

/** @typedef {"connecting" | "live" | "gone" | "waiting" | "store" | "refused"} State */

const WORDS = /** @type {Record<State, string>} */ ({
  connecting: 'connecting',
  live: 'live',
  gone: 'server gone',
  waiting: 'not live',
  store: 'store unavailable',
  refused: 'not asked',
});

export class States {
  /** @type {State} */ #state = 'connecting';
  #lostAt = 0;
  #timer = 0;

  /**
   * @param {{banner: HTMLElement, connection: HTMLElement}} elements
   * @param {{recovered: () => void, back: () => void, warned: (warnings: string[]) => void}} told `recovered`: the store can
   *   be read again, or the server answers and the stream does not know it; `back`: all is well again; `warned`: what is
   *   wrong while the service is ready, again and again
   */
  constructor(elements, told) {
    this.elements = elements;
    this.told = told;
    this.#check(0);
  }

  get state() {
    return this.#state;
  }

  live() {
    this.#become('live', '');
  }

  connecting() {
    if (this.#state !== 'gone') this.#become('connecting', '');
  }

  /** The stream broke. */
  gone() {
    if (this.#state !== 'gone') this.#lostAt = Date.now();
    const since = clockTime(this.#lostAt).slice(0, 8);
    this.#become('gone', `The server is gone since ${since}. What you see is from before; this page tries again by itself every second.`);
    this.#check(CHECK_IN_TROUBLE_MS);
  }

  /** @param {string} reason */
  waiting(reason) {
    this.#become('waiting', `No live events now: ${reason}. This page tries again by itself.`);
  }

  /** @param {string} reason */
  store(reason) {
    const next = 'New events still appear as they are taken; older ones, graph and counts follow by themselves when it is back.';
    this.#become('store', `The store is not available: ${reason}. ${next}`);
    this.#check(CHECK_IN_TROUBLE_MS);
  }

  /** @param {string} reason */
  refused(reason) {
    this.#become('refused', `These filters cannot be used: ${reason}.`);
  }

  /** @param {State} state @param {string} message */
  #become(state, message) {
    const wasAway = this.#state === 'gone' || this.#state === 'store';
    this.#state = state;
    document.body.dataset.state = state;
    setText(this.elements.connection, WORDS[state]);
    this.elements.banner.hidden = !message;
    setText(this.elements.banner, message);
    if (state === 'live' && wasAway) this.told.back();
  }

  /** @param {number} afterMs */
  #check(afterMs) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ready(), afterMs);
  }

  async #ready() {
    const before = this.#state;
    let error = null;
    let warnings = [];
    try {
      ({ warnings } = await ask('/ready', new URLSearchParams(), AbortSignal.timeout(CHECK_MS)));
    } catch (why) {
      error = why;
    }
    this.told.warned(warnings); // of a service that is not ready, the banner speaks
    if (this.#state === before) this.#judge(error);
    this.#check(this.#state === 'live' || this.#state === 'refused' ? CHECK_MS : CHECK_IN_TROUBLE_MS);
  }

  /** @param {unknown} error */
  #judge(error) {
    const answers = error === null || error instanceof Refused;
    if (answers && this.#state === 'gone') this.told.recovered();
    else if (error === null && this.#state === 'store') this.told.recovered();
    else if (error instanceof Refused && this.#state === 'live') this.store(error.message);
    // A connection can be dead without either end knowing: then the stream is silent for ever.
    else if (!answers && this.#state === 'live') this.gone();
  }
}

/** What has not changed is not announced again. @param {HTMLElement} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
