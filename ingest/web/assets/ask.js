// Questions to the service, and what keeps it from answering.

/** The service answered, and said why not. */
export class Refused extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Nobody answered. */
export class Unreachable extends Error {}

/**
 * The JSON at `path`. Throws Refused or Unreachable; a DOMException if `signal` was used.
 * @param {string} path @param {URLSearchParams} query @param {AbortSignal} [signal]
 */
export async function ask(path, query, signal) {
  const answer = await reached(`${path}?${query}`, signal);
  const text = await bodyOf(answer, signal);
  const body = parsed(text);
  if (!answer.ok) throw new Refused(answer.status, body?.message ?? body?.reasons?.join('; ') ?? answer.statusText);
  if (body === undefined) throw new Unreachable(`the answer of ${path} was cut off`);
  return body;
}

/** Why the service does not give a stream; null if it does, or if nobody answers. @param {string} path @param {URLSearchParams} query */
export async function refusal(path, query) {
  const leave = new AbortController();
  try {
    const answer = await reached(`${path}?${query}`, leave.signal);
    if (answer.ok) return null;
    const text = await bodyOf(answer);
    return new Refused(answer.status, parsed(text)?.message ?? answer.statusText);
  } catch (error) {
    if (error instanceof Unreachable) return null;
    throw error;
  } finally {
    leave.abort();
  }
}

/** @param {string} url @param {AbortSignal} [signal] */
async function reached(url, signal) {
  try {
    return await fetch(url, { signal, headers: { Accept: 'application/json' }, cache: 'no-store' });
  } catch (error) {
    throw signal?.aborted ? error : new Unreachable('the server does not answer');
  }
}

/** @param {Response} answer @param {AbortSignal} [signal] */
async function bodyOf(answer, signal) {
  try {
    return await answer.text();
  } catch (error) {
    throw signal?.aborted ? error : new Unreachable('the connection was cut');
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a proxy's own page, or half of an answer
  }
}
