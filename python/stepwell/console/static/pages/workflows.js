/** Workflows: all that were deployed, with their executions counted. */
import { call, get } from "../lib/api.js";
import { number } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { BASE, workflowLink } from "../lib/router.js";
import { List } from "../parts/list.js";
import { Empty, Problem, SHOWN, STATUSES, Time, Waiting, useTitle } from "../parts/basics.js";

const PIECE = 200;

/** All pages of a list of AWS. @param {string} operation @param {object} request @param {string} member */
export async function all(operation, request, member) {
  const items = [];
  for (let nextToken; ;) {
    const page = await call(operation, { ...request, maxResults: 1000, ...(nextToken && { nextToken }) });
    items.push(...page[member]);
    nextToken = page.nextToken;
    if (!nextToken || items.length >= 10_000) return items;
  }
}

export function Workflows() {
  useTitle("Workflows");
  const [words, setWords] = useState("");
  const [most, show] = useState(PIECE);
  const found = useResource(() => all("ListStateMachines", {}, "stateMachines"), []);
  const counts = useResource((signal) => get("counts", signal), [], "live");
  const text = words.trim().toLowerCase();
  const items = (found.data ?? []).filter((/** @type {any} */ item) => item.name.toLowerCase().includes(text));
  return html`<h1>Workflows</h1>
    <div class="row inputs"><input data-search type="search" placeholder="Name   ( / )" aria-label="Workflows with these letters" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} /></div>
    <${Waiting} of=${found} /><${Problem} error=${found.error ? undefined : counts.error} />
    ${found.data && (items.length ? html`<${List} label="Workflows" items=${items.slice(0, most)} keyOf=${(/** @type {any} */ item) => item.name} columns=${[
        { title: "Name", is: "name", show: (/** @type {any} */ item) => html`<a data-row href=${workflowLink(item.name)}>${item.name}</a>` },
        { title: "Type", show: (/** @type {any} */ item) => item.type.toLowerCase() },
        ...SHOWN.map((status) => ({ title: STATUSES[status][1], name: STATUSES[status][1].toLowerCase(), is: "number", show: (/** @type {any} */ item) => count(counts.data, item.name, status) })),
        { title: "Created", name: "created", show: (/** @type {any} */ item) => html`<${Time} at=${item.creationDate} />` },
      ]} />${items.length > most && html`<p class="paging"><button type="button" onClick=${() => show(most + PIECE)}>Show more: ${number(items.length - most)} are left</button></p>`}`
      : html`<${Empty} title="No workflows" text=${text ? "None has these letters in its name." : "Deploy one with CreateStateMachine, or Executor.deploy."} />`)}`;
}

/** @param {any} counts @param {string} name @param {string} status */
function count(counts, name, status) {
  const found = counts?.workflows?.[name]?.[status] ?? 0;
  return found ? html`<a class="quantity is-${status}" href="${BASE}/executions?workflow=${encodeURIComponent(name)}&status=${status}">${number(found)}</a>` : html`<span class="dim none">0</span>`;
}
