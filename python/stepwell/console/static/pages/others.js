/** Pages without data: the sign-in, and the one for addresses that name nothing. */
import { keepToken } from "../lib/api.js";
import { html, useState } from "../lib/html.js";
import { BASE } from "../lib/router.js";
import { useTitle } from "../parts/basics.js";

export function NotFound() {
  useTitle("Not found");
  return html`<h1>There is no such page</h1><p><a href="${BASE}/executions">Go to executions</a></p>`;
}

/** @param {{auth: string, begin: () => Promise<any>}} props */
export function SignIn({ auth, begin }) {
  useTitle("Sign in");
  const [text, set] = useState("");
  const [isWrong, setWrong] = useState(false);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    keepToken(text.trim());
    await begin();
    setWrong(true);
  };
  if (auth === "signature") {
    return html`<main class="narrow"><h1>Stepwell</h1><p>This server takes signed requests only (AWS Signature Version 4), which a
      browser does not make. Start it with <code>--auth-token-file FILE</code> too: then the console asks for a token.</p></main>`;
  }
  return html`<main class="narrow"><h1>Stepwell</h1><form onSubmit=${submit}>
    <div class="field"><label for="token">Token</label>
      <input id="token" type="password" autocomplete="off" value=${text} onInput=${(/** @type {any} */ event) => set(event.target.value)} aria-describedby="token-note" />
      <p id="token-note" class="note dim">One of the server's <code>--auth-token-file</code>. It is kept until this tab is closed.</p></div>
    ${isWrong && html`<p class="problem" role="alert">The server does not know this token.</p>`}
    <button type="submit" class="primary" disabled=${!text.trim()}>Sign in</button>
  </form></main>`;
}
