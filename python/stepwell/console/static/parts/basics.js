/** Small parts of all pages: statuses, times, messages, buttons that copy. */
import { bothTimes, duration, time } from "../lib/format.js";
import { copied } from "../lib/text.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";

/** Sign and name of each status: they differ without their colours too. */
export const STATUSES = /** @type {Record<string, [string, string]>} */ ({
  RUNNING: ["●", "Running"],
  SUCCEEDED: ["✓", "Succeeded"],
  FAILED: ["✕", "Failed"],
  TIMED_OUT: ["◷", "Timed out"],
  ABORTED: ["■", "Aborted"],
  PENDING_REDRIVE: ["↻", "Pending redrive"],
  CAUGHT: ["↷", "Caught error"],
  PENDING: ["○", "Pending"],
});

/** Those of an execution, in the order in which they are shown. */
export const SHOWN = ["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"];

/** @param {{status: string}} props */
export function Status({ status }) {
  const [sign, name] = STATUSES[status] ?? ["?", status];
  return html`<span class="status is-${status}"><span class="sign" aria-hidden="true">${sign}</span>${name}</span>`;
}

/** A button that filters by a status. @param {{status: string, isOn: boolean, press: () => void, count?: string}} props */
export function StatusChip({ status, isOn, press, count }) {
  const [sign, name] = STATUSES[status];
  return html`<button type="button" class="chip is-${status}" aria-pressed=${String(isOn)} onClick=${press}>
    <span class="sign" aria-hidden="true">${sign}</span> ${name}${count !== undefined && html` <span class="count">${count}</span>`}</button>`;
}

/** @param {{at: number|undefined, exact?: boolean}} props */
export function Time({ at, exact }) {
  if (!at) return html`<span class="dim none">–</span>`;
  return html`<time dateTime=${new Date(at * 1000).toISOString()} title=${bothTimes(at)}>${time(at, exact)}</time>`;
}

/** @param {{error: Error|undefined}} props */
export function Problem({ error }) {
  return error ? html`<p class="problem" role="alert"><b>${error.code ?? "Error"}</b> ${error.message}</p>` : null;
}

/** The tab that an address names: the first one if it names none. @param {[string, string][]} tabs @param {string|null} id */
export const tabOf = (tabs, id) => (tabs.find(([each]) => each === id) ?? tabs[0])[0];

/** What a page shows until it has data; then how old it is, if a copy gave it. @param {{of: {data: any, error: Error|undefined, isLoading: boolean}}} props */
export function Waiting({ of }) {
  if (of.error) return html`<${Problem} error=${of.error} />`;
  if (of.data === undefined) return html`<p class="dim loading" aria-busy="true">Loading …</p>`;
  const { age } = of.data;
  if (age === undefined) return null;
  return html`<p class="dim">${age === null ? "From this node's copies, which have not caught up yet." : `From this node's copies: ${duration(age)} old at most.`}</p>`;
}

/** @param {{title: string, text: any}} props */
export function Empty({ title, text }) {
  return html`<div class="empty"><p><b>${title}</b></p><p class="dim">${text}</p></div>`;
}

/** @param {{text: string|(() => string), label?: string}} props */
export function Copy({ text, label = "Copy" }) {
  const [state, set] = useState("");
  useEffect(() => {
    if (!state) return undefined;
    const timer = setTimeout(() => set(""), 1500);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    try {
      await copied(typeof text === "function" ? text() : text);
      set("Copied");
    } catch {
      set("Not allowed");
    }
  };
  return html`<button class="quiet" type="button" onClick=${copy}><span aria-live="polite">${state || label}</span></button>`;
}

/** Names and values. @param {{items: [string, any][]}} props */
export function Facts({ items }) {
  const shown = items.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/**
 * Tabs, with the arrow keys as ARIA has them.
 * @param {{label: string, tabs: [string, string][], chosen: string, choose: (id: string) => void}} props
 */
export function Tabs({ label, tabs, chosen, choose }) {
  const row = useRef(/** @type {HTMLElement|null} */ (null));
  const move = (/** @type {KeyboardEvent} */ event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    const at = (tabs.findIndex(([id]) => id === chosen) + step + tabs.length) % tabs.length;
    choose(tabs[at][0]);
    /** @type {HTMLElement|undefined} */ (row.current?.children[at])?.focus();
  };
  useEffect(() => {
    const tab = /** @type {HTMLElement|null} */ (row.current?.querySelector("[aria-selected=true]") ?? null);
    if (tab && row.current) row.current.scrollLeft = tab.offsetLeft - (row.current.clientWidth - tab.clientWidth) / 2;
  }, [chosen]);
  return html`<div class="tabs" role="tablist" aria-label=${label} ref=${row} onKeyDown=${move}>
    ${tabs.map(([id, name]) => html`<button type="button" role="tab" id="tab-${id}" aria-selected=${String(id === chosen)}
      aria-controls="panel" tabIndex=${id === chosen ? 0 : -1} onClick=${() => choose(id)}>${name}</button>`)}
  </div>`;
}

/** A title for the tab of the browser. @param {string} title */
export function useTitle(title) {
  useEffect(() => {
    document.title = title ? `${title} · Stepwell` : "Stepwell";
  }, [title]);
}
