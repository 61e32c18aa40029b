"""Four orders: the service is killed in the middle of the first, started again, and finishes all (``make demo``).

At the end the demo compares what the engine says with what has moved in the books of the bank, the warehouse and the
carrier. Its exit code is 0 if they agree.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

SERVICE = Path(__file__).with_name("service.py")
PATIENCE_SECONDS = 60

# What is ordered, and what comes of it: the error (None: it is shipped), and what has moved on the card.
DESK = {"id": "desk-1", "sku": "desk", "pieces": 4, "cents": 42_000}
DEAR = {"id": "desks-2", "sku": "desk", "pieces": 2, "cents": 90_000}
REGRETTED = {"id": "lamp-3", "sku": "lamp", "pieces": 3, "cents": 3_000}
UNICORN = {"id": "unicorn-4", "sku": "unicorn", "pieces": 1, "cents": 100}
EXPECTED: dict[str, tuple[str | None, list[int]]] = {
    "desk-1": (None, [-42_000]),
    "desks-2": (None, [-90_000]),
    "lamp-3": ("Cancelled", [-3_000, 3_000]),
    "unicorn-4": ("OutOfStock", []),
}


class Service:
    """The service as a process over one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.begin()

    def begin(self) -> None:
        """Start the process, and wait until it serves."""
        command = [sys.executable, str(SERVICE), str(self._folder / "data"), "--port", "0"]
        environment = os.environ | {"ORDER_BOOKS": str(self._folder / "books")}
        say("$ python service.py data")
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().rpartition(" ")[2].strip()

    def end(self, number: signal.Signals) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request to the service, and its answer."""
        text = json.dumps(body)
        if body is not None:
            print(f"{method} {path} {text}", flush=True)
        request = Request(self.url + path, text.encode() if body is not None else None, method=method)
        with urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)

    def moved(self, id: str) -> list[int]:
        """The cents that have moved on a customer's card."""
        db = sqlite3.connect(self._folder / "books", timeout=PATIENCE_SECONDS)
        rows = db.execute("SELECT cents FROM bookings WHERE id = ? ORDER BY rowid", (id,)).fetchall()
        db.close()
        return [cents for (cents,) in rows]


def main() -> int:
    """Run, kill, run again, compare."""
    with tempfile.TemporaryDirectory(prefix="stepwell-demo-") as folder:
        service = Service(Path(folder))
        for order in (DESK, DEAR, UNICORN):
            service.ask("POST", "/orders", order)
        wait_until(lambda: service.moved("desk-1"))
        time.sleep(0.5)
        service.end(signal.SIGKILL)
        say("killed the service with SIGKILL: the card of desk-1 is charged, and the desk is being packed")

        service.begin()
        service.ask("POST", "/orders", DESK)  # a client that got no answer asks again: it is the same order
        service.ask("POST", "/orders", REGRETTED)
        wait_until(lambda: service.ask("GET", "/approvals") == ["desks-2"])
        service.ask("POST", "/orders/desks-2/approve", {"by": "Ada"})
        wait_until(lambda: service.moved("lamp-3"))
        service.ask("POST", "/orders/lamp-3/cancel", {})
        wait_until(lambda: all(service.ask("GET", f"/orders/{id}")["status"] != "RUNNING" for id in EXPECTED))
        code = compare(service)
        return service.end(signal.SIGTERM) or code


def compare(service: Service) -> int:
    """Print orders beside the books; 0 if all is as it should be."""
    say("what the engine says of the orders, and what has moved on their customers' cards:")
    print(f"\n  {'order':<12}{'status':<12}{'error':<12}{'cents moved'}")
    found: dict[str, Any] = {}
    for id in EXPECTED:
        order, moved = service.ask("GET", f"/orders/{id}"), service.moved(id)
        found[id] = (order["error"], moved)
        print(f"  {id:<12}{order['status']:<12}{order['error'] or '':<12}{', '.join(map(str, moved))}")
    is_right = found == EXPECTED
    say("nothing was lost, and nothing done twice" if is_right else f"NOT as promised: {EXPECTED}")
    return 0 if is_right else 1


def wait_until(condition: Callable[[], object]) -> None:
    """Raises TimeoutError if it takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the service has not come so far")
        time.sleep(0.02)


def say(text: str) -> None:
    """Print a line of the demo."""
    print(f"\n── {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
