/** A definition with its lines numbered, and beside them what validation says. */
import { call } from "../lib/api.js";
import { html, useMemo } from "../lib/html.js";
import { useResource } from "../lib/resource.js";
import { Copy, Problem } from "./basics.js";
import { escaped, lineOf, linesOf } from "./lines.js";
import { Rows } from "./rows.js";

const ROW = 20;
const SIGNS = /** @type {Record<string, string>} */ ({ ERROR: "✕", WARNING: "!" });

/** @param {{text: string, type: string, state?: string|null}} props `state`: a state to show */
export function DefinitionView({ text, type, state }) {
  const lines = useMemo(() => text.split("\n"), [text]);
  const places = useMemo(() => linesOf(text), [text]);
  const found = useResource(() => call("ValidateStateMachineDefinition", { definition: text, type, severity: "WARNING" }), [text, type]);
  const notes = useMemo(() => notesOf(found.data?.diagnostics ?? [], places), [found.data, places]);
  const chosen = state ? [...places].find(([path]) => path.endsWith(`/States/${escaped(state)}`))?.[1] : undefined;
  const row = (/** @type {number} */ index) => {
    const own = notes.get(index + 1) ?? [];
    return html`<div class="line ${index + 1 === chosen ? "is-chosen" : ""} ${own.length ? `has-${own[0].severity}` : ""}" key=${index} style=${{ height: `${ROW}px` }}>
      <span class="no">${index + 1}</span><span class="text">${lines[index]}</span>
      ${own.map((/** @type {any} */ note) => html`<span class="diagnostic is-${note.severity}" title=${note.message}><b aria-hidden="true">${SIGNS[note.severity] ?? "i"}</b> ${note.message}</span>`)}</div>`;
  };
  const count = [...notes.values()].flat().length;
  return html`<section class="code-view"><div class="row between"><p class="dim" aria-live="polite">${found.data ? (count ? `${count} ${count === 1 ? "remark" : "remarks"} of the validation` : "Valid, without remarks") : "Validating …"}</p><${Copy} text=${text} /></div>
    <${Problem} error=${found.error} />
    ${count > 0 && html`<ul class="diagnostics">${[...notes].sort(([one], [other]) => one - other).flatMap(([line, all]) => all.map((note) => html`<li class="is-${note.severity}"><b>${note.severity === "ERROR" ? "Error" : "Warning"}</b> line ${line}: ${note.message} <span class="dim">${note.code}</span></li>`))}</ul>`}
    <div class="code"><${Rows} count=${lines.length} height=${ROW} most=${640} label="Definition" row=${row} show=${chosen === undefined ? undefined : chosen - 1} /></div></section>`;
}

/** @param {any[]} diagnostics @param {Map<string, number>} places @returns {Map<number, any[]>} by line */
function notesOf(diagnostics, places) {
  const notes = new Map();
  for (const each of diagnostics) {
    const line = lineOf(places, each.location ?? "");
    notes.set(line, [...(notes.get(line) ?? []), each]);
  }
  return notes;
}
