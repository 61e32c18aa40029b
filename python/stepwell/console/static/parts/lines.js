/** The lines of a JSON text on which its parts stand, by JSON pointer (`/States/Charge/Retry/0`). */

/** A name as a part of a pointer. @param {string} name */
export const escaped = (name) => name.replaceAll("~", "~0").replaceAll("/", "~1");

/** @param {string} text valid JSON @returns {Map<string, number>} line numbers from 1 */
export function linesOf(text) {
  const found = new Map([["", 1]]);
  let at = 0;
  let line = 1;
  const space = () => {
    for (; at < text.length && " \t\r\n".includes(text[at]); at += 1) if (text[at] === "\n") line += 1;
  };
  const string = () => {
    const begin = at;
    for (at += 1; text[at] !== '"'; at += 1) if (text[at] === "\\") at += 1;
    at += 1;
    return JSON.parse(text.slice(begin, at));
  };
  const value = (/** @type {string} */ path) => {
    space();
    if (text[at] === "{") members(path);
    else if (text[at] === "[") items(path);
    else if (text[at] === '"') string();
    else for (; at < text.length && !",]} \t\r\n".includes(text[at]);) at += 1;
  };
  const members = (/** @type {string} */ path) => {
    at += 1;
    for (space(); text[at] !== "}"; space()) {
      if (text[at] === ",") { at += 1; space(); }
      const below = `${path}/${escaped(string())}`;
      found.set(below, line);
      space();
      at += 1;
      value(below);
    }
    at += 1;
  };
  const items = (/** @type {string} */ path) => {
    at += 1;
    space();
    for (let index = 0; text[at] !== "]"; index += 1) {
      if (text[at] === ",") { at += 1; space(); }
      found.set(`${path}/${index}`, line);
      value(`${path}/${index}`);
      space();
    }
    at += 1;
  };
  value("");
  return found;
}

/** The line of a place, or of the nearest one above it. @param {Map<string, number>} lines @param {string} pointer */
export function lineOf(lines, pointer) {
  let path = pointer.replace(/\[(\d+)\]/g, "/$1").replace(/^(?![/]|$)/, "/");
  while (path && !lines.has(path)) path = path.slice(0, path.lastIndexOf("/"));
  return lines.get(path) ?? 1;
}
