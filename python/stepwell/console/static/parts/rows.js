/** Virtual rows: of many rows of one height, those that are seen are drawn. */
import { html, useEffect, useRef, useState } from "../lib/html.js";

const MORE = 12;

/**
 * @param {{count: number, height: number, label: string, row: (index: number) => any, most?: number, show?: number}} props
 *   `show`: a row to bring into sight
 */
export function Rows({ count, height, label, row, most = 560, show }) {
  const box = useRef(/** @type {HTMLElement|null} */ (null));
  const [top, setTop] = useState(0);
  useEffect(() => {
    if (show === undefined || show < 0 || !box.current) return;
    const at = show * height;
    const { scrollTop, clientHeight } = box.current;
    if (at < scrollTop || at + height > scrollTop + clientHeight) box.current.scrollTop = Math.max(0, at - clientHeight / 2);
  }, [show]);
  const visible = Math.min(most, count * height);
  const first = Math.max(0, Math.floor(top / height) - MORE);
  const last = Math.min(count, Math.ceil((top + visible) / height) + MORE);
  const drawn = [];
  for (let index = first; index < last; index += 1) drawn.push(row(index));
  return html`<div class="rows" ref=${box} tabIndex=${0} role="group" aria-label=${label} style=${{ maxHeight: `${most}px` }}
    onScroll=${(/** @type {any} */ event) => setTop(event.target.scrollTop)}>
    <div style=${{ height: `${count * height}px`, paddingTop: `${first * height}px`, boxSizing: "border-box" }}>${drawn}</div>
  </div>`;
}
