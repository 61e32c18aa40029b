"""The calls that Terraform's AWS provider makes: plan, create, refresh, update, destroy (API semantics, chapter 15).

Its resources ``aws_sfn_state_machine``, ``aws_sfn_alias`` and ``aws_sfn_activity`` are replayed call by call, with the
answers that the provider looks at: which codes mean that something is gone, and what must be equal after an update.
"""

from __future__ import annotations

import json
import time
from typing import Any

from stepwell import Executor

from .support import PASS, ROLE, SECONDS, WAIT, refusal, serving

OTHER = {**PASS, "Comment": "changed"}
TAGS = [{"key": "team", "value": "orders"}]


class Provider:
    """What the provider does with a state machine."""

    def __init__(self, sfn: Any, name: str) -> None:
        self.sfn, self.name = sfn, name
        self.arn = ""

    def plan(self, definition: dict[str, Any]) -> None:
        """It is only called for a definition that changed; FAIL would be shown with all diagnostics."""
        found = self.sfn.validate_state_machine_definition(definition=json.dumps(definition), type="STANDARD")
        assert (found["result"], found["diagnostics"]) == ("OK", [])

    def create(self, definition: dict[str, Any]) -> None:
        created = self.sfn.create_state_machine(
            name=self.name,
            definition=json.dumps(definition),
            roleArn=ROLE,
            publish=True,
            type="STANDARD",
            tags=TAGS,
            tracingConfiguration={"enabled": False},
        )
        self.arn = created["stateMachineArn"]
        self.read(definition)

    def read(self, definition: dict[str, Any]) -> dict[str, Any]:
        """A refresh: the machine, its versions, its tags."""
        found = self.sfn.describe_state_machine(stateMachineArn=self.arn)
        assert json.loads(found["definition"]) == definition
        assert found["status"] == "ACTIVE"
        for member in ("loggingConfiguration", "tracingConfiguration", "creationDate", "roleArn", "type"):
            assert member in found
        versions = self.sfn.list_state_machine_versions(stateMachineArn=self.arn)["stateMachineVersions"]
        assert versions[0]["stateMachineVersionArn"].startswith(self.arn)
        assert self.sfn.list_tags_for_resource(resourceArn=self.arn)["tags"] == TAGS
        return dict(found)

    def update(self, definition: dict[str, Any], role: str = ROLE) -> None:
        """It always sends definition and role, and describes until both match."""
        self.sfn.update_state_machine(
            stateMachineArn=self.arn,
            definition=json.dumps(definition),
            roleArn=role,
            publish=True,
            loggingConfiguration={"level": "OFF", "includeExecutionData": False},
            tracingConfiguration={"enabled": True},
        )
        found = self.read(definition)
        assert (found["roleArn"], found["tracingConfiguration"]) == (role, {"enabled": True})

    def destroy(self) -> None:
        """It polls until the machine does not exist; any other error would abort it."""
        self.sfn.delete_state_machine(stateMachineArn=self.arn)
        deadline = time.monotonic() + SECONDS
        while self._is_deleting():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _is_deleting(self) -> bool:
        try:
            return bool(self.sfn.describe_state_machine(stateMachineArn=self.arn)["status"] == "DELETING")
        except self.sfn.exceptions.StateMachineDoesNotExist:
            return False


def test_a_state_machine_from_plan_to_destroy(sfn: Any, name: str) -> None:
    provider = Provider(sfn, name)
    provider.plan(PASS)
    provider.create(PASS)
    provider.read(PASS)  # terraform plan again: nothing has changed
    provider.plan(OTHER)
    provider.update(OTHER)
    provider.update(OTHER, ROLE + "-2")
    provider.destroy()
    provider.create(PASS)  # the same configuration again
    provider.destroy()


def test_a_destroy_waits_for_running_executions(sfn: Any, name: str) -> None:
    provider = Provider(sfn, name)
    provider.create(WAIT)
    execution = sfn.start_execution(stateMachineArn=provider.arn)["executionArn"]
    sfn.delete_state_machine(stateMachineArn=provider.arn)
    assert sfn.describe_state_machine(stateMachineArn=provider.arn)["status"] == "DELETING"
    sfn.stop_execution(executionArn=execution)
    provider.destroy()


def test_an_alias_from_create_to_destroy(sfn: Any, name: str) -> None:
    provider = Provider(sfn, name)
    provider.create(PASS)
    provider.update(OTHER)
    route = [{"stateMachineVersionArn": f"{provider.arn}:1", "weight": 100}]
    alias = sfn.create_state_machine_alias(name="live", description="", routingConfiguration=route)[
        "stateMachineAliasArn"
    ]
    found = sfn.describe_state_machine_alias(stateMachineAliasArn=alias)
    assert (found["routingConfiguration"], found["description"], found["name"]) == (route, "", "live")
    both = [{"stateMachineVersionArn": f"{provider.arn}:{n}", "weight": weight} for n, weight in ((1, 50), (2, 50))]
    sfn.update_state_machine_alias(stateMachineAliasArn=alias, description="both", routingConfiguration=both)
    assert sfn.describe_state_machine_alias(stateMachineAliasArn=alias)["routingConfiguration"] == both
    sfn.delete_state_machine_alias(stateMachineAliasArn=alias)
    assert refusal(sfn.describe_state_machine_alias, stateMachineAliasArn=alias)[0] == "ResourceNotFound"
    provider.destroy()


def test_an_activity_from_create_to_destroy(sfn: Any, name: str) -> None:
    arn = sfn.create_activity(name=name, tags=TAGS)["activityArn"]
    found = sfn.describe_activity(activityArn=arn)
    assert (found["name"], found["activityArn"]) == (name, arn)
    assert found["creationDate"]
    assert sfn.list_tags_for_resource(resourceArn=arn)["tags"] == TAGS
    sfn.untag_resource(resourceArn=arn, tagKeys=["team"])
    sfn.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "other"}])
    sfn.delete_activity(activityArn=arn)
    assert refusal(sfn.describe_activity, activityArn=arn)[0] == "ActivityDoesNotExist"


def test_what_one_door_deploys_the_other_sees(tmp_path: Any) -> None:
    data = tmp_path / "data"
    with serving("--data", str(data)) as server, Executor(data, connect=True) as ex:
        sfn = server.client
        arn = sfn.create_state_machine(name="one", definition=json.dumps(PASS), roleArn=ROLE)["stateMachineArn"]
        assert (ex.workflow("one").arn, ex.workflow("one").version) == (arn, 1)
        assert ex.start(arn, 7).wait(SECONDS).output == 7
        ex.deploy("one", OTHER)
        found = sfn.describe_state_machine(stateMachineArn=arn)
        assert (json.loads(found["definition"]), found["roleArn"]) == (OTHER, ROLE)
        assert len(found["revisionId"]) == 36
        ex.deploy("two", PASS)
        names = [each["name"] for each in sfn.list_state_machines()["stateMachines"]]
        assert names == ["one", "two"]
        ex.delete_workflow("two")
        assert refusal(sfn.describe_state_machine, stateMachineArn=arn[:-3] + "two")[0] == "StateMachineDoesNotExist"
        assert len(sfn.list_executions(stateMachineArn=arn)["executions"]) == 1


def test_what_is_kept_is_there_after_a_kill_with_several_partitions(tmp_path: Any) -> None:
    arguments = ("--data", str(tmp_path / "data"), "--partitions", "2")
    with serving(*arguments) as server:
        sfn = server.client
        provider = Provider(sfn, "one")
        provider.create(PASS)
        provider.update(OTHER)
        route = [{"stateMachineVersionArn": f"{provider.arn}:2", "weight": 100}]
        alias = sfn.create_state_machine_alias(name="live", routingConfiguration=route)["stateMachineAliasArn"]
        execution = sfn.start_execution(stateMachineArn=alias, name="e")["executionArn"]
        server.process.kill()
        server.process.wait()
    with serving(*arguments) as server:
        provider.sfn = sfn = server.client
        provider.read(OTHER)
        assert sfn.describe_state_machine_alias(stateMachineAliasArn=alias)["routingConfiguration"] == route
        assert sfn.describe_execution(executionArn=execution)["stateMachineAliasArn"] == alias
        assert [each["name"] for each in sfn.list_executions(stateMachineArn=alias)["executions"]] == ["e"]
        provider.destroy()
