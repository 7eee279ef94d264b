// What the page shows is in its address, so that a link or a bookmark brings it back.

/** The address's query, or the part of it that `names` names. @param {readonly string[]} names */
export function read(names) {
  const all = new URLSearchParams(location.search);
  const part = new URLSearchParams();
  for (const name of names) for (const value of all.getAll(name)) if (value) part.append(name, value);
  return part;
}

/** Write that part of the query; the rest stays. @param {readonly string[]} names @param {URLSearchParams} part */
export function write(names, part) {
  const all = new URLSearchParams(location.search);
  for (const name of names) all.delete(name);
  for (const [name, value] of part) all.append(name, value);
  const query = all.toString();
  history.replaceState(history.state, '', `${location.pathname}${query && `?${query}`}${location.hash}`);
}
