/** Where nodes and edges of a level lie; a Parallel or Map state is as large as what is in it. */
import { box, ends, layOut } from "./layered.js";
import { detailOf, widthOf } from "./labels.js";
import { END, START } from "./model.js";

const HEIGHT = 46;
const SHORTEST = 132;
const LONGEST = 270;
/** Fonts of names; of details and labels. */
export const NAME = "600 13px";
export const DETAIL = "11px";
export const LABEL = "11px";
const NOTES = 46;
const MARGIN = 14;
const TITLE = 44;
const GAP = 18;
const TERMINAL = 12;
const LABEL_LINE = 14;
const LOOP = 30;

/**
 * @typedef {import("./model.js").Level} Level
 * @typedef {{node: any, x: number, y: number, width: number, height: number, levels: {x: number, y: number, placed: Placed}[]}} PlacedNode
 * @typedef {{edge: any, points: number[][], labelAt: {x: number, y: number}|null, isLoop: boolean}} PlacedEdge
 * @typedef {{width: number, height: number, nodes: PlacedNode[], edges: PlacedEdge[], ends: {name: string, x: number, y: number}[]}} Placed
 */

/** @param {Level} level @returns {Placed} coordinates from the top left of the level */
export function place(level) {
  const terminals = [START, END].filter((end) => level.edges.some((edge) => edge.from === end || edge.to === end));
  const names = [...terminals.filter((end) => end === START), ...level.nodes.map((node) => node.name), ...terminals.filter((end) => end === END)];
  const index = new Map(names.map((name, at) => [name, at]));
  const sizes = new Map(level.nodes.map((node) => [node.name, sizeOf(node)]));
  const boxes = names.map((name) => box(sizes.get(name)?.width ?? TERMINAL, sizes.get(name)?.height ?? TERMINAL));
  const links = level.edges.map((edge) => ({
    source: index.get(edge.from) ?? 0, target: index.get(edge.to) ?? 0, kind: edge.kind, label: edge.from === edge.to ? null : labelSize(edge.labels),
    bends: [], labelBox: null, isReversed: false,
  }));
  const [width, height] = layOut(boxes, links);
  const nodes = level.nodes.map((node) => placedNode(node, boxes[index.get(node.name) ?? 0], sizes.get(node.name)?.inner ?? []));
  const at = new Map([...nodes.map((node) => [node.node.name, node]), ...terminals.map((end) => [end, around(boxes[index.get(end) ?? 0])])].map(([name, node]) => [index.get(String(name)) ?? 0, /** @type {any} */ (node)]));
  const ports = portsOf(boxes, links, at);
  return {
    width, height, nodes,
    edges: level.edges.map((edge, number) => placedEdge(edge, links[number], boxes, ports[number], at)),
    ends: terminals.map((end) => ({ name: end, x: boxes[index.get(end) ?? 0].x, y: boxes[index.get(end) ?? 0].y + TERMINAL / 2 })),
  };
}

/** @param {any} from a box @returns {any} its place from the top left */
const around = (from) => ({ x: from.x - from.width / 2, y: from.y, width: from.width, height: from.height });

/** @param {string[]} lines @returns {[number, number]|null} */
const labelSize = (lines) => (lines.length ? [Math.min(170, Math.max(...lines.map((line) => widthOf(line, LABEL))) + 10), lines.length * LABEL_LINE + 4] : null);

/** @param {any} node */
function sizeOf(node) {
  const text = Math.min(LONGEST, Math.max(SHORTEST, widthOf(node.name, NAME) + 44 + NOTES, widthOf(detailOf(node.state), DETAIL) + 44));
  if (!node.levels.length) return { inner: [], width: text, height: HEIGHT };
  const inner = node.levels.map(place);
  const width = inner.reduce((sum, each) => sum + each.width + GAP, -GAP) + 2 * MARGIN;
  return { inner, width: Math.max(width, text), height: Math.max(...inner.map((each) => each.height)) + TITLE + MARGIN };
}

/** @param {any} node @param {any} at @param {Placed[]} inner @returns {PlacedNode} */
function placedNode(node, at, inner) {
  let x = (at.width - inner.reduce((sum, each) => sum + each.width + GAP, -GAP)) / 2;
  const levels = inner.map((placed) => {
    const level = { x, y: TITLE, placed };
    x += placed.width + GAP;
    return level;
  });
  return { node, ...around(at), levels };
}

/**
 * Where each link leaves and enters its boxes: those of a side stand apart, in the order of where they lead.
 * @param {any[]} boxes @param {any[]} links @param {Map<number, any>} at
 */
function portsOf(boxes, links, at) {
  const ports = links.map(() => /** @type {Map<number, number>} */ (new Map()));
  for (const isBelow of [true, false]) {
    /** @type {Map<number, {x: number, apart: number, numbers: number[]}[]>} */
    const sides = new Map();
    links.forEach((link, number) => {
      if (link.source === link.target) return;
      const [upper, lower] = ends(link);
      const chain = [upper, ...link.bends, lower];
      const [own, other] = isBelow ? [upper, chain[1]] : [lower, chain[chain.length - 2]];
      const apart = other === upper || other === lower ? number : other + links.length; // two states may be linked twice
      const side = sides.get(own) ?? [];
      sides.set(own, side);
      const known = side.find((each) => each.apart === apart);
      known ? known.numbers.push(number) : side.push({ x: boxes[other].x, apart, numbers: [number] });
    });
    for (const [own, side] of sides) {
      const node = at.get(own);
      const step = Math.min(18, (node.width * 0.7) / side.length);
      side.sort((one, other) => one.x - other.x || one.apart - other.apart);
      side.forEach(({ numbers }, place) => numbers.forEach((number) => ports[number].set(own, node.x + node.width / 2 + (place - (side.length - 1) / 2) * step)));
    }
  }
  return ports;
}

/** @param {any} edge @param {any} link @param {any[]} boxes @param {Map<number, number>} ports @param {Map<number, any>} at @returns {PlacedEdge} */
function placedEdge(edge, link, boxes, ports, at) {
  if (link.source === link.target) {
    const node = at.get(link.source);
    const [right, middle] = [node.x + node.width, node.y + node.height / 2];
    return { edge, points: [[right, middle + 9], [right + LOOP, middle], [right, middle - 9]], labelAt: { x: right + LOOP + 30, y: middle }, isLoop: true };
  }
  const [upper, lower] = ends(link);
  const leave = Number(ports.get(upper));
  const enter = Number(ports.get(lower));
  const points = [[leave, boxes[upper].y + boxes[upper].height], [leave, boxes[upper].bottom]];
  for (const bend of link.bends) points.push([boxes[bend].x, boxes[bend].top], [boxes[bend].x, boxes[bend].bottom]);
  points.push([enter, boxes[lower].top], [enter, boxes[lower].y]);
  const label = link.labelBox === null ? null : boxes[link.labelBox];
  return { edge, points: link.isReversed ? points.reverse() : points, labelAt: label && { x: label.x, y: label.y + label.height / 2 }, isLoop: false };
}
