/** One workflow: its graph, its definition with diagnostics, its versions and aliases, recent executions, a form to start. */
import { call, executionPath, get, query as queryOf } from "../lib/api.js";
import { ago, cut, lasted } from "../lib/format.js";
import { html, useMemo, useState } from "../lib/html.js";
import { pretty } from "../lib/json.js";
import { useClock, useResource } from "../lib/resource.js";
import { BASE, executionLink, setQuery, useLocation } from "../lib/router.js";
import { Drawing } from "../graph/draw.js";
import { allNodes, levelOf } from "../graph/model.js";
import { Empty, Facts, Problem, Status, Tabs, Time, Waiting, useTitle } from "../parts/basics.js";
import { DefinitionView } from "../parts/definition.js";
import { JsonInput, jsonProblem } from "../parts/json-input.js";
import { JsonView } from "../parts/json-view.js";
import { useMayAct } from "../parts/session.js";
import { all } from "./workflows.js";

/** The definition as it was given, or in lines if it was given on one. @param {string} text */
const inLines = (text) => (text.includes("\n") ? text : pretty(text));

/** @param {{id: string}} props */
export function Workflow({ id }) {
  useTitle(id);
  const { query } = useLocation();
  const mayAct = useMayAct();
  const tabs = /** @type {[string, string][]} */ ([["graph", "Graph"], ["definition", "Definition"], ["executions", "Executions"], ["versions", "Versions"], ...(mayAct ? [["start", "Start"]] : [])]);
  const tab = query.get("tab") ?? "graph";
  const load = async () => {
    const named = await get(`workflows/${encodeURIComponent(id)}`);
    return { ...(await call("DescribeStateMachine", { stateMachineArn: named.arn })), ...named };
  };
  const found = useResource(load, [id]);
  const text = useMemo(() => found.data && inLines(found.data.definition), [found.data]);
  if (!found.data || !text) return html`<h1>${id}</h1><${Waiting} of=${found} />`;
  const { data } = found;
  const panel = {
    graph: () => html`<${Graph} text=${text} />`,
    definition: () => html`<${DefinitionView} text=${text} type=${data.type} state=${query.get("state")} />`,
    executions: () => html`<${Recent} name=${id} />`,
    versions: () => html`<${Versions} arn=${data.stateMachineArn} />`,
    start: () => html`<${Start} name=${id} arn=${data.stateMachineArn} />`,
  }[tab];
  return html`<div class="row between top"><div><p class="trail"><a href="${BASE}/workflows">Workflows</a></p><h1 class="title">${id} ${data.status === "DELETING" && html`<span class="tag">Deleting</span>`}</h1></div>
      <div class="row actions">${mayAct && tab !== "start" && html`<button type="button" class="primary" onClick=${() => setQuery({ tab: "start" })}>Start</button>`}</div></div>
    <${Facts} items=${[["Type", data.type.toLowerCase()], ["Version", data.version], ["Created", html`<${Time} at=${data.creationDate} />`], ["Changed", data.version > 1 && html`<${Time} at=${data.updatedDate} />`], ["ARN", html`<code>${data.stateMachineArn}</code>`]].map(([name, value]) => [name, value || undefined])} />
    <${Tabs} label="Views of the workflow" tabs=${tabs} chosen=${tab} choose=${(/** @type {string} */ name) => setQuery({ tab: name === "graph" ? "" : name }, true)} />
    <div id="panel" role="tabpanel" aria-labelledby="tab-${tab}" tabIndex=${-1}>${panel?.()}</div>`;
}

/** @param {{text: string}} props */
function Graph({ text }) {
  const definition = useMemo(() => JSON.parse(text), [text]);
  const nodes = useMemo(() => allNodes(levelOf(definition)), [definition]);
  const { query } = useLocation();
  const chosen = query.get("state");
  const state = chosen && nodes.find((node) => node.name === chosen)?.state;
  return html`<div class="split ${state ? "has-side" : ""}"><${Drawing} definition=${definition} chosen=${chosen} choose=${(/** @type {string} */ name) => setQuery({ state: name === chosen ? "" : name }, true)} />
    ${state && html`<aside class="side" aria-label="State ${chosen}"><div class="row between"><h2>${chosen}</h2><button type="button" class="quiet" aria-label="Close the state" onClick=${() => setQuery({ state: "" }, true)}>✕</button></div><${JsonView} label="Definition" value=${state} /></aside>`}</div>`;
}

/** @param {{name: string}} props */
function Recent({ name }) {
  const found = useResource((signal) => get(`executions${queryOf({ workflow: name, limit: 20 })}`, signal), [name], "live");
  const items = found.data?.executions ?? [];
  useClock(items.some((/** @type {any} */ item) => item.status === "RUNNING"));
  if (!items.length) return found.data ? html`<${Empty} title="No executions" text="None was started yet." />` : html`<${Waiting} of=${found} />`;
  return html`<div class="scroll"><table class="list"><thead><tr><th>Status</th><th>Name</th><th>Started</th><th class="number">Duration</th></tr></thead><tbody>
    ${items.map((/** @type {any} */ item) => html`<tr key=${item.id}><td><${Status} status=${item.status} /></td><td class="name"><a data-row href=${executionLink(item.id)}>${item.name}</a><span class="dim">:${item.version}</span></td>
      <td><${Time} at=${item.startDate} /> <span class="dim ago">${ago(item.startDate)}</span></td><td class="number">${lasted(item.startDate, item.stopDate)}</td></tr>`)}</tbody></table></div>
    <p><a href="${BASE}/executions?workflow=${encodeURIComponent(name)}">All executions of ${name}</a></p>`;
}

/** @param {{arn: string}} props */
function Versions({ arn }) {
  const load = async () => {
    const request = { stateMachineArn: arn };
    const [versions, aliases] = await Promise.all([all("ListStateMachineVersions", request, "stateMachineVersions"), all("ListStateMachineAliases", request, "stateMachineAliases")]);
    const routes = await Promise.all(aliases.slice(0, 50).map((alias) => call("DescribeStateMachineAlias", { stateMachineAliasArn: alias.stateMachineAliasArn })));
    return { versions, routes };
  };
  const found = useResource(load, [arn]);
  if (!found.data) return html`<${Waiting} of=${found} />`;
  const { versions, routes } = found.data;
  const number = (/** @type {string} */ text) => text.split(":").pop();
  return html`<h2>Published versions</h2>
    ${versions.length ? html`<div class="scroll" tabIndex=${0} role="group" aria-label="Published versions"><table class="list"><thead><tr><th>Version</th><th>Published</th></tr></thead><tbody>${versions.map((/** @type {any} */ each) => html`<tr><td>${number(each.stateMachineVersionArn)}</td><td><${Time} at=${each.creationDate} /></td></tr>`)}</tbody></table></div>` : html`<p class="dim">None was published.</p>`}
    <h2>Aliases</h2>
    ${routes.length ? html`<div class="scroll" tabIndex=${0} role="group" aria-label="Aliases"><table class="list"><thead><tr><th>Alias</th><th>Goes to</th><th>Changed</th></tr></thead><tbody>${routes.map((/** @type {any} */ each) => html`<tr><td>${each.name}</td><td>${each.routingConfiguration.map((/** @type {any} */ route) => `version ${number(route.stateMachineVersionArn)}: ${route.weight} %`).join(", ")}</td><td><${Time} at=${each.updateDate} /></td></tr>`)}</tbody></table></div>` : html`<p class="dim">There are none.</p>`}`;
}

/** @param {{name: string, arn: string}} props */
function Start({ name, arn }) {
  const [input, setInput] = useState("{}");
  const [called, setCalled] = useState("");
  const [error, setError] = useState(/** @type {Error|undefined} */ (undefined));
  const recent = useResource((signal) => lastInputs(name, signal), [name]);
  const start = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      const { executionArn } = await call("StartExecution", { stateMachineArn: arn, input, ...(called && { name: called }) });
      location.assign(executionLink(executionArn));
    } catch (problem) {
      setError(/** @type {Error} */ (problem));
    }
  };
  return html`<form class="form" onSubmit=${start}>
    <div class="field"><label for="start-name">Name (optional)</label><input id="start-name" value=${called} onInput=${(/** @type {any} */ event) => setCalled(event.target.value)} /></div>
    ${recent.data?.length > 0 && html`<div class="field"><label for="start-last">Last inputs</label><select id="start-last" value="" onChange=${(/** @type {any} */ event) => { if (event.target.value) setInput(event.target.value); }}>
      <option value="">Choose one …</option>${recent.data.map((/** @type {any} */ each) => html`<option value=${each.pretty}>${cut(each.name, 30)}: ${cut(each.text, 70)}</option>`)}</select></div>`}
    <${JsonInput} id="start-input" label="Input" value=${input} set=${setInput} rows=${14} />
    <${Problem} error=${error} /><button type="submit" class="primary" disabled=${Boolean(jsonProblem(input))}>Start execution</button></form>`;
}

/** Different inputs of the last executions. @param {string} name @param {AbortSignal} signal */
async function lastInputs(name, signal) {
  const { executions } = await get(`executions${queryOf({ workflow: name, limit: 8 })}`, signal);
  const found = await Promise.all(executions.map((/** @type {any} */ each) => get(executionPath(each.id), signal)));
  const seen = new Map(found.map((each) => [each.input, { name: each.name, text: each.input, pretty: pretty(each.input) }]));
  return [...seen.values()];
}
