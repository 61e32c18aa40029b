/** A map run: how far it is, how fast, its limits, and its children: those that failed first. */
import { call } from "../lib/api.js";
import { duration, number } from "../lib/format.js";
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { useClock, useResource } from "../lib/resource.js";
import { BASE, executionLink, setQuery, useLocation } from "../lib/router.js";
import { Empty, Facts, Problem, STATUSES, Status, StatusChip, Time, Waiting, useTitle } from "../parts/basics.js";
import { Dialog } from "../parts/dialog.js";
import { DURATION, List, STATUS } from "../parts/list.js";
import { useMayAct } from "../parts/session.js";

const PARTS = [["succeeded", "SUCCEEDED"], ["failed", "FAILED"], ["timedOut", "TIMED_OUT"], ["aborted", "ABORTED"], ["pendingRedrive", "PENDING_REDRIVE"], ["running", "RUNNING"], ["pending", "PENDING"]];
const FILTERS = ["FAILED", "TIMED_OUT", "ABORTED", "RUNNING", "SUCCEEDED"];

/** @param {{id: string}} props the ARN */
export function MapRun({ id }) {
  useTitle("Map run");
  const mayAct = useMayAct();
  const [isEditing, edit] = useState(false);
  const found = useResource(() => call("DescribeMapRun", { mapRunArn: id }), [id], `live?mapRun=${encodeURIComponent(id)}`);
  const isRunning = found.data?.status === "RUNNING";
  useClock(isRunning);
  if (!found.data) return html`<h1>Map run</h1><${Waiting} of=${found} />`;
  const { data } = found;
  const seconds = (data.stopDate ?? Date.now() / 1000) - data.startDate;
  const done = data.itemCounts.total - data.itemCounts.pending - data.itemCounts.running;
  return html`<div class="row between top"><div><p class="trail"><a href="${BASE}/executions">Executions</a> / <a href=${executionLink(data.executionArn)}>${data.executionArn.split(":").slice(6).join(" / ")}</a></p>
      <h1 class="title">Map run <${Status} status=${data.status} /></h1></div>
      <div class="row actions">${mayAct && isRunning && html`<button type="button" onClick=${() => edit(true)}>Change limits</button>`}</div></div>
    <${Problem} error=${found.error} />
    <${Facts} items=${[
      ["Started", html`<${Time} at=${data.startDate} exact />`],
      ["Ended", data.stopDate && html`<${Time} at=${data.stopDate} exact />`],
      ["Duration", duration(seconds)],
      ["Rate", html`<${Rate} done=${done} seconds=${seconds} isRunning=${isRunning} />`],
      ["Concurrency", data.maxConcurrency || "no limit"],
      ["Tolerated failures", [data.toleratedFailureCount && number(data.toleratedFailureCount), data.toleratedFailurePercentage && `${data.toleratedFailurePercentage} %`].filter(Boolean).join(", ") || "none"],
      ["Redrives", data.redriveCount || undefined],
    ].map(([name, value]) => [name, value || undefined])} />
    <h2>Items</h2><${Progress} counts=${data.itemCounts} label="Items" />
    ${data.executionCounts.total !== data.itemCounts.total && html`<h2>Child executions</h2><${Progress} counts=${data.executionCounts} label="Child executions" />`}
    <${Children} arn=${id} counts=${data.executionCounts} />
    ${isEditing && html`<${Edit} data=${data} close=${() => edit(false)} done=${found.reload} />`}`;
}

/** Items each second: of the last seconds while it runs, else of all. @param {{done: number, seconds: number, isRunning: boolean}} props */
function Rate({ done, seconds, isRunning }) {
  const before = useRef(/** @type {[number, number][]} */ ([]));
  const now = Date.now() / 1000;
  if (isRunning) before.current = [...before.current.filter(([at]) => now - at < 10), /** @type {[number, number]} */ ([now, done])];
  const [at, count] = before.current[0] ?? [0, 0];
  const isRecent = isRunning && now - at > 1;
  const rate = isRecent ? (done - count) / (now - at) : done / Math.max(seconds, 0.001);
  return html`<span>${number(Math.round(rate * 10) / 10)} items/s${isRecent ? "" : html` <span class="dim">on average</span>`}</span>`;
}

/** @param {{counts: any, label: string}} props */
function Progress({ counts, label }) {
  const parts = PARTS.filter(([name]) => counts[name] > 0);
  return html`<div class="progress" role="img" aria-label="${label}: ${parts.map(([name, status]) => `${counts[name]} ${STATUSES[status][1]}`).join(", ")}">
      ${parts.map(([name, status]) => html`<span class="part is-${status}" style=${{ flexGrow: counts[name] }}></span>`)}</div>
    <ul class="legend">${parts.map(([name, status]) => html`<li><${Status} status=${status} /> <b>${number(counts[name])}</b></li>`)}<li class="dim">${number(counts.total)} in all</li></ul>`;
}

/** @param {{arn: string, counts: any}} props */
function Children({ arn, counts }) {
  const { query } = useLocation();
  const countOf = (/** @type {string} */ status) => counts[PARTS.find(([, each]) => each === status)?.[0] ?? ""] ?? 0;
  const first = FILTERS.find((status) => countOf(status) > 0) ?? "SUCCEEDED";
  const status = query.get("status") ?? first;
  const next = query.get("next");
  const found = useResource(() => call("ListExecutions", { mapRunArn: arn, statusFilter: status, maxResults: 50, ...(next && { nextToken: next }) }), [arn, status, next]);
  useEffect(found.reload, [JSON.stringify(counts)]);
  return html`<h2>Children</h2><div class="chips" role="group" aria-label="Status of the children">${FILTERS.map((each) => html`<${StatusChip} status=${each} isOn=${each === status} press=${() => setQuery({ status: each, next: "" })} count=${number(countOf(each))} />`)}</div>
    <${Waiting} of=${found} />
    ${found.data && (found.data.executions.length ? html`<${List} label="Children" items=${found.data.executions} keyOf=${(/** @type {any} */ item) => item.executionArn} columns=${[
      STATUS,
      { title: "Name", is: "name", show: (/** @type {any} */ item) => html`<a data-row href=${executionLink(item.executionArn)}>${item.name}</a>` },
      { title: "Items", name: "items", is: "number", show: (/** @type {any} */ item) => item.itemCount },
      { title: "Started", show: (/** @type {any} */ item) => html`<${Time} at=${item.startDate} exact />` },
      DURATION,
    ]} />` : html`<${Empty} title="No children" text="None has this status." />`)}
    ${(next || found.data?.nextToken) && html`<nav class="row paging" aria-label="Paging">${next && html`<button type="button" onClick=${() => history.back()}>Back</button>`}${found.data?.nextToken && html`<button type="button" onClick=${() => setQuery({ next: found.data.nextToken })}>More</button>`}</nav>`}`;
}

/** @param {{data: any, close: () => void, done: () => void}} props */
function Edit({ data, close, done }) {
  const [values, set] = useState({ maxConcurrency: data.maxConcurrency, toleratedFailureCount: data.toleratedFailureCount, toleratedFailurePercentage: data.toleratedFailurePercentage });
  const field = (/** @type {keyof typeof values} */ name, /** @type {string} */ label) => html`<div class="field"><label for=${name}>${label}</label><input id=${name} type="number" min="0" step=${name.endsWith("Percentage") ? "any" : 1} value=${values[name]} onInput=${(/** @type {any} */ event) => set({ ...values, [name]: Number(event.target.value) })} /></div>`;
  return html`<${Dialog} title="Change the limits of this map run" verb="Change" close=${close} act=${() => call("UpdateMapRun", { mapRunArn: data.mapRunArn, ...values }).then(done)}>
    ${field("maxConcurrency", "Concurrency (0: no limit)")}${field("toleratedFailureCount", "Tolerated failures")}${field("toleratedFailurePercentage", "Tolerated failures, per cent")}</${Dialog}>`;
}
