/** One state, tried alone: with a mock or for real, and the data shown step by step as it flows through the state. */
import { call } from "../lib/api.js";
import { html, useEffect, useMemo, useState } from "../lib/html.js";
import { exactly } from "../lib/json.js";
import { useLocation } from "../lib/router.js";
import { allNodes, levelOf } from "../graph/model.js";
import { useResource } from "../lib/resource.js";
import { Facts, Problem, Status, useTitle } from "../parts/basics.js";
import { JsonInput, jsonProblem } from "../parts/json-input.js";
import { JsonView } from "../parts/json-view.js";
import { useMayAct } from "../parts/session.js";
import { all } from "./workflows.js";

const EXAMPLE = JSON.stringify({ Type: "Pass", QueryLanguage: "JSONata", Output: { total: "{% $sum($states.input.lines.price) %}" }, End: true }, null, 2);
const STEPS = [["input", "Input"], ["afterInputPath", "After InputPath"], ["afterParameters", "After Parameters"], ["afterArguments", "After Arguments"], ["afterItemsPath", "After ItemsPath"], ["afterItemSelector", "After ItemSelector"], ["afterItemBatcher", "After ItemBatcher"], ["result", "Result"], ["afterResultSelector", "After ResultSelector"], ["afterResultPath", "After ResultPath"], ["variables", "Variables"]];

export function TryState() {
  useTitle("Try a state");
  const { query } = useLocation();
  const mayAct = useMayAct();
  const [definition, setDefinition] = useState(EXAMPLE);
  const [input, setInput] = useState('{\n  "lines": [{ "price": 4 }, { "price": 8 }]\n}');
  const [variables, setVariables] = useState("");
  const [context, setContext] = useState("");
  const [mock, setMock] = useState("none");
  const [result, setResult] = useState("{}");
  const [error, setError] = useState({ error: "States.TaskFailed", cause: "" });
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(/** @type {Error|undefined} */ (undefined));
  const isReady = !jsonProblem(definition) && !jsonProblem(input) && (!variables.trim() || !jsonProblem(variables)) && (!context.trim() || !jsonProblem(context)) && (mock !== "result" || !jsonProblem(result));
  const run = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setProblem(undefined);
    const mocked = mock === "result" ? { mock: { result } } : mock === "error" ? { mock: { errorOutput: error } } : {};
    try {
      setAnswer(await call("TestState", { definition, input, inspectionLevel: "TRACE", roleArn: "arn:aws:iam::000000000000:role/console", ...(variables.trim() && { variables }), ...(context.trim() && { context }), ...mocked }));
    } catch (found) {
      setAnswer(null);
      setProblem(/** @type {Error} */ (found));
    }
  };
  const value = (/** @type {(text: string) => void} */ set) => (/** @type {any} */ event) => set(event.target.value);
  if (!mayAct) return html`<h1>Try a state</h1><p class="dim">This needs more than a read-only key: a state that is tried calls handlers and services.</p>`;
  return html`<h1>Try a state</h1><div class="split is-even"><form class="form" onSubmit=${run}>
      <${Pick} use=${(/** @type {any} */ state) => setDefinition(JSON.stringify(state, null, 2))} workflow=${query.get("workflow") ?? ""} state=${query.get("state") ?? ""} />
      <${JsonInput} id="try-definition" label="Definition of the state" value=${definition} set=${setDefinition} rows=${12} />
      <${JsonInput} id="try-input" label="Input" value=${input} set=${setInput} rows=${5} />
      <fieldset class="row"><legend>A Task's result</legend>${[["none", "Call it"], ["result", "Mock a result"], ["error", "Mock an error"]].map(([id, name]) => html`<label><input type="radio" name="mock" checked=${mock === id} onChange=${() => setMock(id)} /> ${name}</label>`)}</fieldset>
      ${mock === "result" && html`<${JsonInput} id="try-result" label="Mocked result" value=${result} set=${setResult} rows=${4} />`}
      ${mock === "error" && html`<div class="field"><label for="try-error">Error</label><input id="try-error" value=${error.error} onInput=${value((text) => setError({ ...error, error: text }))} /></div><div class="field"><label for="try-cause">Cause</label><input id="try-cause" value=${error.cause} onInput=${value((text) => setError({ ...error, cause: text }))} /></div>`}
      <details><summary>Variables and Context Object</summary><${JsonInput} id="try-variables" label="Variables (optional)" value=${variables} set=${setVariables} rows=${3} isOptional /><${JsonInput} id="try-context" label="Context Object (optional)" value=${context} set=${setContext} rows=${3} isOptional /></details>
      <button type="submit" class="primary" disabled=${!isReady}>Try</button></form>
    <section aria-label="What happened" aria-live="polite"><${Problem} error=${problem} />${answer ? html`<${Result} answer=${answer} />` : !problem && html`<p class="dim">The data is shown here as each part of the state has left it.</p>`}</section></div>`;
}

/** A state of a workflow, to begin with. @param {{use: (state: any) => void, workflow: string, state: string}} props */
function Pick({ use, workflow, state }) {
  const [name, setName] = useState(workflow);
  const workflows = useResource(() => all("ListStateMachines", {}, "stateMachines"), []);
  const arn = workflows.data?.find((/** @type {any} */ each) => each.name === name)?.stateMachineArn;
  const found = useResource(() => (arn ? call("DescribeStateMachine", { stateMachineArn: arn }) : Promise.resolve(null)), [arn]);
  const nodes = useMemo(() => (found.data ? allNodes([levelOf(exactly(found.data.definition))]) : []), [found.data]);
  const choose = (/** @type {string} */ text) => {
    const picked = nodes.find((node) => node.name === text)?.state;
    const language = JSON.parse(found.data.definition).QueryLanguage;
    if (picked) use(language && !picked.QueryLanguage ? { QueryLanguage: language, ...picked } : picked);
  };
  useEffect(() => {
    if (state && nodes.length) choose(state);
  }, [nodes]);
  if (!workflows.data?.length) return null;
  return html`<div class="row"><div class="field"><label for="pick-workflow">From a workflow</label><select id="pick-workflow" value=${name} onChange=${(/** @type {any} */ event) => setName(event.target.value)}><option value="">–</option>${workflows.data.map((/** @type {any} */ each) => html`<option value=${each.name}>${each.name}</option>`)}</select></div>
    <div class="field"><label for="pick-state">State</label><select id="pick-state" value="" disabled=${!nodes.length} onChange=${(/** @type {any} */ event) => choose(event.target.value)}><option value="">–</option>${nodes.map((node) => html`<option value=${node.name}>${node.name}</option>`)}</select></div></div>`;
}

/** @param {{answer: any}} props */
function Result({ answer }) {
  const data = answer.inspectionData ?? {};
  const steps = [...STEPS.filter(([name]) => data[name] !== undefined).map(([name, label]) => [label, data[name]]), ...(answer.output !== undefined ? [["Output", answer.output]] : [])];
  const status = /** @type {Record<string, string>} */ ({ CAUGHT_ERROR: "CAUGHT", RETRIABLE: "PENDING_REDRIVE" })[answer.status] ?? answer.status;
  return html`<${Facts} items=${[["Status", html`<${Status} status=${status} />`], ["Next state", answer.nextState]]} />
    ${answer.error && html`<div class="failure"><b>${answer.error}</b><pre>${answer.cause ?? ""}</pre></div>`}
    <ol class="steps">${steps.map(([label, text]) => html`<li key=${label}><${JsonView} label=${label} text=${String(text)} /></li>`)}</ol>
    ${data.errorDetails && html`<${JsonView} label="Error details" value=${data.errorDetails} />`}`;
}
