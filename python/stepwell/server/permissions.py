"""Which operations a read-only key may call. Every operation of the API stands in one of the two tables."""

from __future__ import annotations

READING = frozenset(
    {
        "DescribeActivity",
        "DescribeExecution",
        "DescribeMapRun",
        "DescribeStateMachine",
        "DescribeStateMachineAlias",
        "DescribeStateMachineForExecution",
        "GetExecutionHistory",
        "ListActivities",
        "ListExecutions",
        "ListMapRuns",
        "ListStateMachineAliases",
        "ListStateMachineVersions",
        "ListStateMachines",
        "ListTagsForResource",
        "ValidateStateMachineDefinition",
    }
)
"""Operations that change nothing and run nothing."""

WRITING = frozenset(
    {
        "CreateActivity",
        "CreateStateMachine",
        "CreateStateMachineAlias",
        "DeleteActivity",
        "DeleteStateMachine",
        "DeleteStateMachineAlias",
        "DeleteStateMachineVersion",
        "GetActivityTask",  # it takes the task away from other workers
        "PublishStateMachineVersion",
        "RedriveExecution",
        "SendTaskFailure",
        "SendTaskHeartbeat",
        "SendTaskSuccess",
        "StartExecution",
        "StartSyncExecution",
        "StopExecution",
        "TagResource",
        "TestState",  # on AWS it calls services
        "UntagResource",
        "UpdateMapRun",
        "UpdateStateMachine",
        "UpdateStateMachineAlias",
    }
)
"""All others: a new operation belongs here until it is known to be harmless."""

RESOURCE_READ = "GET /stepwell/"
"""Begins the names of resources (``resources/``) that are read; by construction these change nothing."""
