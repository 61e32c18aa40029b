"""The workflows run commands that exist, actions that nobody can change, and with no more rights than they need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")


def jobs(workflow: Path) -> dict[str, Any]:
    return yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]


def commands(workflow: Path) -> Iterator[str]:
    for job in jobs(workflow).values():
        yield from (step["run"] for step in job["steps"] if "run" in step)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_named_by_commit_with_their_version(workflow: Path) -> None:
    used = re.findall(r"^ *(?:- )?uses: (.*)$", workflow.read_text(encoding="utf-8"), re.MULTILINE)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each)] == []


def test_an_action_has_one_version_in_all_workflows() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    used = set(re.findall(r"uses: (.*)", texts))
    assert len(used) == len({each.partition("@")[0] for each in used})


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_may_write_only_where_it_publishes(workflow: Path) -> None:
    whole = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert whole["permissions"] in ({}, {"contents": "read"})
    may_write = {name for name, job in whole["jobs"].items() if "write" in job.get("permissions", {}).values()}
    assert may_write <= {"publish", "release"}
    for name in may_write:  # Only of files that other jobs have built: nothing of the sources runs there.
        assert not [step for step in whole["jobs"][name]["steps"] if "actions/checkout@" in step.get("uses", "")]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_commands_are_targets_of_make_and_scripts_that_exist(workflow: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command in commands(workflow):
        made = re.match(r"make ([a-z -]+)", command)
        assert made is None or set(made[1].split()) <= targets
        assert all((ROOT / script).exists() for script in re.findall(r"\bscripts/[\w-]+", command))


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_an_issue_form_asks_for_something(form: Path) -> None:
    """A form that GitHub cannot read is left out of the list, without a word."""
    content = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(content)
    fields = [field for field in content["body"] if field["type"] != "markdown"]
    assert fields
    assert all({"id", "attributes"} <= set(field) for field in fields)
    assert len({field["id"] for field in fields}) == len(fields)
    assert any(field.get("validations", {}).get("required") for field in fields)
