/** What every component is made of. Children are text nodes: nothing here makes HTML of a text. */
import { default as htm } from "../vendor/htm.js";
import { h } from "../vendor/preact.js";

export { createContext, render } from "../vendor/preact.js";
export { useCallback, useContext, useEffect, useErrorBoundary, useLayoutEffect, useMemo, useRef, useState } from "../vendor/preact-hooks.js";
export const html = htm.bind(h);
