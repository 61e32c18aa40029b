"""Addresses of pages of the console, and a start of an execution of the shop."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from console import shop
from server.support import Served


def execution(workflow: str, name: str, more: str = "") -> str:
    return f"/executions/{quote(shop.execution_arn(workflow, name), safe='')}{more}"


def map_run(served: Served, workflow: str, name: str) -> str:
    runs = served.client.list_map_runs(executionArn=shop.execution_arn(workflow, name))["mapRuns"]
    return f"/map-runs/{quote(runs[0]['mapRunArn'], safe='')}"


def start(served: Served, workflow: str, name: str, given: Any) -> None:
    served.client.start_execution(stateMachineArn=shop.machine_arn(workflow), name=name, input=json.dumps(given))
