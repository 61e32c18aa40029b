"""Every program in docs/frameworks.md and docs/operations.md does what they say: under servers, signals and kills."""

from __future__ import annotations

import configparser
import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.recipes import blocks, recipes, write
from examples.support import Program, asked, free_port, new_random, programs, until
from stepwell import Executor, Follower

USED = {
    *("orders.py", "app.py", "client.py", "web.py", "owner.py", "notify.py", "connected.py", "remote.py"),
    *("shop/management/commands/workflows.py", "shop/views.py"),
}
Start = Callable[..., Program]
MANAGE = """\
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
SETTINGS = """\
SECRET_KEY = "secret"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["shop"]
ROOT_URLCONF = "urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
"""
URLS = """\
from django.urls import path
from shop.views import place, show
urlpatterns = [path("orders", place), path("orders/<id>", show)]
"""
WSGI = """\
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""


@pytest.fixture
def start() -> Iterator[Start]:
    with programs() as begin:
        yield begin


class Client:
    """Asks a service at a port until it answers with anything but 503."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def once(self, path: str, body: Any = None) -> tuple[int, Any] | None:
        try:
            status, answer = asked(self._url + path, body, seconds=10)
            return status, json.loads(answer) if status < 400 else answer
        except (OSError, HTTPException, ValueError):
            return None

    def ask(self, path: str, body: Any = None) -> Any:
        """The answer, once there is one."""

        def answered() -> tuple[int, Any] | None:
            found = self.once(path, body)
            return None if found is None or found[0] == 503 else found

        status, answer = until(answered, f"{path} was not answered")
        assert status in (200, 202), answer
        return answer

    def place(self, numbers: range) -> None:
        for number in numbers:
            self.ask("/orders", {"id": f"order-{number}", "cents": number})

    def wait(self, numbers: range) -> None:
        """Wait until these orders have succeeded."""
        for number in numbers:
            path = f"/orders/order-{number}"
            end = until(lambda path=path: found if (found := self.ask(path))["status"] != "RUNNING" else None, path)
            assert end["status"] == "SUCCEEDED", end
            assert end["output"] == {"receipt": f"order-{number}/{number}"}


def test_every_program_of_the_documents_is_run() -> None:
    of_tests = {name for name in recipes() if name.startswith("test_")}  # tests/testing/test_documents.py runs them
    assert set(recipes()) - of_tests == USED


def test_the_other_files_are_well_formed() -> None:
    for block in blocks("yaml"):
        assert yaml.safe_load(block)["livenessProbe"]["exec"]["command"] == ["stepwell", "status", "/data", "--ready"]
    for block in blocks("ini"):
        unit = configparser.ConfigParser()
        unit.read_string(block)
        assert unit["Service"]["Type"] == "notify"
        assert unit["Service"]["ExecStart"].endswith(" owner.py")


def test_fastapi_with_an_executor_in_its_lifespan(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    random, port = new_random(), free_port()
    write(tmp_path, "orders.py", "app.py")
    client = Client(port)

    def serve() -> Program:
        return start("-m", "uvicorn", "app:app", "--port", port, cwd=tmp_path)

    server = serve()
    client.place(range(5))
    kill_among(server, client, range(5, 25), random)
    server = serve()
    client.place(range(25))  # a client that got no answer asks again
    client.wait(range(25))
    assert client.ask("/health") == {"status": "ok"}
    missing = client.once("/orders/nobody-s")
    assert missing is not None
    assert missing[0] == 404
    second = start("-m", "uvicorn", "app:app", "--port", free_port(), cwd=tmp_path).ended()
    assert "LockedError" in second.output
    with Follower(tmp_path / "orders.data", tmp_path / "copy") as follower:
        follower.promote().close()  # the engine in the server has failed now: another one leads

    def is_unwell() -> bool:
        client.once("/orders", {"id": "late", "cents": 1})
        health = client.once("/health")
        return health is not None and health[0] == 503

    until(is_unwell, "the health endpoint does not tell of the failure")
    server.send(signal.SIGTERM)
    with Executor(tmp_path / "copy") as ex:
        assert sorted(each.name for each in ex.executions("order")) == sorted(f"order-{n}" for n in range(25))


def kill_among(program: Program, client: Client, numbers: range, random: random.Random) -> None:
    """Kill a server between two requests."""
    drawn = random.choice(numbers)
    for number in numbers:
        if number == drawn:
            os.kill(program.process.pid, signal.SIGKILL)
        client.once("/orders", {"id": f"order-{number}", "cents": number})
    program.ended()


def test_starlette_takes_the_same_lifespan_and_sigterm_closes_the_folder(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    write(tmp_path, "orders.py", "app.py")
    port = free_port()
    (tmp_path / "star.py").write_text(
        "from app import engine, lifespan\n"
        "from starlette.applications import Starlette\n"
        "from starlette.responses import JSONResponse\n"
        "from starlette.routing import Route\n"
        "async def health(request):\n"
        "    execution = await engine.start('order', {'id': '1', 'cents': 2})\n"
        "    return JSONResponse((await execution.wait(60)).output)\n"
        "app = Starlette(lifespan=lifespan, routes=[Route('/', health)])\n"
    )
    server = start("-m", "uvicorn", "star:app", "--port", port, cwd=tmp_path)
    assert Client(port).ask("/") == {"receipt": "1/2"}
    assert "Application shutdown complete" in server.send(signal.SIGTERM).output
    with Executor(tmp_path / "orders.data") as ex:
        assert [each.status for each in ex.list("order")] == ["Succeeded"]


def test_workers_of_uvicorn_use_an_owner_that_is_killed_and_started_again(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    random, port = new_random(), free_port()
    write(tmp_path, "orders.py", "notify.py", "owner.py", "client.py", "web.py")
    server = start("-m", "uvicorn", "web:app", "--port", port, "--workers", 2, cwd=tmp_path)
    assert_owners_and_workers_may_die(server, lambda: start("owner.py", cwd=tmp_path), Client(port), random)
    server.send(signal.SIGTERM)
    assert_each_order_is_there_once(tmp_path)


def test_django_with_a_command_as_owner_and_gunicorn_s_workers(start: Start, tmp_path: Path) -> None:
    for package in ("django", "gunicorn"):
        pytest.importorskip(package)
    random, port = new_random(), free_port()
    write(tmp_path, "orders.py", "client.py", "shop/views.py", "shop/management/commands/workflows.py")
    for name, text in (("manage.py", MANAGE), ("settings.py", SETTINGS), ("urls.py", URLS), ("site_wsgi.py", WSGI)):
        (tmp_path / name).write_text(text)
    (tmp_path / "shop" / "__init__.py").touch()
    words = ("-m", "gunicorn", "site_wsgi:application", "--workers", 2, "--bind", f"127.0.0.1:{port}")
    server = start(*words, cwd=tmp_path)
    own = partial(start, "manage.py", "workflows", cwd=tmp_path)
    assert_owners_and_workers_may_die(server, own, Client(port), random)
    server.send(signal.SIGTERM)
    assert_each_order_is_there_once(tmp_path)


def assert_owners_and_workers_may_die(
    server: Program, own: Callable[[], Program], client: Client, random: random.Random
) -> None:
    """Web workers answer 503 while there is no owner, and go on with the next one."""
    refused = until(lambda: client.once("/orders", {"id": "order-0", "cents": 0}), "the web server does not answer")
    assert refused[0] == 503, refused
    owner = own()
    client.place(range(10))
    kill_among(owner, client, range(10, 30), random)
    owner = own()
    client.place(range(20))
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)  # a web worker; its server starts another one
    client.place(range(30))
    client.wait(range(30))
    assert owner.send(signal.SIGTERM).process.returncode == 0, owner.output


def assert_each_order_is_there_once(folder: Path) -> None:
    with Executor(folder / "orders.data") as ex:
        assert sorted(each.name for each in ex.executions("order")) == sorted(f"order-{n}" for n in range(30))


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_an_owner_tells_systemd_when_it_is_ready_and_when_it_ends(start: Start, tmp_path: Path, abstract: bool) -> None:
    write(tmp_path, "orders.py", "notify.py", "owner.py", "connected.py")
    name = f"stepwell-test-{os.getpid()}" if abstract else os.path.relpath(tmp_path / "notify.socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name if abstract else name)
        systemd.settimeout(60)
        address = "@" + name if abstract else str(tmp_path / "notify.socket")
        owner = start("owner.py", cwd=tmp_path, NOTIFY_SOCKET=address)
        assert systemd.recv(100) == b"READY=1"
        ready = [sys.executable, "-m", "stepwell", "status", "orders.data", "--ready"]
        assert subprocess.run(ready, cwd=tmp_path, stdout=subprocess.DEVNULL, check=False).returncode == 0
        worker = start("connected.py", cwd=tmp_path).ended()
        assert worker.process.returncode == 0, worker.output
        owner.process.send_signal(signal.SIGTERM)
        assert systemd.recv(100) == b"STOPPING=1"
        assert owner.ended().process.returncode == 0, owner.output
        assert subprocess.run(ready, cwd=tmp_path, stdout=subprocess.DEVNULL, check=False).returncode == 1
    with Executor(tmp_path / "orders.data") as ex:
        assert [each.name for each in ex.list("order")] == ["order-7"]


def test_a_program_uses_a_server(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    write(tmp_path, "orders.py", "remote.py")
    port, program = free_port(), tmp_path / "remote.py"
    text = program.read_text().replace("10.0.0.5:8083", f"127.0.0.1:{port}").replace("…", "secret")
    program.write_text(
        f"from orders import WORKFLOW\n{text}"
        "engine.deploy('order', WORKFLOW)\n"
        "print(engine.start('order', {'id': '1', 'cents': 2}).wait(60).output)\n"
    )
    (tmp_path / "handlers.py").write_text("from orders import HANDLERS as handlers\n")
    words = ("-m", "stepwell", "serve", "--port", port, "--profile", "default", "--handlers", "handlers.py")
    server = start(*words, "--data", "orders.data", cwd=tmp_path)
    asked = start("remote.py", cwd=tmp_path).ended()
    assert "{'receipt': '1/2'}" in asked.output, asked.output + server.output
    server.send(signal.SIGTERM)
    with Executor(tmp_path / "orders.data") as ex:
        assert [each.status for each in ex.list("order")] == ["Succeeded"]


def test_an_owner_whose_engine_has_failed_ends(start: Start, tmp_path: Path) -> None:
    write(tmp_path, "orders.py", "notify.py", "owner.py", "client.py")
    owner = start("owner.py", cwd=tmp_path)
    connected = until(lambda: connect(tmp_path), "the owner does not serve its folder")
    with Follower(tmp_path / "orders.data", tmp_path / "copy") as follower:
        follower.promote().close()
    while owner.runs:
        try:
            connected.start("order", {"id": "1", "cents": 1})
        except Exception:  # the owner learns of it when it writes
            break
    assert owner.ended().process.returncode == 1
    assert "FencedError" in owner.output
    connected.close()


def connect(folder: Path) -> Executor | None:
    try:
        engine = Executor(folder / "orders.data", connect=True)
        engine.workflow("order")
    except Exception:
        return None
    return engine
