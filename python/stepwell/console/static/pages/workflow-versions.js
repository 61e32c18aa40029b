/** The revisions of a workflow, what each changed, the versions that were published and the aliases. */
import { call, get, query as queryOf } from "../lib/api.js";
import { bytes, number } from "../lib/format.js";
import { html, useEffect, useMemo } from "../lib/html.js";
import { pretty } from "../lib/json.js";
import { useLooks, useResource } from "../lib/resource.js";
import { setQuery, useLocation } from "../lib/router.js";
import { Copy, Problem, Time, Waiting } from "../parts/basics.js";
import { diffOf, near } from "../parts/diff.js";
import { List } from "../parts/list.js";
import { Rows } from "../parts/rows.js";
import { all } from "./workflows.js";

const ROW = 20;
/** In seconds: no stream tells of revisions. */
const LOOK = 5;

/** @param {string} name @param {number} version */
const revision = (name, version) => get(`workflows/${encodeURIComponent(`${name}:${version}`)}`);

/** @param {{name: string, arn: string}} props */
export function Versions({ name, arn }) {
  const { query } = useLocation();
  const before = query.get("before");
  const chosen = Number(query.get("revision") ?? 0);
  const found = useResource((signal) => get(`workflows/${encodeURIComponent(name)}/revisions${queryOf({ before })}`, signal), [name, before]);
  useLooks(found.reload, LOOK);
  if (!found.data) return html`<${Waiting} of=${found} />`;
  const { revisions, before: older } = found.data;
  return html`<${Problem} error=${found.error} /><h2>Revisions</h2>
    <${List} label="Revisions" items=${revisions} keyOf=${(/** @type {any} */ each) => String(each.version)} columns=${[
      { title: "Revision", name: "revision", show: (/** @type {any} */ each) => html`<b>${each.version}</b>` },
      { title: "Deployed", show: (/** @type {any} */ each) => html`<${Time} at=${each.createdDate} />` },
      { title: "Size", is: "number", show: (/** @type {any} */ each) => bytes(each.bytes) },
      { title: "Published as", name: "published as", show: (/** @type {any} */ each) => each.published.map((/** @type {any} */ one) => html`<span class="tag" title=${one.description ?? ""}>version ${one.number}</span> `) },
      { title: html`<span class="unseen">Changes</span>`, is: "act", show: (/** @type {any} */ each) => html`<button type="button" data-row class="small" aria-pressed=${String(each.version === chosen)} onClick=${() => setQuery({ revision: each.version === chosen ? "" : each.version, with: "" }, true)}>Changes</button>` },
    ]} />
    ${(before || older) && html`<nav class="row paging" aria-label="Paging">${before && html`<button type="button" onClick=${() => setQuery({ before: "" })}>Newest</button>`}${older && html`<button type="button" onClick=${() => setQuery({ before: older })}>Older</button>`}</nav>`}
    ${chosen > 0 && html`<${Changes} key=${chosen} name=${name} version=${chosen} other=${Number(query.get("with") ?? chosen - 1)} />`}
    <${Aliases} arn=${arn} />`;
}

/** What a revision changed. @param {{name: string, version: number, other: number}} props */
function Changes({ name, version, other }) {
  const found = useResource(async () => {
    const [now, then] = await Promise.all([revision(name, version), other > 0 ? revision(name, other).catch(() => undefined) : undefined]);
    return { now: pretty(now.definition), then: then && pretty(then.definition) };
  }, [name, version, other]);
  const lines = useMemo(() => (found.data ? near(diffOf(found.data.then ?? "", found.data.now)) : []), [found.data]);
  useEffect(() => document.getElementById("changes")?.scrollIntoView({ block: "nearest" }), [found.data]);
  const count = (/** @type {string} */ sign) => number(lines.filter((line) => typeof line !== "number" && line.sign === sign).length);
  const row = (/** @type {number} */ at) => {
    const line = lines[at];
    if (typeof line === "number") return html`<div class="line is-left" key=${at} style=${{ height: `${ROW}px` }}><span class="no"></span><span class="text">${number(line)} ${line === 1 ? "line is" : "lines are"} the same</span></div>`;
    return html`<div class="line ${{ "+": "is-added", "-": "is-removed", " ": "" }[line.sign]}" key=${at} style=${{ height: `${ROW}px` }}><span class="no">${line.no}</span><span class="text">${line.sign} ${line.text}</span></div>`;
  };
  return html`<section id="changes" class="code-view" aria-label="Changes of revision ${version}"><div class="row between"><h2>Revision ${version}</h2>
      <div class="row"><label>compared with <input type="number" class="small" min="1" value=${other || ""} aria-label="Compared with revision" onChange=${(/** @type {any} */ event) => setQuery({ with: event.target.value }, true)} /></label>
      ${found.data && html`<${Copy} label="Copy the definition" text=${found.data.now} />`}</div></div>
    <${Waiting} of=${found} />
    ${found.data && html`<p class="dim" aria-live="polite">${found.data.then === undefined ? (other > 0 ? `There is no revision ${other}: all of its lines are shown.` : "It is the first one: all of its lines are shown.") : lines.length === 1 && typeof lines[0] === "number" ? "The definitions are the same." : `${count("+")} lines added, ${count("-")} removed`}</p>
    <div class="code"><${Rows} count=${lines.length} height=${ROW} most=${640} label="Changes" row=${row} /></div>`}</section>`;
}

/** @param {{arn: string}} props */
function Aliases({ arn }) {
  const load = async () => {
    const aliases = await all("ListStateMachineAliases", { stateMachineArn: arn }, "stateMachineAliases");
    return Promise.all(aliases.slice(0, 50).map((alias) => call("DescribeStateMachineAlias", { stateMachineAliasArn: alias.stateMachineAliasArn })));
  };
  const found = useResource(load, [arn]);
  if (!found.data) return html`<${Waiting} of=${found} />`;
  const route = (/** @type {any} */ each) => `version ${each.stateMachineVersionArn.split(":").pop()}: ${each.weight} %`;
  return html`<h2>Aliases</h2>${found.data.length ? html`<${List} label="Aliases" items=${found.data} keyOf=${(/** @type {any} */ each) => each.name} columns=${[
    { title: "Alias", show: (/** @type {any} */ each) => each.name },
    { title: "Goes to", show: (/** @type {any} */ each) => each.routingConfiguration.map(route).join(", ") },
    { title: "Changed", name: "changed", show: (/** @type {any} */ each) => html`<${Time} at=${each.updateDate} />` },
  ]} />` : html`<p class="dim">There are none.</p>`}`;
}
