/** Texts of a drawing: rules of Choice states in a line, what a state calls or awaits. As the Python drawing has them. */
import { plain } from "../lib/text.js";

const SYMBOLS = /** @type {Record<string, string>} */ ({ GreaterThanEquals: "≥", LessThanEquals: "≤", GreaterThan: ">", LessThan: "<", Equals: "=", Matches: "~" });
const KINDS = ["String", "Numeric", "Boolean", "Timestamp"];
const NOT_TESTS = new Set(["Variable", "Next", "Comment", "Assign", "Output"]);

/** A rule of a Choice state: `$.total > 100 and $.country = "CH"`. @param {any} rule @returns {string} */
export function ruleText(rule) {
  if ("Condition" in rule) {
    const text = typeof rule.Condition === "string" ? rule.Condition : JSON.stringify(rule.Condition);
    return text.trim().replace(/^\{%/, "").replace(/%\}$/, "").trim();
  }
  for (const [name, word] of [["And", " and "], ["Or", " or "]]) {
    if (name in rule) return rule[name].map((/** @type {any} */ part) => ("And" in part || "Or" in part ? `(${ruleText(part)})` : ruleText(part))).join(word);
  }
  if ("Not" in rule) return `not (${ruleText(rule.Not)})`;
  const operator = Object.keys(rule).find((key) => !NOT_TESTS.has(key)) ?? "";
  return comparison(rule.Variable ?? "", operator, rule[operator]);
}

/** @param {string} variable @param {string} operator @param {any} operand */
function comparison(variable, operator, operand) {
  if (operator.startsWith("Is")) return `${variable} is ${operand === true ? "" : "not "}${operator.slice(2).toLowerCase()}`;
  const name = operator.replace(/Path$/, "");
  const kind = KINDS.find((each) => name.startsWith(each)) ?? "";
  return `${variable} ${SYMBOLS[name.slice(kind.length)] ?? operator} ${name === operator ? JSON.stringify(operand) : operand}`;
}

/** The type of a state, what it calls or awaits, and how many retriers it has. @param {any} state @param {boolean} [isRun] of an execution: there the drawing has its retries */
export function detailOf(state, isRun = false) {
  const processor = state.ItemProcessor ?? state.Iterator;
  const isDistributed = processor?.ProcessorConfig?.Mode === "DISTRIBUTED";
  const more = { Task: () => resourceOf(String(state.Resource ?? "")), Wait: () => waitOf(state), Fail: () => (typeof state.Error === "string" ? state.Error : "") }[/** @type {string} */ (state.Type)]?.();
  return [isDistributed ? "Distributed Map" : state.Type, more, !isRun && state.Retry?.length && `↻ ${state.Retry.length}`].filter(Boolean).join(" · ");
}

/** @param {string} resource */
function resourceOf(resource) {
  if (!resource.startsWith("arn:")) return resource;
  const parts = resource.split(":");
  return parts[2] === "states" ? parts.slice(5).join(":").replace(/^:+/, "") : parts.slice(6).join(":") || resource;
}

/** @param {any} state */
function waitOf(state) {
  const field = ["Seconds", "SecondsPath", "Timestamp", "TimestampPath"].find((name) => name in state);
  if (!field) return "";
  const value = state[field];
  const isNumber = field === "Seconds" && (typeof value === "number" || Number.isFinite(Number(String(value))));
  return isNumber ? seconds(Number(String(value))) : String(value);
}

/** For people: `30 d`, `1 h 30 min`. @param {number} value */
function seconds(value) {
  const parts = [];
  let left = value;
  for (const [unit, size] of /** @type {[string, number][]} */ ([["d", 86_400], ["h", 3600], ["min", 60]])) {
    if (left >= size) {
      parts.push(`${Math.floor(left / size)} ${unit}`);
      left %= size;
    }
  }
  if (left || !parts.length) parts.push(`${left} s`);
  return parts.join(" ");
}

/** @type {Map<string, CanvasRenderingContext2D|null>} one for each font: to set a font costs more than to measure */
const pens = new Map();

/** How wide a text is. @param {string} text @param {string} font as CSS has it, without the family */
export function widthOf(text, font) {
  let pen = pens.get(font);
  if (pen === undefined) {
    pen = document.createElement("canvas").getContext("2d");
    if (pen) pen.font = `${font} ${getComputedStyle(document.body).fontFamily}`;
    pens.set(font, pen);
  }
  return pen ? pen.measureText(text).width : text.length * 8;
}

/** A text cut in the middle so that it fits. @param {string} text @param {number} width @param {string} font */
export function fitted(text, width, font) {
  const shown = plain(text);
  if (widthOf(shown, font) <= width) return shown;
  const cutTo = (/** @type {number} */ count) => `${shown.slice(0, Math.ceil(count / 2))}…${shown.slice(shown.length - Math.floor(count / 2))}`;
  let [fits, most] = [0, Math.min(shown.length, 200)];
  while (most - fits > 1) {
    const half = (fits + most) >> 1;
    if (widthOf(cutTo(half), font) <= width) fits = half;
    else most = half;
  }
  return cutTo(fits);
}
