/** One workflow: its graph, its definition with diagnostics, its versions and aliases, recent executions, a form to start. */
import { call, executionPath, get, query as queryOf } from "../lib/api.js";
import { ago } from "../lib/format.js";
import { html, useMemo, useState } from "../lib/html.js";
import { exactly, pretty } from "../lib/json.js";
import { useClock, useLooks, useResource } from "../lib/resource.js";
import { BASE, executionLink, setQuery, useLocation, visit } from "../lib/router.js";
import { cut } from "../lib/text.js";
import { Drawing } from "../graph/draw.js";
import { allNodes, levelOf } from "../graph/model.js";
import { Empty, Facts, Problem, Tabs, Time, Waiting, tabOf, useTitle } from "../parts/basics.js";
import { DefinitionView } from "../parts/definition.js";
import { JsonInput, jsonProblem } from "../parts/json-input.js";
import { JsonView } from "../parts/json-view.js";
import { DURATION, List, STATUS, Side } from "../parts/list.js";
import { useMayAct } from "../parts/session.js";
import { Versions } from "./workflow-versions.js";

/** In seconds: no stream tells that it was deployed again. */
const LOOK = 5;

/** The definition as it was given, or in lines if it was given on one. @param {string} text */
const inLines = (text) => (text.includes("\n") ? text : pretty(text));

/** @param {{id: string}} props */
export function Workflow({ id }) {
  useTitle(id);
  const { query } = useLocation();
  const mayAct = useMayAct();
  const tabs = /** @type {[string, string][]} */ ([["graph", "Graph"], ["definition", "Definition"], ["executions", "Executions"], ["versions", "Versions"], ...(mayAct ? [["start", "Start"]] : [])]);
  const tab = tabOf(tabs, query.get("tab"));
  const load = async () => {
    const named = await get(`workflows/${encodeURIComponent(id)}`);
    return { ...(await call("DescribeStateMachine", { stateMachineArn: named.arn })), ...named };
  };
  const found = useResource(load, [id]);
  useLooks(found.reload, LOOK);
  const text = useMemo(() => found.data && inLines(found.data.definition), [found.data?.definition]);
  if (!found.data || !text) return html`<h1>${id}</h1><${Waiting} of=${found} />`;
  const { data } = found;
  const panel = {
    graph: () => html`<${Graph} name=${id} text=${text} />`,
    definition: () => html`<${DefinitionView} text=${text} type=${data.type} state=${query.get("state")} />`,
    executions: () => html`<${Recent} name=${id} />`,
    versions: () => html`<${Versions} name=${id} arn=${data.stateMachineArn} />`,
    start: () => html`<${Start} name=${id} arn=${data.stateMachineArn} />`,
  }[tab];
  return html`<div class="row between top"><div><p class="trail"><a href="${BASE}/workflows">Workflows</a></p><h1 class="title">${id} ${data.status === "DELETING" && html`<span class="tag">Deleting</span>`}</h1></div>
      <div class="row actions">${mayAct && tab !== "start" && html`<button type="button" class="primary" onClick=${() => setQuery({ tab: "start" })}>Start</button>`}</div></div>
    <${Problem} error=${found.error} />
    <${Facts} items=${[["Type", data.type.toLowerCase()], ["Revision", data.version], ["Created", html`<${Time} at=${data.creationDate} />`], ["Changed", data.version > 1 && html`<${Time} at=${data.updatedDate} />`], ["ARN", html`<code>${data.stateMachineArn}</code>`]].map(([name, value]) => [name, value || undefined])} />
    <${Tabs} label="Views of the workflow" tabs=${tabs} chosen=${tab} choose=${(/** @type {string} */ name) => setQuery({ tab: name === "graph" ? "" : name }, true)} />
    <div id="panel" role="tabpanel" aria-labelledby="tab-${tab}" tabIndex=${-1}>${panel?.()}</div>`;
}

/** @param {{name: string, text: string}} props */
function Graph({ name, text }) {
  const definition = useMemo(() => exactly(text), [text]);
  const nodes = useMemo(() => allNodes([levelOf(definition)]), [definition]);
  const { query } = useLocation();
  const mayAct = useMayAct();
  const chosen = query.get("state");
  const state = chosen && nodes.find((node) => node.name === chosen)?.state;
  return html`<div class="split ${state ? "has-side" : ""}"><${Drawing} definition=${definition} chosen=${chosen} choose=${(/** @type {string} */ name) => setQuery({ state: name === chosen ? "" : name }, true)} />
    ${state && html`<${Side} key=${chosen} label="State ${chosen}" title=${chosen} what="state" close=${() => setQuery({ state: "" }, true)}><${JsonView} label="Definition" value=${state} />
      ${mayAct && html`<p><a href="${BASE}/try?workflow=${encodeURIComponent(name)}&state=${encodeURIComponent(chosen)}">Try this state</a></p>`}</${Side}>`}</div>`;
}

/** @param {{name: string}} props */
function Recent({ name }) {
  const found = useResource((signal) => get(`executions${queryOf({ workflow: name, limit: 20 })}`, signal), [name], "live");
  const items = found.data?.executions ?? [];
  useClock(items.some((/** @type {any} */ item) => item.status === "RUNNING"));
  if (!items.length) return found.data ? html`<${Empty} title="No executions" text="None was started yet." />` : html`<${Waiting} of=${found} />`;
  return html`<${Problem} error=${found.error} /><${List} label="Recent executions" items=${items} keyOf=${(/** @type {any} */ item) => item.id} columns=${[
    STATUS,
    { title: "Name", is: "name", show: (/** @type {any} */ item) => html`<a data-row href=${executionLink(item.id)}>${item.name}</a><span class="dim">:${item.version}</span>` },
    { title: "Started", show: (/** @type {any} */ item) => html`<${Time} at=${item.startDate} /> <span class="dim ago">${ago(item.startDate)}</span>` },
    DURATION,
  ]} />
    <p><a href="${BASE}/executions?workflow=${encodeURIComponent(name)}">All executions of ${name}</a></p>`;
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
      visit(executionLink(executionArn));
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
