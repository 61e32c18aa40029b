"""The engine of a server, asked over HTTP: the messages of the control socket, each in a request of its own.

A server that starts again is waited for; of several with the same engine the next one is asked. A request that it has
certainly not begun is sent again, and so is one that changes nothing; another one, whose answer got lost, raises
``StorageError``: it may have been done or not.
"""

from __future__ import annotations

import http.client
import itertools
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from stepwell.engine.control import messages as m
from stepwell.engine.control.channel import ANSWER_SECONDS
from stepwell.engine.host.promises import Callback, check_may_wait
from stepwell.errors import ApiError, Closed, StepwellError, StorageError, TooLargeError
from stepwell.logs import logger
from stepwell.version import VERSION

from .http_pool import Answer, NotSent, Server, Unanswered
from .servers import Servers
from .signing import SignIn

TARGET, CONTENT_TYPE = "Stepwell.", "application/x-msgpack"
AWS_TARGET, AWS_CONTENT_TYPE = "AWSStepFunctions.", "application/x-amz-json-1.0"
MAX_COMMANDS = 32
"""How many commands are on their way at a time; others wait."""
POLL_SECONDS = 60.0
"""How long a server may take to say that nothing has happened."""
FIRST_PAUSE, LAST_PAUSE = 0.05, 2.0
"""The pauses between attempts to reach a server: doubled each time, and random below that."""
QUIET_SECONDS = 1.0
"""How long a server may be away before the log says so: one that starts again is no news."""
NOTHING_YET, UNAVAILABLE = 204, 503

log = logger("stepwell.remote")


class HttpConnection:
    """Raises ``StorageError`` where no server of this version answers, ``ApiError`` where it refuses the client.

    ``url`` may be several, which have the same engine (``Servers``). ``patience`` is how many seconds servers that
    cannot be reached are waited for.
    """

    def __init__(self, url: str | Sequence[str], sign_in: SignIn, patience: float, ca_file: str | None = None) -> None:
        self.patience = patience
        self._servers, self._sign_in = Servers(url, ca_file), sign_in
        self._commands = ThreadPoolExecutor(MAX_COMMANDS, thread_name_prefix="stepwell-command")
        self._numbers = itertools.count(1)
        self._waiting: dict[int, http.client.HTTPConnection | None] = {}
        """What is waited for, with the connection that waits."""
        self._lock = threading.Lock()
        self._is_away = False
        """Whether the log has said that the server cannot be reached."""
        self._closed = threading.Event()
        try:
            self.server = self._greet()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The server that is asked now."""
        return self._servers.current.url

    # the channel

    def ask(self, make: Callable[[int], m.Request], timeout: float | None = ANSWER_SECONDS) -> Any:
        """Ask for something, and wait for the reply. Raises what the server raised."""
        check_may_wait()
        return self._asked(make(next(self._numbers)), timeout)

    def begin(self, make: Callable[[int], m.Request], deliver: Callback) -> int:
        """Ask for something; ``deliver`` gets the reply, in another thread. The number of the request."""
        number = next(self._numbers)
        request = make(number)
        if isinstance(request, m.Watch):
            with self._lock:
                self._waiting[number] = None
            wait = threading.Thread(target=self._wait, args=(request, deliver), name="stepwell-waiting", daemon=True)
            wait.start()
            return number
        try:
            self._commands.submit(self._command, request, deliver)
        except RuntimeError as error:
            raise Closed("the connection was closed") from error
        return number

    def forget(self, number: int) -> bool:
        """Wait no longer for an execution: its request is given up."""
        with self._lock:
            is_waiting = number in self._waiting
            connection = self._waiting.pop(number, None)
        if connection is not None:
            _shut_down(connection)
        return is_waiting

    def tell(self, message: m.Unwatch) -> None:
        """The server has noticed that the request was given up."""

    def on_end(self, function: Callable[[StorageError], None]) -> None:
        """A server may come back at any time: each call says for itself whether it was there."""

    def close(self) -> None:
        """Give up what is waited for."""
        self._closed.set()
        for number in list(self._waiting):
            self.forget(number)
        self._commands.shutdown(wait=False, cancel_futures=True)
        self._servers.close()

    # AWS's API

    def call(self, operation: str, request: dict[str, Any], timeout: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The answer to an operation of AWS's API that may be repeated. Raises ``ApiError``."""
        body = msgspec.json.encode(request)
        answer = self._post(AWS_TARGET + operation, AWS_CONTENT_TYPE, body, timeout, is_harmless=True)
        try:
            return msgspec.json.decode(answer.body, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise StorageError(f"{self.url} has answered what is no JSON: {error}") from error

    def pause(self, seconds: float) -> None:
        """Wait, unless the connection is closed."""
        self._closed.wait(seconds)

    # requests

    def _greet(self) -> m.Welcome:
        hello = m.Hello(m.MAGIC, m.PROTOCOL, VERSION)
        answer = self._post(TARGET + "Hello", CONTENT_TYPE, m.body_of(hello), ANSWER_SECONDS, is_harmless=True)
        try:
            welcome = msgspec.msgpack.decode(answer.body, type=m.Welcome)
        except msgspec.MsgspecError as error:
            raise StorageError(f"{self.url} is no server of this version of Stepwell: {error}") from error
        m.check_protocol(welcome)
        return welcome

    def _asked(
        self,
        request: m.Request,
        timeout: float | None,
        using: Callable[[http.client.HTTPConnection], None] | None = None,
    ) -> Any:
        """The result of a request; ``NOTHING`` when nothing has happened. Raises the server's error."""
        body = m.body_of(request)
        if len(body) > m.MAX_REQUEST:
            raise TooLargeError(f"a request of {len(body)} bytes cannot be sent: {m.MAX_REQUEST} is the most")
        target, repeats = TARGET + type(request).__name__, isinstance(request, m.REPEATABLE)
        answer = self._post(target, CONTENT_TYPE, body, timeout, using, is_harmless=repeats)
        if answer.status == NOTHING_YET:
            if isinstance(request, m.Watch | m.Poll):
                return NOTHING
            raise StorageError(f"{self.url} has not answered: what was asked for may have been done or not")
        try:
            reply = m.decode_response.decode(answer.body)
        except msgspec.MsgspecError as error:
            raise StorageError(f"{self.url} has answered what is no reply: {error}") from error
        if not isinstance(reply, m.Reply):
            raise StorageError(f"{self.url} has answered what is no reply")
        if reply.failure is not None:
            raise m.error_of(reply.failure)
        return reply.result

    def _command(self, request: m.Request, deliver: Callback) -> None:
        try:
            result = self._asked(request, ANSWER_SECONDS)
        except Exception as error:  # noqa: BLE001 - whoever waits must learn of it
            deliver(None, error)
        else:
            deliver(result, None)

    def _wait(self, request: m.Watch, deliver: Callback) -> None:
        """Ask again and again until the execution has ended, or nobody waits for it."""
        number, result, error = request.number, NOTHING, None
        while result is NOTHING and error is None and number in self._waiting:
            try:
                result = self._asked(request, POLL_SECONDS, lambda connection: self._uses(number, connection))
            except Exception as other:  # noqa: BLE001 - whoever waits must learn of it
                error = other
        with self._lock:
            is_waited_for = number in self._waiting
            self._waiting.pop(number, None)
        if is_waited_for:
            deliver(None if result is NOTHING else result, error)

    def _uses(self, number: int, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if number in self._waiting:
                self._waiting[number] = connection
                return
        raise Closed("nobody waits for it")

    def _post(
        self,
        target: str,
        content_type: str,
        body: bytes,
        timeout: float | None,
        using: Callable[[http.client.HTTPConnection], None] | None = None,
        *,
        is_harmless: bool,
    ) -> Answer:
        """The answer to a request, however often it has to be sent."""
        began, pauses = time.monotonic(), _pauses()
        for attempt in itertools.count(1):
            if self._closed.is_set():
                raise Closed("the connection was closed")
            asked = self._servers.current
            try:
                headers = self._headers(asked.server, target, content_type, body)
                answer = asked.pool.post(headers, body, timeout, using)
                if answer.status in (200, NOTHING_YET):
                    self._note_answer()
                    return answer
                problem = _problem(asked.url, answer)
                if answer.status != UNAVAILABLE:
                    raise problem
            except NotSent as error:
                problem = StorageError(f"the server at {asked.url} cannot be reached: {error}")
            except Unanswered as error:
                text = f"the server at {asked.url} has not answered ({error})"
                if not is_harmless:
                    raise StorageError(f"{text}: what was asked for may have been done or not") from error
                problem = StorageError(text)
            self._servers.leave(asked)
            if attempt % len(self._servers):
                continue  # the next one is asked at once
            waited = time.monotonic() - began
            if waited > self.patience:
                raise problem
            if waited > QUIET_SECONDS:
                self._note_absence(problem)
            self._closed.wait(next(pauses))
        raise AssertionError("attempts do not end")

    def _note_absence(self, problem: StepwellError) -> None:
        """Say once that the server is waited for, however many requests wait."""
        with self._lock:
            was_away, self._is_away = self._is_away, True
        if not was_away:
            log.warning("%s; trying again", problem)

    def _note_answer(self) -> None:
        if not self._is_away:
            return
        with self._lock:
            was_away, self._is_away = self._is_away, False
        if was_away:
            log.info("the server at %s answers again", self.url)

    def _headers(self, server: Server, target: str, content_type: str, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": content_type, "X-Amz-Target": target}
        host, now = server.authority, datetime.now(UTC)
        return {**headers, "Host": host, **self._sign_in.headers(host, server.path, headers, body, now)}


class _Nothing:
    """Nothing has happened yet."""


NOTHING: Any = _Nothing()


def _pauses() -> Any:
    longest = (min(FIRST_PAUSE * 2**attempt, LAST_PAUSE) for attempt in itertools.count())
    return (random.uniform(pause / 2, pause) for pause in longest)


def _problem(url: str, answer: Answer) -> StepwellError:
    """An answer without a reply: the error that it tells."""
    try:
        fault = msgspec.json.decode(answer.body, type=_Fault)
    except msgspec.MsgspecError:
        return StorageError(f"{url} has answered with status {answer.status}: is it a server of Stepwell?")
    code = fault.type.rpartition("#")[2]
    if answer.status == UNAVAILABLE:
        return StorageError(f"the server at {url} takes no requests: {fault.message}")
    return ApiError(code, fault.message or f"{url} has answered with status {answer.status}")


class _Fault(msgspec.Struct):
    """The body of an error."""

    type: str = msgspec.field(name="__type", default="")
    message: str = ""


def _shut_down(connection: http.client.HTTPConnection) -> None:
    end = connection.sock
    if end is not None:
        with suppress(OSError):  # it has ended already
            end.shutdown(socket.SHUT_RDWR)
