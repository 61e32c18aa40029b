// An approval through AWS's SDK for JavaScript: start, poll, heartbeat, token, history. What it saw, as JSON.
import {
  SFNClient, CreateActivityCommand, CreateStateMachineCommand, DescribeExecutionCommand, GetActivityTaskCommand,
  SendTaskHeartbeatCommand, SendTaskSuccessCommand, StartExecutionCommand, StartSyncExecutionCommand,
  paginateGetExecutionHistory,
} from "@aws-sdk/client-sfn";

const name = process.argv[2];
const client = new SFNClient({ disableHostPrefix: true, maxAttempts: 1 });
const roleArn = "arn:aws:iam::000000000000:role/none";

async function nameOfError(command) {
  try {
    await client.send(command);
  } catch (error) {
    return error.name;
  }
  return "none";
}

async function ended(executionArn) {
  for (;;) {
    const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== "RUNNING") return execution;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const { activityArn } = await client.send(new CreateActivityCommand({ name }));
const definition = JSON.stringify({
  StartAt: "Approve", States: { Approve: { Type: "Task", Resource: activityArn, HeartbeatSeconds: 60, End: true } },
});
const machine = await client.send(new CreateStateMachineCommand({ name, roleArn, definition }));
const { stateMachineArn } = machine;
const { executionArn, startDate } = await client.send(
  new StartExecutionCommand({ stateMachineArn, name: "order-1", input: JSON.stringify({ text: "é\u{1f600}" }) }),
);
const task = await client.send(new GetActivityTaskCommand({ activityArn, workerName: "worker" }));
await client.send(new SendTaskHeartbeatCommand({ taskToken: task.taskToken }));
const answer = new SendTaskSuccessCommand({ taskToken: task.taskToken, output: task.input });
await client.send(answer);
const execution = await ended(executionArn);
const events = [];
let pages = 0;
for await (const page of paginateGetExecutionHistory({ client, pageSize: 2 }, { executionArn })) {
  events.push(...page.events.map((event) => event.type));
  pages += 1;
}
const pass = JSON.stringify({ StartAt: "P", States: { P: { Type: "Pass", End: true } } });
const express = await client.send(
  new CreateStateMachineCommand({ name: `${name}-express`, roleArn, definition: pass, type: "EXPRESS" }),
);
const sync = await client.send(
  new StartSyncExecutionCommand({ stateMachineArn: express.stateMachineArn, input: "[1]" }),
);
console.log(JSON.stringify({
  input: task.input,
  status: execution.status,
  output: execution.output,
  dates: startDate instanceof Date && execution.stopDate >= startDate,
  events,
  pages,
  again: await nameOfError(answer),
  missing: await nameOfError(new DescribeExecutionCommand({ executionArn: executionArn.replace("order-1", "none") })),
  invalid: await nameOfError(new CreateStateMachineCommand({ name: `${name}-bad`, roleArn, definition: "{}" })),
  sync: [sync.status, sync.output],
}));
