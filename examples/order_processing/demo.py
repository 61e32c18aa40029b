"""Processes an order durably: the engine's process is killed half-way with SIGKILL, started again, and finishes.

Run it with ``make demo``. It runs ``stepwell run`` twice on one data folder. The handlers write a journal of their
calls (handlers.py); at the end the demo compares it with what the engine recorded.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PATIENCE_SECONDS = 60
SETTLED_SECONDS = 0.3
"""How long nothing else may happen before the kill: what a handler returned is on disk by then."""

Call = dict[str, Any]


@dataclass
class Demo:
    """One data folder and one journal, for all engine processes."""

    data: Path
    journal: Path

    def start_engine(self) -> subprocess.Popen[str]:
        """``stepwell run``: starts the execution, or continues the interrupted one."""
        command = [sys.executable, "-m", "stepwell", "run", str(HERE / "state_machine.json")]
        command += ["--input", f"@{HERE / 'order.json'}", "--handlers", str(HERE / "handlers.py")]
        command += ["--data", str(self.data), "--name", "order-2041"]
        environment = os.environ | {"ORDER_JOURNAL": str(self.journal)}
        say(f"$ stepwell {' '.join(Path(word).name if '/' in word else word for word in command[3:])}")
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def calls(self, moment: str) -> list[Call]:
        """The journal's lines about the beginning (``called``) or the end (``returned``) of calls."""
        if not self.journal.exists():
            return []
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [line for line in lines if line["moment"] == moment]

    def is_half_way(self) -> bool:
        """The card is being charged, and all other calls ended a while ago."""
        unfinished = {call["task_id"] for call in self.calls("called")} - {c["task_id"] for c in self.calls("returned")}
        busy_with = [call["handler"] for call in self.calls("called") if call["task_id"] in unfinished]
        parcel_packed = any(call["handler"] == "pack_parcel" for call in self.calls("returned"))
        quiet_seconds = time.time() - self.journal.stat().st_mtime if self.journal.exists() else 0.0
        return busy_with == ["charge_card"] and parcel_packed and quiet_seconds > SETTLED_SECONDS

    def show_history(self) -> dict[str, Any]:
        """``stepwell show`` of the only execution."""
        listed = stepwell("list", "--data", str(self.data))
        return stepwell("show", listed["id"], "--data", str(self.data))


def main() -> int:
    """Run, kill, run again, compare. The exit code is 0 if nothing was lost or repeated."""
    with tempfile.TemporaryDirectory(prefix="stepwell-demo-") as folder:
        demo = Demo(Path(folder) / "data", Path(folder) / "journal.jsonl")

        first = demo.start_engine()
        wait_until_half_way(demo, first)
        first.send_signal(signal.SIGKILL)
        first.wait()
        say(f"killed the engine (process {first.pid}) with SIGKILL while the card was being charged")

        second = demo.start_engine()
        output, _ = second.communicate(timeout=PATIENCE_SECONDS)
        if second.returncode != 0:
            say(f"the second run ended with exit code {second.returncode}")
            return 1
        print(output, end="", flush=True)
        return compare(demo, killed=first.pid)


def wait_until_half_way(demo: Demo, engine: subprocess.Popen[str]) -> None:
    """Raises RuntimeError if the engine ends before, or takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not demo.is_half_way():
        if engine.poll() is not None:
            raise RuntimeError(f"the engine ended with exit code {engine.returncode} before it was half-way")
        if time.monotonic() > deadline:
            engine.kill()
            raise RuntimeError(f"the order was not half-way after {PATIENCE_SECONDS} s")
        time.sleep(0.02)


def compare(demo: Demo, killed: int) -> int:
    """Print recorded results beside handler calls; 0 if nothing recorded was done again."""
    execution = demo.show_history()
    recorded = recorded_results(execution["history"])
    called = Counter(call_key(call) for call in demo.calls("called"))
    returned = {call["task_id"] for call in demo.calls("returned") if call["process"] == killed}
    cut = Counter(
        call_key(call) for call in demo.calls("called") if call["process"] == killed and call["task_id"] not in returned
    )
    say("what the engine recorded, and how often the handlers were called:")
    print(f"\n  {'task':<28}{'results recorded':>18}{'calls':>8}{'cut by the kill':>18}")
    for key in called:
        print(f"  {key:<28}{recorded[key]:>18}{called[key]:>8}{cut[key]:>18}")
    again = {key for key in called if called[key] != recorded[key] + cut[key]} | (set(recorded) - set(called))
    print(f"\n  {execution['status']}; {len(execution['history'])} events;", end=" ")
    if again or execution["status"] != "Succeeded":
        print(f"NOT as promised: {', '.join(sorted(again)) or execution['status']}")
        return 1
    print("nothing that was recorded was done twice.")
    return 0


def recorded_results(history: list[dict[str, Any]]) -> Counter[str]:
    """How many results (success or failure) the history holds for each task: by handler and item."""
    by_id = {event["id"]: event for event in history}
    results: Counter[str] = Counter()
    for event in history:
        if event["type"] in ("LambdaFunctionSucceeded", "LambdaFunctionFailed"):
            scheduled = by_id[by_id[event["previousEventId"]]["previousEventId"]]["lambdaFunctionScheduledEventDetails"]
            handler = scheduled["resource"].rpartition(":")[2]
            results[call_key({"handler": handler, "input": json.loads(scheduled["input"])})] += 1
    return results


def call_key(call: Call) -> str:
    """A readable name of a task: its handler, and the item in a Map."""
    item = call["input"].get("sku")
    return f"{call['handler']} ({item})" if item else call["handler"]


def stepwell(*words: str) -> Any:
    """The JSON that a command prints."""
    command = [sys.executable, "-m", "stepwell", *words, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def say(text: str) -> None:
    """Print a line of the demo."""
    print(f"\n── {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
