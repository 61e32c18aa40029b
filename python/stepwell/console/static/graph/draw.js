/** The drawing of a definition, with what happened to each state. Shapes and colours are those of the Python drawing. */
import { cut } from "../lib/format.js";
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../lib/html.js";
import { STATUSES } from "../parts/basics.js";
import { place } from "./layout.js";
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

/** What stands small below the name. @param {any} node */
function subtitle(node) {
  const { state } = node;
  if (node.type === "Task") return `Task · ${cut(String(state.Resource ?? "").split(":").slice(-1)[0] || "", 17)}`;
  if (node.type === "Map") return node.isDistributed ? "Distributed Map" : "Map";
  if (node.type === "Wait") return state.Seconds !== undefined ? `Wait · ${state.Seconds} s` : "Wait";
  if (node.type === "Fail" && state.Error) return `Fail · ${cut(String(state.Error), 14)}`;
  return node.type;
}

/** @param {{placed: any, marks: Map<string, any>, chosen: string|null, choose: (name: string) => void}} props */
function Level({ placed, marks, chosen, choose }) {
  return html`<g>
    ${placed.edges.map((/** @type {any} */ { edge, points, labelAt, isLoop }) => html`<g class="edge is-${edge.kind}">
      <path d=${curve(points, isLoop)} marker-end="url(#arrow)" />
      ${labelAt && edge.labels.map((/** @type {string} */ label, /** @type {number} */ at) => html`<text x=${labelAt.x} y=${labelAt.y + 4 + (at - (edge.labels.length - 1) / 2) * 14}>${cut(label, 28)}<title>${label}</title></text>`)}
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
  const notes = mark ? [mark.count > 1 ? `×${mark.count}` : "", mark.retries ? `↻${mark.retries}` : ""].filter(Boolean).join("  ") : "";
  const isContainer = at.levels.length > 0;
  const most = Math.floor((at.width - 40 - notes.length * 7) / 7.6);
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
      <text class="name" x=${sign ? 30 : 16} y="20">${cut(node.name, most)}<title>${node.name}</title></text>
      <text class="type" x=${sign ? 30 : 16} y="35">${subtitle(node)}</text>
      <text class="unseen-text" x="16" y="40"> ${status} </text>
      ${notes && html`<text class="notes" x=${at.width - 12} y="20" text-anchor="end">${notes}</text>`}
    </g>
    ${at.levels.map((/** @type {any} */ level) => html`<g transform="translate(${level.x},${level.y})">
      <${Level} placed=${level.placed} marks=${marks} chosen=${chosen} choose=${choose} /></g>`)}
  </g>`;
}

/**
 * @param {{definition: any, marks?: Map<string, any>, chosen?: string|null, choose?: (name: string) => void}} props
 */
export function Drawing({ definition, marks = new Map(), chosen = null, choose = () => {} }) {
  const placed = useMemo(() => place(levelOf(definition)), [definition]);
  const box = useRef(/** @type {HTMLElement|null} */ (null));
  const [fitted, setFitted] = useState(1);
  const [zoom, setZoom] = useState(/** @type {number|null} */ (null));
  const width = placed.width + 8;
  const height = placed.height + 8;
  const fit = () => {
    if (box.current) setFitted(Math.min(1, Math.max(0.35, (box.current.clientWidth - 34) / width)));
  };
  useLayoutEffect(fit, [width]);
  useEffect(() => {
    addEventListener("resize", fit);
    return () => removeEventListener("resize", fit);
  }, [width]);
  const scale = zoom ?? fitted;
  return html`<div class="graph">
    <div class="zoom" role="group" aria-label="Zoom">
      <button type="button" aria-label="Smaller" onClick=${() => setZoom(Math.max(0.2, scale / 1.25))}>−</button>
      <button type="button" onClick=${() => setZoom(null)}>Fit</button>
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
