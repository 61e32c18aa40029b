/** What waits: tasks by resource, states that are tried again, activities and those that poll them. */
import { get, query as queryOf } from "../lib/api.js";
import { ago, cut, duration, number } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { useClock, useLooks, useResource } from "../lib/resource.js";
import { BASE, executionLink, setQuery, useLocation, workflowLink } from "../lib/router.js";
import { AnswerTask } from "../parts/answer-task.js";
import { Empty, Tabs, Time, Waiting, useTitle } from "../parts/basics.js";
import { useMayAct } from "../parts/session.js";

/** In seconds: tasks come and go while no execution begins or ends, of which the stream tells. */
const LOOK = 3;
const TABS = /** @type {[string, string][]} */ ([["tasks", "Tasks"], ["retries", "Retries"], ["activities", "Activities"]]);

/** Whom a task waits for. @param {any} task */
function awaited(task) {
  if (task.worker) return cut(task.worker, 24);
  if (task.status === "Created") return "a worker";
  return task.resource.endsWith(".waitForTaskToken") ? "an answer" : "its result";
}

export function WaitingTasks() {
  useTitle("Waiting");
  const { query } = useLocation();
  const tab = query.get("tab") ?? "tasks";
  useClock(true, 5);
  const panel = { tasks: () => html`<${Tasks} query=${query} />`, retries: () => html`<${Retries} />`, activities: () => html`<${Activities} />` }[tab];
  return html`<h1>Waiting</h1><${Tabs} label="What waits" tabs=${TABS} chosen=${tab} choose=${(/** @type {string} */ name) => setQuery({ tab: name === "tasks" ? "" : name, next: "" }, true)} />
    <div id="panel" role="tabpanel" aria-labelledby="tab-${tab}" tabIndex=${-1}>${panel?.()}</div>`;
}

/** @param {{query: URLSearchParams}} props */
function Tasks({ query }) {
  const mayAct = useMayAct();
  const resource = query.get("resource") ?? "";
  const next = query.get("next");
  const [answered, answer] = useState(/** @type {any} */ (null));
  const [text, setText] = useState(resource);
  const found = useResource((signal) => get(`waiting${queryOf({ resource, next })}`, signal), [resource, next], next ? undefined : "live");
  useLooks(found.reload, LOOK);
  const groups = Map.groupBy ? Map.groupBy(found.data?.tasks ?? [], (/** @type {any} */ task) => task.resource) : new Map([["", found.data?.tasks ?? []]]);
  return html`<form class="row inputs" role="search" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); setQuery({ resource: text.trim(), next: "" }); }}>
      <input data-search type="search" aria-label="Resource" placeholder="Resource   ( / )" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} onChange=${(/** @type {any} */ event) => setQuery({ resource: event.target.value.trim(), next: "" })} /></form>
    <${Waiting} of=${found} />
    ${found.data && !found.data.tasks.length && html`<${Empty} title="No task waits" text="Every task that was scheduled has its result." />`}
    ${[...groups].map(([name, tasks]) => html`<section key=${name}><h2 class="resource">${name} <span class="count">${number(tasks.length)}${found.data?.next ? "+" : ""}</span></h2>
      <div class="scroll"><table class="list"><thead><tr><th>Execution</th><th>State</th><th>Waits for</th><th>Since</th><th class="number">Attempt</th><th>Heartbeat until</th><th>Times out</th>${mayAct && html`<th><span class="unseen">Actions</span></th>`}</tr></thead>
      <tbody>${tasks.map((/** @type {any} */ task) => html`<tr key=${task.id}><td class="name"><a data-row href="${executionLink(task.execution)}?state=${encodeURIComponent(task.state)}">${task.executionName}</a> <a class="dim" href=${workflowLink(task.workflow)}>${task.workflow}</a></td>
        <td>${task.state}</td><td>${awaited(task)}</td><td title=${new Date(task.createdDate * 1000).toISOString()}>${ago(task.createdDate)}</td><td class="number">${task.attempt + 1}</td>
        <td><${Time} at=${task.heartbeatDate} /></td><td><${Time} at=${task.timeoutDate} /></td>${mayAct && html`<td>${task.token && html`<button type="button" class="small" onClick=${() => answer(task)}>Answer</button>`}</td>`}</tr>`)}</tbody></table></div></section>`)}
    ${(next || found.data?.next) && html`<nav class="row paging" aria-label="Paging">${next && html`<button type="button" onClick=${() => setQuery({ next: "" })}>First</button>`}${found.data?.next && html`<button type="button" onClick=${() => setQuery({ next: found.data.next })}>More</button>`}</nav>`}
    ${answered && html`<${AnswerTask} tasks=${[answered]} close=${() => answer(null)} done=${found.reload} />`}`;
}

function Retries() {
  const found = useResource((signal) => get("retries", signal), [], "live");
  useLooks(found.reload, LOOK);
  useClock(true);
  if (!found.data?.retries.length) return found.data ? html`<${Empty} title="No retry is due" text="No state waits to be tried again." />` : html`<${Waiting} of=${found} />`;
  return html`<div class="scroll"><table class="list"><thead><tr><th>Execution</th><th>State</th><th class="number">Attempts</th><th>Next try</th><th>Last error</th></tr></thead><tbody>
    ${found.data.retries.map((/** @type {any} */ each) => html`<tr><td class="name"><a data-row href="${executionLink(each.execution)}?state=${encodeURIComponent(each.state)}">${each.executionName}</a> <a class="dim" href=${workflowLink(each.workflow)}>${each.workflow}</a></td><td>${each.state}</td><td class="number">${each.attempt}</td>
      <td title=${new Date(each.retryDate * 1000).toISOString()}>in ${duration(Math.max(0, each.retryDate - Date.now() / 1000))}</td><td class="cause"><b>${each.error ?? ""}</b> ${cut(each.cause ?? "", 80)}</td></tr>`)}</tbody></table></div>`;
}

function Activities() {
  const found = useResource((signal) => get("activities", signal), [], "live");
  useLooks(found.reload, LOOK);
  if (!found.data?.activities.length) return found.data ? html`<${Empty} title="No activities" text="An activity is a queue of tasks that workers poll: CreateActivity." />` : html`<${Waiting} of=${found} />`;
  return html`<div class="scroll"><table class="list"><thead><tr><th>Activity</th><th class="number">Tasks that wait</th><th class="number">Workers that poll</th></tr></thead><tbody>
    ${found.data.activities.map((/** @type {any} */ each) => html`<tr><td class="name"><a data-row href="${BASE}/waiting?resource=${encodeURIComponent(each.activityArn)}">${each.name}</a></td><td class="number">${number(each.queued)}${each.hasMore ? "+" : ""}</td><td class="number">${each.pollers}</td></tr>`)}</tbody></table></div>`;
}
