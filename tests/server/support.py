"""A server of its own process, and clients for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

SECONDS = 60
"""No test waits longer for a server."""


class Served:
    """A server that runs, and a client of boto3 for it."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self.url = process, url
        self.client = client(url)

    def post(self, operation: str | None, body: bytes | str, **headers: str) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer to a body that no client would send."""
        target = {} if operation is None else {"X-Amz-Target": f"AWSStepFunctions.{operation}"}
        answer = urllib3.request("POST", self.url, body=body, headers=target | headers, retries=False)
        return answer.status, json.loads(answer.data)

    def get(self, path: str, **headers: str) -> Any:
        """The answer of a path."""
        return urllib3.request("GET", self.url + path, headers=headers, retries=False)

    def stop(self) -> int:
        """Stop it gracefully; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)


def client(url: str, key: str = "key", secret: str = "secret", **config: Any) -> Any:
    """A client of Step Functions, as a program makes one."""
    return boto3.client(
        "stepfunctions",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(inject_host_prefix=False, retries={"max_attempts": 0}, parameter_validation=False, **config),
    )


def serving(
    *arguments: str, cwd: Path | None = None, stderr: Path | None = None, command: str = "serve"
) -> AbstractContextManager[Served]:
    """A server with these arguments of ``stepwell serve``, at a free port; ``stderr`` is where its log goes."""
    return _started([sys.executable, "-m", "stepwell", command, "--port", "0", *arguments], cwd, stderr)


def serving_script(folder: Path, text: str) -> AbstractContextManager[Served]:
    """A server that a script starts, which is written into a folder."""
    script = folder / "serve.py"
    script.write_text(text)
    return _started([sys.executable, str(script)], None, None)


@contextmanager
def _started(command: list[str], cwd: Path | None, stderr: Path | None) -> Generator[Served]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with (
        nullcontext() if stderr is None else stderr.open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=cwd, env=environment) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            assert "ready on" in line, f"the server did not start: exit code {process.poll()}"
            yield Served(process, line.split()[-1].removesuffix("/console/"))
        finally:
            if process.poll() is None:
                process.kill()


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    """The code and the message of the error that a call gets."""
    try:
        answer = call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError(f"it was answered: {answer}")


ROLE = "arn:aws:iam::000000000000:role/test"
PASS = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 300, "End": True}}}


def machine(sfn: Any, name: str, definition: dict[str, Any] = PASS, **more: Any) -> str:
    """The ARN of a new state machine."""
    answer = sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE, **more)
    return str(answer["stateMachineArn"])


def ended(sfn: Any, execution: str) -> dict[str, Any]:
    """An execution, once it has ended."""
    deadline = time.monotonic() + SECONDS
    while (found := sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    found.pop("ResponseMetadata")
    return dict(found)


def run(sfn: Any, called: str, definition: dict[str, Any] = PASS, **more: Any) -> dict[str, Any]:
    """An execution of a new state machine, once it has ended."""
    started = sfn.start_execution(stateMachineArn=machine(sfn, called, definition), **more)
    return ended(sfn, started["executionArn"])
