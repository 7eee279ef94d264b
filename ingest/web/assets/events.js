// The table of all events: the stream fills a list, the list is shown; whoever reads on keeps what is on the screen.

import { many } from './numbers.js';
import { Older } from './older.js';
import { RowList } from './rows.js';
import { setText } from './states.js';
import { Stream } from './stream.js';
import { Table } from './table.js';
import { roughly } from './time.js';

const MOST_LIVE = 500;
const MOST_READ = 5000;
const MOST_READ_CHARACTERS = 20_000_000;
const ROWS_AHEAD = 40;
// The stream is ahead of a store behind a spool: what it has shown is in the store a moment later.
const SETTLE_MS = 2000;
const CLOSE_HIDDEN_MS = 30_000;
const NOTE_MS = 8000;

/** Why the table stands still. @typedef {"button" | "scroll" | "row"} Pause */

export class Events {
  #live = new RowList();
  /** @type {RowList | null} What is read while paused. */ #frozen = null;
  /** @type {Pause | null} */ #pause = null;
  #pausedAt = 0;
  #newer = 0;
  #newerAtLeast = false;
  #loaded = false;
  #planned = false;
  #hiddenAt = Date.now();
  #hiddenTimer = 0;
  #note = '';

  /**
   * @param {HTMLElement} section
   * @param {{filters: import('./filters.js').Filters, states: import('./states.js').States, rate: import('./rate.js').Rate,
   *   open: (row: import('./rows.js').Row) => void}} parts
   */
  constructor(section, parts) {
    this.parts = parts;
    this.scroller = /** @type {HTMLElement} */ (section.querySelector('.scroller'));
    this.table = new Table(this.scroller, /** @type {HTMLTableElement} */ (section.querySelector('table')));
    this.bar = /** @type {HTMLElement} */ (section.querySelector('.livebar'));
    this.said = /** @type {HTMLElement} */ (this.bar.querySelector('.said'));
    this.announced = /** @type {HTMLElement} */ (this.bar.querySelector('[role=status]'));
    this.button = /** @type {HTMLButtonElement} */ (this.bar.querySelector('button'));
    this.foot = /** @type {HTMLElement} */ (section.querySelector('.foot'));
    this.nothing = /** @type {HTMLElement} */ (section.querySelector('.nothing'));
    this.inWords = /** @type {HTMLElement} */ (this.nothing.querySelector('.filters-in-words'));
    this.older = new Older(() => parts.filters.query, () => this.#plan());
    this.stream = new Stream(this.#listener());
    this.#listen();
  }

  /** Show what the filters say, from the beginning. */
  begin() {
    this.older.stop();
    this.#live = new RowList();
    this.#loaded = false;
    this.resume();
    this.parts.rate.restart(Date.now());
    this.parts.states.connecting();
    this.stream.open(this.parts.filters.query);
  }

  /** The service can answer again. */
  recover() {
    if (!document.hidden) this.stream.reopen();
  }

  /** @param {Pause} why */
  pause(why) {
    if (this.#pause !== null) return;
    this.older.stop();
    this.#pause = why;
    this.#pausedAt = Date.now();
    this.#frozen = this.#live.frozen();
    this.#newer = 0;
    this.#newerAtLeast = false;
    setText(this.announced, 'Paused.');
    this.#plan();
  }

  resume() {
    this.older.stop();
    if (this.#pause !== null) setText(this.announced, 'Live again.');
    this.#pause = null;
    this.#frozen = null;
    this.scroller.scrollTop = 0;
    this.#plan();
  }

  get #list() {
    return this.#frozen ?? this.#live;
  }

  /** @returns {import('./stream.js').Listener} */
  #listener() {
    const { states, rate } = this.parts;
    return {
      opened: () => {
        if (this.#loaded && states.state !== 'store') states.live();
      },
      snapshot: ({ rows, whole, cursor }) => {
        if (whole) states.live();
        this.#live.snapshot(rows, whole ? cursor : 'top');
        this.#newerAtLeast = this.#pause !== null;
        this.#arrived();
      },
      events: (rows, arrived) => {
        if (states.state !== 'store') states.live();
        rate.add(arrived, Date.now());
        this.#live.arrive(rows, arrived);
        this.#live.trimOldest(MOST_LIVE);
        this.#newer += arrived;
        this.#arrived();
      },
      trouble: (message) => {
        states.store(message);
        this.#arrived();
      },
      lost: () => states.gone(),
      waiting: (message) => states.waiting(message),
      refused: (message) => {
        states.refused(message);
        this.#arrived();
      },
    };
  }

  #arrived() {
    this.#loaded = true;
    this.#plan();
  }

  #listen() {
    this.button.addEventListener('click', () => (this.#pause === null ? this.pause('button') : this.resume()));
    this.scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#plan()).observe(this.scroller);
    // Rows move under the pointer and under the keyboard's focus, four times a second.
    this.table.body.addEventListener('pointerdown', () => this.pause('row'));
    this.table.body.addEventListener('focusin', () => {
      this.pause('row');
      this.#draw(); // the next Tab may come before the next frame, and must find a row
    });
    this.table.body.addEventListener('focusout', (event) => this.#left(event.relatedTarget));
    this.table.body.addEventListener('click', (event) => {
      const target = /** @type {Element} */ (event.target);
      const row = target.closest('button') && this.table.rowOf(target);
      if (row) this.parts.open(row);
    });
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#hidden() : this.#seen()));
    if (document.hidden) this.#hidden(); // opened in the background
  }

  #scrolled() {
    const { scrollTop } = this.scroller;
    if (this.#pause === null && scrollTop > this.table.rowHeight / 2) this.pause('scroll');
    else if (!this.#resumeAtTop()) this.#plan();
  }

  /** Focus has gone elsewhere. @param {EventTarget | null} to */
  #left(to) {
    const inside = to instanceof Node && this.table.body.contains(to);
    if (!inside && !document.querySelector('dialog[open]')) this.#resumeAtTop();
  }

  /** Nobody reads on any more: all the newest are in sight again. */
  #resumeAtTop() {
    const reading = this.table.body.contains(document.activeElement) && this.#pause === 'row';
    const away = this.scroller.scrollTop > 0 || this.#list.droppedNewer > 0;
    if (this.#pause === null || this.#pause === 'button' || reading || away) return false;
    this.resume();
    return true;
  }

  /** Nothing is drawn while nobody looks, and after a while nothing is sent. */
  #hidden() {
    this.#hiddenAt = Date.now();
    this.#hiddenTimer = setTimeout(() => this.stream.close(), CLOSE_HIDDEN_MS);
  }

  #seen() {
    clearTimeout(this.#hiddenTimer);
    const hiddenMs = Date.now() - this.#hiddenAt;
    if (hiddenMs >= CLOSE_HIDDEN_MS || this.parts.states.state !== 'live') {
      this.parts.rate.restart(Date.now());
      this.stream.reopen();
    }
    this.#note = `paused for ${roughly(hiddenMs)} while hidden, live again`;
    setTimeout(() => {
      this.#note = '';
      this.#plan();
    }, NOTE_MS);
    this.#plan();
  }

  /** Draw with the next frame, once, however much comes until then. */
  #plan() {
    if (this.#planned || document.hidden) return;
    this.#planned = true;
    requestAnimationFrame(() => {
      this.#planned = false;
      this.#draw();
    });
  }

  #draw() {
    this.#trim();
    const list = this.#list;
    this.table.show(list.rows, list.droppedNewer, list.next === null);
    this.#sayPause(list);
    this.#sayNothing(list);
    this.#sayFoot(list);
    this.#readOn();
  }

  /** @param {RowList} list */
  #sayPause(list) {
    const paused = this.#pause !== null;
    this.bar.dataset.paused = String(paused);
    const newer = `${many(this.#newer, 'newer event')}${this.#newerAtLeast ? ' or more' : ''}`;
    const dropped = list.droppedNewer ? `, ${many(list.droppedNewer, 'row')} above no longer here` : '';
    setText(this.said, paused ? `paused: ${newer}${dropped}` : this.#note || 'newest first, as they arrive');
    setText(this.button, paused ? 'Back to live' : 'Pause');
  }

  /** @param {RowList} list */
  #sayNothing(list) {
    const { filters, states } = this.parts;
    let what = '';
    if (list.rows.length === 0 && states.state !== 'refused') {
      if (!this.#loaded || list.next !== null) what = this.#loaded && filters.isSet ? 'looking' : 'loading';
      else what = filters.isSet ? 'no-match' : 'empty';
      if (states.state === 'gone' || states.state === 'store') what = 'away';
    }
    setText(this.inWords, filters.inWords());
    if (this.nothing.dataset.what === what) return;
    this.nothing.dataset.what = what;
    for (const child of this.nothing.children) {
      if (child instanceof HTMLElement) child.hidden = child.dataset.what !== what;
    }
  }

  /** @param {RowList} list */
  #sayFoot(list) {
    let text = '';
    if (list.rows.length) {
      if (list.next === null) text = 'That is all: no older events.';
      else if (this.older.error) text = `Older events cannot be read: ${this.older.error}. Trying again by itself.`;
      else if (this.older.isReading) text = 'Reading older events…';
    }
    setText(this.foot, text);
  }

  #readOn() {
    const list = this.#list;
    const { state } = this.parts.states;
    if (!this.#loaded || state === 'refused' || this.table.left > ROWS_AHEAD * this.table.rowHeight) return;
    this.older.read(list, this.#pause === null ? 0 : this.#pausedAt + SETTLE_MS - Date.now());
  }

  /** What was read is kept within bounds: from the far end, without moving what is in sight. */
  #trim() {
    const dropped = this.#frozen?.trimNewest(MOST_READ, MOST_READ_CHARACTERS) ?? 0;
    if (dropped) this.scroller.scrollTop -= dropped * this.table.rowHeight;
  }
}
