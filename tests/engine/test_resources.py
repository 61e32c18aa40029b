"""What AWS's API keeps beside definitions: revisions, published versions, aliases, tags, activities, deletions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.support import ACTIVITY, machine, passing, task
from stepwell import ExecutionRunning, Executor, Follower, WorkflowDeleting, WorkflowNotFound
from stepwell.asl.json import dumps
from stepwell.engine.arns import state_machine_arn
from stepwell.engine.client.deployments import Settings
from stepwell.engine.client.resources import Resources, routes_of
from stepwell.engine.storage.contexts import (
    AliasContext,
    IdempotencyContext,
    ListingContext,
    PublishedVersionContext,
    SequenceContext,
    TagsContext,
)

WAITS = machine({"W": task("Next", resource=ACTIVITY), "Next": passing()})
ROLE = "arn:aws:iam::000000000000:role/other"


def giving(result: Any) -> dict[str, Any]:
    """A definition whose output is ``result``."""
    return machine({"P": passing(Result=result)})


def text_of(result: Any) -> bytes:
    """The same, as text."""
    return dumps(giving(result))


def created(ex: Executor, name: str, text: bytes, settings: Settings | None = None, **options: Any) -> Resources:
    """Create a workflow as AWS's API does."""
    resources = ex.client.resources
    machine = ex.client.deployments.compiled(text, "STANDARD")
    resources.create(name, text, "STANDARD", settings or Settings(), machine, **options)
    return resources


def test_each_change_of_definition_role_logging_or_tracing_is_a_revision(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    resources = created(ex, "order", text_of(1), Settings(role=ROLE))
    first = ex.workflow("order")
    assert (first.context.revision_id, first.role) == ("", ROLE)
    settings = Settings(role=ROLE)
    for change in (
        {"tracing": True},
        {"logging": b'{"level":"ALL"}'},
        {"role": ROLE + "2"},
    ):
        before = ex.workflow("order")
        settings = settings._replace(**change)
        resources.update(before, text_of(1), settings, before.machine)
        after = ex.workflow("order")
        assert len(after.context.revision_id) == 36
        assert after.context.revision_id != before.context.revision_id
        resources.update(after, text_of(1), settings, after.machine)
        assert ex.workflow("order").context.revision_id == after.context.revision_id
    newest = ex.workflow("order")
    resources.update(newest, text_of(1), settings._replace(encryption=b'{"type":"AWS_OWNED_KEY"}'), None)
    assert ex.workflow("order").context.revision_id == newest.context.revision_id
    assert Settings.of(ex.workflow("order").context).encryption == b'{"type":"AWS_OWNED_KEY"}'


def test_deploy_keeps_the_settings_that_the_api_made(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    settings = Settings(ROLE, b'{"level":"ERROR"}', True, b"{}")
    created(ex, "order", text_of(1), settings)
    ex.deploy("order", giving(2), retention=60)
    context = ex.workflow("order").context
    assert (Settings.of(context), context.version, context.retention) == (settings, 2, 60_000_000)
    assert ex.start("order").wait(60).output == 2
    started = ex.start("order").wait(60).history()[0]
    assert started["executionStartedEventDetails"]["roleArn"] == ROLE


def test_numbers_of_published_versions_are_their_own(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    resources = created(ex, "order", text_of(1), publish=True, description="first")
    ex.deploy("order", giving(2))
    ex.deploy("order", giving(3), publish=True)
    assert [(row.number, row.version) for row in resources.published_versions("order")] == [(2, 3), (1, 1)]
    assert resources.publish(ex.workflow("order"), "again") == resources.published_version("order", 2)
    resources.delete_published_version("order", 2)
    assert resources.publish(ex.workflow("order")).number == 3  # the same revision, and a new number
    assert [row.description for row in resources.published_versions("order")] == [None, "first"]
    assert [row.number for row in resources.published_versions("order", before=3, limit=1)] == [1]


def test_executions_tell_what_started_them(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    resources = created(ex, "order", text_of(1), publish=True)
    ex.deploy("order", giving(2), publish=True)
    arn = state_machine_arn("order")
    resources.put_alias("order", "prod", [(1, 100)], None)
    by_version, by_alias, plain = (ex.start(f"{arn}{tail}").wait(60) for tail in (":2", ":prod", ""))
    assert [each.context().qualifier for each in (by_version, by_alias, plain)] == ["2", "prod:1", ""]
    assert [each.output for each in (by_version, by_alias, plain)] == [2, 1, 2]
    details = [each.history()[0]["executionStartedEventDetails"] for each in (by_version, by_alias, plain)]
    version, alias = "stateMachineVersionArn", "stateMachineAliasArn"
    assert [each.get(version) for each in details] == [f"{arn}:2", f"{arn}:1", None]
    assert [each.get(alias) for each in details] == [None, f"{arn}:prod", None]
    assert ex.list(f"{arn}:2") == [by_version]
    assert ex.list(f"{arn}:1") == ex.list(f"{arn}:prod") == [by_alias]
    assert set(ex.list(arn)) == {by_version, by_alias, plain}
    for missing in (f"{arn}:3", f"{arn}:other", state_machine_arn("nobody"), f"{arn}:1:2", "arn:x"):
        with pytest.raises(WorkflowNotFound):
            ex.start(missing)


def test_an_alias_draws_by_its_weights() -> None:
    with Executor() as ex:
        resources = created(ex, "order", text_of(1), publish=True)
        ex.deploy("order", giving(2), publish=True)
        resources.put_alias("order", "prod", [(1, 50), (2, 50)], None)
        arn = state_machine_arn("order") + ":prod"
        drawn = [ex.start(arn).wait(60).context().qualifier for _ in range(64)]
        assert set(drawn) == {"prod:1", "prod:2"}
        resources.put_alias("order", "prod", [(1, 0), (2, 100)], None)
        assert {ex.start(arn).wait(60).context().qualifier for _ in range(32)} == {"prod:2"}


def test_what_is_kept_outlives_the_process(tmp_path: Path) -> None:
    for partitions in (1, 2):
        folder = tmp_path / f"data{partitions}"
        with Executor(folder, partitions=partitions) as ex:
            resources = created(
                ex, "order", text_of(1), Settings(ROLE), publish=True, description="d", tags=[["b", "1"], ["a", ""]]
            )
            alias = resources.put_alias("order", "prod", [(1, 100)], "it")
            activity = resources.put_activity("review", b"", [["k", "v"]])
            ex.start(state_machine_arn("order") + ":prod", 1, "one").wait(60)
        with Executor(folder, partitions=partitions) as ex:
            resources = ex.client.resources
            assert resources.tags("stateMachine:order") == [["b", "1"], ["a", ""]]
            assert resources.tags("activity:review") == [["k", "v"]]
            assert resources.alias("order", "prod") == alias
            assert routes_of(alias) == [(1, 100)]
            assert resources.activities(None, 10) == [activity]
            assert resources.publish(ex.workflow("order")).description == "d"
            assert ex.get(workflow="order", name="one").context().qualifier == "prod:1"
            ex.deploy("order", giving(2), publish=True)
            assert [row.number for row in resources.published_versions("order")] == [2, 1]
            resources.delete_activity("review")
            assert (resources.activity("review"), resources.tags("activity:review")) == (None, [])


def test_a_follower_and_a_backup_have_what_is_kept(tmp_path: Path) -> None:
    kinds = (AliasContext, PublishedVersionContext, TagsContext, SequenceContext, ListingContext)
    arn = state_machine_arn("order") + ":prod"
    with Executor(tmp_path / "data") as ex:
        created(ex, "order", text_of(1), publish=True, tags=[["a", "b"]])
        ex.client.resources.put_alias("order", "prod", [(1, 100)], None)
        follower = Follower(tmp_path / "data", tmp_path / "copy")
        execution = ex.start(arn, 1, "one").wait(60)
        assert follower.wait_level(10)
        assert [each.id for each in follower.list(arn)] == [execution.id]
        ex.backup(tmp_path / "backup")
        ours = [ex.storage.scan(kind) for kind in kinds]
        assert all(ours)
    Executor.restore(tmp_path / "backup", tmp_path / "restored")
    for copy in (Executor(tmp_path / "restored"), follower.promote()):
        with copy as ex:
            assert [ex.storage.scan(kind) for kind in kinds] == ours
            assert ex.start(arn).wait(60).output == 1


def test_arns_name_workflows_everywhere(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("order", giving(1), publish=True)
    arn = state_machine_arn("order")
    one = ex.start(f"{arn}:1", execution_name="one").wait(60)
    assert [each.id for each in ex.workflows(arn)] == ["order:1"]
    assert (ex.workflow(f"{arn}:1").id, ex.get(workflow=arn, name="one")) == ("order:1", one)
    with pytest.raises(WorkflowNotFound):
        ex.delete_workflow(f"{arn}:1")
    ex.delete_workflow(arn)
    assert ex.workflows() == []


# deletion


def test_a_deletion_waits_for_executions_and_holds_the_name(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    resources = created(ex, "order", dumps(WAITS), publish=True, tags=[["a", "b"]])
    resources.put_alias("order", "prod", [(1, 100)], None)
    running = [ex.start("order", n, f"n{n}") for n in range(3)]
    ex.client.deployments.begin_deletion("order")
    assert ex.workflow("order").context.deleting
    assert (resources.published_versions("order"), resources.aliases("order")) == ([], [])
    for refused in (
        lambda: ex.start("order"),
        lambda: ex.deploy("order", giving(2)),
        lambda: ex.start("order", 0, "n0"),
    ):
        with pytest.raises(WorkflowDeleting):
            refused()
    with pytest.raises(ExecutionRunning):
        ex.delete_workflow("order")
    ex.client.deployments.begin_deletion("order")
    for each in running:
        each.stop().wait(60)
    assert ex.client.deployments.latest("order") is None
    assert (ex.workflows(), resources.tags("stateMachine:order")) == ([], [])
    with pytest.raises(WorkflowNotFound):
        ex.start("order")


def test_executions_of_a_workflow_that_is_deleted_end_at_their_next_state(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    ex.deploy("order", WAITS)
    ex.deploy("other", WAITS)
    one, other = ex.start("order"), ex.start("other")
    ex.client.deployments.begin_deletion("order")
    assert one.aws_status == "RUNNING"
    for execution in (one, other):
        execution.wait_for("W", 10).complete("W", {})
    assert one.wait(60).aws_status == "ABORTED"
    assert other.wait(60).aws_status == "SUCCEEDED"
    assert ex.client.deployments.latest("order") is None


def test_a_deletion_goes_on_after_a_restart(tmp_path: Path) -> None:
    for partitions in (1, 2):
        folder = tmp_path / f"data{partitions}"
        with Executor(folder, partitions=partitions) as ex:
            ex.deploy("order", WAITS)
            one, two = (ex.start("order", n, f"n{n}") for n in range(2))
            ex.client.deployments.begin_deletion("order")
        with Executor(folder, partitions=partitions) as ex:
            with pytest.raises(WorkflowDeleting):
                ex.start("order")
            ex.get(one.id).wait_for("W", 10).complete("W", {})
            assert ex.get(one.id).wait(60).aws_status == "ABORTED"
            ex.get(two.id).stop().wait(60)
            assert ex.client.deployments.latest("order") is None
            ex.deploy("order", giving(1))
        with Executor(folder, partitions=partitions) as ex:
            assert ex.start("order", 1, "n1").wait(60).output == 1


def test_a_workflow_that_is_created_again_begins_anew(anywhere: Callable[..., Executor]) -> None:
    ex = anywhere()
    resources = created(ex, "order", text_of(1), publish=True)
    old = ex.start("order", {}, "one").wait(60)
    ex.client.deployments.begin_deletion("order")
    created(ex, "order", text_of(2), publish=True)
    assert ex.workflow("order").context.revision_id == ""
    assert [row.number for row in resources.published_versions("order")] == [1]
    new = ex.start("order", {}, "one").wait(60)  # the name of an execution of the old one is free
    assert (new.output, new.id != old.id) == (2, True)
    assert ex.get(workflow="order", name="one") == new
    ex.delete(old.id)  # and its deletion leaves the name to the new one
    assert ex.get(workflow="order", name="one") == new
    assert [row.execution_id for row in ex.storage.scan(IdempotencyContext)] == [new.id]
