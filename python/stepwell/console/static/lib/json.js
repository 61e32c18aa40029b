/** JSON whose numbers stay as they were written: JavaScript's own would round 12345678901234567890. */

/** A number that JavaScript does not write as it was. */
export class Exact {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }

  toJSON() {
    return /** @type {any} */ (JSON).rawJSON ? /** @type {any} */ (JSON).rawJSON(this.text) : Number(this.text);
  }
}

/** The value of a text. @param {string} text @returns {any} */
export const exactly = (text) =>
  JSON.parse(text, /** @type {any} */ ((/** @type {string} */ _, /** @type {any} */ value, /** @type {any} */ context) =>
    typeof value === "number" && context?.source !== undefined && String(value) !== context.source ? new Exact(context.source) : value));

/** A text in lines; as it is where the browser would round its numbers. @param {string} text */
export const pretty = (text) => {
  const value = exactly(text);
  return "rawJSON" in JSON ? JSON.stringify(value, null, 2) : text;
};
