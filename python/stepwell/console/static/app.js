/** The console: the bar above, the page that the address names below it, and the sign-in where the server has tokens. */
import { get, keepToken } from "./lib/api.js";
import { keepZone, zone } from "./lib/format.js";
import { html, render, useEffect, useErrorBoundary, useState } from "./lib/html.js";
import { HELP, listenToKeys } from "./lib/keys.js";
import { useLiveness } from "./lib/resource.js";
import { BASE, catchLinks, useLocation } from "./lib/router.js";
import { Problem } from "./parts/basics.js";
import { Sheet } from "./parts/dialog.js";
import { Session } from "./parts/session.js";
import { Execution } from "./pages/execution.js";
import { Executions } from "./pages/executions.js";
import { MapRun } from "./pages/map-run.js";
import { NotFound, SignIn } from "./pages/others.js";
import { System } from "./pages/system.js";
import { TryState } from "./pages/try-state.js";
import { WaitingTasks } from "./pages/waiting.js";
import { Workflow } from "./pages/workflow.js";
import { Workflows } from "./pages/workflows.js";

const PLACES = [["/executions", "Executions"], ["/workflows", "Workflows"], ["/waiting", "Waiting"], ["/try", "Try a state"], ["/system", "System"]];
const PAGES = /** @type {[RegExp, any][]} */ ([
  [/^\/(?:executions\/?)?$/, Executions],
  [/^\/executions\/([^/]+)$/, Execution],
  [/^\/workflows\/?$/, Workflows],
  [/^\/workflows\/([^/]+)$/, Workflow],
  [/^\/map-runs\/([^/]+)$/, MapRun],
  [/^\/waiting$/, WaitingTasks],
  [/^\/try$/, TryState],
  [/^\/system$/, System],
]);

/** In milliseconds: a server that is away is asked again. */
const AGAIN = 3000;

/** @param {{path: string, session: any, help: () => void, signOut: () => void}} props */
function Bar({ path, session, help, signOut }) {
  const isLive = useLiveness();
  const [shownZone, setZone] = useState(zone());
  const change = () => {
    keepZone(shownZone === "utc" ? "local" : "utc");
    setZone(zone());
    dispatchEvent(new Event("zone"));
  };
  const isHere = (/** @type {string} */ place) => path.startsWith(place) || (path === "/" && place === "/executions") || (path.startsWith("/map-runs") && place === "/executions");
  return html`<header class="bar">
    <a class="brand" href="${BASE}/executions"><svg viewBox="0 0 32 32" width="20" height="20" aria-hidden="true"><path d="M7 8h18v4H7zM10 14h12v4H10zM13 20h6v4h-6z" fill="currentColor" /></svg>Stepwell</a>
    <nav aria-label="Pages">${PLACES.map(([place, name]) => html`<a href=${BASE + place} aria-current=${isHere(place) ? "page" : null}>${name}</a>`)}</nav>
    <div class="row tools">
      ${isLive !== undefined && html`<span class="live ${isLive ? "is-on" : "is-off"}" title=${isLive ? "Changes are shown as they happen" : "The connection to the server is lost"}>${isLive ? "Live" : "Offline"}</span>`}
      ${session.access === "read-only" && html`<span class="tag">Read-only</span>`}
      <button type="button" class="quiet" onClick=${change} title="Times: local or UTC">${shownZone === "utc" ? "UTC" : "Local"}</button>
      ${session.auth === "token" && html`<button type="button" class="quiet" onClick=${signOut}>Sign out</button>`}
      <button type="button" class="quiet" aria-label="Keyboard help" onClick=${help}>?</button>
    </div>
  </header>`;
}

/** A part of an address; one that is not encoded rightly names itself. @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A page whose script fails says so, and the others go on. @param {{children?: any}} props */
function Guarded({ children }) {
  const [error] = useErrorBoundary((/** @type {Error} */ problem) => console.error(problem));
  return error ? html`<h1>This page has failed</h1><${Problem} error=${error} />` : children;
}

function App() {
  const { path } = useLocation();
  const [session, setSession] = useState(/** @type {any} */ (null));
  const [error, setError] = useState("");
  const [isHelping, help] = useState(false);
  const [, redraw] = useState(0);
  const begin = () => get("session").then((found) => {
    setError("");
    setSession(found);
  }, (problem) => {
    setError(problem.message);
    setTimeout(begin, AGAIN);
  });
  useEffect(() => {
    begin();
    listenToKeys(() => help(true));
    addEventListener("zone", () => redraw((count) => count + 1));
    addEventListener("refused", begin);
  }, []);
  if (error && !session) return html`<main class="narrow"><p class="problem" role="alert">${error} It is asked again every few seconds.</p></main>`;
  if (!session) return null;
  if (session.access === "none") return html`<${SignIn} auth=${session.auth} begin=${begin} />`;
  const signOut = () => {
    keepToken("");
    begin();
  };
  const found = PAGES.map(([pattern, page]) => ({ match: pattern.exec(path), page })).find(({ match }) => match);
  const id = found?.match?.[1] && decoded(found.match[1]);
  return html`<${Session.Provider} value=${session}>
    <a class="skip" href="#main">Skip to the page</a>
    <${Bar} path=${path} session=${session} help=${() => help(true)} signOut=${signOut} />
    <main id="main" key=${path} tabIndex=${-1}><${Guarded}>${found ? html`<${found.page} id=${id} />` : html`<${NotFound} />`}</${Guarded}></main>
    ${isHelping && html`<${Sheet} title="Keyboard" close=${() => help(false)}>
      <dl class="keys">${HELP.map(([key, text]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${text}</dd></div>`)}</dl></${Sheet}>`}
  </${Session.Provider}>`;
}

catchLinks();
render(html`<${App} />`, /** @type {Element} */ (document.getElementById("app")));
