/** One execution: what it is above, and tabs for its graph, its times, its events, its data and its definition. */
import { executionPath, get } from "../lib/api.js";
import { lasted } from "../lib/format.js";
import { html, useMemo } from "../lib/html.js";
import { exactly } from "../lib/json.js";
import { useClock, useResource } from "../lib/resource.js";
import { BASE, executionLink, mapRunLink, setQuery, useLocation, workflowLink } from "../lib/router.js";
import { allNodes, levelOf } from "../graph/model.js";
import { useHistory } from "../history/load.js";
import { Facts, Problem, Status, Tabs, Time, Waiting, tabOf, useTitle } from "../parts/basics.js";
import { DefinitionView } from "../parts/definition.js";
import { JsonView } from "../parts/json-view.js";
import { Actions } from "./execution-actions.js";
import { Events } from "./execution-events.js";
import { GraphTab } from "./execution-graph.js";
import { Timeline } from "./execution-timeline.js";

const TABS = /** @type {[string, string][]} */ ([["graph", "Graph"], ["timeline", "Timeline"], ["events", "Events"], ["data", "Data"], ["definition", "Definition"]]);

/** What an execution runs: a child of a map run, the processor of its Map state. @param {any} data */
function definitionOf(data) {
  const whole = exactly(data.definition);
  const state = data.processor && allNodes([levelOf(whole)]).find((node) => node.name === data.processor)?.state;
  return state ? state.ItemProcessor ?? state.Iterator : whole;
}

/** @param {{id: string}} props */
export function Execution({ id }) {
  const found = useResource((signal) => get(executionPath(id), signal), [id], `live?execution=${encodeURIComponent(id)}`);
  useTitle(found.data?.name ?? "Execution");
  if (!found.data) return html`<h1>Execution</h1><${Waiting} of=${found} />`;
  return html`<${Problem} error=${found.error} /><${Found} data=${found.data} reload=${found.reload} hold=${found.hold} />`;
}

/** @param {{data: any, reload: () => void, hold: (isHeld: boolean) => void}} props */
function Found({ data, reload, hold }) {
  const { query } = useLocation();
  const tab = tabOf(TABS, query.get("tab"));
  const definition = useMemo(() => definitionOf(data), [data.definition, data.processor]);
  const text = useMemo(() => JSON.stringify(definition, null, 2), [definition]);
  const loaded = useHistory(data.id, data.lastEvent, data.redriveCount);
  const isRunning = data.status === "RUNNING";
  useClock(isRunning);
  const panel = {
    graph: () => html`<${GraphTab} data=${data} definition=${definition} loaded=${loaded} />`,
    timeline: () => html`<${Timeline} data=${data} loaded=${loaded} />`,
    events: () => html`<${Events} data=${data} loaded=${loaded} />`,
    data: () => html`<${Data} data=${data} />`,
    definition: () => html`<${DefinitionView} text=${text} type=${data.type} state=${query.get("state")} />`,
  }[tab];
  return html`
    <div class="row between top"><div>
      <p class="trail"><a href="${BASE}/executions">Executions</a> / <a href=${workflowLink(data.workflow)}>${data.workflow}</a></p>
      <h1 class="title">${data.name} <${Status} status=${data.status} /></h1></div>
      <${Actions} data=${data} reload=${reload} hold=${hold} /></div>
    ${data.error !== undefined && html`<div class="failure" role="group" aria-label="Error"><b>${data.error}</b>${data.cause && html`<pre>${data.cause}</pre>`}</div>`}
    <${Facts} items=${factsOf(data, loaded.history)} />
    <${Tabs} label="Views of the execution" tabs=${TABS} chosen=${tab} choose=${(/** @type {string} */ name) => setQuery({ tab: name === "graph" ? "" : name }, true)} />
    <div id="panel" role="tabpanel" aria-labelledby="tab-${tab}" tabIndex=${-1}><${Problem} error=${loaded.error} />${panel?.()}</div>`;
}

/** @param {any} data @param {import("../history/visits.js").History} history @returns {[string, any][]} */
function factsOf(data, history) {
  const mapRuns = history.visits.filter((visit) => visit.mapRun);
  const children = history.visits.flatMap((visit) => visit.children);
  const links = (/** @type {[string, string][]} */ targets) => targets.length > 0 && html`<span class="links">${targets.slice(0, 5).map(([href, text]) => html`<a href=${href}>${text}</a>`)}${targets.length > 5 && html` <span class="dim">and ${targets.length - 5} more</span>`}</span>`;
  return [
    ["Workflow", html`<a href=${workflowLink(data.workflow)}>${data.workflow}</a> <a class="dim" href="${workflowLink(data.workflow)}?tab=versions&revision=${data.version}">revision ${data.version}</a><span class="dim">, ${data.type.toLowerCase()}</span>`],
    ["Started", html`<${Time} at=${data.startDate} exact />`],
    ["Ended", data.stopDate && html`<${Time} at=${data.stopDate} exact />`],
    ["Duration", lasted(data.startDate, data.stopDate)],
    ["Parent", data.parent && html`<a href=${executionLink(data.parent.id)}>${data.parent.workflow} / ${data.parent.name}</a>`],
    ["Map run", data.mapRunArn && html`<a href=${mapRunLink(data.mapRunArn)}>${data.processor ?? "Map run"}</a>`],
    ["Map runs", links(mapRuns.map((visit) => [mapRunLink(String(visit.mapRun)), visit.name]))],
    ["Started executions", links([...new Set(children)].map((arn) => [executionLink(arn), arn.split(":").slice(6, 8).join(" / ")]))],
    ["Redrives", data.redriveCount > 0 && html`${data.redriveCount} <span class="dim">last <${Time} at=${data.redriveDate} /></span>`],
    ["Id", html`<code>${data.id}</code>`],
  ].map(([name, value]) => /** @type {[string, any]} */ ([String(name), value || undefined]));
}

/** @param {{data: any}} props */
function Data({ data }) {
  const variables = data.variables && data.variables !== "{}" ? data.variables : undefined;
  return html`<div class="columns">
    <${JsonView} label="Input" text=${data.input} />
    ${data.output !== undefined ? html`<${JsonView} label="Output" text=${data.output} />` : html`<section class="json"><h3>Output</h3><p class="dim">${data.status === "RUNNING" ? "It has none yet." : "It has none."}</p></section>`}
    ${variables && html`<${JsonView} label="Variables" text=${variables} />`}
  </div>`;
}
