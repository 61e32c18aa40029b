"""TestState: one state run alone, with mocks in place of the work, answered as AWS answers (ASL A16.79).

``test_state(**request)`` takes the API's parameters and gives its answer; a refusal is an ApiError. Nothing
outside is called, unless a ``call`` is given for a Task without a mock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Unpack, cast

if TYPE_CHECKING:
    from stepwell.test_state.request import TestStateRequest

__all__ = ["test_state"]


def test_state(  # its name is the API's: no test is defined here
    *,
    call: Callable[[str, Any], Any] | None = None,  # noqa: PT028
    **given: Unpack[TestStateRequest],
) -> dict[str, Any]:
    """Run one state and give what TestState answers: status, output, nextState, error, cause, inspectionData.

    ``call`` does the work of a Task that has no mock: it takes the Resource and the arguments. Raises ApiError.
    """
    from stepwell.test_state.run import run  # the language is not paid for by programs that test no states

    return run(cast("dict[str, Any]", given), call)
