// Numbers as people read them.

const WHOLE = new Intl.NumberFormat('en');
const SHORT = new Intl.NumberFormat('en', { maximumSignificantDigits: 6 });

/** `1,234`. @param {number} value */
export function whole(value) {
  return WHOLE.format(value);
}

/** At most six digits. @param {number} value */
export function short(value) {
  return Math.abs(value) >= 1e9 || (value !== 0 && Math.abs(value) < 1e-4) ? value.toPrecision(6) : SHORT.format(value);
}

/** `1 event`, `1,234 events`. @param {number} count @param {string} noun */
export function many(count, noun) {
  return `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;
}
