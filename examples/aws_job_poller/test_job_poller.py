"""The state machine with the mock file, on a virtual clock: waits of an hour take no time, and no server runs."""

from __future__ import annotations

from pathlib import Path

from stepwell import testing, validate

FOLDER = Path(__file__).parent
JOB = {"jobName": "nightly-report", "seconds": 1, "wait_time": 3600}


def run(stepwell: testing.TestExecutor, case: str) -> testing.TestExecution:
    stepwell.mock = testing.Mock.load(FOLDER / "MockConfigFile.json", "JobPoller", case)
    stepwell.deploy("JobPoller", FOLDER / "job_poller.asl.json")
    return stepwell.start("JobPoller", JOB).wait()


def test_a_job_is_looked_at_each_hour_until_it_has_succeeded(stepwell: testing.TestExecutor) -> None:
    execution = run(stepwell, "Succeeds")
    assert execution.output == "SUCCEEDED"
    assert execution.duration.total_seconds() == 3 * 3600
    assert execution.path.count("Wait X Seconds") == 3


def test_a_job_that_fails_fails_the_execution(stepwell: testing.TestExecutor) -> None:
    execution = run(stepwell, "Fails")
    assert execution.error == "DescribeJob returned FAILED"
    execution.assert_path([..., "Job Complete?", "Job Failed"])


def test_a_busy_service_is_asked_again(stepwell: testing.TestExecutor) -> None:
    execution = run(stepwell, "IsBusyAtFirst")
    assert execution.status == "Succeeded"
    assert execution.attempts("Submit Job") == 3


def test_the_definition_is_valid_on_aws() -> None:
    assert validate(FOLDER / "job_poller.asl.json", profile="aws") == []
