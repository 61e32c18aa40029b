"""Aliases of state machines."""

from __future__ import annotations

from collections.abc import Mapping

from stepwell.step_functions.service import Operation

OPERATIONS: Mapping[str, Operation] = {}
