"""The reference is complete: exceptions, errors, fields, options and public names stand on their pages."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import stepwell
from stepwell.asl.intrinsics.functions import FUNCTIONS
from stepwell.asl.validate import fields
from stepwell.step_functions.model import OPERATIONS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
MODULES = {"records", "testing"}


def text_of(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def test_the_page_of_the_command_line_is_what_its_script_makes_of_the_parser() -> None:
    made = runpy.run_path(str(ROOT / "scripts/make-cli-reference"))["page"]()
    assert made == text_of("cli.md"), "run `make fmt` (scripts/make-cli-reference): the commands have changed"


def exceptions() -> set[str]:
    """The names of all exceptions that a program can import."""
    values = {name: getattr(stepwell, name) for name in stepwell.__all__}
    return {name for name, value in values.items() if isinstance(value, type) and issubclass(value, BaseException)}


def test_every_exception_has_a_row_with_its_cause_and_what_to_do() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+ \| .+) \|$", text_of("errors.md"), re.MULTILINE))
    assert len(exceptions()) > 30
    assert exceptions() - rows.keys() == {"StepwellError"}


def test_every_error_of_the_language_that_the_code_names_is_on_the_page() -> None:
    sources = [*(ROOT / "python").rglob("*.py"), *(ROOT / "rust").rglob("*.rs")]
    named = {name for file in sources for name in re.findall(r'"(States(?:\.\w+)+)"', file.read_text(encoding="utf-8"))}
    functions = {f"States.{name.removeprefix('States.')}" for name in FUNCTIONS} | {"States.Format"}
    assert len(named - functions) > 10
    assert {name for name in named - functions if f"`{name}`" not in text_of("errors.md")} == set()


def test_every_field_of_the_language_is_on_the_page() -> None:
    names = set[str]().union(
        *fields.STATE_FIELDS.values(),
        fields.MACHINE_FIELDS,
        fields.PROCESSOR_FIELDS,
        fields.RETRIER_FIELDS,
        fields.CATCHER_FIELDS,
        fields.RULE_FIELDS - set(fields.PATH_OPERATORS),
    )
    text = text_of("asl.md")
    assert {name for name in names if not re.search(rf"\b{name}\b", text)} == set()
    assert {name for name in FUNCTIONS if name.removeprefix("States.") not in text} == set()


def test_every_public_name_has_its_docstring_on_a_page() -> None:
    pages = "".join(file.read_text(encoding="utf-8") for file in (REFERENCE / "python").glob("*.md"))
    documented = set(re.findall(r"^::: stepwell\.(\w+)$", pages, re.MULTILINE))
    assert set(stepwell.__all__) - MODULES - exceptions() - documented == set()
    assert "::: stepwell.errors" in pages


def test_every_operation_of_the_http_api_is_in_the_table_of_its_coverage() -> None:
    text = (ROOT / "docs/api-coverage.md").read_text(encoding="utf-8")
    assert {name for name in OPERATIONS if f"| `{name}` |" not in text} == set()


def test_every_limit_is_in_the_table() -> None:
    named = set(re.findall(r"`(\w+)`", text_of("limits.md")))
    assert set(stepwell.Limits._fields) - named == {"profile"}
