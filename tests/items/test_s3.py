"""Items from S3 and results to it, against moto's server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from stepwell import Executor, ItemFiles, TaskError
from stepwell.tasks.items.readers import read_items

pytest.importorskip("obstore", reason="the extra s3 is not installed")
server = pytest.importorskip("moto.server", reason="moto[server] is not installed")

from stepwell.tasks.items.s3 import S3Objects  # noqa: E402


@pytest.fixture(scope="module")
def objects() -> Iterator[S3Objects]:
    """A ``bucket`` on a service of its own."""
    import boto3

    running = server.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    endpoint = f"http://{host.replace('0.0.0.0', '127.0.0.1')}:{port}"
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="bucket")
    for key, text in {"in/1.json": "[1,2]", "in/2.json": "[3]", "inn.csv": "a\nx"}.items():
        client.put_object(Bucket="bucket", Key=key, Body=text.encode())
    yield S3Objects(
        endpoint=endpoint,
        region="us-east-1",
        access_key_id="x",
        secret_access_key="x",
        retry_config={"max_retries": 0},
    )
    running.stop()


def test_objects_are_listed_read_and_written(objects: S3Objects) -> None:
    assert [info.key for info in objects.list("bucket", "in/")] == ["in/1.json", "in/2.json"]
    assert [info.key for info in objects.list("bucket", "in")] == ["in/1.json", "in/2.json", "inn.csv"]
    objects.write("bucket", "out/1", b"written")
    with objects.open("bucket", "out/1") as file:
        assert file.read() == b"written"


def test_an_endpoint_without_tls_may_be_in_the_environment(objects: S3Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    options = dict(objects.options)
    monkeypatch.setenv("AWS_ENDPOINT_URL", options.pop("endpoint"))
    with S3Objects(**options).open("bucket", "inn.csv") as file:
        assert file.read() == b"a\nx"


def test_an_endpoint_with_tls_gets_no_leave_to_go_without() -> None:
    assert "client_options" not in S3Objects(endpoint="https://s3.example", region="us-east-1").options
    refusing = S3Objects(endpoint="http://s3.example", client_options={"allow_http": False})
    assert refusing.options["client_options"] == {"allow_http": False}


@pytest.mark.parametrize(("bucket", "key"), [("bucket", "gone"), ("nowhere", "k")])
def test_what_is_not_there_is_an_os_error(objects: S3Objects, bucket: str, key: str) -> None:
    with pytest.raises(OSError, match=r"."):
        objects.open(bucket, key)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "https://127.0.0.1:1"])
def test_a_service_that_is_not_reached_fails_the_reader(endpoint: str) -> None:
    options = {"client_options": {"allow_http": True}, "retry_config": {"max_retries": 0}}
    objects = S3Objects(endpoint=endpoint, region="us-east-1", access_key_id="x", secret_access_key="x", **options)
    asked = {
        "resource": "arn:aws:states:::s3:getObject",
        "arguments": {"Bucket": "bucket", "Key": "k"},
        "config": {"InputType": "JSON"},
        "maxItems": 0,
    }
    with pytest.raises(TaskError) as raised:
        read_items(ItemFiles(s3=objects), asked)
    assert raised.value.error == "States.ItemReaderFailed"
    assert "bucket/k" in str(raised.value)
    assert "Debug" not in str(raised.value)


@pytest.mark.covers("A12.60", "A12.62")
def test_a_distributed_map_from_s3_to_s3(objects: S3Objects) -> None:
    processor: dict[str, Any] = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
        "StartAt": "P",
        "States": {"P": {"Type": "Pass", "End": True}},
    }
    state = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:listObjectsV2",
            "ReaderConfig": {"Transformation": "LOAD_AND_FLATTEN", "InputType": "JSON"},
            "Parameters": {"Bucket": "bucket", "Prefix": "in/"},
        },
        "ItemProcessor": processor,
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket": "bucket", "Prefix": "out"},
            "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSON"},
        },
        "End": True,
    }
    with Executor(item_files=ItemFiles(s3=objects)) as executor:
        context = executor.run({"StartAt": "M", "States": {"M": state}})
    assert context.status == "Succeeded", context.cause
    with objects.open("bucket", json.loads(context.output)["ResultWriterDetails"]["Key"]) as file:
        (written,) = json.load(file)["ResultFiles"]["SUCCEEDED"]
    with objects.open("bucket", written["Key"]) as file:
        assert json.load(file) == [1, 2, 3]
