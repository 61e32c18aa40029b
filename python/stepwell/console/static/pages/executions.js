/** Executions: the newest first, filtered, as they change; several can be stopped, redriven or deleted together. */
import { call, executionPath, get, query as queryOf, remove } from "../lib/api.js";
import { ago, bothTimes, number, ofField, toField } from "../lib/format.js";
import { html, useEffect, useState } from "../lib/html.js";
import { useClock, useResource } from "../lib/resource.js";
import { executionLink, setQuery, useLocation, workflowLink } from "../lib/router.js";
import { Empty, SHOWN, StatusChip, Time, Waiting, useTitle } from "../parts/basics.js";
import { Dialog } from "../parts/dialog.js";
import { DURATION, List, STATUS } from "../parts/list.js";
import { useMayAct } from "../parts/session.js";

const TIMES = [["", "Any time"], ["900", "Last 15 minutes"], ["3600", "Last hour"], ["86400", "Last 24 hours"], ["604800", "Last 7 days"], ["custom", "Between …"]];
const ACTIONS = /** @type {Record<string, [string, string, (item: any) => Promise<any>]>} */ ({
  stop: ["Stop", "Stop what runs", (item) => call("StopExecution", { executionArn: item.arn, error: "Stopped", cause: "Stopped in the console" })],
  redrive: ["Redrive", "Redrive what failed", (item) => call("RedriveExecution", { executionArn: item.arn })],
  delete: ["Delete", "Delete what has ended", (item) => remove(executionPath(item.id))],
});

/** What the filters of an address are now for the server: "the last hour" is another one each time. @param {URLSearchParams} query */
function asked(query) {
  const since = query.get("since");
  const at = (/** @type {string} */ name) => Date.parse(query.get(name) ?? "") / 1000 || undefined;
  const after = since && since !== "custom" ? Math.floor(Date.now() / 1000 - Number(since)) : at("after");
  return { workflow: query.get("workflow"), status: query.get("status"), prefix: query.get("prefix"), after, before: at("before"), next: query.get("next"), limit: 50 };
}

export function Executions() {
  useTitle("Executions");
  const { query } = useLocation();
  const mayAct = useMayAct();
  const isNewest = !query.get("next");
  const list = useResource((signal) => get(`executions${queryOf(asked(query))}`, signal), [query.toString()], isNewest ? "live" : undefined);
  const counts = useCounts(list.data);
  const [chosen, choose] = useState(/** @type {Map<string, any>} */ (new Map()));
  const [action, setAction] = useState("");
  const items = list.data?.executions ?? [];
  useClock(items.some((/** @type {any} */ item) => item.status === "RUNNING"));
  const toggle = (/** @type {any[]} */ those, /** @type {boolean} */ isOn) => {
    const next = new Map(chosen);
    for (const item of those) isOn ? next.set(item.id, item) : next.delete(item.id);
    choose(next);
  };
  return html`<div class="row between"><h1>Executions</h1></div>
    <${Filters} query=${query} counts=${counts} />
    ${mayAct && chosen.size > 0 && html`<div class="row bulk" role="group" aria-label="Selected executions">
      <b>${number(chosen.size)} selected</b>
      ${Object.entries(ACTIONS).map(([id, [verb]]) => html`<button type="button" class=${id === "delete" ? "danger" : ""} onClick=${() => setAction(id)}>${verb}</button>`)}
      <button type="button" class="quiet" onClick=${() => choose(new Map())}>Clear</button></div>`}
    <${Waiting} of=${list} />
    ${list.data && (items.length
      ? html`<${Table} items=${items} mayAct=${mayAct} chosen=${chosen} toggle=${toggle} />`
      : html`<${Empty} title="No executions" text=${list.data.next ? "None of those looked at so far fits the filter." : "None fits the filter, or none was started yet."} />`)}
    ${list.data && html`<${Paging} data=${list.data} isNewest=${isNewest} />`}
    ${action && html`<${Many} action=${action} items=${[...chosen.values()]} close=${() => setAction("")} done=${() => { choose(new Map()); list.reload(); }} />`}`;
}

/** Counts by workflow and status; read again when the list has changed. @param {any} data */
function useCounts(data) {
  const found = useResource((signal) => get("counts", signal), []);
  const partial = found.data?.complete === false ? found.data : undefined;
  useEffect(() => {
    const timer = setTimeout(found.reload, partial ? 300 : 1100);
    return () => clearTimeout(timer);
  }, [data, partial]);
  return found.data;
}

/** @param {{query: URLSearchParams, counts: any}} props */
function Filters({ query, counts }) {
  const statuses = new Set((query.get("status") ?? "").split(",").filter(Boolean));
  const workflow = query.get("workflow") ?? "";
  const byWorkflow = counts?.workflows ?? {};
  const shown = workflow ? byWorkflow[workflow] ?? {} : counts?.counts;
  const [text, setText] = useState(query.get("prefix") ?? "");
  useEffect(() => setText(query.get("prefix") ?? ""), [query.get("prefix")]);
  const flip = (/** @type {string} */ status) => {
    statuses.has(status) ? statuses.delete(status) : statuses.add(status);
    setQuery({ status: [...statuses].join(","), next: "" });
  };
  const since = query.get("since") ?? "";
  const isCustom = since === "custom";
  return html`<form class="filters" role="search" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); setQuery({ prefix: text.trim(), next: "" }); /** @type {HTMLElement} */ (document.activeElement).blur(); }}>
    <div class="chips" role="group" aria-label="Statuses">${SHOWN.map((status) => html`<${StatusChip} status=${status} isOn=${statuses.has(status)} press=${() => flip(status)}
      count=${counts && `${number(shown[status] ?? 0)}${counts.complete ? "" : "+"}`} />`)}</div>
    <div class="row inputs">
      <input data-search type="search" aria-label="Beginning of the name, or an id" placeholder="Name begins with, or id   ( / )" value=${text}
        onInput=${(/** @type {any} */ event) => setText(event.target.value)} onChange=${(/** @type {any} */ event) => setQuery({ prefix: event.target.value.trim(), next: "" })} />
      <select aria-label="Workflow" value=${workflow} onChange=${(/** @type {any} */ event) => setQuery({ workflow: event.target.value, next: "" })}>
        <option value="">All workflows</option>
        ${[...new Set([...Object.keys(byWorkflow), ...(workflow ? [workflow] : [])])].sort().map((name) => html`<option value=${name}>${name}</option>`)}
      </select>
      <select aria-label="Time of the start" value=${since} onChange=${(/** @type {any} */ event) => setQuery({ since: event.target.value, after: "", before: "", next: "" })}>
        ${TIMES.map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select>
      ${isCustom && ["after", "before"].map((name) => html`<input type="datetime-local" aria-label=${name === "after" ? "Started after" : "Started before"} value=${toField(query.get(name))}
        onChange=${(/** @type {any} */ event) => setQuery({ [name]: ofField(event.target.value), next: "" })} />`)}
    </div>
  </form>`;
}

/** @param {{items: any[], mayAct: boolean, chosen: Map<string, any>, toggle: (items: any[], isOn: boolean) => void}} props */
function Table({ items, mayAct, chosen, toggle }) {
  const all = items.every((item) => chosen.has(item.id));
  const box = (/** @type {string} */ label, /** @type {any[]} */ those, /** @type {boolean} */ isOn) => html`<input type="checkbox" aria-label=${label} checked=${isOn} onChange=${() => toggle(those, !isOn)} />`;
  return html`<${List} label="Executions" items=${items} keyOf=${(/** @type {any} */ item) => item.id} columns=${[
    mayAct && { title: box("Select all of the page", items, all), is: "tick", show: (/** @type {any} */ item) => box(`Select ${item.name}`, [item], chosen.has(item.id)) },
    STATUS,
    { title: "Name", is: "name", show: (/** @type {any} */ item) => html`<a data-row href=${executionLink(item.id)} title=${item.name}>${item.name}</a>${item.redriveCount > 0 && html` <span class="tag" title="Redriven ${item.redriveCount} times">↻${item.redriveCount}</span>`}` },
    { title: "Workflow", is: "name", show: (/** @type {any} */ item) => html`<a href=${workflowLink(item.workflow)}>${item.workflow}</a><span class="dim">:${item.version}</span>` },
    { title: "Started", show: (/** @type {any} */ item) => html`<${Time} at=${item.startDate} /> <span class="dim ago" title=${bothTimes(item.startDate)}>${ago(item.startDate)}</span>` },
    DURATION,
  ]} />`;
}

/** @param {{data: any, isNewest: boolean}} props */
function Paging({ data, isNewest }) {
  if (isNewest && !data.next) return null;
  return html`<nav class="row paging" aria-label="Paging">
    ${!isNewest && html`<button type="button" onClick=${() => setQuery({ next: "" })}>Newest</button><button type="button" onClick=${() => history.back()}>Back</button>`}
    ${data.next && html`<button type="button" onClick=${() => setQuery({ next: data.next })}>Older</button>
      <span class="dim">Looked back to <${Time} at=${data.searchedTo} /></span>`}
  </nav>`;
}

/** @param {{action: string, items: any[], close: () => void, done: () => void}} props */
function Many({ action, items, close, done }) {
  const [verb, title, act] = ACTIONS[action];
  const fits = items.filter((item) => (action === "stop" ? item.status === "RUNNING" : action === "redrive" ? !["RUNNING", "SUCCEEDED"].includes(item.status) : item.status !== "RUNNING"));
  const run = async () => {
    const failures = [];
    for (let at = 0; at < fits.length; at += 8) {
      const results = await Promise.allSettled(fits.slice(at, at + 8).map(act));
      results.forEach((result, index) => result.status === "rejected" && failures.push(`${fits[at + index].name}: ${result.reason.message}`));
    }
    done();
    if (failures.length) throw new Error(`${failures.length} of ${fits.length} failed. ${failures[0]}`);
  };
  return html`<${Dialog} title="${title}?" verb="${verb} ${fits.length}" isDanger=${action !== "redrive"} isReady=${fits.length > 0} act=${run} close=${close}>
    <p>${verb} ${number(fits.length)} of ${number(items.length)} selected executions.${action === "delete" ? " Their histories go with them; this cannot be undone." : ""}</p></${Dialog}>`;
}
