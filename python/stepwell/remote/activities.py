"""A worker's activities: queues of AWS's API, which are polled by their ARNs and answered with tokens.

Their tasks have AWS's rules: a task whose worker has died waits for its time to run out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from stepwell.asl.resources import parse_resource
from stepwell.engine.control.messages import TaskResult
from stepwell.errors import ApiError, Closed, StepwellError, StorageError
from stepwell.logs import logger
from stepwell.tasks.dispatch import Call

from .connection import HttpConnection

log = logger("stepwell.worker")

POLL_SECONDS = 70.0
"""How long a poll may take: the server waits up to a minute for a task."""
PAUSE_SECONDS = 1.0
_ENDED = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


def is_activity(resource: str) -> bool:
    """Whether a handler's name is an activity's ARN."""
    return parse_resource(resource).kind == "activity"


class Activities:
    """``room`` waits until a call may begin, and says whether one may; ``begin`` begins it."""

    def __init__(
        self,
        connection: HttpConnection,
        arns: list[str],
        worker: str,
        room: Callable[[], bool],
        begin: Callable[[Call], None],
    ) -> None:
        self.arns = arns
        self._connection, self._worker = connection, worker
        self._room, self._begin = room, begin

    def threads(self) -> list[threading.Thread]:
        """One for each activity, not started."""
        return [
            threading.Thread(target=self._poll_always, args=(arn,), name="stepwell-worker-activity", daemon=True)
            for arn in self.arns
        ]

    def send(self, result: TaskResult) -> bool:
        """Answer a task; whether it is answered, or has ended, so that nothing is left to do."""
        request: dict[str, Any] = {"taskToken": result.id}
        if result.output is None:
            request |= {"error": result.error, "cause": result.cause}
            operation = "SendTaskFailure"
        else:
            request["output"] = result.output.decode()
            operation = "SendTaskSuccess"
        try:
            self._connection.call(operation, request)
        except ApiError as error:
            if error.code not in _ENDED:
                log.error("the result of a task of %s cannot be recorded: %s", result.resource, error)
                return result.output is None or self.send(
                    result._replace(output=None, error=error.code, cause=str(error))
                )
        except (StorageError, Closed) as error:
            log.warning("worker %s: %s; the result is sent again", self._worker, error)
            return False
        return True

    def beat(self, token: str) -> bool:
        """Say that the work on a task goes on; whether the task is still open."""
        try:
            self._connection.call("SendTaskHeartbeat", {"taskToken": token})
        except ApiError as error:
            return error.code not in _ENDED
        except (StorageError, Closed) as error:
            log.warning("worker %s: a heartbeat is lost: %s", self._worker, error)
        return True

    def _poll_always(self, arn: str) -> None:
        while self._room():
            try:
                task = self._connection.call("GetActivityTask", self._poll_of(arn), POLL_SECONDS)
            except Closed:
                return
            except StepwellError as error:  # there is no such activity yet, or no server
                log.warning("worker %s cannot poll %s: %s", self._worker, arn, error)
                self._connection.pause(PAUSE_SECONDS)
                continue
            token = task.get("taskToken")
            if token:
                self._begin(Call(token, "", "", arn, str(task.get("input", "null")).encode(), 0, token, 0))

    def _poll_of(self, arn: str) -> dict[str, Any]:
        return {"activityArn": arn, "workerName": self._worker}
