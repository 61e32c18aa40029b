"""An order service: HTTP in front, a Stepwell executor behind, one process. See README.md.

python service.py orders.data --port 8000
"""

from __future__ import annotations

import argparse
import json
import signal
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec

import handlers
from stepwell import Event, Execution, ExecutionNotFound, Executor, InvalidName, TaskDoesNotExist

WORKFLOW = Path(__file__).with_name("order.asl.json")
CANCELLABLE = ("Approval", "Charge", "Ship")


class Decision(msgspec.Struct):
    """What approves an order, or rejects it."""

    by: str


class Refused(Exception):
    """A request that cannot be done: HTTP status and reason."""


class Orders:
    """What the service can do, without HTTP."""

    def __init__(self, engine: Executor) -> None:
        self.engine = engine
        engine.on("execution_ended", self._log)
        engine.deploy("order", WORKFLOW)

    def place(self, order: handlers.Order) -> Execution:
        """Start an order. A client that repeats its request, since it got no answer, gets the same one."""
        return self.engine.start("order", order, order.id, if_exists="return")

    def get(self, id: str) -> Execution:
        return self.engine.get(workflow="order", name=id)

    def waiting(self) -> list[str]:
        """The orders that wait for a person."""
        tasks = self.engine.open_tasks(state="Approval")
        return [self.engine.get(task.execution_id).name for task in tasks]

    def approve(self, id: str, by: str) -> Execution:
        self.get(id).complete("Approval", {"by": by})
        return self.get(id)

    def reject(self, id: str, by: str) -> Execution:
        self.get(id).fail("Approval", "Rejected", f"by {by}")
        return self.get(id)

    def cancel(self, id: str) -> Execution:
        """Fail the task at which an order is. Its Catch undoes what was done; a handler at work is told to end."""
        execution = self.get(id)
        for state in CANCELLABLE:
            try:
                execution.fail(state, "Cancelled", "by the customer")
            except TaskDoesNotExist:
                continue
            return execution
        raise Refused(409, f"order {id} cannot be cancelled: it is {execution.status}, or between two states")

    def _log(self, event: Event) -> None:
        print(f"order {event.execution_id} has ended: {event.status} {event.error or ''}", flush=True)


def shown(execution: Execution) -> dict[str, Any]:
    """An order as clients see it."""
    return {
        "id": execution.name,
        "status": execution.aws_status,
        "error": execution.error,
        "output": execution.output,
        "seconds": round(execution.duration.total_seconds(), 3),
    }


class Requests(BaseHTTPRequestHandler):
    """``POST /orders``, ``GET /orders/ID``, ``POST /orders/ID/approve|reject|cancel``, ``GET /approvals``."""

    orders: Orders

    def do_GET(self) -> None:
        self._answer(lambda: self._get(self.path.strip("/").split("/")))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(lambda: self._post(self.path.strip("/").split("/"), body))

    def _get(self, path: list[str]) -> Any:
        match path:
            case ["orders", id]:
                return shown(self.orders.get(id))
            case ["approvals"]:
                return self.orders.waiting()
            case _:
                raise Refused(404, self.path)

    def _post(self, path: list[str], body: bytes) -> Any:
        match path:
            case ["orders"]:
                return shown(self.orders.place(msgspec.json.decode(body, type=handlers.Order)))
            case ["orders", id, "approve"]:
                return shown(self.orders.approve(id, msgspec.json.decode(body, type=Decision).by))
            case ["orders", id, "reject"]:
                return shown(self.orders.reject(id, msgspec.json.decode(body, type=Decision).by))
            case ["orders", id, "cancel"]:
                return shown(self.orders.cancel(id))
            case _:
                raise Refused(404, self.path)

    def _answer(self, work: Callable[[], Any]) -> None:
        try:
            status, answer = 200, work()
        except Refused as refused:
            status, answer = refused.args
        except ExecutionNotFound as error:
            status, answer = 404, str(error)
        except TaskDoesNotExist as error:  # it was approved, or cancelled, before
            status, answer = 409, str(error)
        except (InvalidName, msgspec.MsgspecError) as error:
            status, answer = 400, str(error)
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged."""


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", help="the data folder")
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stopping.set())

    handlers.open_books()
    with Executor(options.data, handlers=handlers.HANDLERS) as engine:
        Requests.orders = Orders(engine)
        with ThreadingHTTPServer(("127.0.0.1", options.port), Requests) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            print(f"serving at http://127.0.0.1:{server.server_port}", flush=True)
            while not stopping.wait(1):
                engine.check()  # it raises if the disk has failed: end, and let a supervisor start this again
            server.shutdown()


if __name__ == "__main__":
    main()
