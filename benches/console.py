"""The console: what it weighs, how soon it paints, how long pages of a large folder take.

    .venv/bin/python benches/lists.py 1000000 FOLDER && .venv/bin/python benches/console.py FOLDER

It serves the folder that benches/lists.py has made, and measures with a browser beside it. Times are in milliseconds:
the least and the median of several.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from console.browser import Watched, browsing  # noqa: E402
from server.support import ROLE, Served, serving  # noqa: E402
from stepwell.console.assets import Assets  # noqa: E402

TIMES, STATES = 7, 500
PAGES = {
    "a page of the newest 50": "/stepwell/executions",
    "a page of those that failed": "/stepwell/executions?status=FAILED",
    "a prefix that nothing has": "/stepwell/executions?prefix=nobody",
    "one by its name": "/stepwell/executions?workflow=w&prefix=n500000",
    "waiting tasks": "/stepwell/waiting",
    "the system": "/stepwell/system",
}


def told(name: str, measure: Callable[[], float]) -> None:
    """Print the least and the median of some measurements."""
    values = [measure() for _ in range(TIMES)]
    print(f"  {name:44} least {min(values):7.1f}  median {statistics.median(values):7.1f}")


def fetching(served: Served, path: str) -> float:
    """How long an answer takes."""
    began = time.perf_counter()
    answer = served.get(path)
    assert answer.status == 200, answer.data
    return (time.perf_counter() - began) * 1000


def counting(served: Served) -> None:
    """How long it takes until everything is counted, in a thread beside the requests."""
    began = time.perf_counter()
    while not json.loads(served.get("/stepwell/counts").data)["complete"]:
        time.sleep(0.05)
    counts = json.loads(served.get("/stepwell/counts").data)["counts"]
    print(f"  {'all executions counted, once':44} {(time.perf_counter() - began) * 1000:13.1f}  {counts}")


def painting(browser: Any, served: Served) -> float:
    """From the request of the page to its first contentful paint, in a browser that has cached nothing."""
    watched = Watched(browser, served.url, viewport={"width": 1280, "height": 800})
    page = watched.open("/executions")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0", polling=20)
    paint: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    watched.context.close()
    return paint


def large_machine() -> dict[str, Any]:
    """500 states, a tenth of them choices with ways ahead and back."""
    states: dict[str, Any] = {}
    for number in range(STATES):
        name, following = f"S{number}", f"S{number + 1}"
        if number == STATES - 1:
            states[name] = {"Type": "Succeed"}
        elif number % 10 == 3:
            rules = [
                {"Variable": "$.x", "NumericEquals": at, "Next": f"S{min(number + at, STATES - 1)}"} for at in (1, 4, 7)
            ]
            states[name] = {"Type": "Choice", "Choices": rules, "Default": f"S{max(number - 9, 0)}"}
        else:
            states[name] = {"Type": "Pass", "Next": following}
    return {"StartAt": "S0", "States": states}


def drawing(browser: Any, served: Served) -> float:
    """From the click on a tab to the graph of 500 states."""
    watched = Watched(browser, served.url, viewport={"width": 1280, "height": 800})
    page = watched.open("/workflows/large?tab=versions")
    page.wait_for_selector("#panel h2")
    took: float = page.evaluate(
        """() => new Promise((done) => {
            const began = performance.now();
            document.querySelector("#tab-graph").click();
            const look = () => document.querySelector(".canvas svg") ? requestAnimationFrame(() => done(performance.now() - began)) : setTimeout(look, 1);
            look();
        })"""  # noqa: E501
    )
    watched.context.close()
    return took


def main(folder: str) -> None:
    """Measure all."""
    assets = Assets()
    parts = {name: len(asset.compressed) for name, asset in assets.files.items() if not name.endswith(".txt")}
    print(f"  {'bytes, compressed with gzip':44} {sum(parts.values()) + len(assets.page.compressed):7}  {parts}")
    with serving("--data", f"{folder}/data", "--profile", "default") as served, browsing() as browser:
        served.client.create_state_machine(name="large", definition=json.dumps(large_machine()), roleArn=ROLE)
        for name, path in PAGES.items():
            told(name, lambda path=path: fetching(served, path))
        counting(served)
        told("a page of the newest 50, when they were counted", lambda: fetching(served, "/stepwell/executions"))
        told("first contentful paint", lambda: painting(browser, served))
        told(f"the graph of {STATES} states", lambda: drawing(browser, served))
        served.client.delete_state_machine(stateMachineArn="arn:aws:states:us-east-1:000000000000:stateMachine:large")


if __name__ == "__main__":
    main(sys.argv[1])
