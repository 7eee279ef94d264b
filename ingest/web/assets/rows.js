// The list that the table shows: newest first, without gap or repeat, and never longer than it may be. Pure logic.

/**
 * An event as the service gives it. Rows of the stream have a cursor: what follows a row is read from there.
 * @typedef {{timestamp: number, tag: string, valor: string, status: string, cursor?: string}} Row
 */

/** Where older events are read from: a cursor; "top" is the very beginning, null means that there is nothing older. */
/** @typedef {string | "top" | null} Next */

export class RowList {
  /** @type {Row[]} */ rows = [];
  /** @type {Next} */ next = 'top';
  /** How many newer rows were let go because the list was too long. */
  droppedNewer = 0;
  /** @type {Row | undefined} The list is whole down to here; what is older is read from `next`. */
  #floor = undefined;
  /** @type {Set<string>} Rows of the stream, by cursor and valor. */
  #known = new Set();
  /** Whether a page may hold rows that the stream has brought already. */
  #mayOverlap = true;

  /** The newest events; whatever was here before goes. @param {Row[]} rows */
  snapshot(rows) {
    this.rows = rows.slice();
    this.#known = new Set(rows.map(streamKey));
    this.droppedNewer = 0;
    this.#startAfterLast();
  }

  /**
   * News of the stream, newest first; `arrived` may be more than there are rows.
   * @param {Row[]} rows @param {number} arrived
   */
  arrive(rows, arrived) {
    if (arrived > rows.length && rows.length) this.#cutBelow(rows[rows.length - 1]);
    const fresh = rows.filter((row) => !this.#isKnown(row) && this.#belongs(row));
    for (const row of fresh) this.#known.add(streamKey(row));
    this.rows = merged(fresh, this.rows);
  }

  /** A page of older events, and where the next one begins. @param {Row[]} rows @param {string | null} cursor */
  older(rows, cursor) {
    if (this.#mayOverlap) {
      const shown = new Set(this.rows.map(eventKey));
      this.rows = merged(this.rows, rows.filter((row) => !shown.has(eventKey(row))));
    } else {
      this.rows = this.rows.concat(rows);
    }
    this.next = cursor;
    const last = this.rows[this.rows.length - 1];
    this.#floor = last && { ...last, cursor: cursor ?? '' };
    // Below the last row lies what was looked through without a match: what arrives there late is shown, and found again.
    this.#mayOverlap = cursor === null || rows.length === 0;
  }

  /** Let the oldest go; they can be read again. @param {number} most */
  trimOldest(most) {
    if (this.rows.length <= most) return;
    let keep = most;
    while (keep > 0 && this.rows[keep - 1].cursor === undefined) keep -= 1;
    for (const row of this.rows.slice(keep)) if (row.cursor !== undefined) this.#known.delete(streamKey(row));
    this.rows.length = keep;
    this.#startAfterLast();
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
    for (const row of dropped) if (row.cursor !== undefined) this.#known.delete(streamKey(row));
    this.droppedNewer += dropped.length;
    return dropped.length;
  }

  /** The list as it is now, to be read on in while this one goes on. */
  frozen() {
    const copy = new RowList();
    copy.rows = this.rows.slice();
    copy.next = this.next;
    copy.droppedNewer = this.droppedNewer;
    copy.#floor = this.#floor;
    copy.#known = new Set(this.#known);
    copy.#mayOverlap = this.#mayOverlap;
    return copy;
  }

  #startAfterLast() {
    const last = this.rows[this.rows.length - 1];
    this.#floor = last;
    this.next = last?.cursor ?? 'top';
    this.#mayOverlap = last === undefined;
  }

  /** @param {Row} floor */
  #cutBelow(floor) {
    if (!this.#belongs(floor)) return; // the list ends above it already
    this.rows = this.rows.filter((row) => order(row, floor) <= 0);
    this.#known = new Set(this.rows.filter((row) => row.cursor !== undefined).map(streamKey));
    this.#floor = floor;
    this.next = floor.cursor ?? 'top';
    this.#mayOverlap = false;
  }

  /** @param {Row} row */
  #isKnown(row) {
    if (this.#known.has(streamKey(row))) return true;
    const key = eventKey(row);
    return this.rows.some((one) => one.cursor === undefined && one.timestamp === row.timestamp && eventKey(one) === key);
  }

  /** Not older than all rows here, unless there is nothing between. @param {Row} row */
  #belongs(row) {
    return this.#floor === undefined || this.#mayOverlap || order(row, this.#floor) <= 0;
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

/** @param {Row} row */
function streamKey(row) {
  return `${row.cursor}\n${row.valor}`;
}

/** @param {Row} row */
function eventKey(row) {
  return `${row.timestamp}\n${row.tag}\n${row.valor}`;
}
