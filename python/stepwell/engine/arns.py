"""ARNs: AWS's names of workflows, executions and map runs, for definitions, histories and API clients."""

from __future__ import annotations

import re
import uuid
from functools import lru_cache
from typing import NamedTuple

from stepwell.errors import InvalidInput

from .ids import published_part
from .limits import EXPRESS


class Place:
    """The region and the account that all ARNs of this process name."""

    __slots__ = ("account", "prefix", "region", "role")

    def __init__(self, region: str = "us-east-1", account: str = "000000000000") -> None:
        self.move(region, account)

    def move(self, region: str, account: str) -> None:
        """Name another region and account from now on. Raises ``InvalidInput`` for what is none."""
        if not _REGION.fullmatch(region) or not _ACCOUNT.fullmatch(account):
            raise InvalidInput(f"ARNs name a region and an account of 12 digits, not {region!r} and {account!r}")
        partition = next((name for begin, name in _PARTITIONS.items() if region.startswith(begin)), "aws")
        self.region, self.account = region, account
        self.prefix = f"arn:{partition}:states:{region}:{account}"
        self.role = f"arn:{partition}:iam::{account}:role/stepwell"


_REGION = re.compile("[a-z0-9-]{1,64}")
_ACCOUNT = re.compile("[0-9]{12}")
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
PLACE = Place()
"""That of this process: its state machines' ARNs do not depend on who asks."""
_EXECUTION = re.compile(
    r"arn:[^:]+:states:[^:]*:[^:]*:(?:execution:(?P<workflow>[^:]+):(?P<name>[^:]+)"
    r"|express:(?P<of>[^:]+):(?P<called>[^:]+):(?P<uuid>[^:]+))"
)


_MACHINE = re.compile(r"arn:[^:]+:states:[^:]*:[^:]*:stateMachine:([^:/]+)(?::([^:]+))?")


class ExecutionArn(NamedTuple):
    """What an execution's ARN says; ``uuid`` is that of an EXPRESS one, else empty."""

    workflow: str
    name: str
    uuid: str


def parse_execution_arn(text: str) -> ExecutionArn | None:
    """The parts of an execution's ARN, whatever its region and account; None: it is none."""
    match = _EXECUTION.fullmatch(text)
    if match is None:
        return None
    return ExecutionArn(match["workflow"] or match["of"], match["name"] or match["called"], match["uuid"] or "")


def state_machine_arn(workflow: str) -> str:
    """The ARN of a workflow."""
    return f"{PLACE.prefix}:stateMachine:{workflow}"


def parse_state_machine_arn(text: object) -> tuple[str, str] | None:
    """The workflow that a state machine's ARN names, and its published version or alias (or ""); None: it is none."""
    return _machine_of(text) if isinstance(text, str) and text.startswith("arn:") else None


@lru_cache(maxsize=1024)  # a program starts few state machines, again and again
def _machine_of(arn: str) -> tuple[str, str] | None:
    match = _MACHINE.fullmatch(arn)
    return None if match is None else (match[1], match[2] or "")


def qualified_arns(workflow: str, qualifier: str) -> dict[str, str]:
    """What AWS says of an execution that a published version (``3``) started, or an alias (``prod:3``)."""
    published = published_part(qualifier)
    if not published:
        return {}
    arn = state_machine_arn(workflow)
    alias, _, version = published.rpartition(":")
    arns = {"stateMachineVersionArn": f"{arn}:{version}"}
    return {**arns, "stateMachineAliasArn": f"{arn}:{alias}"} if alias else arns


def activity_arn(name: str) -> str:
    """The ARN of an activity, as AWS has it."""
    return f"{PLACE.prefix}:activity:{name}"


def map_run_arn(name: str, map_run_id: str) -> str:
    """The ARN of a map run. ``name`` consists of its workflow's name and its state's label."""
    run = "-".join(map_run_id.split("/")[3:])
    return f"{PLACE.prefix}:mapRun:{name}:{run}"


def execution_arn(workflow: str, name: str) -> str:
    """The ARN of an execution."""
    return f"{PLACE.prefix}:execution:{workflow}:{name}"


def express_arn(workflow: str, name: str, execution_id: str) -> str:
    """The ARN of an EXPRESS execution: names are not unique there, so a UUID follows, made of the execution's id."""
    return f"{PLACE.prefix}:express:{workflow}:{name}:{express_uuid(execution_id)}"


def express_uuid(execution_id: str) -> str:
    """What the ARN of an EXPRESS execution ends with."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, execution_id))


def arn_of(workflow: str, type: str, name: str, execution_id: str) -> str:
    """The ARN of an execution, in the form for its type."""
    return express_arn(workflow, name, execution_id) if type == EXPRESS else execution_arn(workflow, name)
