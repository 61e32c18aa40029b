"""The order service, killed at drawn moments while clients use it: money, stock and parcels agree with its orders."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from examples.support import EXAMPLES, Killed, Program, asked, new_random, programs, until
from stepwell import Executor

EXAMPLE = EXAMPLES / "order_service"
ORDERS, KILLS = 30, 4
SERVING = "serving at "
OVER = {"SUCCEEDED", "FAILED"}


class Client:
    """Asks a service that may die at any moment, until it answers."""

    def __init__(self, service: Killed) -> None:
        self._service = service

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        def once() -> tuple[int, Any] | None:
            url = next((line for line in self._service.current.lines if line.startswith(SERVING)), None)
            if url is None:
                return None
            try:
                status, answer = asked(url.removeprefix(SERVING) + path, body, method, seconds=10)
                return status, json.loads(answer)
            except (OSError, HTTPException, ValueError):  # it was killed meanwhile
                return None

        return until(once, f"{method} {path} was not answered")

    def order(self, id: str) -> Any:
        code, answer = self.ask("GET", f"/orders/{id}")
        assert code == 200, answer
        return answer


@dataclass
class Story:
    """An order, and what its customer and the boss do with it."""

    order: dict[str, Any]
    decision: str | None = None
    cancels: bool = False

    @property
    def ends(self) -> set[str | None]:
        """The errors that it may end with; None: it is shipped."""
        if self.order["sku"] == "unicorn":
            return {"OutOfStock"}
        expected: set[str | None] = {"Rejected"} if self.decision == "reject" else {None}
        return expected | {"Cancelled"} if self.cancels else expected


def stories(random: random.Random) -> Iterator[Story]:
    for number in range(ORDERS):
        sku = random.choice(["desk", "desk", "lamp", "lamp", "unicorn"])
        cents = random.choice([100, 49_999, 50_000, 120_000])
        order = {"id": f"order-{number}", "sku": sku, "pieces": random.randint(1, 4), "cents": cents}
        decision = random.choice(["approve", "reject"]) if cents >= 50_000 else None
        yield Story(order, decision, random.random() < 0.3)


def act(client: Client, story: Story, waiting: list[str]) -> bool:
    """Do what is to be done for an order; whether it has ended."""
    id = story.order["id"]
    if client.order(id)["status"] in OVER:
        return True
    if story.cancels:
        code, answer = client.ask("POST", f"/orders/{id}/cancel", {})
        assert code in (200, 409), answer
    elif id in waiting:
        code, answer = client.ask("POST", f"/orders/{id}/{story.decision}", {"by": "Ada"})
        assert code in (200, 409), answer
    return False


def test_what_clients_asked_for_is_done_once_and_what_failed_is_undone(tmp_path: Path) -> None:
    random = new_random()
    told = list(stories(random))
    with programs() as start:

        def serve() -> Program:
            variables = {"ORDER_BOOKS": tmp_path / "books", "ORDER_PACKING_SECONDS": 0.3}
            return start(EXAMPLE / "service.py", tmp_path / "data", "--port", 0, cwd=tmp_path, **variables)

        service = Killed(serve, SERVING, random, KILLS, 1.0)
        client = Client(service)
        for story in told:
            assert client.ask("POST", "/orders", story.order)[0] == 200
        left = told
        while left:
            waiting = client.ask("GET", "/approvals")[1]
            left = [story for story in left if not act(client, story, waiting)]
        last = service.last()
        ends = {story.order["id"]: client.order(story.order["id"]) for story in told}
        assert client.ask("GET", "/orders/nobodys")[0] == 404
        assert client.ask("POST", "/orders/order-0/approve", {"by": "Ada"})[0] == 409
        assert client.ask("POST", "/orders", {"id": "order-x"})[0] == 400
        assert client.ask("POST", "/orders", told[0].order | {"id": "x" * 99})[0] == 400
        assert last.send(signal.SIGTERM).process.returncode == 0, last.output

    for story in told:
        end = ends[story.order["id"]]
        assert end["error"] in story.ends, end
    assert_books_agree(tmp_path / "books", told, ends)
    with Executor(tmp_path / "data") as ex:
        assert sorted(execution.name for execution in ex.executions("order")) == sorted(ends)
        assert ex.open_tasks() == []


def assert_books_agree(file: Path, told: list[Story], ends: dict[str, Any]) -> None:
    """Money has moved as often as it should, and parcels and stock are those of the orders that were shipped."""
    db = sqlite3.connect(file)
    bookings: dict[str, list[int]] = {}
    for id, cents in db.execute("SELECT id, cents FROM bookings ORDER BY rowid"):
        bookings.setdefault(id, []).append(cents)
    states = {
        table: dict(db.execute(f"SELECT id, state FROM {table}").fetchall())
        for table in ("payments", "parcels", "reservations")
    }
    stock = dict(db.execute("SELECT sku, pieces FROM stock").fetchall())
    db.close()
    for story in told:
        id, cents = story.order["id"], story.order["cents"]
        shipped = ends[id]["status"] == "SUCCEEDED"
        assert bookings.get(id, []) in ([[-cents]] if shipped else [[], [-cents, cents]]), id
        assert states["parcels"].get(id) in (["sent"] if shipped else [None, "recalled"]), id
        assert states["reservations"][id] == ("held" if shipped else "released"), id
        if shipped:
            stock[story.order["sku"]] += story.order["pieces"]
    assert stock == {"desk": 1000, "lamp": 1000, "unicorn": 0}
