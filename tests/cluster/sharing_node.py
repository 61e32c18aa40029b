"""A node that takes tasks and never ends them: it tells the id of each, and is killed."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from stepwell import Cluster, Executor, HandlerContext


def mortal(given: Any, context: HandlerContext) -> None:
    print(json.dumps(context.task_id), flush=True)
    threading.Event().wait()


def main(data: str, cluster: dict[str, Any]) -> None:
    with Executor(data, cluster=Cluster(**cluster), handlers={"mortal": mortal}):
        print(json.dumps("ready"), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
