"""``stepwell stubs`` and ``Workflow.stubs()``: types of tasks that a type checker accepts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import pytest

from cli.support import Stepwell
from stepwell import Executor
from stepwell.asl.definition import compile_definition
from stepwell.stubs import stubs

ORDER: dict[str, Any] = {
    "StartAt": "Charge card",
    "States": {
        "Charge card": {
            "Type": "Task",
            "Resource": "charge",
            "Parameters": {"total.$": "$.total", "currency": "CHF", "lines": [{"n": 1}, {"n": 2}], "retry": False},
            "ResultSelector": {"id.$": "$.receipt.id", "at.$": "$.receipt.at", "ok.$": "$.ok"},
            "Retry": [{"ErrorEquals": ["Card.Down", "States.Timeout"]}],
            "Next": "class",
        },
        "class": {
            "Type": "Task",
            "QueryLanguage": "JSONata",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "ship", "Payload": {"to-address": "{% $x %}", "kg": 1.5}},
            "Output": "{% $states.result.Payload.parcel.id %}",
            "Next": '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~ """ 日本',
        },
        '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~ """ 日本': {"Type": "Task", "Resource": "charge", "End": True},
    },
}


def test_the_stubs_show_what_the_definition_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ModuleType("made_by_stubs")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    module = vars(made)
    exec(compile(stubs(compile_definition(ORDER), "order"), "stubs.py", "exec"), module)
    lines = module["ChargeCardInputLinesItem"]
    assert get_type_hints(module["ChargeCardInput"], module) == {
        "total": Any,
        "currency": str,
        "lines": list[lines],
        "retry": bool,
    }
    assert get_type_hints(module["ChargeCardOutput"], module) == {
        "receipt": module["ChargeCardOutputReceipt"],
        "ok": Any,
    }
    assert get_type_hints(module["ChargeCardOutputReceipt"], module) == {"id": Any, "at": Any}
    assert get_type_hints(module["ClassInput"], module) == {"to-address": Any, "kg": float}
    assert get_type_hints(module["ClassOutput"], module) == {"parcel": module["ClassOutputParcel"]}
    assert "Card.Down" in module["ChargeCard"].__doc__
    assert set(module["Handlers"].__annotations__) == {"charge", "arn:aws:states:::lambda:invoke"}
    assert set(module["StateName"].__args__) == set(ORDER["States"])


def test_a_type_checker_accepts_handlers_that_fit_and_refuses_others(tmp_path: Path) -> None:
    (tmp_path / "order_tasks.py").write_text(stubs(compile_definition(ORDER), "order"))
    (tmp_path / "handlers.py").write_text(
        "from stepwell import HandlerContext\n"
        "from order_tasks import ChargeCard, ChargeCardInput, ChargeCardOutput\n"
        "def charge(input: ChargeCardInput, context: HandlerContext) -> ChargeCardOutput:\n"
        "    return {'receipt': {'id': input['currency'], 'at': 1}, 'ok': True}\n"
        "def wrong(input: int, context: HandlerContext) -> int:\n"
        "    return input\n"
        "one: ChargeCard = charge\n"
        "other: ChargeCard = wrong\n"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "handlers.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    errors = [line.split(": ", 1)[0] for line in checked.stdout.splitlines() if ": error:" in line]
    assert errors == ["handlers.py:8"], checked.stdout + checked.stderr


def test_the_command_and_a_workflow_write_them(stepwell: Stepwell, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(json.dumps(ORDER))
    shown = stepwell("stubs", "order.json")
    assert (shown.code, "class ChargeCard(Protocol):" in shown.out) == (0, True)
    assert stepwell("stubs", "order.json", "-o", "order_tasks.py").out.strip() == "wrote order_tasks.py"
    assert (tmp_path / "order_tasks.py").read_text() == shown.out
    with Executor() as executor:
        assert executor.deploy("order", ORDER).stubs() == shown.out
