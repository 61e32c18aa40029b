/** What every component is made of. Children are text nodes: nothing here makes HTML of a text. */
import { default as htm } from "../vendor/htm.js";
import { h } from "../vendor/preact.js";
import { plain } from "./text.js";

export { createContext, render } from "../vendor/preact.js";
export { useCallback, useContext, useEffect, useErrorBoundary, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact-hooks.js";

/** Texts are shown as they are, also where they have characters that would turn others round. @param {any} child */
const shown = (child) => (typeof child === "string" ? plain(child) : child);

export const html = htm.bind((/** @type {any} */ type, /** @type {any} */ props, /** @type {any[]} */ ...children) => h(type, props, ...children.map(shown)));
