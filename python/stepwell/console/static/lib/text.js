/** Texts as they are shown: without characters that hide, or that change how others are read. As the Python drawing does. */

const HIDDEN = /[\u200b\u200e\u200f\u061c\ufeff\u2028\u2029\u202a-\u202e\u2066-\u2069]|(?![\n\r\t])[\p{Cc}\p{Cs}]/u;
const ALL_HIDDEN = new RegExp(HIDDEN, "gu");

/** @param {string} sign */
const escaped = (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A text with such characters as `\u202e`. @param {string} text */
export const plain = (text) => (HIDDEN.test(text) ? text.replace(ALL_HIDDEN, escaped) : text);

/** A text cut in the middle, which keeps the end that tells similar names apart. @param {string} text */
export const cut = (text, most = 28) =>
  text.length <= most ? text : `${text.slice(0, Math.max(1, Math.ceil(most / 2) - 1))}…${text.slice(text.length - Math.max(1, Math.floor(most / 2)))}`;

/** Copy a text; pages that are not from this machine nor over TLS have no clipboard. @param {string} text */
export async function copied(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area); // what lies outside a dialog has no focus
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (!isDone) throw new Error("the browser does not allow it");
  return undefined;
}
