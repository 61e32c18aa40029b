"""``stepwell serve`` as a process: it starts, keeps what it has, stops gracefully, and loads handlers again."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from .support import PASS, SECONDS, WAIT, Served, client, ended, machine, refusal, serving


def test_what_was_answered_is_there_after_a_restart(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with serving("--data", data) as server:
        execution = server.client.start_execution(stateMachineArn=machine(server.client, "m", WAIT), name="one")
        page = server.client.get_execution_history(executionArn=execution["executionArn"], maxResults=1)
        server.process.kill()
        server.process.wait(SECONDS)
    with serving("--data", data) as server:
        found = server.client.describe_execution(executionArn=execution["executionArn"])
        assert (found["status"], found["startDate"]) == ("RUNNING", execution["startDate"])
        following = server.client.get_execution_history(
            executionArn=execution["executionArn"], nextToken=page["nextToken"]
        )
        assert following["events"][0]["id"] == 2
        assert server.stop() == 0


def test_a_request_that_is_being_answered_ends_before_the_server_does() -> None:
    waiting = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 2, "End": True}}}
    with serving() as server:
        arn = machine(server.client, "m", waiting, type="EXPRESS")
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(server.client.start_sync_execution, stateMachineArn=arn)
            time.sleep(0.5)
            assert server.stop() == 0
            assert answer.result(SECONDS)["status"] == "SUCCEEDED"


BROKEN = {
    "a syntax error": "def work(value:\n",
    "an error half-way": "ANSWER = 'half-way'\nraise ValueError\n",
    "the end of the program": "ANSWER = 'the end'\nraise SystemExit(3)\n",
    "a resource that is no text": "handlers = {'work': lambda value: 'wrong', 1: print}\n",
    "a handler that cannot be called": "handlers = {'work': lambda value: 'wrong', 'other': 3}\n",
}


@pytest.mark.parametrize("named", ["file", "module"])
def test_handlers_are_loaded_again_on_sighup(tmp_path: Path, named: str) -> None:
    (tmp_path / "orders").mkdir()
    module, log = tmp_path / "orders" / "handlers.py", tmp_path / "log"
    module.write_text("ANSWER = 'old'\ndef work(value):\n    return ANSWER\n")
    function = "arn:aws:lambda:us-east-1:000000000000:function:work"
    definition = {"StartAt": "W", "States": {"W": {"Type": "Task", "Resource": function, "End": True}}}
    name = str(module) if named == "file" else "orders.handlers"
    with serving("--handlers", name, cwd=tmp_path, stderr=log) as server:
        arn = machine(server.client, "m", definition)
        assert output(server, arn) == "old"
        module.write_text("ANSWER = 'new, and longer'\ndef work(value):\n    return ANSWER\n")
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + SECONDS
        while output(server, arn) != "new, and longer":
            assert time.monotonic() < deadline
        for number, (what, text) in enumerate(BROKEN.items(), 1):
            module.write_text(text)
            server.process.send_signal(signal.SIGHUP)
            while log.read_text().count("the handlers are as they were") < number:
                assert time.monotonic() < deadline, what
            assert output(server, arn) == "new, and longer", what
        assert server.stop() == 0


def test_a_request_that_never_comes_does_not_keep_the_server_from_stopping() -> None:
    with serving() as server:
        where = urlsplit(server.url)
        with socket.create_connection((where.hostname, where.port or 0), timeout=SECONDS) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n{")
            assert server.get("/health/ready").status == 200
            server.process.send_signal(signal.SIGTERM)
            assert connection.recv(1) == b""
            assert server.process.wait(60) == 0  # what is being answered would have 30 seconds


def test_a_sighup_while_the_server_starts_does_not_end_it(tmp_path: Path) -> None:
    module = tmp_path / "early.py"
    module.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGHUP)\ndef work(value): ...\n")
    with serving("--handlers", str(module)) as server:
        assert server.get("/health/ready").status == 200
        assert server.stop() == 0


def test_a_task_names_a_handler_of_the_server_by_its_name_or_as_a_lambda_function(tmp_path: Path) -> None:
    module = tmp_path / "handlers.py"
    module.write_text("def charge(value):\n    return [value, 'charged']\n")
    function = "arn:aws:lambda:us-east-1:000000000000:function:charge"
    with serving("--handlers", str(module)) as server:
        for number, resource in enumerate(("charge", function, f"{function}:live")):
            definition = calling(resource)
            assert output(server, machine(server.client, f"m{number}", definition)) == [{}, "charged"]
            found = server.client.validate_state_machine_definition(definition=json.dumps(definition))
            assert found["result"] == "OK"
        code, message = refusal(machine, sfn=server.client, name="m", definition=calling("chrage"))
        assert (code, "Value is not a valid resource ARN at /States/T/Resource" in message) == (
            "InvalidDefinition",
            True,
        )


def calling(resource: str) -> dict[str, Any]:
    return {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": resource, "End": True}}}


def output(server: Served, arn: str) -> object:
    execution = server.client.start_execution(stateMachineArn=arn)["executionArn"]
    return json.loads(ended(server.client, execution)["output"])


def test_several_partitions_serve_as_one(tmp_path: Path) -> None:
    with serving("--data", str(tmp_path / "data"), "--partitions", "2") as server:
        arn = machine(server.client, "m")
        executions = [server.client.start_execution(stateMachineArn=arn, name=f"e{n}") for n in range(8)]
        assert {ended(server.client, each["executionArn"])["status"] for each in executions} == {"SUCCEEDED"}
        sync = machine(server.client, "x", PASS, type="EXPRESS")
        assert server.client.start_sync_execution(stateMachineArn=sync)["status"] == "SUCCEEDED"
        assert server.stop() == 0


@pytest.mark.parametrize("partitions", ["1", "2"])
def test_arns_name_the_region_and_the_account_of_the_server(tmp_path: Path, partitions: str) -> None:
    data = ["--data", str(tmp_path / "data"), "--partitions", partitions]
    with serving(*data, "--region", "cn-north-1", "--account", "123456789012") as server:
        context = {
            "StartAt": "P",
            "States": {"P": {"Type": "Pass", "Parameters": {"id.$": "$$.Execution.Id"}, "End": True}},
        }
        arn = machine(server.client, "m", context)
        assert arn == "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:m"
        execution = server.client.start_execution(stateMachineArn=arn, name="one")["executionArn"]
        assert execution == "arn:aws-cn:states:cn-north-1:123456789012:execution:m:one"
        assert json.loads(ended(server.client, execution)["output"]) == {"id": execution}
        server.client.create_activity(name="a")


def test_a_server_with_tls(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command, *names], check=True, capture_output=True, timeout=SECONDS)
    with serving("--tls-cert", str(cert), "--tls-key", str(key)) as server:
        context = ssl.create_default_context(cafile=str(cert))
        pool = urllib3.PoolManager(ssl_context=context)
        assert server.url.startswith("https://")
        assert pool.request("GET", server.url + "/health/ready").status == 200
        assert server.stop() == 0


def test_a_port_that_is_taken_is_said(served: Served) -> None:
    port = served.url.rpartition(":")[2]
    command = [sys.executable, "-m", "stepwell", "serve", "--port", port]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert finished.returncode == 2
    assert "Address already in use" in finished.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--tls-cert", "c"], 2),
        (["--port", "x"], 2),
        (["--account", "1"], 2),
        (["--region", "a:b"], 2),
        (["--handlers", "no_such_module"], 2),
    ],
)
def test_wrong_arguments_are_refused(arguments: list[str], code: int) -> None:
    command = [sys.executable, "-m", "stepwell", "serve", *arguments]
    assert subprocess.run(command, capture_output=True, timeout=SECONDS).returncode == code


def test_a_folder_that_another_process_has_is_said(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with serving("--data", data):
        command = [sys.executable, "-m", "stepwell", "serve", "--port", "0", "--data", data]
        finished = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert finished.returncode == 3
    assert data in finished.stderr


def test_the_commands_work_beside_the_server(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with serving("--data", data) as server:
        machine(server.client, "m")
        command = [sys.executable, "-m", "stepwell", "start", "m", "--data", data, "--json"]
        assert subprocess.run(command, capture_output=True, timeout=SECONDS).returncode == 0


def test_clients_keep_their_connections(served: Served) -> None:
    pool = urllib3.PoolManager(maxsize=1)
    for _ in range(3):
        headers = {"X-Amz-Target": "AWSStepFunctions.ListStateMachines"}
        assert pool.request("POST", served.url, body=b"{}", headers=headers).status == 200
    assert pool.connection_from_url(served.url).num_connections == 1


def test_the_prefixed_host_is_answered(served: Served) -> None:
    """Clients that put ``sync-`` before the host reach the same server, where their resolver knows the name."""
    assert client(served.url).list_state_machines()["stateMachines"] is not None
    status, _ = served.post("TestState", json.dumps({"definition": '{"Type":"Succeed"}'}), Host="sync-localhost")
    assert status == 200
