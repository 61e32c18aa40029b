/** What waits: tasks by resource, states that are tried again, activities and those that poll them. */
import { get, query as queryOf } from "../lib/api.js";
import { ago, bothTimes, duration, number } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { cut } from "../lib/text.js";
import { useClock, useLooks, useResource } from "../lib/resource.js";
import { BASE, executionLink, setQuery, useLocation, workflowLink } from "../lib/router.js";
import { AnswerTask } from "../parts/answer-task.js";
import { Empty, Problem, Tabs, Time, Waiting, tabOf, useTitle } from "../parts/basics.js";
import { List } from "../parts/list.js";
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

/** Columns of a state that waits: a link to it in its execution, and its name. */
const PLACE = [
  { title: "Execution", is: "name", show: (/** @type {any} */ each) => html`<a data-row href="${executionLink(each.execution)}?state=${encodeURIComponent(each.state)}">${each.executionName}</a> <a class="dim" href=${workflowLink(each.workflow)}>${each.workflow}</a>` },
  { title: "State", is: "name", name: "in", show: (/** @type {any} */ each) => each.state },
];

export function WaitingTasks() {
  useTitle("Waiting");
  const { query } = useLocation();
  const tab = tabOf(TABS, query.get("tab"));
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
  const groups = new Map();
  for (const task of found.data?.tasks ?? []) groups.set(task.resource, [...(groups.get(task.resource) ?? []), task]);
  return html`<form class="row inputs" role="search" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); setQuery({ resource: text.trim(), next: "" }); }}>
      <input data-search type="search" aria-label="Resource" placeholder="Resource   ( / )" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} onChange=${(/** @type {any} */ event) => setQuery({ resource: event.target.value.trim(), next: "" })} /></form>
    <${Waiting} of=${found} />
    ${found.data && !found.data.tasks.length && html`<${Empty} title="No task waits" text="Every task that was scheduled has its result." />`}
    ${groups.size > 0 && html`<${List} label="Tasks that wait, by resource" keyOf=${(/** @type {any} */ task) => task.id}
      groups=${[...groups].map(([name, tasks]) => [html`<span class="resource">${name}</span> <span class="count">${number(tasks.length)}${found.data?.next ? "+" : ""}</span>`, tasks])} columns=${[
      ...PLACE,
      { title: "Waits for", name: "waits for", show: awaited },
      { title: "Since", name: "since", show: (/** @type {any} */ task) => html`<span title=${bothTimes(task.createdDate)}>${ago(task.createdDate)}</span>` },
      { title: "Attempt", name: "attempt", is: "number", show: (/** @type {any} */ task) => task.attempt + 1 },
      { title: "Heartbeat until", name: "heartbeat until", show: (/** @type {any} */ task) => html`<${Time} at=${task.heartbeatDate} />` },
      { title: "Times out", name: "times out", show: (/** @type {any} */ task) => html`<${Time} at=${task.timeoutDate} />` },
      mayAct && { title: html`<span class="unseen">Actions</span>`, is: "act", show: (/** @type {any} */ task) => task.token && html`<button type="button" class="small" onClick=${() => answer(task)}>Answer</button>` },
    ]} />`}
    ${(next || found.data?.next) && html`<nav class="row paging" aria-label="Paging">${next && html`<button type="button" onClick=${() => setQuery({ next: "" })}>First</button>`}${found.data?.next && html`<button type="button" onClick=${() => setQuery({ next: found.data.next })}>More</button>`}</nav>`}
    ${answered && html`<${AnswerTask} tasks=${[answered]} close=${() => answer(null)} done=${found.reload} />`}`;
}

function Retries() {
  const found = useResource((signal) => get("retries", signal), [], "live");
  useLooks(found.reload, LOOK);
  useClock(true);
  if (!found.data?.retries.length) return found.data ? html`<${Empty} title="No retry is due" text="No state waits to be tried again." />` : html`<${Waiting} of=${found} />`;
  return html`<${Problem} error=${found.error} /><${List} label="Retries" items=${found.data.retries} keyOf=${(/** @type {any} */ each) => `${each.execution} ${each.state} ${each.retryDate}`} columns=${[
    ...PLACE,
    { title: "Attempts", name: "attempts", is: "number", show: (/** @type {any} */ each) => number(each.attempt) },
    { title: "Next try", name: "next try", show: (/** @type {any} */ each) => html`<span title=${bothTimes(each.retryDate)}>in ${duration(Math.max(0, each.retryDate - Date.now() / 1000))}</span>` },
    { title: "Last error", is: "cause", show: (/** @type {any} */ each) => html`<b>${each.error ?? ""}</b> ${cut(each.cause ?? "", 80)}` },
  ]} />`;
}

function Activities() {
  const found = useResource((signal) => get("activities", signal), [], "live");
  useLooks(found.reload, LOOK);
  if (!found.data?.activities.length) return found.data ? html`<${Empty} title="No activities" text="An activity is a queue of tasks that workers poll: CreateActivity." />` : html`<${Waiting} of=${found} />`;
  return html`<${Problem} error=${found.error} /><${List} label="Activities" items=${found.data.activities} keyOf=${(/** @type {any} */ each) => each.name} columns=${[
    { title: "Activity", is: "name", show: (/** @type {any} */ each) => html`<a data-row href="${BASE}/waiting?resource=${encodeURIComponent(each.activityArn)}">${each.name}</a>` },
    { title: "Tasks that wait", name: "tasks that wait", is: "number", show: (/** @type {any} */ each) => `${number(each.queued)}${each.hasMore ? "+" : ""}` },
    { title: "Workers that poll", name: "workers that poll", is: "number", show: (/** @type {any} */ each) => number(each.pollers) },
  ]} />`;
}
