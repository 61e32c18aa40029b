/**
 * What an execution did, from its events: each visit of a state with its attempts, and how it ended.
 *
 * Events name the event before them. That chain says which Parallel branch or Map iteration an event belongs to.
 */

/**
 * @typedef {{at: number, end?: number, status: string, error?: string, cause?: string}} Attempt
 * @typedef {{id: number, name: string, type: string, status: string, at: number, end?: number, exit?: number,
 *   parent: Visit|null, iteration: number|null, attempts: Attempt[], hasFailed: boolean, error?: string, cause?: string,
 *   iterations: Map<number, Iteration>, children: string[], mapRun?: string}} Visit
 * @typedef {{index: number, at: number, end?: number, status: string}} Iteration
 */

const OVER = new Set(["SUCCEEDED", "CAUGHT", "FAILED", "ABORTED", "TIMED_OUT"]);
const ATTEMPT = /^(?:Task|LambdaFunction|Activity)(Scheduled|ScheduleFailed|Started|StartFailed|Submitted|SubmitFailed|Succeeded|Failed|TimedOut)$/;
const ENDS = /** @type {Record<string, string>} */ ({ ExecutionSucceeded: "SUCCEEDED", ExecutionFailed: "FAILED", ExecutionAborted: "ABORTED", ExecutionTimedOut: "TIMED_OUT" });

/** The details of an event, whatever their name. @param {any} event */
export function details(event) {
  for (const [name, value] of Object.entries(event)) if (name.endsWith("EventDetails")) return value ?? {};
  return {};
}

/** The history of one execution: events come in order, a page after the other. */
export class History {
  constructor() {
    /** @type {any[]} */ this.events = [];
    /** @type {Visit[]} */ this.visits = [];
    /** @type {Map<number, Visit|null>} */ this.at = new Map([[0, null]]);
    /** @type {Map<number, number|null>} */ this.iterationAt = new Map([[0, null]]);
    this.begin = 0;
    this.end = 0;
  }

  /** The number of the last event. */
  get last() {
    return this.events.length ? this.events[this.events.length - 1].id : 0;
  }

  /** @param {any[]} events the next ones */
  add(events) {
    for (const event of events) {
      if (event.id <= this.last) continue;
      this.events.push(event);
      this.#take(event);
    }
  }

  /** @param {any} event */
  #take(event) {
    const { id, type, timestamp: at, previousEventId: previous } = event;
    this.begin ||= at;
    this.end = Math.max(this.end, at);
    const before = this.at.get(previous) ?? null;
    let visit = before;
    let iteration = this.iterationAt.get(previous) ?? null;
    const found = details(event);
    if (type.endsWith("StateEntered")) {
      const parent = before && isWithin(before, previous, this.events) ? before : before?.parent ?? null;
      if (parent !== before) iteration = before?.iteration ?? null;
      visit = this.#entered(event, found, parent, parent ? iteration : null);
    } else if (type.endsWith("StateExited")) {
      visit = climb(before, (each) => each.name === found.name) ?? before;
      if (visit) exited(visit, event);
      iteration = visit?.iteration ?? null;
    } else if (type.startsWith("MapIteration")) {
      visit = climb(before, (each) => each.name === found.name && each.type === "Map") ?? before;
      iteration = found.index ?? null;
      if (visit) this.#iterated(visit, type, found.index ?? 0, at);
      if (type !== "MapIterationStarted") iteration = visit?.iteration ?? null;
    } else if (/^(Map|Parallel)(Run|State)/.test(type)) {
      const wanted = type.startsWith("Parallel") ? "Parallel" : "Map";
      visit = climb(before, (each) => each.type === wanted) ?? before;
      if (visit) this.#container(visit, type, found, at);
      iteration = visit?.iteration ?? null;
    } else if (ATTEMPT.test(type)) {
      if (visit) attempt(visit, type, found, event);
    } else if (type in ENDS) {
      this.#ended(type, before, found, at);
    } else if (type.endsWith("StateAborted") && visit) {
      close(visit, visit.hasFailed ? "FAILED" : "ABORTED", at);
    } else if (type === "EvaluationFailed" && visit) {
      failed(visit, found, at);
    }
    this.at.set(id, visit);
    this.iterationAt.set(id, iteration);
  }

  /** @param {any} event @param {any} found @param {Visit|null} parent @param {number|null} iteration @returns {Visit} */
  #entered(event, found, parent, iteration) {
    const type = event.type.replace(/StateEntered$/, "");
    const visit = {
      id: event.id, name: found.name, type, status: type === "Fail" ? "FAILED" : "RUNNING", at: event.timestamp, parent, iteration,
      attempts: [], hasFailed: false, iterations: new Map(), children: [],
    };
    if (type === "Fail") visit.end = event.timestamp;
    this.visits.push(visit);
    return visit;
  }

  /** @param {Visit} visit @param {string} type @param {number} index @param {number} at */
  #iterated(visit, type, index, at) {
    const status = { MapIterationStarted: "RUNNING", MapIterationSucceeded: "SUCCEEDED", MapIterationFailed: "FAILED" }[type] ?? "ABORTED";
    const known = visit.iterations.get(index);
    if (!known || status === "RUNNING") visit.iterations.set(index, { index, at: known?.at ?? at, status });
    else Object.assign(known, { status, end: at });
  }

  /** @param {Visit} visit @param {string} type @param {any} found @param {number} at */
  #container(visit, type, found, at) {
    if (/StateStarted$|RunStarted$|RunRedriven$/.test(type)) {
      reopen(visit);
      if (found.mapRunArn) visit.mapRun = found.mapRunArn;
      if (type !== "MapRunStarted") visit.attempts.push({ at, status: "RUNNING" }); // its state has begun already
    } else if (/Failed$/.test(type)) {
      const child = this.visits.findLast((each) => each.parent === visit && each.hasFailed);
      failed(visit, found.error === undefined && visit.error === undefined && child ? child : found, at);
    } else if (/Aborted$/.test(type)) {
      close(visit, "ABORTED", at);
    }
  }

  /** @param {string} type @param {Visit|null} cause @param {any} found @param {number} at */
  #ended(type, cause, found, at) {
    const status = ENDS[type];
    const failing = new Set();
    for (let each = cause; each && status === "FAILED"; each = each.parent) failing.add(each);
    for (const visit of this.visits) {
      if (visit.type === "Fail" || OVER.has(visit.status)) continue;
      const isCause = failing.has(visit) || visit.hasFailed;
      close(visit, isCause ? "FAILED" : status === "SUCCEEDED" ? "SUCCEEDED" : status === "TIMED_OUT" ? "TIMED_OUT" : "ABORTED", at);
      if (isCause && visit.error === undefined) {
        visit.error = found.error;
        visit.cause = found.cause;
      }
    }
  }
}

/** Whether an entered state lies in the visit that the event before it belongs to. @param {Visit} before @param {number} previous @param {any[]} events */
function isWithin(before, previous, events) {
  if (before.type !== "Parallel" && before.type !== "Map") return false;
  const type = events[previous - 1]?.type ?? "";
  return !type.endsWith("StateExited");
}

/** @param {Visit|null} visit @param {(visit: Visit) => boolean} fits */
function climb(visit, fits) {
  for (let each = visit; each; each = each.parent) if (fits(each)) return each;
  return null;
}

/** @param {Visit} visit @param {any} event */
function exited(visit, event) {
  visit.exit = event.id;
  close(visit, visit.hasFailed ? "CAUGHT" : "SUCCEEDED", event.timestamp);
}

/** @param {Visit} visit @param {string} status @param {number} at */
function close(visit, status, at) {
  visit.status = status;
  visit.end = at;
  const open = visit.attempts.at(-1);
  if (open && open.end === undefined) Object.assign(open, { end: at, status: status === "CAUGHT" ? "FAILED" : status });
}

/** A redrive goes on in a visit that has ended. @param {Visit} visit */
function reopen(visit) {
  for (let each = /** @type {Visit|null} */ (visit); each; each = each.parent) {
    if (OVER.has(each.status)) Object.assign(each, { status: "RUNNING", end: undefined });
  }
  Object.assign(visit, { hasFailed: false, error: undefined, cause: undefined });
}

/** @param {Visit} visit @param {any} found @param {number} at */
function failed(visit, found, at) {
  visit.hasFailed = true;
  if (found.error !== undefined) Object.assign(visit, { error: found.error, cause: found.cause });
  const open = visit.attempts.at(-1);
  if (open && open.end === undefined) Object.assign(open, { end: at, status: "FAILED", error: found.error, cause: found.cause });
}

/** @param {Visit} visit @param {string} type @param {any} found @param {any} event */
function attempt(visit, type, found, event) {
  const step = /** @type {RegExpExecArray} */ (ATTEMPT.exec(type))[1];
  const open = visit.attempts.at(-1);
  if (step === "Scheduled") {
    reopen(visit);
    visit.attempts.push({ at: event.timestamp, status: "RUNNING" });
  } else if (step === "Succeeded") {
    if (open) Object.assign(open, { end: event.timestamp, status: "SUCCEEDED" });
  } else if (step !== "Started" && step !== "Submitted") {
    failed(visit, found, event.timestamp);
    if (open && step === "TimedOut") open.status = "TIMED_OUT";
  }
  if (event.child && !visit.children.includes(event.child)) visit.children.push(event.child);
}
