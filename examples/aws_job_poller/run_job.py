"""Run a job with the state machine JobPoller, and wait for its end. Nothing here knows of Stepwell.

python run_job.py nightly-report
python run_job.py nightly-report --test-case Fails          # with a mock file
"""
# pyright: basic
# (boto3 has no types)

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import boto3  # type: ignore[import-untyped]

DEFINITION = Path(__file__).with_name("job_poller.asl.json")
ROLE = "arn:aws:iam::123456789012:role/StepFunctionsSample-JobPoller"


def main() -> int:
    """The exit code is 0 if the job has succeeded."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job")
    parser.add_argument("--seconds", type=float, default=5, help="how long the job takes")
    parser.add_argument("--wait", type=int, default=2, help="seconds between two looks at it")
    parser.add_argument("--test-case", help="a test case of the server's mock file")
    options = parser.parse_args()

    sfn = boto3.client("stepfunctions")
    machine = sfn.create_state_machine(name="JobPoller", definition=DEFINITION.read_text(), roleArn=ROLE)
    arn = machine["stateMachineArn"] + (f"#{options.test_case}" if options.test_case else "")
    order = {"jobName": options.job, "seconds": options.seconds, "wait_time": options.wait}
    execution = sfn.start_execution(stateMachineArn=arn, input=json.dumps(order))["executionArn"]
    print(f"started {execution}", flush=True)

    while (found := sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.2)
    print(found["status"], found.get("output") or found.get("error"))
    return 0 if found["status"] == "SUCCEEDED" else 1


if __name__ == "__main__":
    sys.exit(main())
