/** When each state ran: a bar for each visit, its attempts in it, the waits between them visible. */
import { duration, number } from "../lib/format.js";
import { html, useState } from "../lib/html.js";
import { setQuery } from "../lib/router.js";
import { STATUSES } from "../parts/basics.js";
import { Rows } from "../parts/rows.js";

const ROW = 30;
/** So many attempts of a visit are drawn: the last ones. */
const MOST = 300;

/** Round steps of an axis. @param {number} seconds of the whole @param {number} most */
function stepOf(seconds, most) {
  const power = 10 ** Math.floor(Math.log10(seconds / most || 0.001));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => seconds / step <= most) ?? seconds;
}

/** @param {any} visit */
function depthOf(visit) {
  let depth = 0;
  for (let each = visit.parent; each; each = each.parent) depth += 1;
  return depth;
}

/** @param {{data: any, loaded: any}} props */
export function Timeline({ data, loaded }) {
  const { history } = loaded;
  const [zoom, setZoom] = useState(1);
  const [words, setWords] = useState("");
  const end = Math.max(history.end, data.status === "RUNNING" ? Date.now() / 1000 : data.stopDate ?? 0);
  const whole = Math.max(end - history.begin, 0.001);
  const text = words.trim().toLowerCase();
  const visits = text ? history.visits.filter((/** @type {any} */ visit) => visit.name.toLowerCase().includes(text)) : history.visits;
  const step = stepOf(whole, Math.max(2, Math.floor((innerWidth - 300) / 130)) * zoom);
  const marks = Array.from({ length: Math.floor(whole / step) + 1 }, (_, index) => index * step);
  const left = (/** @type {number} */ at) => `${((at - history.begin) / whole) * 100}%`;
  const width = (/** @type {number} */ from, /** @type {number} */ to) => `max(3px, ${((to - from) / whole) * 100}%)`;
  const bar = (/** @type {any} */ visit) => html`<span class="span is-${visit.status}" style=${{ left: left(visit.at), width: width(visit.at, visit.end ?? end) }}></span>
    ${visit.type === "Task" && visit.attempts.slice(-MOST).map((/** @type {any} */ each) => html`<span class="attempt is-${each.status}" style=${{ left: left(each.at), width: width(each.at, each.end ?? end) }}></span>`)}`;
  const row = (/** @type {number} */ index) => {
    const visit = visits[index];
    const [sign, status] = STATUSES[visit.status];
    const took = duration((visit.end ?? end) - visit.at);
    return html`<div class="time-row" key=${visit.id} style=${{ height: `${ROW}px` }}>
      <button type="button" class="label" style=${{ paddingLeft: `${8 + 14 * depthOf(visit)}px` }} title="${visit.name}, ${status}, ${took}"
        onClick=${() => setQuery({ tab: "", state: visit.name })}><span class="sign is-${visit.status}" aria-hidden="true">${sign}</span> ${visit.name}${visit.iteration !== null && html` <span class="dim">#${visit.iteration}</span>`}</button>
      <span class="track" role="img" aria-label="${visit.name}: ${status}, after ${duration(visit.at - history.begin)}, for ${took}, ${visit.attempts.length} attempts">${bar(visit)}</span>
      <span class="took">${took}</span></div>`;
  };
  return html`<div class="row between tools"><p class="dim">${number(visits.length)} visits of states in ${duration(whole)}</p>
      <div class="row"><input type="search" class="small" data-search placeholder="State" aria-label="States with these letters" value=${words} onInput=${(/** @type {any} */ event) => setWords(event.target.value)} />
      <div class="zoom" role="group" aria-label="Zoom"><button type="button" aria-label="Smaller" disabled=${zoom <= 1} onClick=${() => setZoom(zoom / 2)}>−</button>
      <button type="button" onClick=${() => setZoom(1)}>Fit</button><button type="button" aria-label="Larger" disabled=${zoom >= 256} onClick=${() => setZoom(zoom * 2)}>+</button></div></div></div>
    <div class="timeline" tabIndex=${0} role="group" aria-label="Timeline"><div style=${{ width: `${100 * zoom}%` }}>
      <div class="axis" aria-hidden="true"><span class="label"></span><span class="track">${marks.map((at) => html`<span class=${at > whole * 0.8 && at ? "is-last" : ""} style=${{ left: left(history.begin + at) }}>${at ? duration(at) : "0"}</span>`)}</span><span class="took"></span></div>
      <${Rows} count=${visits.length} height=${ROW} label="Visits of states" row=${row} />
    </div></div>`;
}
