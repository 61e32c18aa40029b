"""Step Functions' API: requests with their constraints, operations, and the errors that each may answer.

``scripts/make-api-model`` writes it from botocore's service model: Copyright Amazon.com, Inc. or its affiliates,
licensed under the Apache License, Version 2.0 (http://www.apache.org/licenses/LICENSE-2.0).
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple, TypeAlias

from msgspec import Meta, Struct

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=80)]
TagKey: TypeAlias = Annotated[str, Meta(min_length=1, max_length=128)]
TagValue: TypeAlias = Annotated[str, Meta(max_length=256)]


class Tag(Struct, kw_only=True, gc=False, rename="camel"):
    key: TagKey | None = None
    value: TagValue | None = None


KmsKeyId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2048)]
KmsDataKeyReusePeriodSeconds: TypeAlias = Annotated[int, Meta(ge=60, le=900)]
EncryptionType: TypeAlias = Literal["AWS_OWNED_KEY", "CUSTOMER_MANAGED_KMS_KEY"]


class EncryptionConfiguration(Struct, kw_only=True, gc=False, rename="camel"):
    type: EncryptionType
    kms_key_id: KmsKeyId | None = None
    kms_data_key_reuse_period_seconds: KmsDataKeyReusePeriodSeconds | None = None


class CreateActivityInput(Struct, kw_only=True, gc=False, rename="camel"):
    name: Name
    tags: list[Tag] | None = None
    encryption_configuration: EncryptionConfiguration | None = None


Definition: TypeAlias = Annotated[str, Meta(min_length=1, max_length=1048576, extra={"sensitive": True})]
Arn: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
StateMachineType: TypeAlias = Literal["STANDARD", "EXPRESS"]
LogLevel: TypeAlias = Literal["ALL", "ERROR", "FATAL", "OFF"]


class CloudWatchLogsLogGroup(Struct, kw_only=True, gc=False, rename="camel"):
    log_group_arn: Arn | None = None


class LogDestination(Struct, kw_only=True, gc=False, rename="camel"):
    cloud_watch_logs_log_group: CloudWatchLogsLogGroup | None = None


class LoggingConfiguration(Struct, kw_only=True, gc=False, rename="camel"):
    level: LogLevel | None = None
    include_execution_data: bool | None = None
    destinations: list[LogDestination] | None = None


class TracingConfiguration(Struct, kw_only=True, gc=False, rename="camel"):
    enabled: bool | None = None


VersionDescription: TypeAlias = Annotated[str, Meta(max_length=256, extra={"sensitive": True})]


class CreateStateMachineInput(Struct, kw_only=True, gc=False, rename="camel"):
    name: Name
    definition: Definition
    role_arn: Arn
    type: StateMachineType | None = None
    logging_configuration: LoggingConfiguration | None = None
    tags: list[Tag] | None = None
    tracing_configuration: TracingConfiguration | None = None
    publish: bool | None = None
    version_description: VersionDescription | None = None
    encryption_configuration: EncryptionConfiguration | None = None


AliasDescription: TypeAlias = Annotated[str, Meta(max_length=256, extra={"sensitive": True})]
CharacterRestrictedName: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=80,
        pattern="^(?:(?=.*[a-zA-Z_\\-\\.])[a-zA-Z0-9_\\-\\.]+)\\Z",
        extra={"pattern": "^(?=.*[a-zA-Z_\\-\\.])[a-zA-Z0-9_\\-\\.]+$"},
    ),
]
VersionWeight: TypeAlias = Annotated[int, Meta(ge=0, le=100)]


class RoutingConfigurationListItem(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_version_arn: Arn
    weight: VersionWeight


RoutingConfigurationList: TypeAlias = Annotated[list[RoutingConfigurationListItem], Meta(min_length=1, max_length=2)]


class CreateStateMachineAliasInput(Struct, kw_only=True, gc=False, rename="camel"):
    name: CharacterRestrictedName
    routing_configuration: RoutingConfigurationList
    description: AliasDescription | None = None


class DeleteActivityInput(Struct, kw_only=True, gc=False, rename="camel"):
    activity_arn: Arn


class DeleteStateMachineInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_arn: Arn


class DeleteStateMachineAliasInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_alias_arn: Arn


LongArn: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2000)]


class DeleteStateMachineVersionInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_version_arn: LongArn


class DescribeActivityInput(Struct, kw_only=True, gc=False, rename="camel"):
    activity_arn: Arn


IncludedData: TypeAlias = Literal["ALL_DATA", "METADATA_ONLY"]


class DescribeExecutionInput(Struct, kw_only=True, gc=False, rename="camel"):
    execution_arn: Arn
    included_data: IncludedData | None = None


class DescribeMapRunInput(Struct, kw_only=True, gc=False, rename="camel"):
    map_run_arn: LongArn


class DescribeStateMachineInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_arn: Arn
    included_data: IncludedData | None = None


class DescribeStateMachineAliasInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_alias_arn: Arn


class DescribeStateMachineForExecutionInput(Struct, kw_only=True, gc=False, rename="camel"):
    execution_arn: Arn
    included_data: IncludedData | None = None


class GetActivityTaskInput(Struct, kw_only=True, gc=False, rename="camel"):
    activity_arn: Arn
    worker_name: Name | None = None


PageSize: TypeAlias = Annotated[int, Meta(ge=0, le=1000)]
PageToken: TypeAlias = Annotated[str, Meta(min_length=1, max_length=1024)]


class GetExecutionHistoryInput(Struct, kw_only=True, gc=False, rename="camel"):
    execution_arn: Arn
    max_results: PageSize | None = None
    reverse_order: bool | None = None
    next_token: PageToken | None = None
    include_execution_data: bool | None = None


class ListActivitiesInput(Struct, kw_only=True, gc=False, rename="camel"):
    max_results: PageSize | None = None
    next_token: PageToken | None = None


ExecutionStatus: TypeAlias = Literal["SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING"]
ListExecutionsPageToken: TypeAlias = Annotated[str, Meta(min_length=1, max_length=3096)]
ExecutionRedriveFilter: TypeAlias = Literal["REDRIVEN", "NOT_REDRIVEN"]


class ListExecutionsInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_arn: Arn | None = None
    status_filter: ExecutionStatus | None = None
    max_results: PageSize | None = None
    next_token: ListExecutionsPageToken | None = None
    map_run_arn: LongArn | None = None
    redrive_filter: ExecutionRedriveFilter | None = None


class ListMapRunsInput(Struct, kw_only=True, gc=False, rename="camel"):
    execution_arn: Arn
    max_results: PageSize | None = None
    next_token: PageToken | None = None


class ListStateMachineAliasesInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_arn: Arn
    next_token: PageToken | None = None
    max_results: PageSize | None = None


class ListStateMachineVersionsInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_arn: Arn
    next_token: PageToken | None = None
    max_results: PageSize | None = None


class ListStateMachinesInput(Struct, kw_only=True, gc=False, rename="camel"):
    max_results: PageSize | None = None
    next_token: PageToken | None = None


class ListTagsForResourceInput(Struct, kw_only=True, gc=False, rename="camel"):
    resource_arn: Arn


class PublishStateMachineVersionInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_arn: Arn
    revision_id: str | None = None
    description: VersionDescription | None = None


ClientToken: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=64, pattern="^(?:[!-~]+)\\Z", extra={"pattern": "[!-~]+"})
]


class RedriveExecutionInput(Struct, kw_only=True, gc=False, rename="camel"):
    execution_arn: Arn
    client_token: ClientToken | None = None


TaskToken: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2048, extra={"sensitive": True})]
SensitiveError: TypeAlias = Annotated[str, Meta(max_length=256, extra={"sensitive": True})]
SensitiveCause: TypeAlias = Annotated[str, Meta(max_length=32768, extra={"sensitive": True})]


class SendTaskFailureInput(Struct, kw_only=True, gc=False, rename="camel"):
    task_token: TaskToken
    error: SensitiveError | None = None
    cause: SensitiveCause | None = None


class SendTaskHeartbeatInput(Struct, kw_only=True, gc=False, rename="camel"):
    task_token: TaskToken


SensitiveData: TypeAlias = Annotated[str, Meta(max_length=262144, extra={"sensitive": True, "in_bytes": True})]


class SendTaskSuccessInput(Struct, kw_only=True, gc=False, rename="camel"):
    task_token: TaskToken
    output: SensitiveData


TraceHeader: TypeAlias = Annotated[
    str, Meta(max_length=256, pattern="^(?:[\\x00-\\x7f]*)\\Z", extra={"pattern": "\\p{ASCII}*"})
]


class StartExecutionInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_arn: Arn
    name: Name | None = None
    input: SensitiveData | None = None
    trace_header: TraceHeader | None = None


class StartSyncExecutionInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_arn: Arn
    name: Name | None = None
    input: SensitiveData | None = None
    trace_header: TraceHeader | None = None
    included_data: IncludedData | None = None


class StopExecutionInput(Struct, kw_only=True, gc=False, rename="camel"):
    execution_arn: Arn
    error: SensitiveError | None = None
    cause: SensitiveCause | None = None


class TagResourceInput(Struct, kw_only=True, gc=False, rename="camel"):
    resource_arn: Arn
    tags: list[Tag]


InspectionLevel: TypeAlias = Literal["INFO", "DEBUG", "TRACE"]
TestStateStateName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=80, extra={"sensitive": True})]


class MockErrorOutput(Struct, kw_only=True, gc=False, rename="camel"):
    error: SensitiveError | None = None
    cause: SensitiveCause | None = None


MockResponseValidationMode: TypeAlias = Literal["STRICT", "PRESENT", "NONE"]


class MockInput(Struct, kw_only=True, gc=False, rename="camel"):
    result: SensitiveData | None = None
    error_output: MockErrorOutput | None = None
    field_validation_mode: MockResponseValidationMode | None = None


RetrierRetryCount: TypeAlias = Annotated[int, Meta(ge=0)]
MapIterationFailureCount: TypeAlias = Annotated[int, Meta(ge=0)]


class TestStateConfiguration(Struct, kw_only=True, gc=False, rename="camel"):
    retrier_retry_count: RetrierRetryCount | None = None
    error_caused_by_state: TestStateStateName | None = None
    map_iteration_failure_count: MapIterationFailureCount | None = None
    map_item_reader_data: SensitiveData | None = None


class TestStateInput(Struct, kw_only=True, gc=False, rename="camel"):
    definition: Definition
    role_arn: Arn | None = None
    input: SensitiveData | None = None
    inspection_level: InspectionLevel | None = None
    reveal_secrets: bool | None = None
    variables: SensitiveData | None = None
    state_name: TestStateStateName | None = None
    mock: MockInput | None = None
    context: SensitiveData | None = None
    state_configuration: TestStateConfiguration | None = None


class UntagResourceInput(Struct, kw_only=True, gc=False, rename="camel"):
    resource_arn: Arn
    tag_keys: list[TagKey]


MaxConcurrency: TypeAlias = Annotated[int, Meta(ge=0)]
ToleratedFailurePercentage: TypeAlias = Annotated[float, Meta(ge=0, le=100)]
ToleratedFailureCount: TypeAlias = Annotated[int, Meta(ge=0)]


class UpdateMapRunInput(Struct, kw_only=True, gc=False, rename="camel"):
    map_run_arn: LongArn
    max_concurrency: MaxConcurrency | None = None
    tolerated_failure_percentage: ToleratedFailurePercentage | None = None
    tolerated_failure_count: ToleratedFailureCount | None = None


class UpdateStateMachineInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_arn: Arn
    definition: Definition | None = None
    role_arn: Arn | None = None
    logging_configuration: LoggingConfiguration | None = None
    tracing_configuration: TracingConfiguration | None = None
    publish: bool | None = None
    version_description: VersionDescription | None = None
    encryption_configuration: EncryptionConfiguration | None = None


class UpdateStateMachineAliasInput(Struct, kw_only=True, gc=False, rename="camel"):
    state_machine_alias_arn: Arn
    description: AliasDescription | None = None
    routing_configuration: RoutingConfigurationList | None = None


ValidateStateMachineDefinitionSeverity: TypeAlias = Literal["ERROR", "WARNING"]
ValidateStateMachineDefinitionMaxResult: TypeAlias = Annotated[int, Meta(ge=0, le=100)]


class ValidateStateMachineDefinitionInput(Struct, kw_only=True, gc=False, rename="camel"):
    definition: Definition
    type: StateMachineType | None = None
    severity: ValidateStateMachineDefinitionSeverity | None = None
    max_results: ValidateStateMachineDefinitionMaxResult | None = None


ERRORS: dict[str, tuple[str, ...]] = {
    "ActivityAlreadyExists": (),
    "ActivityDoesNotExist": (),
    "ActivityLimitExceeded": (),
    "ActivityWorkerLimitExceeded": (),
    "ConflictException": (),
    "ExecutionAlreadyExists": (),
    "ExecutionDoesNotExist": (),
    "ExecutionLimitExceeded": (),
    "ExecutionNotRedrivable": (),
    "InvalidArn": (),
    "InvalidDefinition": (),
    "InvalidEncryptionConfiguration": (),
    "InvalidExecutionInput": (),
    "InvalidLoggingConfiguration": (),
    "InvalidName": (),
    "InvalidOutput": (),
    "InvalidToken": (),
    "InvalidTracingConfiguration": (),
    "KmsAccessDeniedException": (),
    "KmsInvalidStateException": ("kmsKeyState",),
    "KmsThrottlingException": (),
    "MissingRequiredParameter": (),
    "ResourceNotFound": ("resourceName",),
    "ServiceQuotaExceededException": (),
    "StateMachineAlreadyExists": (),
    "StateMachineDeleting": (),
    "StateMachineDoesNotExist": (),
    "StateMachineLimitExceeded": (),
    "StateMachineTypeNotSupported": (),
    "TaskDoesNotExist": (),
    "TaskTimedOut": (),
    "TooManyTags": ("resourceName",),
    "ValidationException": ("reason",),
}
"""The errors, each with the members that it may have beside its message."""


class Operation(NamedTuple):
    """An operation: its request, the errors that it may answer, and whether its host is ``sync-…``."""

    request: type[Struct]
    errors: frozenset[str]
    is_sync: bool


OPERATIONS: dict[str, Operation] = {
    "CreateActivity": Operation(
        CreateActivityInput,
        frozenset(
            {
                "ActivityAlreadyExists",
                "ActivityLimitExceeded",
                "InvalidEncryptionConfiguration",
                "InvalidName",
                "KmsAccessDeniedException",
                "KmsThrottlingException",
                "TooManyTags",
            }
        ),
        False,
    ),
    "CreateStateMachine": Operation(
        CreateStateMachineInput,
        frozenset(
            {
                "ConflictException",
                "InvalidArn",
                "InvalidDefinition",
                "InvalidEncryptionConfiguration",
                "InvalidLoggingConfiguration",
                "InvalidName",
                "InvalidTracingConfiguration",
                "KmsAccessDeniedException",
                "KmsThrottlingException",
                "StateMachineAlreadyExists",
                "StateMachineDeleting",
                "StateMachineLimitExceeded",
                "StateMachineTypeNotSupported",
                "TooManyTags",
                "ValidationException",
            }
        ),
        False,
    ),
    "CreateStateMachineAlias": Operation(
        CreateStateMachineAliasInput,
        frozenset(
            {
                "ConflictException",
                "InvalidArn",
                "InvalidName",
                "ResourceNotFound",
                "ServiceQuotaExceededException",
                "StateMachineDeleting",
                "ValidationException",
            }
        ),
        False,
    ),
    "DeleteActivity": Operation(DeleteActivityInput, frozenset({"InvalidArn"}), False),
    "DeleteStateMachine": Operation(DeleteStateMachineInput, frozenset({"InvalidArn", "ValidationException"}), False),
    "DeleteStateMachineAlias": Operation(
        DeleteStateMachineAliasInput,
        frozenset({"ConflictException", "InvalidArn", "ResourceNotFound", "ValidationException"}),
        False,
    ),
    "DeleteStateMachineVersion": Operation(
        DeleteStateMachineVersionInput, frozenset({"ConflictException", "InvalidArn", "ValidationException"}), False
    ),
    "DescribeActivity": Operation(DescribeActivityInput, frozenset({"ActivityDoesNotExist", "InvalidArn"}), False),
    "DescribeExecution": Operation(
        DescribeExecutionInput,
        frozenset(
            {
                "ExecutionDoesNotExist",
                "InvalidArn",
                "KmsAccessDeniedException",
                "KmsInvalidStateException",
                "KmsThrottlingException",
            }
        ),
        False,
    ),
    "DescribeMapRun": Operation(DescribeMapRunInput, frozenset({"InvalidArn", "ResourceNotFound"}), False),
    "DescribeStateMachine": Operation(
        DescribeStateMachineInput,
        frozenset(
            {
                "InvalidArn",
                "KmsAccessDeniedException",
                "KmsInvalidStateException",
                "KmsThrottlingException",
                "StateMachineDoesNotExist",
            }
        ),
        False,
    ),
    "DescribeStateMachineAlias": Operation(
        DescribeStateMachineAliasInput, frozenset({"InvalidArn", "ResourceNotFound", "ValidationException"}), False
    ),
    "DescribeStateMachineForExecution": Operation(
        DescribeStateMachineForExecutionInput,
        frozenset(
            {
                "ExecutionDoesNotExist",
                "InvalidArn",
                "KmsAccessDeniedException",
                "KmsInvalidStateException",
                "KmsThrottlingException",
            }
        ),
        False,
    ),
    "GetActivityTask": Operation(
        GetActivityTaskInput,
        frozenset(
            {
                "ActivityDoesNotExist",
                "ActivityWorkerLimitExceeded",
                "InvalidArn",
                "KmsAccessDeniedException",
                "KmsInvalidStateException",
                "KmsThrottlingException",
            }
        ),
        False,
    ),
    "GetExecutionHistory": Operation(
        GetExecutionHistoryInput,
        frozenset(
            {
                "ExecutionDoesNotExist",
                "InvalidArn",
                "InvalidToken",
                "KmsAccessDeniedException",
                "KmsInvalidStateException",
                "KmsThrottlingException",
            }
        ),
        False,
    ),
    "ListActivities": Operation(ListActivitiesInput, frozenset({"InvalidToken"}), False),
    "ListExecutions": Operation(
        ListExecutionsInput,
        frozenset(
            {
                "InvalidArn",
                "InvalidToken",
                "ResourceNotFound",
                "StateMachineDoesNotExist",
                "StateMachineTypeNotSupported",
                "ValidationException",
            }
        ),
        False,
    ),
    "ListMapRuns": Operation(
        ListMapRunsInput, frozenset({"ExecutionDoesNotExist", "InvalidArn", "InvalidToken"}), False
    ),
    "ListStateMachineAliases": Operation(
        ListStateMachineAliasesInput,
        frozenset(
            {"InvalidArn", "InvalidToken", "ResourceNotFound", "StateMachineDeleting", "StateMachineDoesNotExist"}
        ),
        False,
    ),
    "ListStateMachineVersions": Operation(
        ListStateMachineVersionsInput, frozenset({"InvalidArn", "InvalidToken", "ValidationException"}), False
    ),
    "ListStateMachines": Operation(ListStateMachinesInput, frozenset({"InvalidToken"}), False),
    "ListTagsForResource": Operation(ListTagsForResourceInput, frozenset({"InvalidArn", "ResourceNotFound"}), False),
    "PublishStateMachineVersion": Operation(
        PublishStateMachineVersionInput,
        frozenset(
            {
                "ConflictException",
                "InvalidArn",
                "ServiceQuotaExceededException",
                "StateMachineDeleting",
                "StateMachineDoesNotExist",
                "ValidationException",
            }
        ),
        False,
    ),
    "RedriveExecution": Operation(
        RedriveExecutionInput,
        frozenset(
            {
                "ExecutionDoesNotExist",
                "ExecutionLimitExceeded",
                "ExecutionNotRedrivable",
                "InvalidArn",
                "ValidationException",
            }
        ),
        False,
    ),
    "SendTaskFailure": Operation(
        SendTaskFailureInput,
        frozenset(
            {
                "InvalidToken",
                "KmsAccessDeniedException",
                "KmsInvalidStateException",
                "KmsThrottlingException",
                "TaskDoesNotExist",
                "TaskTimedOut",
            }
        ),
        False,
    ),
    "SendTaskHeartbeat": Operation(
        SendTaskHeartbeatInput, frozenset({"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"}), False
    ),
    "SendTaskSuccess": Operation(
        SendTaskSuccessInput,
        frozenset(
            {
                "InvalidOutput",
                "InvalidToken",
                "KmsAccessDeniedException",
                "KmsInvalidStateException",
                "KmsThrottlingException",
                "TaskDoesNotExist",
                "TaskTimedOut",
            }
        ),
        False,
    ),
    "StartExecution": Operation(
        StartExecutionInput,
        frozenset(
            {
                "ExecutionAlreadyExists",
                "ExecutionLimitExceeded",
                "InvalidArn",
                "InvalidExecutionInput",
                "InvalidName",
                "KmsAccessDeniedException",
                "KmsInvalidStateException",
                "KmsThrottlingException",
                "StateMachineDeleting",
                "StateMachineDoesNotExist",
                "ValidationException",
            }
        ),
        False,
    ),
    "StartSyncExecution": Operation(
        StartSyncExecutionInput,
        frozenset(
            {
                "InvalidArn",
                "InvalidExecutionInput",
                "InvalidName",
                "KmsAccessDeniedException",
                "KmsInvalidStateException",
                "KmsThrottlingException",
                "StateMachineDeleting",
                "StateMachineDoesNotExist",
                "StateMachineTypeNotSupported",
            }
        ),
        True,
    ),
    "StopExecution": Operation(
        StopExecutionInput,
        frozenset(
            {
                "ExecutionDoesNotExist",
                "InvalidArn",
                "KmsAccessDeniedException",
                "KmsInvalidStateException",
                "KmsThrottlingException",
                "ValidationException",
            }
        ),
        False,
    ),
    "TagResource": Operation(TagResourceInput, frozenset({"InvalidArn", "ResourceNotFound", "TooManyTags"}), False),
    "TestState": Operation(
        TestStateInput,
        frozenset({"InvalidArn", "InvalidDefinition", "InvalidExecutionInput", "ValidationException"}),
        True,
    ),
    "UntagResource": Operation(UntagResourceInput, frozenset({"InvalidArn", "ResourceNotFound"}), False),
    "UpdateMapRun": Operation(
        UpdateMapRunInput, frozenset({"InvalidArn", "ResourceNotFound", "ValidationException"}), False
    ),
    "UpdateStateMachine": Operation(
        UpdateStateMachineInput,
        frozenset(
            {
                "ConflictException",
                "InvalidArn",
                "InvalidDefinition",
                "InvalidEncryptionConfiguration",
                "InvalidLoggingConfiguration",
                "InvalidTracingConfiguration",
                "KmsAccessDeniedException",
                "KmsThrottlingException",
                "MissingRequiredParameter",
                "ServiceQuotaExceededException",
                "StateMachineDeleting",
                "StateMachineDoesNotExist",
                "ValidationException",
            }
        ),
        False,
    ),
    "UpdateStateMachineAlias": Operation(
        UpdateStateMachineAliasInput,
        frozenset(
            {"ConflictException", "InvalidArn", "ResourceNotFound", "StateMachineDeleting", "ValidationException"}
        ),
        False,
    ),
    "ValidateStateMachineDefinition": Operation(
        ValidateStateMachineDefinitionInput, frozenset({"ValidationException"}), False
    ),
}

TIMES = frozenset({"creationDate", "redriveDate", "startDate", "stopDate", "timestamp", "updateDate"})
"""The members of answers that are times."""
MAPS = frozenset({"assignedVariables", "variableReferences"})
"""The members of answers that are maps, whose keys are no members."""
