"""Starts by test cases of a mock file: ``<state machine's ARN>#<test case>``."""

from __future__ import annotations

from stepwell.engine.state.workflows import Workflow
from stepwell.errors import InvalidInput

from .errors import invalid
from .service import Service


def split_case(arn: str) -> tuple[str, str | None]:
    """The ARN, and the test case that stands behind it; None: there is none."""
    machine, marker, case = arn.partition("#")
    return machine, case if marker else None


def checked_qualifier(service: Service, workflow: Workflow, qualifier: str, case: str) -> str:
    """A qualifier with a test case. Raises ``Fault`` unless the mock file has one that the workflow can run."""
    mocks = service.client.host.handlers.mocks
    if mocks is None:
        raise invalid(f"'#{case}' is a test case of a mock file, and the server has none: --mock-config FILE.")
    try:
        mocks.check(workflow.name, workflow.machine, case)
    except InvalidInput as error:
        raise invalid(str(error)) from error
    return f"{qualifier}#{case}"
