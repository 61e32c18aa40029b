/** The keyboard: `/`, `j` and `k`, `g` with a letter, `?`. Nothing happens while somebody types. */
import { go } from "./router.js";

const PLACES = { e: "/executions", w: "/workflows", t: "/waiting", s: "/system", y: "/try" };
export const HELP = [
  ["/", "Search"],
  ["j  k", "Next row, previous row"],
  ["Enter", "Open the row"],
  ["x", "Select the row"],
  ["[  ]", "Previous tab, next tab"],
  ["g e", "Go to executions"],
  ["g w", "Go to workflows"],
  ["g t", "Go to waiting tasks"],
  ["g y", "Go to try a state"],
  ["g s", "Go to system"],
  ["?", "This help"],
  ["Esc", "Close"],
];

/** @param {EventTarget|null} target */
const isTyping = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** @param {number} step 1: the next row; -1: the one before */
function moveRow(step) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-row]")]);
  if (!rows.length) return;
  const at = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

/** @param {number} step */
function moveTab(step) {
  const tabs = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[role=tab]")]);
  const at = tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
  if (at >= 0) tabs[(at + step + tabs.length) % tabs.length].click();
}

/** Listen to keys. @param {() => void} showHelp */
export function listenToKeys(showHelp) {
  let afterG = 0;
  document.addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
      return;
    }
    const isPlace = event.timeStamp - afterG < 1500 && event.key in PLACES;
    afterG = event.key === "g" ? event.timeStamp : 0;
    if (isPlace) go(PLACES[/** @type {keyof typeof PLACES} */ (event.key)]);
    else if (event.key === "/") /** @type {HTMLElement|null} */ (document.querySelector("[data-search]"))?.focus();
    else if (event.key === "j") moveRow(1);
    else if (event.key === "k") moveRow(-1);
    else if (event.key === "x") /** @type {HTMLElement|null} */ (document.activeElement?.closest("tr")?.querySelector("input[type=checkbox]"))?.click();
    else if (event.key === "[") moveTab(-1);
    else if (event.key === "]") moveTab(1);
    else if (event.key === "?") showHelp();
    else return;
    event.preventDefault();
  });
}
