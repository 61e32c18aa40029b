/** A definition as levels of nodes and edges: the machine, the branches of a Parallel state, the processor of a Map. */
import { ruleText } from "./labels.js";

/**
 * @typedef {{from: string, to: string, labels: string[], kind: "next"|"choice"|"catch"}} Edge
 * @typedef {{name: string, type: string, state: any, levels: Level[], isDistributed: boolean}} Node
 * @typedef {{nodes: Node[], edges: Edge[]}} Level
 */

export const START = "\0start";
export const END = "\0end";

/** @param {any} level with StartAt and States @returns {Level} */
export function levelOf(level) {
  const states = Object.entries(level?.States ?? {});
  const names = new Set(states.map(([name]) => name));
  const nodes = states.map(([name, state]) => nodeOf(name, state));
  const edges = states.flatMap(([name, state]) => edgesOf(name, state));
  edges.unshift({ from: START, to: level?.StartAt, labels: [], kind: "next" });
  return { nodes, edges: edges.filter((edge) => edge.to === END || names.has(edge.to)) };
}

/** @param {string} name @param {any} state @returns {Node} */
function nodeOf(name, state) {
  const processor = state.ItemProcessor ?? state.Iterator;
  const levels = (state.Branches ?? (processor ? [processor] : [])).map(levelOf);
  return { name, type: state.Type, state, levels, isDistributed: processor?.ProcessorConfig?.Mode === "DISTRIBUTED" };
}

/** @param {string} name @param {any} state @returns {Edge[]} */
function edgesOf(name, state) {
  /** @type {Edge[]} */
  const edges = [];
  const add = (/** @type {string} */ to, label = "", kind = /** @type {Edge["kind"]} */ ("next")) => {
    const known = edges.find((edge) => edge.to === to && edge.kind === kind);
    if (!known) edges.push({ from: name, to, labels: label ? [label] : [], kind });
    else if (label) known.labels.push(label);
  };
  (state.Choices ?? []).forEach((/** @type {any} */ rule, /** @type {number} */ index) => add(rule.Next, ruleText(rule) || `rule ${index + 1}`, "choice"));
  if (state.Default) add(state.Default, "default", "choice");
  if (state.Next) add(state.Next);
  (state.Catch ?? []).forEach((/** @type {any} */ catcher) => add(catcher.Next, (catcher.ErrorEquals ?? []).join(", "), "catch"));
  if (state.End || state.Type === "Succeed" || state.Type === "Fail") add(END);
  return edges;
}

/** All nodes, those within others too. @param {Level[]} levels @returns {Node[]} */
export const allNodes = (levels) => levels.flatMap(({ nodes }) => nodes.flatMap((node) => [node, ...allNodes(node.levels)]));
