"""What does a task in a test: its mock, its handler, or nothing, which fails the test."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from stepwell.asl.resources import Resource
from stepwell.errors import InvalidInput, StepwellError, TaskError
from stepwell.tasks.calls import Answered, Call, Deferred, Result
from stepwell.tasks.context import HandlerContext
from stepwell.tasks.handlers import ENGINE, Handler, Handlers, Registration
from stepwell.tasks.work import Work
from stepwell.testing.answers import check_answer, result_of
from stepwell.testing.mock import Mock, called
from stepwell.testing.mocks import UnscriptedTask

from .driver import Driver
from .durations import datetime_of
from .iterations import iteration_of

if TYPE_CHECKING:
    from stepwell.engine.storage.storage import Storage
    from stepwell.testing.answers_of_mocks import Answer
    from stepwell.testing.mock_calls import MockCall

_OUTCOMES = "_pytest.outcomes"
"""The module of the exceptions that ``pytest.fail`` and ``pytest.skip`` raise."""
__tracebackhide__ = operator.methodcaller("errisinstance", StepwellError)  # pytest shows the test's line instead


class TestHandlers(Handlers):
    """The handlers and the mocks of an engine on a virtual clock."""

    __test__ = False  # pytest is not to collect it

    def __init__(self, functions: Mapping[str, Handler], driver: Driver, mock: Mock) -> None:
        super().__init__(functions, driver.clock.seconds)
        self._driver, self.mock = driver, mock
        self.storage: Storage | None = None
        """The rows that tell which iteration a task is in, once the folder is open."""

    def find_for(self, call: Call, resource: Resource, arguments: Callable[[], Any]) -> Registration | None:
        """What does a task; a task without a mock and a handler fails the test."""
        record = self.record_of(call, arguments())
        try:
            answer = self.mock.answer(record)
        except StepwellError as error:
            return self._failing(error)
        if answer is not None and answer.kind != "passes":
            return self._recorded(record, self._answering(call, resource, answer))
        found = super().find_for(call, resource, arguments)
        if found is None or (self.mock.strict and answer is None and not self._is_own(resource)):
            return self._failing(self._missing(call, is_known=found is not None))
        if not self._is_own(resource) and not found.takes_call:
            return self._recorded(record, found, is_mocked=False)
        return found

    def for_activity(self, call: Call, resource: Resource, input: Any) -> Registration | None:
        """What answers a task of an activity in place of a worker; None: it is not mocked."""
        record = self.record_of(call, input)
        try:
            answer = self.mock.answer(record)
        except StepwellError as error:
            return self._failing(error)
        if answer is None or answer.kind == "passes":
            return None
        return self._recorded(record, self._answering(call, resource, answer))

    def has(self, resource: Resource, definition: dict[str, Any]) -> bool:
        """Every task has one: what is missing fails the test when it is called."""
        return True

    def record_of(self, call: Call, input: Any) -> MockCall:
        """A call as the mocks see it."""
        index, item = (None, None) if self.storage is None else iteration_of(self.storage, call)
        return called(call, input, time=datetime_of(self._driver.clock.now()), index=index, item=item)

    # a task that nothing does

    def _is_own(self, resource: Resource) -> bool:
        """Whether the engine does such tasks itself: nested executions, items of a Distributed Map."""
        return resource.text.startswith(ENGINE) or (
            resource.text in self._own and self._find(resource.text) is self._own[resource.text]
        )

    def _missing(self, call: Call, *, is_known: bool) -> UnscriptedTask:
        workflow, text = call.state_machine_arn.rpartition(":")[2], call.input.decode(errors="replace")
        lacks = "no mock, and the mocks are strict" if is_known else "neither a mock nor a handler"
        mocked = f"; mocked are {', '.join(self.mock.mocked)}" if self.mock.mocked else ""
        return UnscriptedTask(
            f"state {call.state_name!r} of workflow {workflow!r} calls {call.resource!r}, which has {lacks}, "
            f"with {text} (execution {call.execution_id}){mocked}"
        )

    def _failing(self, error: StepwellError) -> Registration:
        self._driver.fail(error)
        return Registration(_never)

    # answers

    def _recorded(self, record: MockCall, real: Registration, *, is_mocked: bool = True) -> Registration:
        """What does the task, and is recorded when it is called."""
        mock, clock = self.mock, self._driver.clock

        def note() -> None:
            import msgspec

            mock.record(msgspec.structs.replace(record, time=datetime_of(clock.now()), is_mocked=is_mocked))

        def call_it(value: Any, context: HandlerContext) -> Any:
            note()
            with self._ending_the_test():
                return real.function(*real.arguments(value, context))

        async def await_it(value: Any, context: HandlerContext) -> Any:
            note()
            with self._ending_the_test():
                return await real.function(*real.arguments(value, context))

        return Registration(await_it if real.is_async else call_it, real.limit)

    @contextmanager
    def _ending_the_test(self) -> Generator[None]:
        """Let ``pytest.fail`` and ``pytest.skip`` in a handler end the test too: they are no errors of a task."""
        try:
            yield
        except BaseException as error:
            pytest = sys.modules.get(_OUTCOMES)  # without it nothing is raised that is its own
            if pytest is not None and isinstance(error, pytest.OutcomeException):
                self._driver.fail(error)
            raise

    def _answering(self, call: Call, resource: Resource, answer: Answer) -> Registration:
        if answer.kind == "hangs" or (answer.kind == "accepts" and not resource.waits_for_token):
            return Registration(_never)
        if answer.kind == "accepts":
            return Registration(_accepted)
        if answer.function is not None:
            real = Registration(answer.function)
        else:
            real = Registration(partial(self._result, call, answer))
        return real if not answer.delay else self._delayed(call, resource, real, answer.delay)

    def _result(self, call: Call, answer: Answer, value: Any) -> Any:
        if answer.kind == "fails":
            raise TaskError(answer.error, answer.cause)
        try:
            check_answer(answer.place, call.state_name, call.resource, value, answer.value)
        except InvalidInput as error:
            self._driver.fail(error)
            return Deferred(None, _nothing)
        return Answered(result_of(call.resource, answer.value))

    def _delayed(self, call: Call, resource: Resource, real: Registration, delay: int) -> Registration:
        """An answer that comes later, in virtual time: the function is called then."""
        if real.is_async:
            raise InvalidInput("a coroutine function cannot answer after a delay")
        driver = self._driver

        def begin(value: Any, context: HandlerContext) -> Deferred:
            work, arguments = Work(call, resource, real, value), real.arguments(value, context)
            return Deferred(None, partial(driver.alarms.after, delay / 1_000_000, partial(finish, work, arguments)))

        def finish(work: Work, arguments: tuple[Any, ...]) -> None:
            driver.answer(results_of(work, arguments))

        return Registration(begin)


def results_of(work: Work, arguments: tuple[Any, ...]) -> list[Result]:
    """The results of a task whose function is called now."""
    try:
        result = work.succeeded(work.registration.function(*arguments))
    except Exception as error:  # noqa: BLE001 - a function may raise whatever it likes
        result = work.failed(error)
    return work.results(result)


def _never(value: Any) -> Deferred:
    return Deferred(None, _nothing)


def _nothing() -> None:
    """Nothing follows."""


def _accepted(value: Any) -> None:
    """The call is made; its task waits for its token."""
