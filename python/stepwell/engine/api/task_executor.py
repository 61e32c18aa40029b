"""What an Executor does with tasks that wait: it lists them, takes their results, and gives workers an activity's."""

from __future__ import annotations

import time
from typing import Any

from stepwell.engine.client import commands
from stepwell.engine.client.arguments import wait_seconds
from stepwell.engine.status import ACTIVE
from stepwell.engine.storage.contexts import TaskContext
from stepwell.errors import TaskDoesNotExist

from .base_executor import BaseExecutor


class TaskExecutor(BaseExecutor):
    """The calls of ``Executor`` about tasks."""

    def open_tasks(
        self,
        execution: str | None = None,
        *,
        state: str | None = None,
        resource: str | None = None,
        limit: int = 1000,
    ) -> list[TaskContext]:
        """Tasks that have no result yet: those of one execution (its id, short id or ARN), or of all.

        ``state`` is the name of their state, ``resource`` their Resource as the definition has it. ``token`` answers
        one (``send_task_success``), where it has one; ``execution_id`` says whose it is; ``status`` is Created until it
        is handed out, then Active, and Submitted once its call was made. Raises ``ExecutionNotFound``.
        """
        with self.client.host.shown():
            return self.client.queries.open_tasks(execution, state, resource, limit)

    def send_task_success(self, task_token: str, output: Any) -> None:
        """Complete the task that waits for this token. Raises ``TaskDoesNotExist``."""
        self.client.ask(self.client.success_request(task_token, output))

    def send_task_failure(self, task_token: str, error: str | None = None, cause: str | None = None) -> None:
        """Fail the task that waits for this token. Raises ``TaskDoesNotExist``."""
        self.client.ask(self.client.failure_request(task_token, error, cause))

    def send_task_heartbeat(self, task_token: str) -> None:
        """Report that the work on this token's task continues. Raises ``TaskDoesNotExist``."""
        self.client.ask(self.client.heartbeat_request(task_token))

    def get_activity_task(
        self, activity: str, worker_name: str | None = None, timeout: float = 60.0
    ) -> TaskContext | None:
        """Take the next task of an activity (its ARN), waiting up to ``timeout`` seconds for one.

        With ``profile="aws"`` at most 1,000 callers may poll for one activity; more get ``ApiError``.
        """
        seconds = wait_seconds("timeout", timeout)
        with self.client.polls.polling(activity):
            return self._polled(activity, worker_name, seconds)

    def _polled(self, activity: str, worker_name: str | None, timeout: float) -> TaskContext | None:
        deadline = time.monotonic() + timeout
        polls = self.client.polls
        while True:
            task = polls.claim(activity)
            if task is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                polls.wait(activity, left)
            elif self._handed_out(task, worker_name):
                return task

    def _handed_out(self, task: TaskContext, worker_name: str | None) -> bool:
        try:
            if task.status != ACTIVE:  # else a worker got it that had gone
                self.client.ask(commands.activate(task, worker_name))
        except TaskDoesNotExist:  # it was canceled, or timed out
            return False
        finally:
            self.client.polls.release(task)
        return True
