"""The server: a bounded number of clients, each with a thread of its own while it is connected.

A client that waits, sends nonsense or does not read keeps neither the engine nor another client waiting.
"""

from __future__ import annotations

import os
import socket
import threading
import time

from stepwell.errors import Busy, StepwellError, StorageError
from stepwell.logs import logger

from . import at_fork
from . import messages as m
from .peer import user_of
from .session import SEND_SECONDS, Session
from .target import Target

log = logger("stepwell.control")

MAX_CLIENTS = 128
CLOSING_SECONDS = 2.0
"""How long clients may take to read their last replies when the engine is closed."""


class Server:
    """Serves the clients of one folder."""

    def __init__(self, descriptor: int, target: Target) -> None:
        self._listening = socket.socket(fileno=descriptor)
        self._target = target
        self._changing = threading.Lock()
        self._sessions: dict[Session, threading.Thread] = {}

        at_fork.register(self)

    def accept(self) -> None:
        """Serve a client that has connected, in a thread."""
        try:
            end, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        refusal = _stranger(end) or self._full()
        if refusal is not None:
            log.warning("a client of the control socket is refused: %s", refusal)
            _refuse(end, refusal)
            return
        session = Session(end, self._target)
        thread = threading.Thread(target=self._run, args=(session,), name="stepwell-control-client", daemon=True)
        with self._changing:
            self._sessions[session] = thread
        at_fork.register(session)
        thread.start()

    def close(self) -> None:
        """Let clients read what they are owed, for a short time, and let go of them."""
        with self._changing:
            sessions = dict(self._sessions)
        for session in sessions:
            session.finish()
        deadline = time.monotonic() + CLOSING_SECONDS
        for thread in sessions.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        at_fork.forget(self)
        self._listening.close()

    def close_in_child(self) -> None:
        """A forked process does not keep the socket open."""
        self._listening.close()

    def _full(self) -> Exception | None:
        if len(self._sessions) < MAX_CLIENTS:
            return None
        try:
            self._target.check()
        except StepwellError as error:  # a health probe must not take an engine that has failed for a busy one
            return error
        return Busy(f"process {os.getpid()} has {MAX_CLIENTS} clients already; try again later")

    def _run(self, session: Session) -> None:
        try:
            session.run()
        except Exception as error:
            log.exception("a client of the control socket is let go: %s", error)
        finally:
            at_fork.forget(session)
            session.close()
            with self._changing:
                self._sessions.pop(session, None)


def _stranger(end: socket.socket) -> Exception | None:
    """Why a process of another user is refused: whoever may use an engine may do all that its user may."""
    user = user_of(end)
    if user in (0, os.geteuid()):
        return None
    return StorageError(f"process {os.getpid()} serves user {os.geteuid()} and root, not user {user}")


def _refuse(end: socket.socket, refusal: Exception) -> None:
    with end:
        end.settimeout(SEND_SECONDS)
        try:
            end.send(m.frame_of(m.Reply(0, None, m.failure_of(refusal))))
            end.shutdown(socket.SHUT_WR)
        except OSError as error:  # it is gone
            log.debug("a client did not wait for its refusal: %s", error)
