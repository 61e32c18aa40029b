"""The pytest plugin: its fixtures, their options, and what importing it costs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stepwell.pytest_plugin.endpoint import SfnEndpoint
from stepwell.testing import AsyncTestExecutor, TestExecutor
from testing.support import machine, task, wait

pytest_plugins = ["stepwell.pytest_plugin", "pytester"]
LAMBDA = "arn:aws:states:::lambda:invoke"


def test_the_fixture_is_an_engine_in_memory(stepwell: TestExecutor) -> None:
    assert stepwell.client.host.folder is None
    assert stepwell.now == datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.stepwell(folder=True, profile="aws", start="2030-01-01T00:00:00Z", seed=7, strict=True)
def test_the_marker_sets_options(stepwell: TestExecutor, tmp_path: Path) -> None:
    assert (tmp_path / "stepwell" / "log").is_dir()
    assert stepwell.client.limits.profile == "aws"
    assert stepwell.now.year == 2030
    assert stepwell.mock.strict


def test_an_async_test(stepwell_async: AsyncTestExecutor) -> None:
    """As pytest-asyncio or anyio would run it."""
    seen: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        @stepwell_async.task("a")
        async def handler(value: Any) -> Any:
            assert asyncio.get_running_loop() is loop
            await asyncio.sleep(0)
            seen.append("async")
            return value

        stepwell_async.register("s", lambda value: seen.append("sync"))
        stepwell_async.mock.state("M").returns(5, delay="1h")
        await stepwell_async.deploy("w", machine(A=task("a"), W=wait(86400), S=task("s"), M=task("m")))
        execution = await stepwell_async.start("w", {"n": 1})
        await stepwell_async.advance("1d")
        assert seen == ["async", "sync"]
        assert (await execution.wait()).output == 5
        assert stepwell_async.now == datetime(2025, 1, 2, 1, tzinfo=UTC)
        stepwell_async.crash()
        assert (await stepwell_async.get(execution.id)).output == 5
        assert (await execution.wait()).status == "Succeeded"
        again = await stepwell_async.start("w")
        await again.wait_for("W")
        await stepwell_async.advance_to("2025-01-05T00:00:00Z")
        assert (await again.wait(5)).status == "Succeeded"

    asyncio.run(main())


def test_many_coroutines_drive_one_engine(stepwell_async: AsyncTestExecutor) -> None:
    async def main() -> None:
        stepwell_async.mock.state("S1").returns("done")
        await stepwell_async.deploy("w", machine(wait(60), task("f")))
        executions = [await stepwell_async.start("w") for _ in range(5)]
        ended = await asyncio.gather(*[execution.wait() for execution in executions])
        assert [execution.output for execution in ended] == ["done"] * 5

    asyncio.run(main())


def test_boto3_finds_the_endpoint(sfn_endpoint: SfnEndpoint) -> None:
    import boto3

    sfn_endpoint.mock.state("Charge").fails("Card.Down").returns({"receipt": 1})
    sfn_endpoint.register("tell", lambda value: "told")
    retry = [{"ErrorEquals": ["Card.Down"], "IntervalSeconds": 60}]
    invoke = task(LAMBDA, Parameters={"FunctionName": "tell", "Payload.$": "$"}, OutputPath="$.Payload")
    charge = task("arn:aws:lambda:us-east-1:000000000000:function:charge", Retry=retry)
    definition = machine(Charge=charge, Wait=wait(30 * 86400), Tell=invoke)
    sfn = boto3.client("stepfunctions")
    role = "arn:aws:iam::000000000000:role/any"
    arn = sfn.create_state_machine(name="order", definition=json.dumps(definition), roleArn=role)["stateMachineArn"]
    execution = sfn.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
    sfn_endpoint.run_until_idle()
    assert sfn.describe_execution(executionArn=execution)["status"] == "RUNNING"
    sfn_endpoint.advance("31d")
    found = sfn.describe_execution(executionArn=execution)
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", "told")
    assert (found["stopDate"] - found["startDate"]).total_seconds() == 30 * 86400 + 60
    sync = sfn.create_state_machine(
        name="sync", definition=json.dumps(machine(wait(120), {"Type": "Pass"})), roleArn=role, type="EXPRESS"
    )["stateMachineArn"]
    assert sfn.start_sync_execution(stateMachineArn=sync)["status"] == "SUCCEEDED"


def test_options_and_failures_in_a_project_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nstepwell_profile = aws\nstepwell_start = 2031-01-01T00:00:00Z\nstepwell_strict = true")
    pytester.makepyfile(
        """
        import json, boto3, pytest

        def machine(resource):
            return {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": resource, "End": True}}}

        def test_options_of_the_ini_file_and_the_command_line(stepwell, tmp_path):
            assert stepwell.client.limits.profile == "aws"
            assert stepwell.now.year == 2031 and stepwell.mock.strict
            assert (tmp_path / "stepwell").exists()

        @pytest.mark.stepwell(start="2032-01-01T00:00:00Z", profile="default", strict=False)
        def test_the_marker_goes_first(stepwell):
            assert stepwell.client.limits.profile == "default"
            assert stepwell.now.year == 2032 and not stepwell.mock.strict

        @pytest.mark.stepwell(colour="red")
        def test_unknown(stepwell): ...

        def test_one_call_too_many(stepwell):
            stepwell.mock.state("A").returns(1, times=1)
            stepwell.deploy("often", machine("arn:aws:lambda:us-east-1:000000000000:function:f"))
            for number in range(2):
                stepwell.start("often").wait()

        def test_a_wrong_call(stepwell):
            stepwell.mock.state("A").returns(1).assert_called(2)

        @pytest.mark.stepwell(profile="default")
        def test_no_mock_while_it_waits(stepwell):
            stepwell.deploy("waits", machine("f"))
            stepwell.start("waits").wait()

        @pytest.mark.stepwell(profile="default")
        def test_no_mock(stepwell):
            stepwell.deploy("own", machine("f"))
            stepwell.start("own")

        def test_no_mock_behind_the_endpoint(sfn_endpoint):
            sfn, role = boto3.client("stepfunctions"), "arn:aws:iam::000000000000:role/any"
            definition = json.dumps(machine("arn:aws:lambda:us-east-1:000000000000:function:f"))
            arn = sfn.create_state_machine(name="far", definition=definition, roleArn=role)["stateMachineArn"]
            sfn.start_execution(stateMachineArn=arn, input="{}")
        """
    )
    options = ("-p", "stepwell.pytest_plugin", "--stepwell-folder", "--strict-markers", "-p", "no:cacheprovider")
    result = pytester.runpytest_subprocess(*options)
    result.assert_outcomes(passed=4, failed=3, errors=3)  # what fails at the end of a test is an error of its fixture
    text = result.stdout.str()
    for part in (
        "@pytest.mark.stepwell: there is no option 'colour'; there are [",
        "state 'A' of workflow 'own' calls 'f'",
        "of workflow 'far' calls",
        "expected 2 calls; there were 0 calls of state 'A'",
        "state 'A' of workflow 'waits' calls 'f'",
        "the mock of state 'A' has no answer left",
    ):
        assert part in text
    failures = text.partition("= FAILURES =")[2].partition("short test summary")[0]
    assert 'stepwell.start("waits").wait()' in failures
    assert "stepwell/testing/" not in failures  # the lines of the test, not ours


def test_the_plugin_imports_nothing_of_the_engine() -> None:
    program = "import sys, stepwell.pytest_plugin; print([name for name in sys.modules if 'stepwell.' in name])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    for part in ("stepwell.engine", "stepwell.testing", "stepwell.server", "stepwell._core"):
        assert f"'{part}" not in found.stdout, found.stdout
