"""The requests of the API are those of botocore's model, and every operation has one."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

from stepwell.step_functions import model

PROJECT = Path(__file__).parents[2]


def test_the_model_is_what_the_script_makes_of_botocores() -> None:
    made = runpy.run_path(str(PROJECT / "scripts/make-api-model"))["module_text"]()
    kept = Path(model.__file__).read_text(encoding="utf-8")
    advice = "run scripts/make-api-model and `make fmt`: AWS has changed the API"
    assert ast.dump(ast.parse(made)) == ast.dump(ast.parse(kept)), advice


def test_every_operation_of_aws_is_in_the_model() -> None:
    assert len(model.OPERATIONS) == 37
