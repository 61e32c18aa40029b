/** How the engine is: its health, its counters, its partitions, its files, its limits. */
import { get } from "../lib/api.js";
import { bytes, duration, number } from "../lib/format.js";
import { html } from "../lib/html.js";
import { useLooks, useResource } from "../lib/resource.js";
import { List } from "../parts/list.js";
import { Facts, Problem, Time, Waiting, useTitle } from "../parts/basics.js";

export function System() {
  useTitle("System");
  const found = useResource((signal) => get("system", signal), []);
  useLooks(found.reload, 2);
  if (!found.data) return html`<h1>System</h1><${Waiting} of=${found} />`;
  const { data } = found;
  const { stats } = data;
  const files = data.files ?? [];
  const sum = (/** @type {string} */ name) => files.reduce((/** @type {number} */ total, /** @type {any} */ each) => total + each[name], 0);
  return html`<h1 class="title">System <span class="status ${data.health === "ok" ? "is-SUCCEEDED" : "is-FAILED"}"><span class="sign" aria-hidden="true">${data.health === "ok" ? "✓" : "✕"}</span>${data.health === "ok" ? "Healthy" : data.health}</span></h1>
    <${Problem} error=${found.error} />
    <${Facts} items=${[["Version", data.version], ["Process", `${data.pid}, ${data.role}`], ["Running for", duration(data.now - data.since)], ["Since", html`<${Time} at=${data.since} />`], ["Folder", data.folder ? html`<code>${data.folder}</code>` : undefined], ["Region, account", `${data.region}, ${data.account}`], ["Quotas", data.profile]]} />
    <div class="cards">
      <${Card} title="Executions" items=${[["Open", number(stats.open_executions)], ["In memory", number(stats.executions_in_memory)], ["Started", number(stats.executions_started)], ["Succeeded", number(stats.executions_succeeded)], ["Failed", number(stats.executions_failed)], ["Timed out", number(stats.executions_timed_out)], ["Aborted", number(stats.executions_canceled)]]} />
      <${Card} title="Tasks" items=${[["With handlers", number(stats.tasks_in_flight)], ["Handlers that run", number(stats.handlers_running)], ["Overdue handlers", number(stats.handlers_overdue)], ["Without a handler", number(stats.tasks_unhandled)], ["Scheduled", number(stats.tasks_scheduled)], ["Failed attempts", number(stats.tasks_failed)], ["Retries", number(stats.tasks_retried)]]} />
      <${Card} title="Queues and log" items=${[["Commands that wait", number(stats.inbox)], ["Batches", number(stats.batches)], ["Syncs", number(stats.syncs)], ["Time of a sync", stats.syncs ? duration(stats.sync_micros / stats.syncs / 1e6) : "–"], ["Records", number(stats.records)], ["Written", bytes(stats.log_bytes)], ["Transitions", number(stats.transitions)]]} />
      ${files.length > 0 && html`<${Card} title="Disk" items=${[["Log", bytes(sum("logBytes"))], ["Storage", bytes(sum("storageBytes"))], ["Followers", number(files.flatMap((/** @type {any} */ each) => each.followers).length)]]} />`}
    </div>
    <p class="note dim">What is open is counted now; what was started, ended, scheduled and retried, from when this page or /metrics first asked.</p>
    ${data.cluster && html`<${Cluster} cluster=${data.cluster} />`}
    <h2>Partitions</h2><${Partitions} data=${data} />
    ${data.follows && html`<h2>Follows</h2><${Facts} items=${[["Leader", data.follows.source], ["Leader alive", data.follows.leader_alive ? "yes" : "no"], ["Behind", `${number(data.follows.records)} records`]]} />`}
    <h2>Limits</h2><dl class="limits">${Object.entries(data.limits).map(([name, value]) => html`<div><dt>${name.replaceAll("_", " ")}</dt><dd>${value === null ? "none" : typeof value === "number" ? (name.includes("bytes") ? bytes(value) : number(value)) : String(value)}</dd></div>`)}</dl>`;
}

/** @param {{title: string, items: [string, string][]}} props */
function Card({ title, items }) {
  return html`<section class="card"><h2>${title}</h2><dl>${items.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}

/** Its nodes, who leads what, and how far the copies are. @param {{cluster: any}} props */
function Cluster({ cluster }) {
  const own = (/** @type {any} */ each) => cluster.copies[each.partition];
  const nodes = cluster.nodes.map((/** @type {any} */ each) => each.node);
  return html`<h2>Cluster ${cluster.name}</h2>
    <${List} label="Nodes" items=${cluster.nodes} keyOf=${(/** @type {any} */ each) => each.node} columns=${[
      { title: "Node", name: "node", show: (/** @type {any} */ each) => html`<strong>${each.node}</strong>${each.node === cluster.node && html` <span class="dim">this one</span>`}` },
      { title: "State", name: "state", show: (/** @type {any} */ each) => (each.alive ? "alive" : html`<span class="is-bad">not heard of</span>`) },
      { title: "Version", name: "version", show: (/** @type {any} */ each) => each.version },
      { title: "Address", name: "address", show: (/** @type {any} */ each) => each.address || "–" },
      { title: "Leads", name: "leads", show: (/** @type {any} */ each) => (each.alive && each.leads.length ? each.leads.join(", ") : "–") },
    ]} />
    <${List} label="Partitions of the cluster" items=${cluster.partitions} keyOf=${(/** @type {any} */ each) => String(each.partition)} columns=${[
      { title: "Partition", name: "partition", show: (/** @type {any} */ each) => each.partition },
      { title: "Leader", name: "leader", show: (/** @type {any} */ each) => html`${each.leader ?? html`<span class="is-bad">nobody</span>`}${each.pinned && html` <span class="dim">pinned to ${each.pinned}</span>`}` },
      { title: "Epoch", name: "epoch", is: "number", show: (/** @type {any} */ each) => (each.epoch ? number(each.epoch) : "–") },
      { title: "Copies", name: "copies", show: (/** @type {any} */ each) => nodes.map((/** @type {string} */ node) => html`<${Copy} node=${node} of=${each} />`) },
      { title: "Here", name: "here", show: (/** @type {any} */ each) => html`${own(each).role}${own(each).lag > 0 && html` <span class="dim">${number(own(each).lag)} messages behind</span>`}` },
      { title: "Stream", name: "stream", show: (/** @type {any} */ each) => html`<${Stream} of=${each.stream} />` },
    ]} />`;
}

/** How far a node's copy is: behind the leader's, as both told a moment ago. @param {{node: string, of: any}} props */
function Copy({ node, of }) {
  const position = of.copies[node];
  const behind = position === undefined || !of.leader ? 0 : Math.max(0, (of.copies[of.leader] ?? 0) - position);
  const problem = of.problems[node];
  return html`<div>${node} ${position === undefined ? html`<span class="dim">none</span>` : number(position)}${behind > 0 && html` <span class="dim">${number(behind)} behind</span>`}${problem && html` <span class="is-bad">${problem}</span>`}</div>`;
}

/** What JetStream says of a stream. @param {{of: any}} props */
function Stream({ of }) {
  if (!of) return html`<span class="dim">is asked for</span>`;
  if (of.problem) return html`<span class="is-bad">${of.problem}</span>`;
  const replica = (/** @type {any} */ each) => html`<div>${each.server} ${each.is_offline ? html`<span class="is-bad">offline</span>` : each.is_current ? html`<span class="dim">current</span>` : html`<span class="is-bad">${number(each.lag)} behind</span>`}</div>`;
  return html`<div>${of.leader ?? html`<span class="is-bad">no leader</span>`} <span class="dim">leads, ${bytes(of.bytes)}</span></div>${of.replicas.map(replica)}`;
}

/** @param {{data: any}} props */
function Partitions({ data }) {
  const count = (/** @type {string} */ title, /** @type {(each: any) => any} */ value) => ({ title, name: title.toLowerCase(), is: "number", show: (/** @type {any} */ each) => (each.problem ? "–" : value(each)) });
  return html`<${List} label="Partitions" items=${data.partitions} keyOf=${(/** @type {any} */ each) => String(each.index)} columns=${[
    { title: "Partition", name: "partition", show: (/** @type {any} */ each) => each.index },
    { title: "Process", name: "process", show: (/** @type {any} */ each) => each.pid },
    count("Records in the log", (each) => `${number(each.first)} – ${number(each.last)}`),
    count("Not applied", (each) => number(each.last - each.applied)),
    count("Not flushed", (each) => number(each.applied - each.flushed)),
    count("Commands", (each) => number(each.requests)),
    count("Tasks", (each) => number(each.tasks)),
    { title: "Followers", name: "followers", show: (/** @type {any} */ each) => each.problem ? html`<span class="is-bad">${each.problem}</span>` : followersOf(each, data.files) },
  ]} />`;
}

/** @param {any} each a partition @param {any[]|undefined} files */
const followersOf = (each, files) => {
  const followers = files?.[each.index]?.followers ?? [];
  return followers.length ? followers.map((/** @type {any} */ follower) => html`<div><code>${follower.id.slice(0, 8)}</code> <span class="dim">${number(Math.max(0, each.last - follower.position))} behind</span></div>`) : "none";
};
