/** Tables: a row for each thing, on a narrow screen a few lines. */
import { lasted } from "../lib/format.js";
import { html, useEffect, useRef } from "../lib/html.js";
import { Status } from "./basics.js";

/**
 * @typedef {{title: any, name?: string, is?: string, show: (item: any) => any}} Column `name`: what stands before its
 *   values on a narrow screen, where there are no titles; `is`: its classes
 * @param {{label: string, columns: (Column|false|null|undefined)[], items?: any[], groups?: [any, any[]][], keyOf: (item: any) => string}} props
 *   items, or groups of them with titles
 */
export function List({ label, columns, items = [], groups, keyOf }) {
  const shown = /** @type {Column[]} */ (columns.filter(Boolean));
  const row = (/** @type {any} */ item) => html`<tr key=${keyOf(item)}>${shown.map((column) => html`<td class=${column.is ?? ""} data-name=${column.name}>${column.show(item)}</td>`)}</tr>`;
  return html`<div class="scroll" tabIndex=${0} role="group" aria-label=${label}><table class="list">
    <thead><tr>${shown.map((column) => html`<th class=${column.is ?? ""}>${column.title}</th>`)}</tr></thead>
    ${groups ? groups.map(([title, those], at) => html`<tbody key=${at}><tr class="group"><th colSpan=${shown.length} scope="rowgroup">${title}</th></tr>${those.map(row)}</tbody>`) : html`<tbody>${items.map(row)}</tbody>`}
  </table></div>`;
}

/** Columns of all tables of executions. @type {Column} */
export const STATUS = { title: "Status", is: "state", show: (item) => html`<${Status} status=${item.status} />` };
/** @type {Column} */
export const DURATION = { title: "Duration", name: "took", is: "number", show: (item) => lasted(item.startDate, item.stopDate) };

/**
 * What stands beside something, or on a narrow screen below it: there it comes into sight.
 * @param {{label: string, title: string, what: string, close: () => void, children?: any}} props
 */
export function Side({ label, title, what, close, children }) {
  const box = useRef(/** @type {HTMLElement|null} */ (null));
  useEffect(() => {
    if (innerWidth < 960) box.current?.scrollIntoView({ block: "start" });
  }, []);
  return html`<aside class="side" aria-label=${label} ref=${box}>
    <div class="row between"><h2>${title}</h2><button type="button" class="quiet" aria-label="Close the ${what}" onClick=${close}>✕</button></div>
    ${children}</aside>`;
}
