/** The server: AWS's operations, and the resources below `/stepwell/`. */

const TOKEN = "stepwell-token";
const SESSION = "/stepwell/session";

/** An answer that tells an error. */
export class ApiError extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message || code);
    this.status = status;
    this.code = code;
  }
}

/** @returns {string|null} the token that the user has given, until the tab is closed */
export const token = () => sessionStorage.getItem(TOKEN);

/** @param {string} text */
export function keepToken(text) {
  if (text) sessionStorage.setItem(TOKEN, text);
  else sessionStorage.removeItem(TOKEN);
}

/** Headers of every request. @returns {Record<string, string>} */
function headers() {
  const known = token();
  return known ? { Authorization: `Bearer ${known}` } : {};
}

/** @param {Response} response @returns {Promise<any>} */
async function read(response) {
  const text = await response.text();
  let body = {};
  try {
    body = text ? JSON.parse(text) : {};
  } catch {
    throw new ApiError(response.status, "NoJson", `The server answered with ${response.status}, and no JSON.`);
  }
  if (response.ok) return body;
  const code = String(body.__type ?? response.status).split("#").pop() ?? "";
  throw new ApiError(response.status, code, body.message ?? code);
}

/** @param {string} path @param {RequestInit} [options] */
async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...headers(), ...options.headers } });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, "NoAnswer", "The server does not answer.");
  }
  if ((response.status === 401 || response.status === 403) && path !== SESSION) dispatchEvent(new Event("refused"));
  return read(response);
}

/** A resource. @param {string} path below `/stepwell/` @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function get(path, signal) {
  return ask(`/stepwell/${path}`, { signal });
}

/** Where an execution lies below `/stepwell/`. @param {string} id */
export const executionPath = (id) => `executions/${encodeURIComponent(id)}`;

/** Remove what a resource stands for. @param {string} path */
export async function remove(path) {
  return ask(`/stepwell/${path}`, { method: "DELETE" });
}

/** An operation of AWS. @param {string} operation @param {object} request @returns {Promise<any>} */
export async function call(operation, request) {
  const own = { "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": `AWSStepFunctions.${operation}` };
  return ask("/", { method: "POST", headers: own, body: JSON.stringify(request) });
}

/** A query of the values that are there. @param {Record<string, any>} values */
export function query(values) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== "") found.set(name, String(value));
  }
  const text = found.toString();
  return text && `?${text}`;
}

/**
 * Call `changed` when the server says that something has changed, and each time that it begins to say so. It is read
 * with `fetch`, because EventSource sends no token. A browser opens six connections to a server, for all of its tabs. So
 * a page that nobody sees has no stream, and of those that are seen, some; the others say every few seconds that
 * something may have changed. Lost streams are opened again, less and less often.
 * @param {string} path @param {() => void} changed @param {(isLive: boolean) => void} tell
 * @returns {() => void} what ends it
 */
export function follow(path, changed, tell) {
  let stop = () => {};
  const look = () => {
    stop();
    stop = document.hidden ? () => {} : listen(path, changed, tell);
  };
  look();
  document.addEventListener("visibilitychange", look);
  return () => {
    document.removeEventListener("visibilitychange", look);
    stop();
  };
}

/** So many pages of a browser have a stream. */
const STREAMS = 4;
/** How often the others look, in milliseconds. */
const LOOK = 3000;

/** Whether a page may have a stream, until `ended`. Where a browser has no locks (no TLS, another machine), it may. @param {Promise<any>} ended */
async function mayStream(ended) {
  for (let at = 0; navigator.locks && at < STREAMS; at += 1) {
    const isFree = await new Promise((done) => {
      navigator.locks.request(`stepwell-stream-${at}`, { ifAvailable: true }, (lock) => {
        done(lock !== null);
        return lock && ended;
      });
    });
    if (isFree) return true;
  }
  return !navigator.locks;
}

/** @param {string} path @param {() => void} changed @param {(isLive: boolean) => void} tell */
function listen(path, changed, tell) {
  const ending = new AbortController();
  const { signal } = ending;
  const ended = new Promise((done) => signal.addEventListener("abort", done));
  const wait = (/** @type {number} */ pause) => new Promise((done) => setTimeout(done, pause));
  const run = async () => {
    for (; !signal.aborted && !(await mayStream(ended)); await wait(LOOK)) changed();
    for (let pause = 500; !signal.aborted; pause = Math.min(2 * pause, 4000)) {
      try {
        const response = await fetch(`/stepwell/${path}`, { headers: headers(), signal });
        if (response.status >= 400 && response.status < 500) { // what it tells of is gone, or may not be seen
          changed();
          return;
        }
        if (response.ok && response.body) {
          tell(true);
          changed();
          pause = 250;
          const began = performance.now();
          await heard(response.body, changed);
          if (performance.now() - began > 5000) continue; // it has had its time
        }
      } catch {
        // The server is away, or the page goes: what follows shows which.
      }
      if (signal.aborted) return;
      tell(false);
      changed();
      await wait(pause);
    }
  };
  run();
  return () => ending.abort();
}

/** @param {ReadableStream<Uint8Array>} body @param {() => void} changed */
async function heard(body, changed) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; ;) {
    const { value, done } = await reader.read();
    if (done) return;
    const messages = (text + value).split("\n\n");
    text = messages.pop() ?? "";
    if (messages.some((message) => message.startsWith("event: change"))) changed();
  }
}
