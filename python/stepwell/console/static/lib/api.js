/** The server: AWS's operations, and the resources below `/stepwell/`. */

const TOKEN = "stepwell-token";

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

/** A resource. @param {string} path below `/stepwell/` @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function get(path, signal) {
  return read(await fetch(`/stepwell/${path}`, { headers: headers(), signal }));
}

/** Where an execution lies below `/stepwell/`. @param {string} id */
export const executionPath = (id) => `executions/${encodeURIComponent(id)}`;

/** Remove what a resource stands for. @param {string} path */
export async function remove(path) {
  return read(await fetch(`/stepwell/${path}`, { method: "DELETE", headers: headers() }));
}

/** An operation of AWS. @param {string} operation @param {object} request @returns {Promise<any>} */
export async function call(operation, request) {
  const more = { "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": `AWSStepFunctions.${operation}` };
  const body = JSON.stringify(request);
  return read(await fetch("/", { method: "POST", headers: { ...headers(), ...more }, body }));
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
 * Call `changed` whenever the server says that something has changed. It is read with `fetch`, because EventSource
 * sends no token. Lost connections are opened again, less and less often.
 * @param {string} path @param {() => void} changed @param {(isLive: boolean) => void} tell
 * @returns {() => void} what ends it
 */
export function follow(path, changed, tell) {
  const ending = new AbortController();
  const run = async () => {
    for (let pause = 1000; !ending.signal.aborted; pause = Math.min(2 * pause, 30_000)) {
      try {
        const response = await fetch(`/stepwell/${path}`, { headers: headers(), signal: ending.signal });
        if (response.ok && response.body) {
          tell(true);
          pause = 500;
          await heard(response.body, changed);
        }
      } catch {
        // The server is away, or the page goes: what follows shows which.
      }
      if (ending.signal.aborted) return;
      tell(false);
      await new Promise((done) => setTimeout(done, pause));
      if (!ending.signal.aborted) changed();
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
