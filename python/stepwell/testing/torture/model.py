"""Compares the journal with the folder: what the journal says must be true there."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from stepwell import _core
from stepwell.asl.json import loads
from stepwell.engine.api.execution import Execution
from stepwell.engine.api.executor import Executor
from stepwell.engine.log import records as r
from stepwell.engine.log.codec import decode_turn

from . import journal, workflows
from .journal import Line

SLACK_SECONDS = 60.0
"""How late a timer may be, once the process runs: detects a timer that never fires, and does not measure speed."""
ENDS = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"})


class Findings:
    """Counts and breaches."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.breaches: list[str] = []
        self.latest_timer = 0.0

    def expect(self, holds: bool, breach: str) -> None:
        """Record a breach unless ``holds``."""
        if not holds:
            self.breaches.append(breach)


def check(folder: Path) -> Findings:
    """Compare journal and folder, after all executions have ended."""
    lines = journal.read(folder / "journal")
    with Executor(folder / "data") as executor:
        return compare(lines, executor)


def compare(lines: list[Line], executor: Executor) -> Findings:
    """Compare a journal with what an executor has, after all executions have ended."""
    opened = {line["round"]: line["at"] for line in lines if line["what"] == "opened"}
    for line in lines:
        if line["what"] == "life":  # counts from when the folder was open
            line["from"] = opened.get(line["round"], line["until"])
    findings = Findings()
    facts: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        facts[line["what"]].append(line)
    executions = {execution.id: execution for execution in executor.list(limit=1_000_000)}
    _starts(findings, facts, executions)
    _ends(findings, facts, executions)
    executions |= _children(findings, executor, executions)
    tokens = _Answers(facts)
    called = {(line["execution"], line["task"]) for line in facts["called"]}
    for execution in executions.values():
        _ExecutionCheck(findings, executor, execution, facts["life"], called, tokens).check()
    known = {task for _, task in called}
    findings.counts["kills before the folder was open"] = len(facts["life"]) - len(facts["opened"])
    findings.counts["handler calls"] = len(facts["called"])
    findings.counts["calls again after a crash"] = len(facts["called"]) - len(known)
    for execution_id, task in sorted(called):
        findings.expect(execution_id in executions, f"{task} was handed out for {execution_id}, which is not there")
    return findings


def _starts(findings: Findings, facts: dict[str, list[Line]], executions: dict[str, Execution]) -> None:
    asked = {line["name"]: line for line in facts["asked"]}
    findings.counts.update({"starts": len(asked), "acknowledged": len(facts["acknowledged"])})
    for line in facts["acknowledged"]:
        execution = executions.get(line["id"])
        if execution is None:
            findings.breaches.append(f"acknowledged start {line['name']} is lost: {line['id']}")
            continue
        findings.expect(
            execution.name == line["name"], f"{line['id']} has the name {execution.name}, not {line['name']}"
        )
    names = Counter(execution.name for execution in executions.values())
    for name, count in names.items():
        findings.expect(count == 1, f"{count} executions have the name {name}")
        findings.expect(name in asked, f"execution {name} was started by nobody")
    for execution in executions.values():
        given = asked.get(execution.name)
        if given is not None:
            same = execution.input == given["input"] and execution.workflow == given["workflow"]
            findings.expect(same, f"{execution.id} has another input or workflow than was asked for")


def _ends(findings: Findings, facts: dict[str, list[Line]], executions: dict[str, Execution]) -> None:
    stopped = {line["id"] for line in facts["stopped"]}
    stopping = stopped | {line["id"] for line in facts["stopping"]}
    for execution in executions.values():
        context = execution.context()
        findings.counts[context.status] += 1
        if execution.workflow == "sleeper":
            right = context.status == "Canceled" and execution.id in stopping
        else:
            right = context.status == "Succeeded" and execution.output == workflows.EXPECTED[execution.workflow](
                execution.input
            )
        findings.expect(
            right, f"{execution.workflow} {execution.id} ended {context.status} {context.output!r} {context.cause}"
        )
    for line in facts["ended"]:
        context = executions[line["id"]].context() if line["id"] in executions else None
        same = context is not None and (context.status, context.output.decode()) == (line["status"], line["output"])
        findings.expect(same, f"the end of {line['id']}, seen in round {line['round']}, has changed since")


def _children(findings: Findings, executor: Executor, parents: dict[str, Execution]) -> dict[str, Execution]:
    """The children of map runs, by their ids: each item has one, and it has succeeded."""
    found: dict[str, Execution] = {}
    for parent in parents.values():
        if parent.workflow != "spread":
            continue
        items = parent.input["items"]
        runs = executor.list_map_runs(parent.id)
        findings.expect(len(runs) == 1, f"spread {parent.id} has {len(runs)} map runs")
        for run in runs:
            children = list(executor.executions(map_run=run["mapRunArn"]))
            right = sorted(child.input for child in children) == sorted(items)
            findings.expect(right, f"spread {parent.id} has {len(children)} children that are not its items")
            ended = all(child.status == "Succeeded" for child in children)
            findings.expect(ended, f"a child of spread {parent.id} has not succeeded")
            counts = executor.describe_map_run(run["mapRunArn"])["executionCounts"]
            right = counts["succeeded"] == counts["total"] == len(items)
            findings.expect(right, f"the map run of spread {parent.id} counts {counts} of {len(items)} items")
            found |= {child.id: child for child in children}
    findings.counts["children of map runs"] = len(found)
    return found


class _Answers:
    """Tokens that were answered: each acknowledged answer must be the one that counts."""

    def __init__(self, facts: dict[str, list[Line]]) -> None:
        self.acknowledged = Counter(line["token"] for line in facts["answered"])
        self.asked = {line["token"] for line in facts["answering"]}


class _ExecutionCheck:
    """Checks one execution by its turns and its history."""

    def __init__(
        self,
        findings: Findings,
        executor: Executor,
        execution: Execution,
        lives: list[Line],
        called: set[tuple[str, str]],
        answers: _Answers,
    ) -> None:
        self._findings, self._execution, self._lives = findings, execution, lives
        self._called, self._answers = called, answers
        self._history = execution.history()
        self._turns = [decode_turn(blob) for blob in executor.storage.history(execution.id, limit=1_000_000)]

    def check(self) -> None:
        self._check_continuity()
        self._check_tasks()
        self._check_timers()

    def _expect(self, holds: bool, breach: str) -> None:
        self._findings.expect(holds, f"{self._execution.workflow} {self._execution.id}: {breach}")

    def _check_continuity(self) -> None:
        events = self._history
        self._findings.counts["history events"] += len(events)
        self._expect([event["id"] for event in events] == list(range(1, len(events) + 1)), "the history has a gap")
        self._expect(all(event["previousEventId"] < event["id"] for event in events), "an event follows a later one")
        ends = [event["type"] for event in events if event["type"] in ENDS]
        self._expect(len(ends) == 1 and events[-1]["type"] in ENDS, f"the execution has the ends {ends}")
        times = [event["timestamp"] for event in events]
        self._expect(times == sorted(times), "time goes back in the history")

    def _check_tasks(self) -> None:
        created: dict[str, r.CreateTaskCommand] = {}
        answered: Counter[str] = Counter()
        for command in self._done():
            if isinstance(command, r.CreateTaskCommand):
                self._expect(command.id not in created, f"task {command.id} was created twice")
                created[command.id] = command
            elif isinstance(command, r.CompleteTaskCommand | r.FailTaskCommand):
                answered[command.id] += 1
                timed_out = isinstance(command, r.FailTaskCommand) and command.timed_out
                called = (self._execution.id, command.id) in self._called
                self._expect(called or timed_out, f"task {command.id} was answered, but no handler was called")
        self._findings.counts["tasks"] += len(created)
        for id, count in answered.items():
            self._expect(count == 1, f"{count} results of task {id} were recorded")
            token = created[id].token
            if token is not None:
                self._expect(self._answers.acknowledged[token] <= 1, f"the token of {id} was taken twice")
                self._expect(token in self._answers.asked, f"the token of {id} was answered by nobody")
        own = {task for execution, task in self._called if execution == self._execution.id}
        for id in own - created.keys():
            self._expect(False, f"a handler got task {id} before it was durable")

    def _done(self) -> list[r.Command]:
        """The commands that have their event, in order."""
        done: list[r.Command] = []
        for turn in self._turns:
            for command, answer in zip(turn.records, turn.records[1:], strict=False):
                is_done = isinstance(answer, r.Event) and not isinstance(answer, r.CommandRejectedEvent)
                if isinstance(command, r.Command) and is_done:
                    done.append(command)
        return done

    def _check_timers(self) -> None:
        self._check_that_no_timer_was_restarted()
        due: dict[str, float] = {}
        for event in self._history:
            name = event.get("stateEnteredEventDetails", {}).get("name")
            if event["type"] == "WaitStateEntered":
                due[name] = self._due(event)
            elif event["type"] == "WaitStateExited":
                name = event["stateExitedEventDetails"]["name"]
                self._check_timer(due.pop(name), event["timestamp"], f"Wait {name}")
            elif (
                event["type"] in ("LambdaFunctionScheduled", "TaskScheduled") and self._execution.workflow == "overdue"
            ):
                due["timeout"] = event["timestamp"] + 1
            elif event["type"] in ("LambdaFunctionTimedOut", "TaskTimedOut"):
                self._check_timer(due.pop("timeout"), event["timestamp"], "the timeout")
        context = self._execution.context()
        if context.start_at:
            first = next(event for event in self._history if event["id"] == 2)
            self._check_timer(context.start_at / 1e6, first["timestamp"], "the delayed start")

    def _check_that_no_timer_was_restarted(self) -> None:
        due: dict[tuple[str, int], int] = {}
        for command in self._done():
            if isinstance(command, r.CreateTimerCommand):
                self._expect((command.target, command.kind) not in due, f"{command.target} got a second timer")
                due[command.target, command.kind] = command.due
            elif isinstance(command, r.TriggerTimerCommand):
                created = due.pop((command.target, command.kind), None)
                self._expect(created == command.due, f"the timer of {command.target} was due at {created}")
            elif isinstance(command, r.CancelTimerCommand):
                due.pop((command.target, command.kind), None)

    def _due(self, entered: dict[str, Any]) -> float:
        if self._execution.workflow == "patient":
            return entered["timestamp"] + workflows.WAIT_SECONDS
        if self._execution.workflow == "sleeper":
            return entered["timestamp"] + 100_000
        given = loads(entered["stateEnteredEventDetails"]["input"])["until"]
        return max(entered["timestamp"], datetime.fromisoformat(given).timestamp())

    def _check_timer(self, due: float, fired: float, what: str) -> None:
        self._findings.counts["timers"] += 1
        self._expect(fired >= due - 1e-6, f"{what} ended {due - fired:.3f} s early")
        # The process may have been down when the timer was due: it counts from when one ran for long enough.
        ready = next(
            (max(due, life["from"]) for life in self._lives if life["until"] - max(due, life["from"]) > 0), due
        )
        late = fired - ready
        self._findings.latest_timer = max(self._findings.latest_timer, late)
        up = next(
            (max(due, life["from"]) for life in self._lives if life["until"] - max(due, life["from"]) > SLACK_SECONDS),
            due,
        )
        self._expect(fired <= up + SLACK_SECONDS, f"{what} ended {fired - up:.3f} s late")


def verify_store(data: Path) -> int:
    """Read every row of the folder's storage and every record of its log; return the number of rows."""
    _core.log_verify(data)
    with _core.Store.open(data) as store:
        return store.verify()
