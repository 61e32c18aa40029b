"""The calls that tasks made, as a test looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, overload

from msgspec import Struct

__tracebackhide__ = True  # pytest shows the line of the test, not this module


class MockCall(Struct, frozen=True, kw_only=True):
    """A call that a Task state made: of a mock, or of a real handler.

    ``resource`` is the state's, and ``function`` the name by which a handler of the task is registered: that of a
    Lambda function too. ``input`` is what the task was called with, ``index`` the number of the Map iteration that it
    is in (None: in none) and ``item`` that iteration's input. ``attempt`` counts from 0. ``token`` answers it, where it
    waits for its token.
    """

    state: str
    resource: str
    workflow: str
    input: Any
    attempt: int
    time: datetime
    execution_id: str
    task_id: str
    function: str = ""
    token: str | None = None
    index: int | None = None
    item: Any = None
    is_mocked: bool = True


class MockCalls(Sequence[MockCall]):
    """Recorded calls, in their order."""

    def __init__(self, calls: Sequence[MockCall], what: str) -> None:
        self._calls, self._what = calls, what

    @overload
    def __getitem__(self, index: int) -> MockCall: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[MockCall]: ...

    def __getitem__(self, index: int | slice) -> MockCall | Sequence[MockCall]:
        return self._calls[index]

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[MockCall]:
        return iter(self._calls)

    def __repr__(self) -> str:
        lines = [
            f"  {call.time:%Y-%m-%d %H:%M:%S} {call.state} attempt {call.attempt}: {call.input!r}" for call in self
        ]
        return "\n".join([f"{_number(len(self))} of {self._what}", *lines])

    @property
    def inputs(self) -> list[Any]:
        """What the tasks were called with."""
        return [call.input for call in self._calls]

    def assert_called(self, times: int | None = None) -> None:
        """Raise ``AssertionError`` unless there was a call, or were so many."""
        is_right = len(self) == times if times is not None else len(self) > 0
        if not is_right:
            wanted = "a call" if times is None else _number(times)
            raise AssertionError(f"expected {wanted}; {self._found}")

    def assert_called_once(self) -> None:
        """Raise ``AssertionError`` unless there was one call."""
        self.assert_called(1)

    def assert_not_called(self) -> None:
        """Raise ``AssertionError`` if there was any call."""
        self.assert_called(0)

    def assert_called_with(self, input: Any) -> None:
        """Raise ``AssertionError`` unless the last call had this input."""
        self.assert_called()
        if self._calls[-1].input != input:
            raise AssertionError(f"expected a last call with {input!r}; {self._found}")

    def assert_any_call(self, input: Any) -> None:
        """Raise ``AssertionError`` unless a call had this input."""
        if not any(call.input == input for call in self._calls):
            raise AssertionError(f"expected a call with {input!r}; {self._found}")

    @property
    def _found(self) -> str:
        return f"there {'was' if len(self) == 1 else 'were'} {self!r}"


def _number(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"
