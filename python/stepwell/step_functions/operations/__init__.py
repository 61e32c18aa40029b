"""The operations of the API, one module for each resource. Each has its own part of the table ``OPERATIONS``."""

from __future__ import annotations

from collections.abc import Mapping

from stepwell.step_functions.service import Operation

from . import (
    activities,
    aliases,
    execution_lists,
    executions,
    history,
    map_runs,
    state_machines,
    tags,
    tasks,
    validation,
    versions,
)

OPERATIONS: Mapping[str, Operation] = {
    **state_machines.OPERATIONS,
    **versions.OPERATIONS,
    **aliases.OPERATIONS,
    **executions.OPERATIONS,
    **execution_lists.OPERATIONS,
    **history.OPERATIONS,
    **tasks.OPERATIONS,
    **activities.OPERATIONS,
    **map_runs.OPERATIONS,
    **tags.OPERATIONS,
    **validation.OPERATIONS,
}
"""Each operation by its name."""
