/** What a page shows of the server: loaded, loaded again when something changes, with the last answer in between. */
import { follow } from "./api.js";
import { useCallback, useEffect, useRef, useState } from "./html.js";

/** @type {Set<(isLive: boolean) => void>} */
const watchers = new Set();

/** Whether the server tells of changes now; undefined: nothing is followed. */
export function useLiveness() {
  const [isLive, set] = useState(/** @type {boolean|undefined} */ (undefined));
  useEffect(() => {
    watchers.add(set);
    return () => watchers.delete(set);
  }, []);
  return isLive;
}

/** @param {boolean|undefined} isLive */
const tell = (isLive) => watchers.forEach((watcher) => watcher(isLive));

/**
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {any[]} inputs what the answer depends on
 * @param {string} [live] the stream of changes
 * @returns {{data: T|undefined, error: Error|undefined, isLoading: boolean, reload: () => void, hold: (isHeld: boolean) => void}}
 *   `hold`: nothing is loaded meanwhile
 */
export function useResource(load, inputs, live) {
  const key = JSON.stringify(inputs);
  const [state, set] = useState({ key, data: undefined, error: undefined, isLoading: true });
  const running = useRef(/** @type {AbortController|null} */ (null));
  const timer = useRef(0);
  const again = useRef(false);
  const held = useRef(false);
  const mayAt = useRef(0);
  const reload = useCallback(() => {
    if (running.current || timer.current || held.current) {
      again.current = true;
      return;
    }
    const pause = mayAt.current - performance.now();
    if (pause > 0) { // what takes long is not asked for all the time
      timer.current = setTimeout(() => {
        timer.current = 0;
        reload();
      }, pause);
      return;
    }
    const ending = new AbortController();
    const began = performance.now();
    running.current = ending;
    again.current = false;
    const done = (/** @type {object} */ found) => {
      if (ending.signal.aborted) return;
      running.current = null;
      mayAt.current = performance.now() + 2 * (performance.now() - began);
      set((before) => ({ key, data: before.key === key ? before.data : undefined, error: undefined, isLoading: false, ...found }));
      if (again.current) reload();
    };
    load(ending.signal).then((data) => done({ data }), (error) => done({ error }));
  }, [key]);
  const hold = useCallback((/** @type {boolean} */ isHeld) => {
    held.current = isHeld;
    if (!isHeld && again.current) reload();
  }, [reload]);
  useEffect(() => {
    set((before) => (before.key === key ? before : { key, data: undefined, error: undefined, isLoading: true }));
    mayAt.current = 0;
    reload();
    return () => {
      running.current?.abort();
      running.current = null;
      clearTimeout(timer.current);
      timer.current = 0;
      again.current = false;
    };
  }, [key]);
  const { status = 0 } = /** @type {any} */ (state.error ?? {});
  const isThere = state.key === key && !state.isLoading && !(status >= 400 && status < 500); // what there is not, or not for us, does not change
  useEffect(() => {
    if (!live || !isThere) return undefined;
    const stop = follow(live, reload, tell);
    return () => {
      stop();
      tell(undefined);
    };
  }, [live, key, isThere]);
  return { ...(state.key === key ? state : { data: undefined, error: undefined, isLoading: true }), reload, hold };
}

/** Do something, such as to load what no stream tells of, every so many seconds while the page is seen, and when it is seen again. @param {() => void} act @param {number} seconds */
export function useLooks(act, seconds, isNeeded = true) {
  useEffect(() => {
    if (!isNeeded) return undefined;
    const tick = () => document.hidden || act();
    const timer = setInterval(tick, seconds * 1000);
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }, [act, seconds, isNeeded]);
}

/** Draw again every so many seconds: durations of what runs. @param {boolean} isNeeded */
export function useClock(isNeeded, seconds = 1) {
  const [, set] = useState(0);
  useLooks(useCallback(() => set((count) => count + 1), []), seconds, isNeeded);
}
