/** Times, durations and numbers as people read them. */

const ZONE = "stepwell-zone";

/** @returns {"local"|"utc"} */
export const zone = () => (localStorage.getItem(ZONE) === "utc" ? "utc" : "local");
/** @param {"local"|"utc"} name */
export const keepZone = (name) => localStorage.setItem(ZONE, name);

/** A time of the API. @param {number|undefined} seconds since 1970 @param {boolean} [exact] with milliseconds */
export function time(seconds, exact = false) {
  if (!seconds) return "–";
  const date = new Date(seconds * 1000);
  const shifted = zone() === "utc" ? date : new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  const text = shifted.toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, exact ? 23 : 19)}`;
}

/** Both times, for a tooltip. @param {number|undefined} seconds */
export function bothTimes(seconds) {
  if (!seconds) return "";
  const date = new Date(seconds * 1000);
  return `${date.toLocaleString()} (local)\n${date.toISOString()} (UTC)`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0) return `-${duration(-seconds)}`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const parts = [[Math.floor(whole / 86400), "d"], [Math.floor(whole / 3600) % 24, "h"], [Math.floor(whole / 60) % 60, "min"], [whole % 60, "s"]];
  const first = parts.findIndex(([count]) => count);
  return parts.slice(first, first + 2).filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** How long something took, or has taken so far. @param {number} begin @param {number|undefined} end since 1970 */
export const lasted = (begin, end) => duration((end ?? Date.now() / 1000) - begin);

/** How long ago. @param {number} seconds since 1970 */
export function ago(seconds) {
  const past = Date.now() / 1000 - seconds;
  return past < 1 ? "now" : past < 60 ? `${Math.floor(past)} s ago` : `${duration(past)} ago`;
}

/** @param {number} count */
export const number = (count) => count.toLocaleString("en-US");

/** @param {number} count */
export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  return `${(count / 1024 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}

/** A text cut in the middle, which keeps the end that tells similar names apart. @param {string} text */
export const cut = (text, most = 28) =>
  text.length <= most ? text : `${text.slice(0, Math.ceil(most / 2) - 1)}…${text.slice(-Math.floor(most / 2))}`;
