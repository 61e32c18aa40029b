"""TestState: runs one state alone, with mocks instead of its work, and answers as AWS does (ASL A16.79).

``test_state(**request)`` takes the API's parameters and returns its answer; a refusal is an ApiError. Nothing
outside is called, unless a ``call`` is given for a Task without a mock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack, cast

if TYPE_CHECKING:
    from stepwell.test_state.spelling import TestStateRequest

__all__ = ["test_state"]


def test_state(
    *,
    call: Callable[[str, Any], Any] | None = None,  # noqa: PT028
    **given: Unpack[TestStateRequest],
) -> dict[str, Any]:
    """Run one state and return TestState's answer: status, output, nextState, error, cause, inspectionData.

    The parameters are those of AWS's API, also in Python's spelling: ``state_name`` or ``role_arn``. A document
    (``definition``, ``input``, ``variables``, ``context``, the ``result`` of a ``mock``) is JSON text, as there, or a
    dict or list. ``call`` does the work of a Task that has no mock: it takes the Resource and the arguments, and needs
    no ``role_arn``. Raises ApiError.
    """
    from stepwell.test_state.run import run  # imported only by programs that test states
    from stepwell.test_state.spelling import as_api

    request = as_api(cast("dict[str, Any]", given))
    if call is not None:  # AWS's call of a Task needs a role, a function of this program does not
        request.setdefault("roleArn", "none")
    return run(request, call)


test_state.__test__ = False  # type: ignore[attr-defined] - pytest would collect a function of this name
