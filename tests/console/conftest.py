"""A server with a shop's executions, and pages on it, for the tests of the console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console import shop
from console.browser import Watched, browsing, watching
from server.support import ROLE, Served, serving

HERE = Path(__file__).parent
SLOW_IMPORT = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "Label": "slow",
            "MaxConcurrency": 2,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Hold",
                "States": {"Hold": {"Type": "Wait", "Seconds": 3600, "End": True}},
            },
            "End": True,
        }
    },
}
LONG = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemProcessor": {"StartAt": "Count", "States": {"Count": {"Type": "Pass", "End": True}}},
            "ResultPath": None,
            "End": True,
        }
    },
}
ITEMS = 6300
"""Of LONG: four events each."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = str(tmp_path_factory.mktemp("console") / "data")
    options = ("--handlers", str(HERE / "shop.py"), "--profile", "default")
    with serving("--data", data, *options, stderr=Path(data).parent / "log") as server:
        sfn = server.client
        shop.build(sfn, running=6, ended=70, rows=120)
        for name, definition, given in (("slow-import", SLOW_IMPORT, [1, 2, 3]), ("long", LONG, list(range(ITEMS)))):
            sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
            sfn.start_execution(stateMachineArn=shop.machine_arn(name), name=name, input=json.dumps(given))
        shop.wait(sfn, shop.execution_arn("long", "long"))
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as browser:
        yield browser


@pytest.fixture
def at(browser: Any, served: Served) -> Iterator[Watched]:
    yield from watching(browser, served.url)
