/** Addresses: which page is shown, and the filters after the `?`. */
import { useEffect, useState } from "./html.js";

export const BASE = "/console";
/** @type {Set<() => void>} */
const listeners = new Set();

/** @param {string} to a path below the console's @param {boolean} [replace] in place of the present one */
export function go(to, replace = false) {
  if (BASE + to === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", BASE + to);
  for (const listener of listeners) listener();
}

/** Go to an address of the console. @param {string} address */
export function visit(address) {
  go(address.slice(BASE.length));
  scrollTo(0, 0);
}

/** Set parameters of the present address; empty ones go. @param {Record<string, any>} values */
export function setQuery(values, replace = false) {
  const found = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === "" || value === null || value === undefined) found.delete(name);
    else found.set(name, String(value));
  }
  const text = found.toString();
  go(location.pathname.slice(BASE.length) + (text && `?${text}`), replace);
}

/** @returns {{path: string, query: URLSearchParams}} */
const here = () => ({ path: location.pathname.slice(BASE.length) || "/", query: new URLSearchParams(location.search) });

/** The present address; the component is drawn again when it changes. */
export function useLocation() {
  const [found, set] = useState(here);
  useEffect(() => {
    const listener = () => set(here());
    listeners.add(listener);
    addEventListener("popstate", listener);
    return () => {
      listeners.delete(listener);
      removeEventListener("popstate", listener);
    };
  }, []);
  return found;
}

/** Let links within the console change the address without loading the page again. */
export function catchLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || link.target || link.origin !== location.origin) return;
    if (!link.pathname.startsWith(`${BASE}/`)) return;
    event.preventDefault();
    visit(link.pathname + link.search);
  });
}

/** The address of an execution. @param {string} id its id, or its ARN */
export const executionLink = (id) => `${BASE}/executions/${encodeURIComponent(id)}`;
/** @param {string} name */
export const workflowLink = (name) => `${BASE}/workflows/${encodeURIComponent(name)}`;
/** @param {string} arn */
export const mapRunLink = (arn) => `${BASE}/map-runs/${encodeURIComponent(arn)}`;
