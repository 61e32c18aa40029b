/** The drawing of a definition, with what happened to each state. Shapes and colours are those of the Python drawing. */
import { short } from "../lib/format.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../lib/html.js";
import { STATUSES } from "../parts/basics.js";
import { detailOf, fitted, widthOf } from "./labels.js";
import { DETAIL, LABEL, NAME, place } from "./layout.js";
import { START, levelOf } from "./model.js";

/** A line: straight through ranks, curved between them. @param {number[][]} points @param {boolean} isLoop */
function curve(points, isLoop) {
  const [[x, y], ...rest] = points;
  if (isLoop) return `M${x},${y}Q${rest[0].join(",")} ${rest[1].join(",")}`;
  let path = `M${x},${y}`;
  for (let at = 1; at < points.length; at += 1) {
    const [[fromX, fromY], [toX, toY]] = [points[at - 1], points[at]];
    if (fromX === toX && fromY === toY) continue; // the arrow's head takes its direction from the last piece
    const middle = (fromY + toY) / 2;
    path += fromX === toX ? `L${toX},${toY}` : `C${fromX},${middle} ${toX},${middle} ${toX},${toY}`;
  }
  return path;
}

/** The outline of a node by its type. @param {string} type @param {number} width @param {number} height */
function outline(type, width, height) {
  if (type === "Choice") {
    const point = 14;
    const corners = [[point, 0], [width - point, 0], [width, height / 2], [width - point, height], [point, height], [0, height / 2]];
    return html`<polygon class="box" points=${corners.map((corner) => corner.join(",")).join(" ")} />`;
  }
  const round = { Wait: height / 2, Succeed: height / 2, Fail: height / 2, Pass: 2 }[type] ?? 6;
  const box = html`<rect class="box" width=${width} height=${height} rx=${round} />`;
  if (type !== "Succeed" && type !== "Fail") return box;
  return html`${box}<rect class="inner" x="3" y="3" width=${width - 6} height=${height - 6} rx=${round - 3} />`;
}

/** @param {{placed: any, marks: Map<string, any>, chosen: string|null, choose: (name: string) => void}} props */
function Level({ placed, marks, chosen, choose }) {
  return html`<g>
    ${placed.edges.map((/** @type {any} */ { edge, points, labelAt, isLoop }) => html`<g class="edge is-${edge.kind}">
      <path d=${curve(points, isLoop)} marker-end="url(#arrow)" />
      ${labelAt && edge.labels.map((/** @type {string} */ label, /** @type {number} */ at) => html`<text x=${labelAt.x} y=${labelAt.y + 4 + (at - (edge.labels.length - 1) / 2) * 14}>${fitted(label, 165, LABEL)}<title>${label}</title></text>`)}
    </g>`)}
    ${placed.ends.map((/** @type {any} */ end) => html`<circle class=${end.name === START ? "start" : "end"} cx=${end.x} cy=${end.y} r="6" />`)}
    ${placed.nodes.map((/** @type {any} */ each) => html`<${Node} key=${each.node.name} at=${each} marks=${marks} chosen=${chosen} choose=${choose} />`)}
  </g>`;
}

/** @param {{at: any, marks: Map<string, any>, chosen: string|null, choose: (name: string) => void}} props */
function Node({ at, marks, chosen, choose }) {
  const { node } = at;
  const mark = marks.get(node.name);
  const sign = mark ? STATUSES[mark.status]?.[0] ?? "" : "";
  const notes = mark ? [mark.count > 1 ? `×${short(mark.count)}` : "", mark.retries ? `↻${short(mark.retries)}` : ""].filter(Boolean).join("  ") : "";
  const isContainer = at.levels.length > 0;
  const from = sign ? 30 : 16;
  const most = at.width - from - 14 - (notes ? widthOf(notes, DETAIL) + 6 : 0);
  const status = mark ? STATUSES[mark.status]?.[1] : "not reached";
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    choose(node.name);
  };
  return html`<g class="node ${mark ? `is-${mark.status}` : ""} ${isContainer ? "is-container" : ""} ${chosen === node.name ? "is-chosen" : ""}"
      transform="translate(${at.x},${at.y})">
    <g class="button" role="button" tabindex="0"
        aria-pressed=${String(chosen === node.name)} onClick=${() => choose(node.name)} onKeyDown=${press}>
      ${outline(isContainer ? "Container" : node.type, at.width, at.height)}
      ${sign && html`<text class="sign" aria-hidden="true" x="14" y="20">${sign}</text>`}
      <text class="name" x=${from} y="20">${fitted(node.name, most, NAME)}<title>${node.name}</title></text>
      <text class="type" x=${from} y="35">${fitted(detailOf(node.state, Boolean(mark)), at.width - from - 14, DETAIL)}</text>
      <text class="unseen-text" x="16" y="40"> ${status} </text>
      ${notes && html`<text class="notes" x=${at.width - 12} y="20" text-anchor="end">${notes}</text>`}
    </g>
    ${at.levels.map((/** @type {any} */ level) => html`<g transform="translate(${level.x},${level.y})">
      <${Level} placed=${level.placed} marks=${marks} chosen=${chosen} choose=${choose} /></g>`)}
  </g>`;
}

/** @type {Map<string, any>} */
const NONE = new Map();

/** Scales: of a graph that is shown whole, and of one whose names can be read. */
const [SMALLEST, READABLE] = [0.1, 0.6];

/** Bring into sight what is to be looked at: the chosen state, what runs or has failed, else the start. @param {HTMLElement} box */
function reveal(box) {
  const bad = box.querySelectorAll(".node.is-RUNNING:not(.is-container), .node.is-FAILED:not(.is-container), .node.is-TIMED_OUT:not(.is-container)");
  const found = box.querySelector(".node.is-chosen") ?? bad[bad.length - 1] ?? box.querySelector(".start");
  if (!found) return;
  const [own, around] = [found.getBoundingClientRect(), box.getBoundingClientRect()];
  if (own.left < around.left || own.right > around.right) box.scrollLeft += own.left + own.width / 2 - around.left - around.width / 2;
  if (own.top < around.top || own.bottom > around.bottom) box.scrollTop += own.top + own.height / 2 - around.top - around.height / 2;
}

/**
 * @param {{definition: any, marks?: Map<string, any>, isReady?: boolean, chosen?: string|null, choose?: (name: string) => void}} props `isReady`: the marks are complete
 */
export function Drawing({ definition, marks = NONE, isReady = true, chosen = null, choose = () => {} }) {
  const placed = useMemo(() => place(levelOf(definition)), [definition]);
  const box = useRef(/** @type {HTMLElement|null} */ (null));
  const isPlaced = useRef(false);
  const [fitting, setFitting] = useState(1);
  const [zoom, setZoom] = useState(/** @type {number|"fit"|null} */ (null));
  const width = placed.width + 8;
  const height = placed.height + 8;
  const fit = () => {
    if (box.current) setFitting(Math.min(1, Math.max(SMALLEST, (box.current.clientWidth - 34) / width)));
  };
  useLayoutEffect(fit, [width]);
  useEffect(() => {
    addEventListener("resize", fit);
    return () => removeEventListener("resize", fit);
  }, [width]);
  useEffect(() => {
    if (isPlaced.current || !box.current || !isReady) return;
    isPlaced.current = true;
    requestAnimationFrame(() => box.current && reveal(box.current)); // when it has its scale
  }, [isReady]);
  const scale = zoom === "fit" ? fitting : zoom ?? Math.max(fitting, READABLE);
  return html`<div class="graph">
    <div class="zoom" role="group" aria-label="Zoom">
      <button type="button" aria-label="Smaller" onClick=${() => setZoom(Math.max(0.2, scale / 1.25))}>−</button>
      <button type="button" onClick=${() => setZoom("fit")}>Fit</button>
      <button type="button" aria-label="Larger" onClick=${() => setZoom(Math.min(3, scale * 1.25))}>+</button>
    </div>
    <div class="canvas" ref=${box} tabIndex=${0} role="group" aria-label="Graph of the states">
      <svg width=${width * scale} height=${height * scale} viewBox="-4 -4 ${width} ${height}" xmlns="http://www.w3.org/2000/svg">
        <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path d="M0,0L8,4L0,8z" /></marker></defs>
        <${Level} placed=${placed} marks=${marks} chosen=${chosen} choose=${choose} />
      </svg>
    </div>
  </div>`;
}
