/** JSON to read: folded, searched, copied. Only what is open is drawn, and long lists in pieces. */
import { html, useMemo, useState } from "../lib/html.js";
import { Exact, exactly } from "../lib/json.js";
import { Copy } from "./basics.js";

const PIECE = 100;
const LONGEST = 2000;

/** @param {any} value */
const isBranch = (value) => value !== null && typeof value === "object" && !(value instanceof Exact);

/** The paths of what has a text in its name or value, and of all above them. @param {any} value @param {string} text */
function matches(value, text) {
  const opened = new Set();
  const found = new Set();
  const look = (/** @type {any} */ part, /** @type {string} */ path, /** @type {string} */ name) => {
    const own = name.toLowerCase().includes(text) || (!isBranch(part) && (part instanceof Exact ? part.text : String(part)).toLowerCase().includes(text));
    if (own) found.add(path);
    let below = false;
    if (isBranch(part)) for (const [key, item] of Object.entries(part)) below = look(item, `${path}/${key}`, key) || below;
    if (below) opened.add(path);
    return own || below;
  };
  if (text) look(value, "", "");
  return { opened, found };
}

/** @param {{value: any}} props */
function Leaf({ value }) {
  const text = value instanceof Exact ? value.text : JSON.stringify(value);
  const [isWhole, show] = useState(false);
  if (text.length <= LONGEST || isWhole) return html`<span class="json-${value === null ? "null" : value instanceof Exact ? "number" : typeof value}">${text}</span>`;
  return html`<span class="json-string">${text.slice(0, LONGEST)}… <button type="button" class="quiet" onClick=${() => show(true)}>
    show all ${text.length} characters</button></span>`;
}

/** @param {{name: string|null, value: any, path: string, depth: number, search: any}} props */
function Node({ name, value, path, depth, search }) {
  const [chosen, choose] = useState(/** @type {boolean|null} */ (null));
  const [shown, show] = useState(PIECE);
  const label = name === null ? null : html`<span class="json-name">${name}</span>: `;
  const mark = search.found.has(path) ? "is-found" : "";
  if (!isBranch(value)) return html`<li class=${mark}>${label}<${Leaf} value=${value} /></li>`;
  const all = Object.entries(value);
  const isList = Array.isArray(value);
  const isOpen = search.opened.has(path) || (chosen ?? (depth < 2 && all.length <= 50));
  const hits = all.length > PIECE && search.opened.has(path) ? all.filter(([key]) => search.opened.has(`${path}/${key}`) || search.found.has(`${path}/${key}`)) : all;
  const entries = isOpen ? hits : all; // of what is too long to be drawn whole, what was searched for
  const size = `${all.length} ${isList ? (all.length === 1 ? "item" : "items") : all.length === 1 ? "member" : "members"}`;
  return html`<li class=${mark}>
    <button type="button" class="fold" aria-expanded=${String(isOpen)} onClick=${() => choose(!isOpen)}>
      <span aria-hidden="true">${isOpen ? "▾" : "▸"}</span> ${label}${isList ? "[" : "{"}${isOpen ? "" : html` <span class="dim">${size}</span> ${isList ? "]" : "}"}`}
    </button>
    ${isOpen && html`<ul>${entries.slice(0, shown).map(([key, item]) => html`<${Node} key=${key} name=${isList && entries === all ? null : key} value=${item}
      path="${path}/${key}" depth=${depth + 1} search=${search} />`)}
      ${entries.length > shown && html`<li><button type="button" class="quiet" onClick=${() => show(shown + 10 * PIECE)}>
        show more: ${entries.length - shown} are left</button></li>`}
    </ul><span>${isList ? "]" : "}"}</span>`}
  </li>`;
}

/** @param {{label: string, text?: string, value?: any}} props the JSON, as text or as a value */
export function JsonView({ label, text, value }) {
  const [words, setWords] = useState("");
  const parsed = useMemo(() => {
    if (text === undefined) return value;
    try {
      return exactly(text);
    } catch {
      return text;
    }
  }, [text, value]);
  const search = useMemo(() => matches(parsed, words.trim().toLowerCase()), [parsed, words]);
  const whole = () => (typeof parsed === "string" && text === parsed ? parsed : JSON.stringify(parsed, null, 2));
  return html`<section class="json" aria-label=${label}>
    <div class="row between">
      <h3>${label}</h3>
      <div class="row">
        ${isBranch(parsed) && html`<input type="search" class="small" placeholder="Find" aria-label="Find in ${label}" value=${words}
          onInput=${(/** @type {any} */ event) => setWords(event.target.value)} />`}
        ${words && html`<span class="dim" aria-live="polite">${search.found.size} found</span>`}
        <${Copy} text=${whole} />
      </div>
    </div>
    <ul class="tree">${html`<${Node} name=${null} value=${parsed} path="" depth=${0} search=${search} />`}</ul>
  </section>`;
}
