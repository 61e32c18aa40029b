"""ARNs: AWS's names of workflows, executions and map runs, for definitions, histories and API clients."""

from __future__ import annotations

import uuid

from .limits import EXPRESS

REGION = "us-east-1"
ACCOUNT = "000000000000"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/stepwell"


def state_machine_arn(workflow: str) -> str:
    """The ARN of a workflow."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{workflow}"


def map_run_arn(name: str, map_run_id: str) -> str:
    """The ARN of a map run. ``name`` consists of its workflow's name and its state's label."""
    run = "-".join(map_run_id.split("/")[3:])
    return f"arn:aws:states:{REGION}:{ACCOUNT}:mapRun:{name}:{run}"


def execution_arn(workflow: str, name: str) -> str:
    """The ARN of an execution."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{workflow}:{name}"


def express_arn(workflow: str, name: str, execution_id: str) -> str:
    """The ARN of an EXPRESS execution. Names are not unique there, so a UUID made from the execution's id follows."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:express:{workflow}:{name}:{uuid.uuid5(uuid.NAMESPACE_OID, execution_id)}"


def arn_of(workflow: str, type: str, name: str, execution_id: str) -> str:
    """The ARN of an execution, in the form for its type."""
    return express_arn(workflow, name, execution_id) if type == EXPRESS else execution_arn(workflow, name)
