/** All events of an execution: filtered by type and state, each with its data and the events before and after it. */
import { duration, number, time } from "../lib/format.js";
import { html, useMemo, useState } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { setQuery, useLocation } from "../lib/router.js";
import { eventWithData } from "../history/load.js";
import { details } from "../history/visits.js";
import { Facts, Problem, Time } from "../parts/basics.js";
import { JsonView } from "../parts/json-view.js";
import { Side } from "../parts/list.js";
import { Rows } from "../parts/rows.js";

const ROW = 32;

/** Whether an event tells of something bad, good, or neither. @param {string} type */
const toneOf = (type) => (/Failed$|TimedOut$|Aborted$/.test(type) ? "is-FAILED" : /Succeeded$/.test(type) ? "is-SUCCEEDED" : "");

/** @param {{data: any, loaded: any}} props */
export function Events({ data, loaded }) {
  const { history } = loaded;
  const { query } = useLocation();
  const [type, setType] = useState("");
  const [state, setState] = useState(query.get("state") ?? "");
  const chosen = Number(query.get("event") ?? 0);
  const types = useMemo(() => [...new Set(history.events.map((/** @type {any} */ event) => event.type))].sort(), [loaded.count]);
  const states = useMemo(() => [...new Set(history.visits.map((/** @type {any} */ visit) => visit.name))].sort(), [loaded.count]);
  const shown = useMemo(() => history.events.filter((/** @type {any} */ event) => (!type || event.type === type) && (!state || history.at.get(event.id)?.name === state)), [loaded.count, type, state]);
  const choose = (/** @type {number} */ id) => setQuery({ event: id || "" }, true);
  const row = (/** @type {number} */ index) => {
    const event = shown[index];
    const visit = history.at.get(event.id);
    return html`<button type="button" data-row class="event-row ${event.id === chosen ? "is-chosen" : ""}" key=${event.id} style=${{ height: `${ROW}px` }} aria-pressed=${String(event.id === chosen)} onClick=${() => choose(event.id)}>
      <span class="id">${event.id}</span><span class="at">${time(event.timestamp, true).slice(11)}</span><span class="after dim">+${duration(event.timestamp - history.begin)}</span>
      <span class="kind ${toneOf(event.type)}">${event.type}</span><span class="state dim">${visit?.name ?? ""}</span></button>`;
  };
  return html`<div class="row inputs tools">
      <select aria-label="Type" value=${type} onChange=${(/** @type {any} */ event) => setType(event.target.value)}><option value="">All types</option>${types.map((name) => html`<option value=${name}>${name}</option>`)}</select>
      <select aria-label="State" value=${state} onChange=${(/** @type {any} */ event) => setState(event.target.value)}><option value="">All states</option>${states.map((name) => html`<option value=${name}>${name}</option>`)}</select>
      <span class="dim" aria-live="polite">${number(shown.length)} of ${number(history.events.length)} events${loaded.isLoading ? ", more are loaded …" : ""}</span></div>
    <div class="split ${chosen ? "has-side" : ""}">
      <${Rows} count=${shown.length} height=${ROW} label="Events" row=${row} show=${chosen ? shown.findIndex((/** @type {any} */ event) => event.id === chosen) : undefined} />
      ${chosen > 0 && html`<${Detail} key=${chosen} data=${data} history=${history} id=${chosen} choose=${choose} />`}
    </div>`;
}

/** @param {{data: any, history: any, id: number, choose: (id: number) => void}} props */
function Detail({ data, history, id, choose }) {
  const found = useResource(() => eventWithData(data.id, id), [data.id, id]);
  const event = history.events[id - 1];
  const following = useMemo(() => history.events.filter((/** @type {any} */ each) => each.previousEventId === id).slice(0, 10).map((/** @type {any} */ each) => each.id), [id, history.events.length]);
  if (!event) return null;
  const link = (/** @type {number} */ number) => html`<button type="button" class="link" onClick=${() => choose(number)}>${number} ${history.events[number - 1]?.type ?? ""}</button>`;
  return html`<${Side} label="Event ${id}" title=${event.type} what="event" close=${() => choose(0)}>
    <${Facts} items=${[
      ["Event", id],
      ["Time", html`<${Time} at=${event.timestamp} exact />`],
      ["State", history.at.get(id)?.name],
      ["After", event.previousEventId > 0 ? link(event.previousEventId) : undefined],
      ["Before", following.length ? html`<span class="links">${following.map(link)}</span>` : undefined],
    ]} />
    <${Problem} error=${found.error} />
    ${found.data && Object.entries(details(found.data)).filter(([name]) => !name.endsWith("Details")).map(([name, value]) => html`<${JsonView} key=${name} label=${name} ...${typeof value === "string" ? { text: value } : { value }} />`)}</${Side}>`;
}
