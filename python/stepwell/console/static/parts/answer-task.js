/** Answering a task that waits: with a result, or a failure. */
import { call } from "../lib/api.js";
import { html, useState } from "../lib/html.js";
import { Dialog } from "./dialog.js";
import { JsonInput, jsonProblem } from "./json-input.js";

/** @param {{tasks: any[], close: () => void, done: () => void}} props tasks with their tokens and states */
export function AnswerTask({ tasks, close, done }) {
  const [index, setIndex] = useState(0);
  const [kind, setKind] = useState("success");
  const [output, setOutput] = useState("{}");
  const [error, setError] = useState("Rejected");
  const [cause, setCause] = useState("");
  const taskToken = tasks[index].token;
  const act = () => (kind === "success" ? call("SendTaskSuccess", { taskToken, output }) : call("SendTaskFailure", { taskToken, error, cause })).then(done);
  const value = (/** @type {(text: string) => void} */ set) => (/** @type {any} */ event) => set(event.target.value);
  return html`<${Dialog} title="Answer the task of ${tasks[index].state}" verb=${kind === "success" ? "Send success" : "Send failure"} isDanger=${kind === "failure"} isReady=${kind === "failure" || !jsonProblem(output)} close=${close} act=${act}>
    ${tasks.length > 1 && html`<div class="field"><label for="answer-task">Task</label><select id="answer-task" value=${index} onChange=${value((text) => setIndex(Number(text)))}>${tasks.map((task, at) => html`<option value=${at}>${task.state}</option>`)}</select></div>`}
    <p class="dim">${tasks[index].resource}</p>
    <fieldset class="row"><legend>Answer</legend>${[["success", "Success"], ["failure", "Failure"]].map(([id, name]) => html`<label><input type="radio" name="kind" value=${id} checked=${kind === id} onChange=${() => setKind(id)} /> ${name}</label>`)}</fieldset>
    ${kind === "success" ? html`<${JsonInput} id="answer-output" label="Output" value=${output} set=${setOutput} />` : html`
      <div class="field"><label for="answer-error">Error</label><input id="answer-error" value=${error} onInput=${value(setError)} /></div>
      <div class="field"><label for="answer-cause">Cause</label><textarea id="answer-cause" rows="3" value=${cause} onInput=${value(setCause)}></textarea></div>`}</${Dialog}>`;
}
