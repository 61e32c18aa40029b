"""The run behind a golden log: every kind of state and of record; some executions ended, some still running."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.support import ACTIVITY, CALLBACK, catch, machine, map_over, parallel, passing, retry, task
from stepwell import TaskError, _core
from stepwell.asl.json import dumps
from stepwell.engine.limits import Limits
from stepwell.engine.log import records as r
from stepwell.engine.log.document import of_value
from stepwell.engine.replay.redrive import redrive_command
from stepwell.engine.storage.contexts import MapRunContext, TaskContext
from stepwell.testing.simulation import HANGS, Simulation

SECOND = 1_000_000
DAY = 86_400

EVERYTHING = machine(
    {
        "Shape": passing("Which", Parameters={"n.$": "$.n", "items.$": "$.items"}, Assign={"kept.$": "$.n"}),
        "Which": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericGreaterThan": 0, "Next": "Sleep"}],
            "Default": "No",
        },
        "No": {"Type": "Fail", "Error": "Zero", "Cause": "nothing to do"},
        "Sleep": {"Type": "Wait", "Seconds": 7, "Next": "Flaky"},
        "Flaky": task("Caught", Retry=[retry("Boom", MaxAttempts=2, IntervalSeconds=3)], ResultPath="$.flaky"),
        "Caught": task("Never", Catch=[catch("States.ALL", next="Both")], ResultPath="$.caught"),
        "Never": {"Type": "Succeed"},
        "Both": parallel(
            machine({"L": task()}), machine({"R": passing(Result="é☃")}), next="Each", ResultPath="$.both"
        ),
        "Each": map_over(machine({"E": task()}), next="Spread", ItemsPath="$.both", MaxConcurrency=1),
        "Spread": map_over(
            {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **machine({"S": passing()})},
            "End",
        ),
        "End": {"Type": "Succeed"},
    }
)
WAITS = machine(
    {
        "Ask": task(
            "Answered",
            CALLBACK,
            Parameters={"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}},
            TimeoutSeconds=DAY,
        ),
        "Answered": passing(Result="by version 1"),
    }
)
WAITS_2 = machine({"Ask": passing("Answered"), "Answered": passing(Result="by version 2")})
POLLED = machine({"Poll": task(resource=ACTIVITY, HeartbeatSeconds=7200)})
SLEEPS = machine({"Sleep": {"Type": "Wait", "Seconds": DAY, "Next": "Up"}, "Up": passing()}, TimeoutSeconds=2 * DAY)
BROKEN = "{% $number('x') %}"
FAILS = machine(
    {
        "Query": task(
            "Good", QueryLanguage="JSONata", Arguments=BROKEN, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Good"}]
        ),
        "Good": task("Bad"),
        "Bad": task(),
    }
)
MANY = machine({"Many": map_over(machine({"One": passing("Two"), "Two": passing()}))})
SPREADS = machine(
    {
        "Spread": map_over(
            {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                **machine({"Ask": task(resource=ACTIVITY)}),
            }
        )
    }
)


class Answers:
    """The results of tasks: the same in every run."""

    def __init__(self, hangs: bool = True) -> None:
        self.mended, self.hangs = not hangs, hangs

    def __call__(self, task: TaskContext, state: str, input: Any) -> Any:
        if state == "Flaky" and task.attempt == 0:
            raise TaskError("Boom", "not yet")
        if state == "Caught" or (state == "Bad" and not self.mended):
            raise TaskError("Oops", f"said by {state}")
        return HANGS if self.hangs and state in ("Ask", "Poll") else {"from": state, "attempt": task.attempt}


def run_story(folder: Path) -> list[str]:
    """Run it in a new store in ``folder``; returns the executions that are still running at its end."""
    answers = Answers()
    store = _core.Store.open(folder, keeps_log=True)
    run = Simulation(answers, store=store, limits=Limits(turn_records=9))
    for name, definition in {
        "all": EVERYTHING,
        "waits": WAITS,
        "polled": POLLED,
        "sleeps": SLEEPS,
        "fails": FAILS,
    }.items():
        run.deploy(name, definition)
    run.deploy("many", MANY)
    run.deploy("spreads", SPREADS)
    done = run.start("all", {"n": 2, "items": [1, 2]}, 1)
    run.start("all", {"n": 0, "items": []}, 2)
    failed = run.start("fails", {}, 3, idempotent=True)
    deleted = run.start("all", {"n": 0, "items": []}, 4)
    answer_all(run)
    assert run.result(done)["status"] == "Succeeded", run.result(done)  # type: ignore[index]
    answers.mended = True
    context = run.partition.executions.get(failed).context  # type: ignore[union-attr]
    workflow = run.partition.state.workflows.get(context.workflow_id)
    run.partition.submit(redrive_command(run.partition.storage, workflow, context))
    run.partition.submit(r.DeleteExecutionCommand(deleted))
    under_way = [run.start("waits", {"n": 1}, 5), run.start("sleeps", {}, 6), run.start("polled", {}, 7)]
    under_way += [
        run.start("spreads", {"a": 1, "b": 2, "c": 3}, 8),
        run.start("sleeps", {}, 9, start_at=run.clock.now() + 60 * SECOND),
    ]
    stopped = run.start("sleeps", {}, 10)
    answer_all(run)
    run.partition.submit(r.CancelExecutionCommand(stopped, "Enough", "said so"))
    polled = next(row for row in run.partition.storage.scan(TaskContext) if row.heartbeat_due)
    run.partition.submit(r.HeartbeatTaskCommand(polled.id, 0))
    (running,) = (row for row in run.partition.storage.scan(MapRunContext) if row.status == "Running")
    run.partition.submit(r.UpdateMapRunCommand(running.id, 2, None, None))
    asks = next(row for row in run.partition.storage.scan(TaskContext) if row.token and not row.queue)
    run.partition.answer([(r.SubmitTaskCommand(asks.id, asks.resource, None, 0, 0), of_value({"sent": True}))])
    overtaken = run.start("many", list(range(12)), 12)
    for _ in range(3):
        run.step()
    run.partition.submit(r.CancelExecutionCommand(overtaken, None, None))
    run.partition.submit(r.PutWorkflowCommand("waits", 2, dumps(WAITS_2), "STANDARD"))
    run.partition.submit(r.DeleteWorkflowCommand("fails", 1))
    keep_resources(run)
    answer_all(run)
    under_way.append(run.start("many", list(range(20)), 11))
    for _ in range(3):  # stop between turns: the log has commands without their events
        run.step()
    run.close()
    return under_way


def keep_resources(run: Simulation) -> None:
    """What AWS's API keeps beside definitions, put and deleted."""
    text = dumps(WAITS_2)
    for command in (
        r.PutWorkflowCommand("kept", 1, text, "STANDARD", publish=1, description="first", tags=b'[["a","b"]]'),
        r.PublishVersionCommand("kept", 2, 1),
        r.PutAliasCommand("kept", "prod", b"[[1,90],[2,10]]", "most"),
        r.PutAliasCommand("kept", "old", b"[[1,100]]"),
        r.DeleteAliasCommand("kept", "old"),
        r.DeletePublishedVersionCommand("kept", 2),
        r.PutTagsCommand("stateMachine:kept", b'[["a","b"],["c",""]]'),
        r.PutActivityQueueCommand("polled", b'{"type":"AWS_OWNED_KEY"}'),
        r.PutActivityQueueCommand("other", tags=b'[["a","b"]]'),
        r.DeleteActivityQueueCommand("other"),
    ):
        run.partition.submit(command)
    run.settle()
    run.start("kept", {}, 13, qualifier="prod:1", trace_header="Root=1-5759e988-bd862e3fe1be46a994272793")
    run.partition.submit(r.PutWorkflowCommand("going", 1, dumps(SLEEPS), "STANDARD"))
    run.start("going", {}, 14)
    run.settle()
    run.partition.submit(r.DeleteWorkflowCommand("going", 1, waits=True))


def answer_all(run: Simulation) -> None:
    """Process until every execution waits for a hanging task, or for a time beyond the next hour."""
    until = run.clock.now() + 3600 * SECOND
    while True:
        run.settle()
        if run.answer_a_task():
            continue
        due = run.partition.state.timers.next_due()
        if due is None or due > until:
            return
        run.clock.advance_to(due)
