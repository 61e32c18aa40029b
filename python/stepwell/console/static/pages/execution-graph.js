/** The graph of an execution, and beside it what happened in the state that is chosen. */
import { lasted, number } from "../lib/format.js";
import { html, useMemo, useState } from "../lib/html.js";
import { exactly } from "../lib/json.js";
import { useResource } from "../lib/resource.js";
import { executionLink, mapRunLink, setQuery, useLocation } from "../lib/router.js";
import { Drawing } from "../graph/draw.js";
import { marksOf } from "../graph/marks.js";
import { allNodes, levelOf } from "../graph/model.js";
import { eventWithData } from "../history/load.js";
import { details } from "../history/visits.js";
import { Facts, Problem, Status, Time } from "../parts/basics.js";
import { JsonView } from "../parts/json-view.js";
import { Side as Panel } from "../parts/list.js";

const PAGE = 20;

/** @param {{data: any, definition: any, loaded: any}} props */
export function GraphTab({ data, definition, loaded }) {
  const { query } = useLocation();
  const chosen = query.get("state");
  const [iterations, setIterations] = useState(/** @type {Map<string, number>} */ (new Map()));
  const { history } = loaded;
  const marks = useMemo(() => marksOf(history.visits, iterations), [loaded.count, data.status, iterations]);
  const look = (/** @type {string} */ map, /** @type {number|null} */ index) => {
    const next = new Map(iterations);
    index === null ? next.delete(map) : next.set(map, index);
    setIterations(next);
  };
  const choose = (/** @type {string} */ name) => setQuery({ state: name === chosen ? "" : name }, true);
  return html`<div class="split ${chosen ? "has-side" : ""}">
    <div>${loaded.isLoading && history.events.length > 0 && html`<p class="dim">${number(history.events.length)} events are loaded …</p>`}
      ${iterations.size > 0 && html`<p class="row">${[...iterations].map(([map, index]) => html`<button type="button" class="chip" aria-pressed="true" onClick=${() => look(map, null)}>${map}: iteration ${index} ✕</button>`)}</p>`}
      <${Drawing} definition=${definition} marks=${marks} isReady=${!loaded.isLoading} chosen=${chosen} choose=${choose} /></div>
    ${chosen && html`<${Side} key=${chosen} name=${chosen} data=${data} definition=${definition} mark=${marks.get(chosen)} iterations=${iterations} look=${look} close=${() => setQuery({ state: "" }, true)} />`}
  </div>`;
}

/** @param {{name: string, data: any, definition: any, mark: any, iterations: Map<string, number>, look: any, close: () => void}} props */
function Side({ name, data, definition, mark, iterations, look, close }) {
  const nodes = useMemo(() => allNodes([levelOf(definition)]), [definition]);
  const node = nodes.find((each) => each.name === name);
  const [at, setAt] = useState(/** @type {number|null} */ (null));
  const visits = mark?.visits ?? [];
  const index = Math.min(at ?? visits.length - 1, visits.length - 1);
  const visit = visits[index];
  const map = useMemo(() => nodes.find((each) => each.isDistributed && allNodes(each.levels).includes(node)), [nodes, node]);
  return html`<${Panel} label="State ${name}" title=${name} what="state" close=${close}>
    ${!visit && html`<p class="dim">${map ? `The children of the map run of ${map.name} run this state: each is an execution of its own.` : "The execution has not reached this state."}</p>`}
    ${visits.length > 1 && html`<div class="row paging"><button type="button" disabled=${index <= 0} onClick=${() => setAt(index - 1)}>Earlier</button>
      <span>visit ${index + 1} of ${number(visits.length)}</span><button type="button" disabled=${index >= visits.length - 1} onClick=${() => setAt(index + 1)}>Later</button></div>`}
    ${visit?.mapRun && html`<p><a href=${mapRunLink(visit.mapRun)}>Open the map run</a></p>`}
    ${visit && html`<${Visit} key=${visit.id} visit=${visit} data=${data}>${visit.iterations.size > 0 && html`<${Iterations} visit=${visit} chosen=${iterations.get(name)} look=${look} />`}</${Visit}>`}
    ${node && html`<details class="definition"><summary>Definition</summary><${JsonView} label="State" value=${node.state} /></details>`}</${Panel}>`;
}

/** @param {{visit: any, data: any, children?: any}} props */
function Visit({ visit, data, children }) {
  const now = data.states.find((/** @type {any} */ state) => state.enteredEvent === visit.id);
  const load = async () => {
    const [entered, left] = await Promise.all([eventWithData(data.id, visit.id), visit.exit ? eventWithData(data.id, visit.exit) : undefined]);
    return { input: details(entered).input, left: left && details(left) };
  };
  const found = useResource(load, [data.id, visit.id, visit.exit]);
  const assigned = found.data?.left?.assignedVariables;
  return html`<${Facts} items=${[
    ["Status", html`<${Status} status=${visit.status} />`],
    ["Entered", html`<${Time} at=${visit.at} exact />`],
    ["Duration", lasted(visit.at, visit.end)],
    ["Iteration", visit.iteration === null ? undefined : visit.iteration],
    ["Next retry", now?.retryDate && html`<${Time} at=${now.retryDate} exact />`],
    ["Until", now?.timerDate && html`<${Time} at=${now.timerDate} exact />`],
    ["Heartbeat until", now?.task?.heartbeatDate && html`<${Time} at=${now.task.heartbeatDate} exact />`],
    ["Started", visit.children.length > 0 && html`<span class="links">${visit.children.map((/** @type {string} */ arn) => html`<a href=${executionLink(arn)}>${arn.split(":").slice(6, 8).join(" / ")}</a>`)}</span>`],
  ].map(([name, value]) => [name, value || (value === 0 ? 0 : undefined)])} />
    ${visit.error && html`<div class="failure"><b>${visit.error}</b>${visit.cause && html`<pre>${visit.cause}</pre>`}</div>`}
    ${visit.attempts.length > 0 && visit.type === "Task" && html`<${Attempts} visit=${visit} />`}
    ${children}
    <${Problem} error=${found.error} />
    ${found.data?.input !== undefined && html`<${JsonView} label="Input" text=${found.data.input} />`}
    ${found.data?.left?.output !== undefined && html`<${JsonView} label="Output" text=${found.data.left.output} />`}
    ${assigned && html`<${JsonView} label="Variables assigned" value=${Object.fromEntries(Object.entries(assigned).map(([name, text]) => [name, exactly(String(text))]))} />`}`;
}

/** What happened more often than fits: a page of it. @param {{what: string, count: number, page: number, setPage: (page: number) => void}} props */
function Pages({ what, count, page, setPage }) {
  if (count <= PAGE) return null;
  const last = Math.ceil(count / PAGE) - 1;
  return html`<div class="row paging" role="group" aria-label="Pages of ${what}"><button type="button" disabled=${page <= 0} onClick=${() => setPage(page - 1)}>Previous</button>
      <span>${number(page * PAGE + 1)}–${number(Math.min(count, (page + 1) * PAGE))}</span>
      <button type="button" disabled=${page >= last} onClick=${() => setPage(page + 1)}>Next</button></div>`;
}

/** The attempts of a task, the last ones first to be seen. @param {{visit: any}} props */
function Attempts({ visit }) {
  const { attempts } = visit;
  const [chosen, setPage] = useState(/** @type {number|null} */ (null));
  const last = Math.ceil(attempts.length / PAGE) - 1;
  const page = Math.min(chosen ?? last, last);
  const shown = attempts.slice(page * PAGE, (page + 1) * PAGE);
  return html`<section><h3>Attempts (${number(attempts.length)})</h3>
    <ol class="attempts" start=${page * PAGE + 1}>${shown.map((/** @type {any} */ each) => html`<li><${Status} status=${each.status} /> <span class="dim">${lasted(each.at, each.end)}</span>
      ${each.error && html`<div><b>${each.error}</b> <span class="cause">${each.cause ?? ""}</span></div>`}</li>`)}</ol>
    <${Pages} what="attempts" count=${attempts.length} page=${page} setPage=${(/** @type {number} */ number) => setPage(number === last ? null : number)} /></section>`;
}

/** The iterations of a Map, a page at a time: those that failed first. @param {{visit: any, chosen: number|undefined, look: any}} props */
function Iterations({ visit, chosen, look }) {
  const [page, setPage] = useState(0);
  const all = [...visit.iterations.values()].sort((one, other) => Number(other.status === "FAILED") - Number(one.status === "FAILED") || one.index - other.index);
  const shown = all.slice(page * PAGE, (page + 1) * PAGE);
  return html`<section><h3>Iterations (${number(all.length)})</h3>
    <ul class="iterations">${shown.map((each) => html`<li><button type="button" class="chip" aria-pressed=${String(chosen === each.index)} onClick=${() => look(visit.name, chosen === each.index ? null : each.index)}>
      #${each.index} <${Status} status=${each.status} /> <span class="dim">${lasted(each.at, each.end)}</span></button></li>`)}</ul>
    <${Pages} what="iterations" count=${all.length} page=${page} setPage=${setPage} /></section>`;
}
