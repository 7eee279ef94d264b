// The live events: one EventSource that is open again after whatever closed it.

import { refusal } from './ask.js';

const STREAM = '/events/stream';
const RETRY_MS = 1500;

/**
 * `whole`: with what the store has; `cursor`: where older events go on, null if that is all.
 * @typedef {{rows: import('./rows.js').Row[], whole: boolean, cursor: string | null}} Snapshot
 */

/**
 * @typedef {object} Listener
 * @property {(snapshot: Snapshot) => void} snapshot the newest events, whatever came before
 * @property {(rows: import('./rows.js').Row[], arrived: number) => void} events
 * @property {(message: string) => void} trouble the store cannot be read
 * @property {() => void} opened
 * @property {() => void} lost it is being tried again
 * @property {(message: string) => void} waiting the service says why there is no stream now; it is being tried again
 * @property {(message: string) => void} refused by the service, for good
 */

export class Stream {
  /** @type {EventSource | null} */ #source = null;
  #timer = 0;
  #query = new URLSearchParams();

  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
  }

  /** From now on, what matches. @param {URLSearchParams} query */
  open(query) {
    this.#query = query;
    this.#connect();
  }

  /** Begin again, with a snapshot. */
  reopen() {
    this.#connect();
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #connect() {
    this.close();
    const source = new EventSource(`${STREAM}?${this.#query}`);
    this.#source = source;
    source.addEventListener('open', () => this.listener.opened());
    source.addEventListener('snapshot', (event) => this.listener.snapshot(JSON.parse(event.data)));
    source.addEventListener('events', (event) => {
      const { rows, arrived } = JSON.parse(event.data);
      this.listener.events(rows, arrived);
    });
    source.addEventListener('trouble', (event) => this.listener.trouble(JSON.parse(event.data).message));
    source.addEventListener('error', () => this.#failed(source));
  }

  /** The browser tries again by itself, unless the answer was no stream. @param {EventSource} source */
  #failed(source) {
    if (source !== this.#source) return;
    this.listener.lost();
    if (source.readyState === EventSource.CLOSED) this.#askWhy();
  }

  async #askWhy() {
    const source = this.#source;
    const why = await refusal(STREAM, this.#query);
    if (source !== this.#source) return;
    if (why?.status === 400) {
      this.close();
      this.listener.refused(why.message);
      return;
    }
    if (why) this.listener.waiting(why.message);
    this.#timer = setTimeout(() => this.#connect(), RETRY_MS);
  }
}
