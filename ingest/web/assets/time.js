// Times as people read them: in the viewer's zone, to the millisecond.

/** @param {number} value @param {number} [digits] */
function padded(value, digits = 2) {
  return String(value).padStart(digits, '0');
}

/** `2026-11-24 08:37:53.123`. @param {number} ms */
export function localTime(ms) {
  return `${localDay(ms)} ${clockTime(ms)}`;
}

/** @param {number} ms */
export function localDay(ms) {
  const date = new Date(ms);
  return `${date.getFullYear()}-${padded(date.getMonth() + 1)}-${padded(date.getDate())}`;
}

/** `08:37:53.123`. @param {number} ms */
export function clockTime(ms) {
  const date = new Date(ms);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => padded(part)).join(':');
  return `${clock}.${padded(date.getMilliseconds(), 3)}`;
}

/** @param {number} ms */
export function utcTime(ms) {
  return new Date(ms).toISOString();
}

/** The viewer's zone now: `UTC−03:00`. */
export function zone() {
  const minutes = -new Date().getTimezoneOffset();
  const size = Math.abs(minutes);
  return minutes === 0 ? 'UTC' : `UTC${minutes < 0 ? '−' : '+'}${padded(Math.trunc(size / 60))}:${padded(size % 60)}`;
}

const UNITS = /** @type {[number, string][]} */ ([[86_400_000, 'day'], [3_600_000, 'hour'], [60_000, 'minute'], [1000, 'second']]);

/** In the largest unit that leaves a whole number: `5 minutes`. @param {number} ms */
export function span(ms) {
  const [size, name] = UNITS.find(([unit]) => ms >= unit && ms % unit === 0) ?? [1, 'millisecond'];
  return `${ms / size} ${name}${ms === size ? '' : 's'}`;
}

/** As one says it: `3 minutes`. @param {number} ms */
export function roughly(ms) {
  const [size] = UNITS.find(([unit]) => ms >= unit) ?? [1000];
  return span(Math.round(ms / size) * size);
}
