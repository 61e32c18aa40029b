"""Handlers by resource: which function does the work of a Task state."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from time import monotonic
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from stepwell.asl.resources import Resource, function_name, parse_resource
from stepwell.errors import TaskError

from .calls import CallHandler
from .limits import Limit, check_concurrency, parse_rate

if TYPE_CHECKING:
    from inspect import Parameter, Signature

    from stepwell.asl.machine import StateMachine

    from .calls import Call
    from .context import HandlerContext

Handler = Callable[..., Any]


ENGINE = "stepwell:"
"""The prefix of the resources of the engine's own tasks; patterns of a program do not match them."""
QUICK_SECONDS = 0.0002
"""A handler that takes less time than this ends before another thread is awake."""


class Registration:
    """A handler, how it is called, its limit (None: no limit), and its average duration over the last few calls."""

    __slots__ = ("_seconds", "function", "is_async", "limit", "takes_call", "takes_context")

    def __init__(self, function: Handler, limit: Limit[Any] | None = None) -> None:
        self.limit = limit
        self._seconds = 1.0
        self.is_async = is_coroutine_function(function)
        self.takes_call = isinstance(function, CallHandler)
        if self.takes_call:
            self.takes_context, self.function = False, function
            return
        parameters = _positional(_signature(function))
        self.takes_context = _takes_context(parameters)
        self.function = _typed(function, parameters)

    @property
    def is_quick(self) -> bool:
        """Whether its last calls took almost no time."""
        return self._seconds < QUICK_SECONDS

    def arguments(self, value: Any, context: HandlerContext) -> tuple[Any, ...]:
        """What the function is called with."""
        return (value, context) if self.takes_context else (value,)

    def record_duration(self, seconds: float) -> None:
        """Record a call's duration. One slow call counts at once, quick ones gradually."""
        self._seconds = seconds if seconds > self._seconds else self._seconds * 0.5 + seconds * 0.5


class Mocks(Protocol):
    """A mock file, as far as tasks need it."""

    def check(self, workflow: str, machine: StateMachine, test_case: str) -> None:
        """Raise ``InvalidInput`` unless the workflow has this test case, which its definition can run."""
        ...

    def handler_of(self, call: Call) -> Registration | None:
        """What answers a task of an execution that a test case started; None: its state is not mocked."""
        ...


class Handlers:
    """The registered handlers.

    A Lambda ARN and ``lambda:invoke`` find their handler by function name; an integration by its resource, or by the
    longest matching pattern, such as ``arn:aws:states:::sqs:*``. ``clock`` (seconds) is what rates go by.
    """

    def __init__(
        self, functions: Mapping[str, Handler] = MappingProxyType({}), clock: Callable[[], float] = monotonic
    ) -> None:
        self._clock = clock
        self._by_name: dict[str, Registration] = {}
        self._patterns: list[tuple[str, Registration]] = []
        self._found: dict[str, Registration | None] = {}
        self._own: dict[str, Registration] = {}
        self._elsewhere: Callable[[Resource, dict[str, Any]], bool] | None = None
        self.mocks: Mocks | None = None
        """What answers tasks of executions that test cases started, before any handler."""
        self.limits: dict[str, Limit[Any]] = {}
        """The limits of all handlers that have or had one, by the name of the handler."""
        if not isinstance(functions, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"handlers are functions by resource, in a dict, not {reprlib.repr(functions)}")
        for resource, function in functions.items():
            self.register(resource, function)

    def register(
        self, resource: str, function: Handler, *, concurrency: int | None = None, rate: str | None = None
    ) -> None:
        """Register ``function`` for ``resource``: an ARN, a pattern, or a function's name.

        Raises ``TypeError`` for a resource or a function of a wrong type, and for a function that does not take one or
        two arguments; ``InvalidInput`` for a wrong limit.
        """
        if not isinstance(resource, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"the resource of a handler is a text, not {reprlib.repr(resource)}")
        if not callable(function):
            raise TypeError(f"the handler of {resource!r} cannot be called: {function!r}")
        if (problem := signature_problem(function)) is not None:
            raise TypeError(f"the handler of {resource!r} takes the input, or the input and a context: {problem}")
        parsed = parse_resource(resource)
        name = parsed.name if parsed.kind == "lambda" else resource
        registration = Registration(function, self._limit(name, concurrency, rate))
        if any(wild in name for wild in "*?["):
            others = [(pattern, other) for pattern, other in self._patterns if pattern != name]
            self._patterns = sorted([*others, (name, registration)], key=lambda pattern: -len(pattern[0]))
        else:
            self._by_name[name] = registration
        self._found = {}

    def _limit(self, name: str, concurrency: int | None, rate: str | None) -> Limit[Any] | None:
        """The limit of a handler: the same object at each registration, so that it counts the calls that run now."""
        check_concurrency(concurrency)
        parsed = None if rate is None else parse_rate(rate)
        limit = self.limits.get(name)
        if limit is None:
            if concurrency is None and parsed is None:
                return None
            limit = self.limits[name] = Limit(name, self._clock)
        limit.change(concurrency, parsed)
        return limit

    def windows(self) -> list[tuple[str, int]]:
        """Each handler's name, and how many of its tasks may be handed out before their calls begin (0: any number)."""
        registered = [*self._by_name.items(), *self._patterns]
        return [(name, each.limit.window if each.limit is not None else 0) for name, each in registered]

    def offers(self, max_workers: int) -> list[tuple[str, int]]:
        """Each handler's name, and how many of its tasks are of use here at a time (0: any number).

        Sync handlers without a limit share ``max_workers`` threads.
        """
        return [
            (name, each.limit.most if each.limit is not None else 0 if each.is_async else max_workers)
            for name, each in [*self._by_name.items(), *self._patterns]
        ]

    def is_engines(self, name: str) -> bool:
        """Whether the engine itself does the tasks of a name, and no handler of the program."""
        found = self._own.get(name)
        return found is not None and self._find(name) is found

    def use_mocks(self, mocks: Mocks) -> None:
        """Let a mock file answer the tasks of executions that its test cases started, before any handler."""
        self.mocks = mocks

    def provide(self, functions: Mapping[str, Handler]) -> None:
        """Register the engine's own handlers, by resource; they do not count as handlers of the program."""
        registrations = {function: Registration(function) for function in set(functions.values())}
        self._own.update({resource: registrations[function] for resource, function in functions.items()})

    def is_of_program(self, resource: str) -> bool:
        """Whether the program of this process has registered a handler by this very name."""
        parsed = parse_resource(resource)
        name = parsed.name if parsed.kind == "lambda" else resource
        registered = dict(self._patterns).get(name) or self._by_name.get(name)
        return registered is not None and not registered.takes_call

    def __bool__(self) -> bool:
        """Whether there is any handler."""
        return bool(self._by_name or self._patterns)

    def find(self, resource: Resource, arguments: Callable[[], Any]) -> Registration | None:
        """The handler of a task; ``arguments`` is called only where they name the function."""
        if resource.invokes_function:
            name = function_name(arguments())
            found = self._find(name) if name is not None else None
            return found or self._find(resource.text)
        return self._find(resource.name if resource.kind == "lambda" else resource.text)

    def find_for(self, call: Call, resource: Resource, arguments: Callable[[], Any]) -> Registration | None:
        """What does a task: its mock, or its handler."""
        if call.test_case:
            mocked = _WITHOUT_MOCKS if self.mocks is None else self.mocks.handler_of(call)
            if mocked is not None:
                return mocked
        return self.find(resource, arguments)

    def target_of(self, resource: Resource, arguments: Callable[[], Any]) -> str:
        """The name that finds a task's handler: ``find_by_name`` returns for it what ``find`` returns for the task."""
        if resource.invokes_function:
            name = function_name(arguments())
            return name if name is not None and self._find(name) is not None else resource.text
        return (resource.name if resource.kind == "lambda" else None) or resource.text

    def find_by_name(self, target: str) -> Registration | None:
        """The handler of the tasks of a target."""
        return self._find(target)

    def has(self, resource: Resource, definition: dict[str, Any]) -> bool:
        """Whether a Task state has a handler, as far as its definition tells."""
        if resource.invokes_function:
            given: Any = definition.get("Parameters") or definition.get("Arguments")
            name = function_name(given)
            if name is None or name.startswith("{%"):
                return True
        if self.find(resource, lambda: definition.get("Parameters") or definition.get("Arguments")) is not None:
            return True
        return self._elsewhere is not None and self._elsewhere(resource, definition)

    def look_elsewhere(self, has: Callable[[Resource, dict[str, Any]], bool]) -> None:
        """Ask ``has`` too whether a Task state has a handler: another node may have one."""
        self._elsewhere = has

    def knows(self, name: str) -> bool:
        """Whether there is a handler of this name."""
        return self._find(name) is not None

    def _find(self, name: str | None) -> Registration | None:
        if name is None:
            return None
        registration = self._by_name.get(name)
        if registration is None and self._patterns and not name.startswith(ENGINE):
            found = self._found  # a registration in another thread starts a new one
            if name not in found:
                import fnmatch

                matches = (each for pattern, each in self._patterns if fnmatch.fnmatchcase(name, pattern))
                found[name] = next(matches, None)
            registration = found[name]
        return registration or self._own.get(name)


def is_coroutine_function(function: Handler) -> bool:
    """Whether its result must be awaited."""
    import inspect  # takes a tenth of the time to import Stepwell: loaded with the first handler

    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__
    )


def signature_problem(function: Handler) -> str | None:
    """Why a function cannot be called as a handler is; None: it can, or does not tell what it takes."""
    if isinstance(function, CallHandler):
        return None
    signature = _signature(function)
    if signature is None:
        return None
    arguments = (None, None) if _takes_context(_positional(signature)) else (None,)
    try:
        signature.bind(*arguments)
    except TypeError as error:
        return f"{getattr(function, '__qualname__', function)}{signature}: {error}"
    return None


def _signature(function: Handler) -> Signature | None:
    """The signature of a function; None: it does not tell it."""
    import inspect

    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None


def _positional(signature: Signature | None) -> list[Parameter]:
    """The parameters that can be given by position; none where the signature is not known."""
    parameters = () if signature is None else signature.parameters.values()
    return [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.VAR_POSITIONAL)]


def _takes_context(parameters: list[Parameter]) -> bool:
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return True
    required = [p for p in parameters if p.default is p.empty]
    return len(required) >= 2 or (len(parameters) >= 2 and parameters[1].name in ("ctx", "context"))


def _typed(function: Handler, parameters: list[Parameter]) -> Handler:
    """The handler as it is called with JSON. Only handlers with annotations load what types need."""
    first = parameters[0] if parameters else None
    if first is None or first.annotation in (first.empty, Any, "Any") or first.kind is first.VAR_POSITIONAL:
        return function
    from .typed import taking_typed_input

    return taking_typed_input(function, first.annotation)


def _without_mocks(value: Any) -> Any:
    raise TaskError(
        "States.Runtime", "the execution was started by a test case, and this engine was opened without a mock file"
    )


_WITHOUT_MOCKS = Registration(_without_mocks)
