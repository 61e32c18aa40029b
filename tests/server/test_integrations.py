"""`serve --forward-to-aws` and `--allow-http`: tasks reach AWS's services and hosts, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from .support import Served, run, serving

TOPIC = "arn:aws:sns:us-east-1:000000000000:orders"
QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/orders"


class Elsewhere(BaseHTTPRequestHandler):
    """An endpoint of AWS, and a host of somebody's."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"MessageId": "m-1", "target": self.headers.get("X-Amz-Target", ""), "asked": asked}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def allowed(elsewhere: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    module = tmp_path_factory.mktemp("handlers") / "own.py"
    module.write_text(
        "def publish(value):\n    return {'MessageId': 'own'}\n\n\n"
        "handlers = {'arn:aws:states:::sns:publish': publish}\n"
    )
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**keys, "AWS_ENDPOINT_URL": f"http://{elsewhere}"}.items():
            patch.setenv(name, value)
        with serving("--forward-to-aws", "--allow-http", elsewhere, "--handlers", str(module)) as server:
            yield server


def calling(resource: str, **parameters: Any) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, "End": True}
    return {"StartAt": "T", "States": {"T": state}}


@pytest.mark.parametrize("resource", ["sqs:sendMessage", "aws-sdk:sqs:sendMessage"])
def test_a_task_calls_a_service_of_aws(allowed: Served, name: str, resource: str) -> None:
    execution = run(allowed.client, name, calling(resource, QueueUrl=QUEUE, MessageBody="hello"))
    assert (execution["status"], json.loads(execution.get("output", "{}")).get("MessageId")) == ("SUCCEEDED", "m-1")


def test_a_handler_of_the_program_comes_first(allowed: Served, name: str) -> None:
    execution = run(allowed.client, name, calling("sns:publish", TopicArn=TOPIC, Message="hello"))
    assert json.loads(execution["output"]) == {"MessageId": "own"}


def test_a_task_calls_a_host_that_is_allowed_and_no_other(allowed: Served, elsewhere: str, name: str) -> None:
    parameters = {"Method": "POST", "RequestBody": {"a": 1}}
    ended = [
        run(allowed.client, f"{name}-{number}", calling("http:invoke", ApiEndpoint=f"http://{host}/", **parameters))
        for number, host in enumerate((elsewhere, "localhost:1"))
    ]
    assert json.loads(ended[0]["output"])["ResponseBody"]["asked"] == {"a": 1}
    assert ended[1]["error"] == "States.Permissions"
