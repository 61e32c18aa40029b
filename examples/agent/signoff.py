"""Sign off what an agent wants to do, from another process than the agent's. See README.md.

python signoff.py shop                          # what waits for a person
python signoff.py shop --approve --by Ada       # or --refuse
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from stepwell import Executor, StorageError


def main() -> int:
    """Show what waits, or answer all of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="the folder of a running agent")
    parser.add_argument("--by", default="somebody")
    answer = parser.add_mutually_exclusive_group()
    answer.add_argument("--approve", action="store_true")
    answer.add_argument("--refuse", action="store_true")
    options = parser.parse_args()
    try:
        engine = Executor(options.folder / "agent.data", connect=True)  # the agent's process has it open
    except StorageError as error:
        print(f"is the agent running? {error}", file=sys.stderr)
        return 1
    with engine:
        for task in engine.open_tasks(state="SignOff"):
            call, ticket = json.loads(task.input), engine.get(task.execution_id).name
            print(f"{ticket}: {call['tool']} {json.dumps(call['arguments'])}", flush=True)
            assert task.token is not None  # an activity's task has one
            if options.approve:
                engine.send_task_success(task.token, {"by": options.by})
            elif options.refuse:
                engine.send_task_failure(task.token, "Refused", f"{options.by} has refused this")
    return 0


if __name__ == "__main__":
    sys.exit(main())
