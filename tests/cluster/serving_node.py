"""A node that serves the API, with options that `stepwell serve` does not have: ``serving_node.py OPTIONS`` (JSON)."""

from __future__ import annotations

import json
import sys
from typing import Any

from stepwell import AsyncExecutor, Cluster
from stepwell.server import serving
from stepwell.server.settings import Settings


def ready(url: str) -> None:
    print(json.dumps({"ready": url}), flush=True)


def main(data: str, host: str, cluster: dict[str, Any]) -> None:
    executor = AsyncExecutor(data, cluster=Cluster(**cluster))
    serving.run(serving.serve(executor, Settings(host, 0, insecure=True), ready))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
