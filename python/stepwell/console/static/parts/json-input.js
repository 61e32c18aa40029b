/** A field for JSON, checked as it is typed. */
import { html } from "../lib/html.js";
import { pretty } from "../lib/json.js";

/** What is wrong with a text; "": it is JSON. @param {string} text */
export function jsonProblem(text) {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/**
 * @param {{id: string, label: string, value: string, set: (text: string) => void, rows?: number, isOptional?: boolean}} props
 */
export function JsonInput({ id, label, value, set, rows = 8, isOptional = false }) {
  const problem = isOptional && !value.trim() ? "" : jsonProblem(value);
  const tidy = () => set(pretty(value));
  return html`<div class="field">
    <div class="row between">
      <label for=${id}>${label}</label>
      <button type="button" class="quiet" disabled=${Boolean(problem) || !value.trim()} onClick=${tidy}>Format</button>
    </div>
    <textarea id=${id} class="code" rows=${rows} spellcheck=${false} value=${value} aria-invalid=${String(Boolean(problem))}
      aria-describedby="${id}-problem" onInput=${(/** @type {any} */ event) => set(event.target.value)}></textarea>
    <p id="${id}-problem" class=${problem ? "note is-bad" : "note dim"} aria-live="polite">${problem || "Valid JSON"}</p>
  </div>`;
}
