/** How a state's visits look on the graph: one status for all, how many there were, how often it was tried again. */

const RANK = ["RUNNING", "FAILED", "TIMED_OUT", "CAUGHT", "ABORTED", "SUCCEEDED"];

/**
 * @param {import("../history/visits.js").Visit[]} visits
 * @param {Map<string, number>} iterations the iteration of a Map state that is looked at, by its name
 * @returns {Map<string, {status: string, count: number, retries: number, visits: any[]}>} by the states' names
 */
export function marksOf(visits, iterations) {
  const marks = new Map();
  for (const visit of visits) {
    if (!isShown(visit, iterations)) continue;
    const mark = marks.get(visit.name);
    const retries = Math.max(0, visit.attempts.length - 1);
    if (!mark) marks.set(visit.name, { status: visit.status, count: 1, retries, visits: [visit] });
    else {
      mark.count += 1;
      mark.retries += retries;
      mark.visits.push(visit);
      if (RANK.indexOf(visit.status) < RANK.indexOf(mark.status)) mark.status = visit.status;
    }
  }
  return marks;
}

/** @param {any} visit @param {Map<string, number>} iterations */
function isShown(visit, iterations) {
  for (let each = visit; each.parent; each = each.parent) {
    const wanted = each.parent.type === "Map" ? iterations.get(each.parent.name) : undefined;
    if (wanted !== undefined && each.iteration !== wanted) return false;
  }
  return true;
}
