/** Workflows: all that were deployed, with their executions counted. */
import { call, get } from "../lib/api.js";
import { number } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { BASE, workflowLink } from "../lib/router.js";
import { Empty, SHOWN, STATUSES, Time, Waiting, useTitle } from "../parts/basics.js";

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
  const found = useResource(() => all("ListStateMachines", {}, "stateMachines"), []);
  const counts = useResource((signal) => get("counts", signal), [], "live");
  const text = words.trim().toLowerCase();
  const items = (found.data ?? []).filter((/** @type {any} */ item) => item.name.toLowerCase().includes(text));
  return html`<h1>Workflows</h1>
    <div class="row inputs"><input data-search type="search" placeholder="Name   ( / )" aria-label="Workflows with these letters" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} /></div>
    <${Waiting} of=${found} />
    ${found.data && (items.length ? html`<div class="scroll"><table class="list"><thead><tr><th>Name</th><th>Type</th>${SHOWN.map((status) => html`<th class="number">${STATUSES[status][1]}</th>`)}<th>Created</th></tr></thead>
      <tbody>${items.map((/** @type {any} */ item) => html`<tr key=${item.name}><td class="name"><a data-row href=${workflowLink(item.name)}>${item.name}</a></td><td>${item.type.toLowerCase()}</td>
        ${SHOWN.map((status) => html`<td class="number">${count(counts.data, item.name, status)}</td>`)}<td><${Time} at=${item.creationDate} /></td></tr>`)}</tbody></table></div>`
      : html`<${Empty} title="No workflows" text=${text ? "None has these letters in its name." : "Deploy one with CreateStateMachine, or Executor.deploy."} />`)}`;
}

/** @param {any} counts @param {string} name @param {string} status */
function count(counts, name, status) {
  const found = counts?.workflows?.[name]?.[status] ?? 0;
  return found ? html`<a class="quantity is-${status}" href="${BASE}/executions?workflow=${encodeURIComponent(name)}&status=${status}">${number(found)}</a>` : html`<span class="dim">0</span>`;
}
