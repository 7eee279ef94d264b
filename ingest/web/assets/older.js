// Reads older events into a list, page by page, whenever the end of the list comes near.

import { ask, Refused, Unreachable } from './ask.js';

const PAGE = 200;
const RETRY_MS = 3000;

/** @typedef {import('./rows.js').RowList} RowList */

export class Older {
  /** @type {AbortController | null} */ #reading = null;
  /** Why the last page could not be read; it is being tried again. */
  error = '';

  /** @param {() => URLSearchParams} query which events @param {() => void} changed */
  constructor(query, changed) {
    this.query = query;
    this.changed = changed;
  }

  get isReading() {
    return this.#reading !== null;
  }

  stop() {
    this.#reading?.abort();
    this.#reading = null;
    this.error = '';
  }

  /** Another page, unless one is on its way or nothing is left. @param {RowList} list @param {number} afterMs not before */
  async read(list, afterMs) {
    if (this.#reading || list.next === null) return;
    const reading = new AbortController();
    this.#reading = reading;
    try {
      await later(afterMs, reading.signal);
      await this.#page(list, reading.signal);
      this.error = '';
    } catch (error) {
      if (reading.signal.aborted) return;
      if (!(error instanceof Refused || error instanceof Unreachable)) throw error;
      this.error = error.message;
      this.changed();
      await later(RETRY_MS, reading.signal);
    }
    if (reading.signal.aborted) return;
    this.#reading = null;
    this.changed();
  }

  /** @param {RowList} list @param {AbortSignal} signal */
  async #page(list, signal) {
    const from = list.next;
    const query = this.query();
    query.set('limit', String(PAGE));
    if (from && from !== 'top') query.set('cursor', from);
    const page = await ask('/get_data', query, signal);
    // The live list may have gone on meanwhile, and end elsewhere.
    if (list.next === from) list.older(page.events, page.cursor);
  }
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
function later(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
