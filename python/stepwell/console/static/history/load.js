/** The history of an execution, loaded page by page, and on as it runs. */
import { executionPath, get } from "../lib/api.js";
import { useEffect, useRef, useState } from "../lib/html.js";
import { History } from "./visits.js";

const PAGE = 1000;

/**
 * @param {string} id of the execution
 * @param {number} lastEvent how many events there are known to be
 * @param {number} redrives how often it was redriven: its history goes on then
 */
export function useHistory(id, lastEvent, redrives) {
  const kept = useRef({ id: "", history: new History() });
  const [state, set] = useState({ count: 0, isLoading: true, error: /** @type {Error|undefined} */ (undefined) });
  if (kept.current.id !== id) kept.current = { id, history: new History() };
  const { history } = kept.current;
  useEffect(() => {
    const ending = new AbortController();
    const load = async () => {
      try {
        for (;;) {
          const path = `${executionPath(id)}/events?after=${history.last}&limit=${PAGE}`;
          const { events } = await get(path, ending.signal);
          history.add(events);
          const isLast = events.length < PAGE;
          set({ count: history.events.length, isLoading: !isLast, error: undefined });
          if (isLast) return;
        }
      } catch (error) {
        if (!ending.signal.aborted) set({ count: history.events.length, isLoading: false, error: /** @type {Error} */ (error) });
      }
    };
    load();
    return () => ending.abort();
  }, [id, lastEvent, redrives]);
  return { history, ...state };
}

/** One event with its data. @param {string} id of the execution @param {number} number */
export async function eventWithData(id, number) {
  const { events } = await get(`${executionPath(id)}/events?after=${number - 1}&limit=1&data=1`);
  return events.find((/** @type {any} */ event) => event.id === number);
}
