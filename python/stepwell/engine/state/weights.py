"""The size of a live execution: its documents, each counted once, however many parts share it."""

from __future__ import annotations

from collections.abc import Iterator

from stepwell.asl.json import dumps
from stepwell.engine.log.document import Document

from .execution import Activity, LiveExecution

ROW = 256
"""The size of a running state, a branch, an iteration or a child without its documents."""


def weight_of(execution: LiveExecution) -> int:
    """About how many bytes an execution has in memory."""
    documents = {id(document): len(document.text) for document in _documents(execution)}
    levels = (execution, *execution.levels.values())
    variables = sum(len(dumps(level.variables)) for level in levels if level.variables)
    tasks = sum(len(task.input) for task in execution.tasks.values())
    children = sum(len(each.map_run.children) for each in execution.activities.values() if each.map_run is not None)
    return sum(documents.values()) + variables + tasks + ROW * (len(levels) + len(execution.activities) + children)


def _documents(execution: LiveExecution) -> Iterator[Document]:
    for level in (execution, *execution.levels.values()):
        yield level.input
        yield level.output
    for activity in execution.activities.values():
        yield from _documents_of(activity)


def _documents_of(activity: Activity) -> Iterator[Document]:
    yield activity.input
    if activity.items is not None:
        yield activity.items
    run = activity.map_run
    if run is not None:
        if run.items is not None:
            yield run.items.document
        for child in run.children.values():
            yield child.output
