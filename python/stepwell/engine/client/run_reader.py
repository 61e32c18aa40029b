"""Makes the tree of what an execution did from the turns of its history."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from stepwell.asl.json import loads
from stepwell.engine.ids import activity_of
from stepwell.engine.log import records as r
from stepwell.engine.log.codec import DocumentReader, decode_turn
from stepwell.engine.log.document import Document
from stepwell.engine.state.timers import RETRY
from stepwell.engine.status import FAILED, SUCCEEDED
from stepwell.engine.storage.contexts import ActivityContext, BranchContext, IterationContext
from stepwell.engine.storage.storage import decode_tree

from .run_scopes import catcher_of, rule_of
from .state_runs import Attempt, LevelRun, StateRun

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine

HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
_ENTERED = re.compile(r"\(entered at the event id #(\d+)\)")


class RunReader:
    """Reads the turns of one execution. ``children`` reads the child executions of a map run, when they are asked for.

    ``level`` is the execution so far: the reader can be given further turns.
    """

    def __init__(
        self,
        execution_id: str,
        machine: StateMachine,
        about: dict[str, Any],
        children: Callable[[StateRun, str, int | None], list[LevelRun]],
    ) -> None:
        self.level = LevelRun(execution_id, "execution", 0, None, machine, [], about=about)
        self._machine, self._children = machine, children
        self._levels: dict[str, LevelRun] = {execution_id: self.level}
        self._runs: dict[str, StateRun] = {}
        self._tasks: dict[str, tuple[StateRun, Attempt]] = {}
        self._now = 0

    def read(self, turns: Iterable[bytes]) -> None:
        """Add what happened in the turns."""
        for blob in turns:
            turn = decode_turn(blob)
            self._now = turn.time
            documents = DocumentReader()
            asked: tuple[r.Command, Document] | None = None
            for record in turn.records:
                if isinstance(record, r.Command):
                    asked = (record, documents.read(record))
                    continue
                if asked is not None and not isinstance(record, r.CommandRejectedEvent):
                    self._add(*asked)
                asked = None

    def _add(self, command: r.Command, document: Document) -> None:
        match command:
            case r.StartExecutionCommand():
                self.level.input_text = document.text
            case r.StartStateCommand():
                self._start_state(command, document)
            case r.CompleteStateCommand():
                self._complete_state(command, document)
            case r.CreateTaskCommand():
                self._create_task(command, document)
            case r.CompleteTaskCommand():
                self._complete_task(command, document)
            case r.FailTaskCommand():
                self._fail_task(command)
            case r.FailEvaluationCommand():
                self._fail(self._runs.get(command.activity_id), command.error, command.cause)
            case r.RetryStateCommand():
                self._retry(command)
            case r.TriggerTimerCommand() if command.kind == RETRY:
                self._begin(self._runs.get(command.target))
            case r.ForkStateCommand():
                self._fork(command)
            case r.StartBranchCommand():
                self._start_level(command.branch_id, "branch", command.index, document)
            case r.StartIterationCommand():
                self._start_level(command.iteration_id, "iteration", command.index, document)
            case r.CompleteBranchCommand():
                self._complete_level(command.branch_id, command, document)
            case r.CompleteIterationCommand():
                self._complete_level(command.iteration_id, command, document)
            case r.StartMapRunCommand():
                self._start_map_run(command)
            case r.PutMapItemsCommand():
                self._put_items(command, document)
            case r.CompleteMapRunCommand() if command.status == FAILED:
                self._fail(self._runs.get(activity_of(command.id)), command.error, command.cause)
            case r.CompleteExecutionCommand():
                self._complete_execution(command, document)
            case r.RedriveExecutionCommand():
                self._redrive(command)
            case _:
                pass

    # states

    def _start_state(self, command: r.StartStateCommand, document: Document) -> None:
        level = self._levels.get(command.parent_branch_id or command.parent_iteration_id or self.level.id)
        if level is None:
            return
        run = StateRun(
            command.activity_id,
            self._machine.by_name[command.state_name],
            level,
            command.event,
            document.text,
            level.variables,
            [Attempt(0, started_micros=self._now)],
            started_micros=self._now,
        )
        if run.state.distributed:
            run.children = partial(self._children, run)
        self._runs[run.id] = run
        level.states.append(run)

    def _complete_state(self, command: r.CompleteStateCommand, document: Document) -> None:
        run = self._runs.get(command.activity_id)
        if run is None or run.status == "Failed":  # its level ended with its error before
            return
        last = run.attempts[-1]
        if command.status == SUCCEEDED:
            run.status = "Caught" if command.caught else "Succeeded"
            run.output_text, run.next = document.text, command.next
            if command.assigned:
                run.assigned = loads(command.assigned)
                run.level.variables = {**run.level.variables, **run.assigned}
            if command.caught:
                run.error, run.cause = last.error, last.cause
            run.rule, run.catcher = rule_of(run), catcher_of(run)
        elif command.status == FAILED:
            run.status, run.error, run.cause = "Failed", command.error, command.cause
        elif last.failed:  # AWS's history has it as aborted
            run.status, run.error, run.cause = "Failed", last.error, last.cause
        else:
            run.status = "Canceled"
        self._stop(run)

    def _retry(self, command: r.RetryStateCommand) -> None:
        run = self._runs.get(command.activity_id)
        if run is not None:
            self._fail(run, command.error, command.cause)
            run.attempts[-1].retrier = command.retrier
            run.attempts[-1].stopped_micros = self._now

    def _begin(self, run: StateRun | None, number: int | None = None) -> None:
        """Begin the next attempt."""
        if run is not None:
            following = run.attempts[-1].number + 1 if number is None else number
            run.attempts.append(Attempt(following, started_micros=self._now))

    def _fail(self, run: StateRun | None, error: str | None, cause: str | None) -> None:
        if run is not None and run.attempts:
            last = run.attempts[-1]
            last.failed, last.error, last.cause = True, error, cause

    def _stop(self, run: StateRun) -> None:
        run.stopped_micros = self._now
        if not run.attempts[-1].stopped_micros:
            run.attempts[-1].stopped_micros = self._now

    # tasks

    def _create_task(self, command: r.CreateTaskCommand, document: Document) -> None:
        run = self._runs.get(command.activity_id)
        if run is None:
            return
        if command.attempt > run.attempts[-1].number:  # a retry without an event has no turn in the history
            self._begin(run, command.attempt)
        last = run.attempts[-1]
        self._tasks[command.id] = (run, last)
        if run.type == "Task":  # the tasks of a Map state read its items and write its results
            last.task_id, last.resource, last.arguments_text = command.id, command.resource, document.text

    def _complete_task(self, command: r.CompleteTaskCommand, document: Document) -> None:
        run, attempt = self._tasks.pop(command.id, (None, None))
        if run is not None and attempt is not None and run.type == "Task":
            attempt.result_text = document.text

    def _fail_task(self, command: r.FailTaskCommand) -> None:
        run, _ = self._tasks.pop(command.id, (None, None))
        heartbeat = command.timed_out and command.error == HEARTBEAT_TIMEOUT
        self._fail(run, "States.Timeout" if heartbeat else command.error, command.cause)
        if run is not None:
            run.attempts[-1].heartbeat = heartbeat

    # branches, iterations and child executions

    def _fork(self, command: r.ForkStateCommand) -> None:
        run = self._runs.get(command.activity_id)
        if run is None:
            return
        if run.attempts[-1].levels:  # a redrive that begins it anew
            self._begin(run, 0)
        run.attempts[-1].levels = []
        if command.items is not None:
            run.attempts[-1].items_text = command.items

    def _start_level(self, id: str, kind: Any, index: int, document: Document) -> None:
        run = self._runs.get(activity_of(id))
        if run is None:
            return
        state: Any = run.state
        machine: StateMachine = state.branches[index] if kind == "branch" else state.processor
        level = self._levels[id] = LevelRun(id, kind, index, run, machine, [], input_text=document.text)
        run.attempts[-1].levels.append(level)

    def _complete_level(
        self, id: str, command: r.CompleteBranchCommand | r.CompleteIterationCommand, document: Document
    ) -> None:
        level = self._levels.get(id)
        if level is None:
            return
        self._end_level(level, command.status, document, command.error, command.cause)
        if command.status == FAILED:
            self._fail(level.parent, command.error, command.cause)

    def _end_level(
        self, level: LevelRun, status: Any, document: Document, error: str | None, cause: str | None
    ) -> None:
        level.status, level.error, level.cause = status, error, cause
        if status == SUCCEEDED:
            level.output_text = document.text
        current = level.states[-1] if level.states else None
        if status == FAILED and current is not None and current.status == "Running":
            current.status, current.error, current.cause = "Failed", error, cause
            self._fail(current, error, cause)
            self._stop(current)

    def _start_map_run(self, command: r.StartMapRunCommand) -> None:
        run = self._runs.get(activity_of(command.id))
        if run is not None:
            run.attempts[-1].map_run = command.id

    def _put_items(self, command: r.PutMapItemsCommand, document: Document) -> None:
        run = self._runs.get(activity_of(command.id))
        if run is not None:
            run.attempts[-1].items_text, run.attempts[-1].source = document.text, command.source

    # the execution

    def _complete_execution(self, command: r.CompleteExecutionCommand, document: Document) -> None:
        at_fault = self._at_fault(command) if command.status == FAILED else None
        for run in self._runs.values():
            if run.status == "Running" and run is not at_fault:
                run.status = "Canceled"
                self._stop(run)
        if at_fault is not None:
            at_fault.status, at_fault.error, at_fault.cause = "Failed", command.error, command.cause
            self._fail(at_fault, command.error, command.cause)
            self._stop(at_fault)
        self.level.status, self.level.error, self.level.cause = command.status, command.error, command.cause  # type: ignore[assignment]
        if command.status == SUCCEEDED:
            self.level.output_text = document.text
        for level in self._levels.values():
            if level.status == "Running":
                level.status = "Canceled"

    def _at_fault(self, command: r.CompleteExecutionCommand) -> StateRun | None:
        """The running state whose error nothing could catch: its cause names the event of its entry."""
        running = [run for run in self._runs.values() if run.status == "Running"]
        named = _ENTERED.search(command.cause or "")
        if named is not None:
            found = next((run for run in running if run.entered_event == int(named[1])), None)
            if found is not None:
                return found
        failed = [run for run in running if run.attempts[-1].failed and run.attempts[-1].error == command.error]
        return (failed or [run for run in running if run.level is self.level] or [None])[-1]

    def _redrive(self, command: r.RedriveExecutionCommand) -> None:
        """Continue the states, branches and iterations that the redrive restores."""
        self.level.status, self.level.error, self.level.cause = "Running", None, None
        rows = decode_tree(command.tree) if command.tree else []
        for row in rows:
            if isinstance(row, BranchContext | IterationContext) and row.status == "Running":
                id = row.branch_id if isinstance(row, BranchContext) else row.iteration_id
                level = self._levels.get(id)
                if level is not None:
                    level.status, level.error, level.cause = "Running", None, None
        forked = {activity_of(_child_id(row)) for row in rows if isinstance(row, BranchContext | IterationContext)}
        for row in rows:
            if isinstance(row, ActivityContext) and (run := self._runs.get(row.id)) is not None:
                self._reopen(run, row.id in forked or run.state.distributed)

    def _reopen(self, run: StateRun, continues: bool) -> None:
        run.status, run.error, run.cause, run.stopped_micros = "Running", None, None, 0
        if continues:
            last = run.attempts[-1]
            last.failed, last.error, last.cause, last.stopped_micros = False, None, None, 0
        else:
            self._begin(run, 0)


def _child_id(row: BranchContext | IterationContext) -> str:
    return row.branch_id if isinstance(row, BranchContext) else row.iteration_id
