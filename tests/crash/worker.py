"""A process that starts executions until it fails, and prints the error.

``worker.py FOLDER JOURNAL [as-nobody|small-files|few-files]``: the last argument restricts the process.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from stepwell import Executor, StepwellError
from stepwell.testing.torture.journal import Journal

NOBODY = 65534
WORK = {
    "StartAt": "Work",
    "States": {"Work": {"Type": "Task", "Resource": "work", "Next": "Done"}, "Done": {"Type": "Pass", "End": True}},
}
SLEEP = {"StartAt": "Sleep", "States": {"Sleep": {"Type": "Wait", "Seconds": 100_000, "End": True}}}


def main() -> None:
    folder, how = Path(sys.argv[1]), sys.argv[3:]
    journal = Journal(Path(sys.argv[2]), 0)
    if "as-nobody" in how and os.geteuid() == 0:
        os.setuid(NOBODY)
    if "small-files" in how:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    if "few-files" in how:
        resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))
    try:
        executor = Executor(folder, handlers={"work": lambda given: given})
    except StepwellError as error:
        say(error)
    executor.deploy("work", WORK)
    executor.deploy("sleep", SLEEP)
    sleeper = executor.start("sleep")
    said: list[BaseException] = []
    waiting = threading.Thread(target=lambda: said.append(error_of(sleeper.wait)), daemon=True)
    waiting.start()
    number = 0
    try:
        while True:
            number += 1
            execution = executor.start("work", {"text": "x" * 1000, "n": number})
            journal.write("acknowledged", id=execution.id, n=number)
            if number % 10 == 0:
                execution.wait(60)
                print("progress", flush=True)
    except StepwellError as error:
        failure = error
    waiting.join(10)
    assert said, "whoever waits for an execution has to be notified as well"
    assert type(error_of(lambda: executor.start("work"))) is type(failure)
    executor.close()
    say(failure)


def error_of(call: Any) -> BaseException:
    try:
        call()
    except StepwellError as error:
        return error
    raise AssertionError("this must fail")


def say(error: StepwellError) -> None:
    print(json.dumps({"error": type(error).__name__, "text": str(error)}), flush=True)
    os._exit(3)


if __name__ == "__main__":
    main()
