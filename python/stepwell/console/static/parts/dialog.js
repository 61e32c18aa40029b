/** Dialogs: questions before what cannot be undone, and forms. */
import { html, useEffect, useRef, useState } from "../lib/html.js";
import { Problem } from "./basics.js";

/**
 * A dialog with a form. `act` may fail: the error is shown, and the dialog stays.
 * @param {{title: string, verb: string, isDanger?: boolean, act: () => Promise<any>, close: () => void, isReady?: boolean,
 *   children?: any}} props
 */
export function Dialog({ title, verb, isDanger, act, close, isReady = true, children }) {
  const element = useRef(/** @type {HTMLDialogElement|null} */ (null));
  const [error, setError] = useState(/** @type {Error|undefined} */ (undefined));
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    element.current?.showModal();
  }, []);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await act();
      close();
    } catch (problem) {
      setError(/** @type {Error} */ (problem));
      setBusy(false);
    }
  };
  return html`<dialog ref=${element} onClose=${close} aria-labelledby="dialog-title">
    <form onSubmit=${submit}>
      <h2 id="dialog-title">${title}</h2>
      ${children}
      <${Problem} error=${error} />
      <div class="row end">
        <button type="button" onClick=${close}>Cancel</button>
        <button type="submit" class=${isDanger ? "danger" : "primary"} disabled=${isBusy || !isReady}>${verb}</button>
      </div>
    </form>
  </dialog>`;
}

/** A dialog that only tells something. @param {{title: string, close: () => void, children?: any}} props */
export function Sheet({ title, close, children }) {
  const element = useRef(/** @type {HTMLDialogElement|null} */ (null));
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return html`<dialog ref=${element} onClose=${close} aria-labelledby="dialog-title">
    <h2 id="dialog-title">${title}</h2>
    ${children}
    <div class="row end"><button type="button" class="primary" onClick=${close}>Close</button></div>
  </dialog>`;
}
