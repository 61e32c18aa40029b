"""First, without running anything: is the definition right, and would AWS take it?"""

from __future__ import annotations

import copy

from refunds import WORKFLOW

from stepwell import validate


def test_the_definition_is_right() -> None:
    problems = validate(WORKFLOW)
    # On AWS a Resource is an ARN. Ours are names of handlers, which is all that there is to warn about.
    assert {(problem.severity, problem.code) for problem in problems} == {("WARNING", "LOCAL_RESOURCE")}


def test_a_mistake_is_found_with_its_place() -> None:
    wrong = copy.deepcopy(WORKFLOW)
    wrong["States"]["Pay"]["Next"] = "Dome"
    (problem,) = [problem for problem in validate(wrong) if problem.severity == "ERROR"]
    assert problem.code == "MISSING_TRANSITION_TARGET"
    assert problem.location == "/States/Pay/Next"
