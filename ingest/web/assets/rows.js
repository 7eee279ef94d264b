// The list that the table shows: newest first, without gap or repeat, and never longer than it may be. Pure logic.

/**
 * An event as the service gives it. Rows of the stream have a cursor: what follows a row is read from there.
 * @typedef {{timestamp: number, tag: string, valor: string, status: string, cursor?: string}} Row
 */

/** Where older events are read from: a cursor; "top" is the very beginning, null means that there is nothing older. */
/** @typedef {string | "top" | null} Next */

export class RowList {
  /** @type {Row[]} */ rows = [];
  /** @type {Next} The list is whole down to there: what lies below, late or not, is read from there. */ next = 'top';
  /** How many newer rows were let go because the list was too long. */
  droppedNewer = 0;
  /** @type {Map<string, Row>} The row here of each event of the stream, by cursor and valor. */
  #known = new Map();

  /**
   * The newest events, and where older ones go on; whatever was here before goes.
   * @param {Row[]} rows @param {Next} next
   */
  snapshot(rows, next) {
    this.rows = [];
    this.#known = new Map();
    this.droppedNewer = 0;
    this.next = null;
    this.arrive(rows, rows.length);
    this.next = next;
  }

  /**
   * News of the stream, newest first; `arrived` may be more than there are rows.
   * @param {Row[]} rows @param {number} arrived
   */
  arrive(rows, arrived) {
    if (arrived > rows.length && rows.length) this.#cutBelow(rows[rows.length - 1]);
    const read = this.#readOnly();
    const fresh = [];
    for (const row of rows) {
      const key = streamKey(row);
      if (this.#known.has(key) || !this.#belongs(row)) continue;
      const same = read.get(eventKey(row))?.pop();
      this.#known.set(key, same ?? row);
      if (!same) fresh.push(row);
    }
    this.rows = merged(fresh, this.rows);
  }

  /** A page of older events, and where the next one begins. @param {Row[]} rows @param {string | null} cursor */
  older(rows, cursor) {
    const here = Map.groupBy(this.#mayBeReadAgain(), eventKey);
    this.rows = merged(this.rows, rows.filter((row) => !here.get(eventKey(row))?.pop()));
    this.next = cursor;
  }

  /** Let the oldest go; they can be read again. @param {number} most */
  trimOldest(most) {
    if (this.rows.length <= most) return;
    let keep = most;
    while (keep > 0 && this.rows[keep - 1].cursor === undefined) keep -= 1;
    this.rows.length = keep;
    this.#forget();
    this.#endAfter(this.rows[keep - 1]);
  }

  /** Let the newest go; the number of them. @param {number} most @param {number} mostCharacters */
  trimNewest(most, mostCharacters) {
    let keep = 0;
    let characters = 0;
    while (keep < Math.min(most, this.rows.length) && characters <= mostCharacters) {
      keep += 1;
      characters += this.rows[this.rows.length - keep].valor.length;
    }
    const dropped = this.rows.splice(0, this.rows.length - keep);
    if (dropped.length) this.#forget();
    this.droppedNewer += dropped.length;
    return dropped.length;
  }

  /** The list as it is now, to be read on in while this one goes on. */
  frozen() {
    const copy = new RowList();
    copy.rows = this.rows.slice();
    copy.next = this.next;
    copy.droppedNewer = this.droppedNewer;
    copy.#known = new Map(this.#known);
    return copy;
  }

  /** @param {Row} last */
  #cutBelow(last) {
    if (!this.#belongs(last)) return; // the list ends above it already
    this.rows = this.rows.filter((row) => order(row, last) <= 0);
    this.#forget();
    this.#endAfter(last);
  }

  /** What lies below `last` is not here any more; or was not before. @param {Row | undefined} last */
  #endAfter(last) {
    if (last === undefined) this.next = 'top';
    else if (this.next !== 'top' && this.#belongs(last)) this.next = last.cursor ?? 'top';
  }

  /** Whether it is above where older events are read from. @param {Row} row */
  #belongs(row) {
    return this.next === 'top' || this.next === null || fromPlace(row, this.next) <= 0;
  }

  /** Rows of pages, which the stream may bring too. */
  #readOnly() {
    const known = new Set(this.#known.values());
    return Map.groupBy(this.rows.filter((row) => row.cursor === undefined && !known.has(row)), eventKey);
  }

  /** Rows of the stream that the next page may bring too: those at its place and below. */
  #mayBeReadAgain() {
    const { next } = this;
    const ofStream = this.rows.filter((row) => row.cursor !== undefined);
    return next === 'top' || next === null ? ofStream : ofStream.filter((row) => fromPlace(row, next) >= 0);
  }

  /** Events whose rows are gone are not known any more. */
  #forget() {
    const here = new Set(this.rows);
    for (const [key, row] of this.#known) if (!here.has(row)) this.#known.delete(key);
  }
}

/** The service's order: below 0 if `a` is the newer one. @param {Row} a @param {Row} b */
export function order(a, b) {
  return b.timestamp - a.timestamp || descending(a.cursor ?? '', b.cursor ?? '') || descending(a.valor, b.valor);
}

/** @param {string} a @param {string} b */
function descending(a, b) {
  return a < b ? 1 : a > b ? -1 : 0;
}

/** Both are in order; so is what comes of them. @param {Row[]} first @param {Row[]} second @returns {Row[]} */
function merged(first, second) {
  if (!first.length || !second.length) return first.length ? first : second;
  if (order(first[first.length - 1], second[0]) <= 0) return first.concat(second);
  const rows = [];
  let f = 0;
  let s = 0;
  while (f < first.length && s < second.length) {
    // Rows of pages have no cursor: those of one millisecond stay in the order that they came in.
    rows.push(order(first[f], second[s]) <= 0 ? first[f++] : second[s++]);
  }
  return rows.concat(first.slice(f), second.slice(s));
}

/**
 * Below 0 if `row` is newer than the place that a cursor, `time_ns~skip~tag`, leads to; 0 if it is there.
 * @param {Row} row @param {string} cursor
 */
function fromPlace(row, cursor) {
  const [, timeNs, tag] = /** @type {RegExpExecArray} */ (/^(\d+)~\d+~(.*)$/s.exec(cursor));
  // Nanoseconds are more than a number holds. A row's own cursor skips one event: itself.
  return Number(timeNs.slice(0, -6)) - row.timestamp || descending(row.cursor ?? '', `${timeNs}~1~${tag}`);
}

/** @param {Row} row */
function streamKey(row) {
  return `${row.cursor}\n${row.valor}`;
}

/** What shows alike; two events do where `23.5` and `23.50` were sent. @param {Row} row */
function eventKey(row) {
  return `${row.timestamp}\n${row.tag}\n${row.valor}`;
}
