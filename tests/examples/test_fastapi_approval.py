"""Approvals in FastAPI: a question and its answer survive the death of the server, and an expense is paid once."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.support import EXAMPLES, Program, asked, programs, rows, until

EXAMPLE = EXAMPLES / "fastapi_approval"


class Service:
    """The service over one folder, killed and started again by the test."""

    def __init__(self, start: Any, folder: Path) -> None:
        self._start, self.folder = start, folder
        self.begin()

    def begin(self) -> None:
        words = ("-m", "uvicorn", "--app-dir", EXAMPLE, "expenses:app", "--port", 0)
        self.program: Program = self._start(*words, cwd=self.folder)
        self.url = self.program.said("INFO:     Uvicorn running on ").split()[0]

    def kill(self) -> None:
        """SIGKILL, and a new process."""
        self.program.kill()
        self.begin()

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        status, answer = asked(self.url + path, body)
        return status, json.loads(answer)

    def claim(self, id: str, cents: int) -> None:
        status, answer = self.ask("/expenses", {"id": id, "employee": "Ada", "cents": cents})
        assert status == 202, answer

    def token(self, id: str) -> str:
        """The token in the mail about an expense, once it was sent."""
        mail = self.folder / "mails" / f"{id}.json"
        until(mail.exists, f"no mail about {id}")
        return str(json.loads(mail.read_text())["token"])

    def end(self, id: str) -> Any:
        """An expense, once it is paid or declined."""

        def ended() -> Any:
            found = self.ask(f"/expenses/{id}")[1]
            return found if found["status"] != "RUNNING" else None

        return until(ended, f"{id} does not end")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    pytest.importorskip("fastapi")
    with programs() as start:
        yield Service(start, tmp_path)


def test_an_approval_survives_restarts_and_pays_once(service: Service) -> None:
    service.claim("taxi", 1200)
    for id in ("train", "hotel"):
        service.claim(id, 12_000)
    assert service.end("taxi")["output"]["payment"] == {"reference": "expense taxi"}
    train, hotel = service.token("train"), service.token("hotel")

    service.kill()  # while both wait
    assert {each["id"] for each in service.ask("/waiting")[1]} == {"train", "hotel"}
    service.claim("train", 12_000)  # a client that asks again gets the same expense
    assert service.token("train") == train
    assert service.ask("/answers", {"token": train, "approved": True, "by": "Bo"})[0] == 200
    service.kill()  # right behind the answer
    assert service.end("train")["output"]["decision"] == {"by": "Bo"}

    assert service.ask("/answers", {"token": hotel, "approved": False, "by": "Bo"})[0] == 200
    declined = service.end("hotel")
    assert (declined["status"], declined["error"], declined["cause"]) == ("FAILED", "Declined", "by Bo")
    for token, status in ((train, 409), (hotel, 409), ("no token", 400)):
        assert service.ask("/answers", {"token": token, "approved": True, "by": "Eve"})[0] == status
    assert service.ask("/expenses/nobodys")[0] == 404
    assert service.ask("/expenses", {"id": "../x", "employee": "Eve", "cents": 1})[0] == 422
    assert service.ask("/waiting") == (200, [])
    assert service.ask("/health") == (200, {"status": "ok"})

    stopped = service.program.send(signal.SIGTERM)
    assert "Application shutdown complete" in stopped.output
    payments = rows(service.folder / "bank.sqlite", "SELECT employee, cents FROM payments")
    assert sorted(payments) == [("Ada", 1200), ("Ada", 12_000)]
