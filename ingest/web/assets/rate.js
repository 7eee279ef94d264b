// How many events arrive a second, over the last few seconds.

const WINDOW_MS = 5000;

export class Rate {
  /** @type {{at: number, count: number}[]} */ #arrivals = [];
  #since = 0;

  /** @param {number} now ms */
  restart(now) {
    this.#since = now;
    this.#arrivals = [];
  }

  /** @param {number} count @param {number} now ms */
  add(count, now) {
    this.#arrivals.push({ at: now, count });
    this.#forget(now);
  }

  /** @param {number} now ms */
  perSecond(now) {
    this.#forget(now);
    const seconds = Math.min(Math.max(now - this.#since, 1000), WINDOW_MS) / 1000;
    return this.#arrivals.reduce((sum, arrival) => sum + arrival.count, 0) / seconds;
  }

  /** @param {number} now */
  #forget(now) {
    while (this.#arrivals.length && this.#arrivals[0].at <= now - WINDOW_MS) this.#arrivals.shift();
  }
}
