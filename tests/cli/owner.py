"""A process that has a folder open, for tests of commands beside it: ``python -m cli.owner FOLDER PARTITIONS``.

It says READY, and from then on does what it reads, a word a line: ``fork`` a child that stays, ``close`` the executor,
``fill`` the disk, as far as this process can tell.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from typing import Any

from stepwell import Executor, Follower

HELD = {"Hold": {"Type": "Wait", "Seconds": 3600, "End": True}}
PASS = {"Greet": {"Type": "Pass", "Result": "hello", "End": True}}
WORK = {"Work": {"Type": "Task", "Resource": "work", "End": True}}
STOPS = {"Work": {"Type": "Task", "Resource": "stops", "End": True}}


def machine(states: dict[str, Any]) -> dict[str, Any]:
    """A machine of these states."""
    return {"StartAt": next(iter(states)), "States": states}


def work(input: Any) -> Any:
    """The handler of this process."""
    return {"done by": os.getpid(), "input": input}


def stops(input: Any) -> None:
    """A handler that stays until its process is killed."""
    time.sleep(3600)


def say(*words: object) -> None:
    """Tell the test."""
    print(*words, flush=True)


def lead(folder: str, partitions: int) -> None:
    """Hold a folder as an executor."""
    executor = Executor(folder, partitions=partitions, handlers={"work": work, "stops": stops})
    for name, states in (("held", HELD), ("greeting", PASS), ("work", WORK), ("stops", STOPS)):
        executor.deploy(name, machine(states))
    say("READY")
    for line in sys.stdin:
        if line.strip() == "fork":
            child = os.fork()
            if not child:
                time.sleep(3600)
            say("CHILD", child)
        elif line.strip() == "fill":
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            say("FULL")
        else:
            executor.close()
            say("CLOSED")


def follow(source: str, folder: str) -> None:
    """Hold a folder as a follower."""
    with Follower(source, folder) as follower:
        follower.wait_level(30)
        say("READY")
        sys.stdin.readline()


if __name__ == "__main__":
    if sys.argv[1] == "lead":
        lead(sys.argv[2], int(sys.argv[3]))
    else:
        follow(sys.argv[2], sys.argv[3])
