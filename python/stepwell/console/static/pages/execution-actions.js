/** What can be done with an execution: stop, redrive, start again, answer a waiting task, delete, copy as a call. */
import { call, executionPath, remove } from "../lib/api.js";
import { html, useState } from "../lib/html.js";
import { pretty } from "../lib/json.js";
import { executionLink, go, visit } from "../lib/router.js";
import { Copy } from "../parts/basics.js";
import { Dialog, Sheet } from "../parts/dialog.js";
import { JsonInput, jsonProblem } from "../parts/json-input.js";
import { AnswerTask } from "../parts/answer-task.js";
import { useMayAct } from "../parts/session.js";

/** @param {{data: any, reload: () => void, hold: (isHeld: boolean) => void}} props */
export function Actions({ data, reload, hold }) {
  const mayAct = useMayAct();
  const [open, setOpen] = useState("");
  const close = () => setOpen("");
  const isRunning = data.status === "RUNNING";
  const waiting = data.states.filter((/** @type {any} */ state) => state.task?.token);
  const isChild = Boolean(data.mapRunArn);
  const erase = async () => {
    hold(true); // the stream tells of the deletion before its answer has come
    try {
      await remove(executionPath(data.id));
    } catch (error) {
      hold(false);
      throw error;
    }
    go("/executions");
  };
  const dialogs = {
    stop: () => html`<${Stop} data=${data} close=${close} reload=${reload} />`,
    redrive: () => html`<${Dialog} title="Redrive this execution?" verb="Redrive" close=${close} act=${() => call("RedriveExecution", { executionArn: data.arn }).then(reload)}>
      <p>It goes on from the states that did not succeed. Results of those that did are kept.</p></${Dialog}>`,
    again: () => html`<${Again} data=${data} close=${close} />`,
    answer: () => html`<${AnswerTask} tasks=${waiting.map((/** @type {any} */ state) => ({ ...state.task, state: state.name }))} close=${close} done=${reload} />`,
    delete: () => html`<${Dialog} title="Delete this execution?" verb="Delete" isDanger close=${close} act=${erase}>
      <p>Its history goes with it. This cannot be undone.</p></${Dialog}>`,
    copy: () => html`<${AsCall} data=${data} close=${close} />`,
  };
  const button = (/** @type {string} */ id, /** @type {string} */ name, /** @type {string} */ kind = "") => html`<button type="button" class=${kind} onClick=${() => setOpen(id)}>${name}</button>`;
  return html`<div class="row actions">
    ${mayAct && waiting.length > 0 && button("answer", "Answer task", "primary")}
    ${mayAct && isRunning && !isChild && button("stop", "Stop")}
    ${mayAct && data.redriveStatus === "REDRIVABLE" && button("redrive", "Redrive", "primary")}
    ${mayAct && !isChild && button("again", "Start again")}
    ${button("copy", "Copy as call")}
    ${mayAct && !isRunning && !isChild && button("delete", "Delete", "danger")}
    ${open && dialogs[/** @type {keyof typeof dialogs} */ (open)]()}</div>`;
}

/** @param {{data: any, close: () => void, reload: () => void}} props */
function Stop({ data, close, reload }) {
  const [error, setError] = useState("");
  const [cause, setCause] = useState("");
  const act = () => call("StopExecution", { executionArn: data.arn, ...(error && { error }), ...(cause && { cause }) }).then(reload);
  return html`<${Dialog} title="Stop this execution?" verb="Stop" isDanger close=${close} act=${act}>
    <div class="field"><label for="stop-error">Error (optional)</label><input id="stop-error" value=${error} onInput=${(/** @type {any} */ event) => setError(event.target.value)} /></div>
    <div class="field"><label for="stop-cause">Cause (optional)</label><input id="stop-cause" value=${cause} onInput=${(/** @type {any} */ event) => setCause(event.target.value)} /></div></${Dialog}>`;
}

/** @param {{data: any, close: () => void}} props */
function Again({ data, close }) {
  const [input, setInput] = useState(() => (jsonProblem(data.input) ? data.input : pretty(data.input)));
  const [name, setName] = useState("");
  const act = async () => {
    const { executionArn } = await call("StartExecution", { stateMachineArn: data.stateMachineArn, input, ...(name && { name }) });
    visit(executionLink(executionArn));
  };
  return html`<${Dialog} title="Start ${data.workflow} again" verb="Start" isReady=${!jsonProblem(input)} close=${close} act=${act}>
    <div class="field"><label for="again-name">Name (optional)</label><input id="again-name" value=${name} onInput=${(/** @type {any} */ event) => setName(event.target.value)} /></div>
    <${JsonInput} id="again-input" label="Input" value=${input} set=${setInput} rows=${12} /></${Dialog}>`;
}

/** A text for the shell. @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** @param {{data: any, close: () => void}} props */
function AsCall({ data, close }) {
  const cli = `aws stepfunctions start-execution \\\n  --endpoint-url ${location.origin} \\\n  --state-machine-arn ${quoted(data.stateMachineArn)} \\\n  --input ${quoted(data.input)}`;
  const python = `import boto3\n\nsfn = boto3.client("stepfunctions", endpoint_url="${location.origin}")\nsfn.start_execution(\n    stateMachineArn=${JSON.stringify(data.stateMachineArn)},\n    input=${JSON.stringify(data.input)},\n)`;
  const own = `stepwell show ${data.id} --data DIR`;
  return html`<${Sheet} title="The same by a program" close=${close}>
    ${[["AWS CLI", cli], ["boto3", python], ["Stepwell", own]].map(([name, text]) => html`<section><div class="row between"><h3>${name}</h3><${Copy} text=${text} /></div><pre class="call" tabIndex=${0}>${text}</pre></section>`)}</${Sheet}>`;
}
