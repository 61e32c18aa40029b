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

/** What a field for a time shows of one of an address, in the zone that is shown. @param {string|null} text */
export const toField = (text) => (text && Number.isFinite(Date.parse(text)) ? time(Date.parse(text) / 1000).slice(0, 16).replace(" ", "T") : "");

/** The time in such a field, for an address: the same for whoever opens it. @param {string} text */
export function ofField(text) {
  const at = Date.parse(zone() === "utc" ? `${text}Z` : text);
  return Number.isFinite(at) ? new Date(at).toISOString().replace(":00.000Z", "Z") : "";
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
  if (seconds < 0.0095) return `${Number((seconds * 1000).toPrecision(2))} ms`;
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

/** In a few characters: 1.3k. @param {number} count */
export const short = (count) => (count < 1000 ? String(count) : count < 10_000 ? `${Math.floor(count / 100) / 10}k` : count < 1_000_000 ? `${Math.floor(count / 1000)}k` : `${Math.floor(count / 100_000) / 10}M`);

/** @param {number} count */
export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  return `${(count / 1024 ** power).toFixed(power ? 1 : 0)} ${units[power]}`;
}
