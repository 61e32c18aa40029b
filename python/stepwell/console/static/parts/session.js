/** Who uses the console: what it may do. */
import { createContext, useContext } from "../lib/html.js";

export const Session = createContext(/** @type {any} */ (null));

/** Whether actions are allowed. */
export const useMayAct = () => useContext(Session).access === "full";
