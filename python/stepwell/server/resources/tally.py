"""How many executions there are in each status: counted in a thread of its own, and again when that was a while ago.

Storage keeps no such counts, and a request must not read a million rows. So a count is as old as it takes to count ten
times, and at least a second; while the first one is not done, what was counted so far is told.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from math import isinf
from typing import Any

from stepwell.engine.client.execution_lists import workflow_lists
from stepwell.engine.host.host import Readable
from stepwell.engine.status import AWS_ENDED, AWS_STATUSES
from stepwell.engine.storage.contexts import ListingContext, VisibilityContext
from stepwell.engine.storage.counting import count_rows
from stepwell.engine.storage.storage import Storage
from stepwell.errors import StepwellError

_SHORTEST_SECONDS = 1.0
_SHARE = 10
"""The thread counts for one part in so many of its time."""
_WAIT_SECONDS = 0.25
"""How long a request waits for a count: with some thousands of executions it is done by then."""
_Counts = dict[str, dict[str, int]]


class Tally:
    """The counts of a storage, by workflow and status of AWS. Children of map runs are not counted."""

    def __init__(self, host: Readable) -> None:
        self._storage: Storage = host.storage
        self._shown = host.shown
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._counts: _Counts = {}
        self._partial: _Counts = {}
        self._counted_at = self._due = 0.0

    def counts(self, workflow: str | None) -> dict[str, Any]:
        """The counts of a workflow, or of all; ``complete``: everything was counted, at ``countedAt``."""
        with self._lock:
            thread = self._thread
            if thread is None and time.monotonic() >= self._due:
                thread = self._thread = threading.Thread(target=self._run, name="stepwell-tally", daemon=True)
                thread.start()
        if thread is not None:
            thread.join(_WAIT_SECONDS)
        is_complete = self._counted_at > 0
        counts = self._counts if is_complete else dict(self._partial)
        total: Counter[str] = Counter()
        for name, by_status in counts.items():
            if workflow in (None, name):
                total.update(by_status)
        by_workflow = {} if workflow is not None else {"workflows": counts}
        return {"counts": dict(total), "complete": is_complete, "countedAt": self._counted_at, **by_workflow}

    def _run(self) -> None:
        began = time.monotonic()
        counts: _Counts = {}
        self._partial = counts
        try:
            with self._shown() as reading:
                for name in workflow_lists(self._storage):
                    counts[name] = dict(self._of_workflow(name))
        except StepwellError:  # the engine was closed
            return
        finally:
            took = time.monotonic() - began
            with self._lock:
                self._thread = None
                self._due = time.monotonic() + max(_SHORTEST_SECONDS, _SHARE * took)
        age = 0.0 if reading is None or isinf(reading.age) else reading.age
        self._counts, self._counted_at = counts, time.time() - age

    def _of_workflow(self, name: str) -> Iterator[tuple[str, int]]:
        running = sum(count_rows(self._storage, VisibilityContext, name, status) for status in AWS_STATUSES["RUNNING"])
        yield "RUNNING", running
        for status in AWS_ENDED:
            yield status, count_rows(self._storage, ListingContext, name, status)
