"""Which fields each state, rule and reader has, and which belong to one query language (ASL A2)."""

from __future__ import annotations

JSONPATH, JSONATA = "JSONPath", "JSONata"
QUERY_LANGUAGES = (JSONPATH, JSONATA)

MACHINE_FIELDS = frozenset({"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"})
# A branch or an iterator has no version and no query language of its own.
BRANCH_FIELDS = frozenset({"Comment", "StartAt", "States"})
PROCESSOR_FIELDS = BRANCH_FIELDS | {"ProcessorConfig"}

STATE_TYPES = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")

_COMMON = frozenset({"Type", "Comment", "QueryLanguage"})
_TRANSITION = frozenset({"Next", "End"})
_PATHS = frozenset({"InputPath", "OutputPath", "Output"})
_WORK = _COMMON | _TRANSITION | _PATHS | {"Assign", "ResultPath", "Parameters", "ResultSelector", "Retry", "Catch"}

STATE_FIELDS: dict[str, frozenset[str]] = {
    "Task": _WORK
    | {
        "Arguments",
        "Resource",
        "Credentials",
        "TimeoutSeconds",
        "TimeoutSecondsPath",
        "HeartbeatSeconds",
        "HeartbeatSecondsPath",
    },
    "Parallel": _WORK | {"Arguments", "Branches"},
    "Map": _WORK
    | {
        "ItemProcessor",
        "Iterator",
        "ItemsPath",
        "Items",
        "ItemSelector",
        "ItemReader",
        "ItemBatcher",
        "ResultWriter",
        "MaxConcurrency",
        "MaxConcurrencyPath",
        "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath",
        "ToleratedFailureCount",
        "ToleratedFailureCountPath",
        "Label",
    },
    "Pass": _COMMON | _TRANSITION | _PATHS | {"Assign", "Result", "ResultPath", "Parameters"},
    "Wait": _COMMON | _TRANSITION | _PATHS | {"Assign", "Seconds", "Timestamp", "SecondsPath", "TimestampPath"},
    "Choice": _COMMON | _PATHS | {"Assign", "Choices", "Default"},
    "Succeed": _COMMON | _PATHS,
    "Fail": _COMMON | {"Error", "ErrorPath", "Cause", "CausePath"},
}

# In the order of their diagnostics.
JSONPATH_ONLY = (
    "InputPath",
    "OutputPath",
    "ResultPath",
    "ResultSelector",
    "Parameters",
    "Result",
    "ItemsPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "SecondsPath",
    "TimestampPath",
    "MaxConcurrencyPath",
    "ToleratedFailurePercentagePath",
    "ToleratedFailureCountPath",
    "ErrorPath",
    "CausePath",
)
JSONATA_ONLY = ("Output", "Arguments", "Items")

RETRIER_FIELDS = frozenset(
    {
        "Comment",
        "ErrorEquals",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
    }
)
CATCHER_FIELDS = frozenset({"Comment", "ErrorEquals", "Next", "ResultPath", "Assign", "Output"})

_COMPARISONS = ("Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals")
STRING_OPERATORS = tuple(f"String{name}" for name in _COMPARISONS)
NUMERIC_OPERATORS = tuple(f"Numeric{name}" for name in _COMPARISONS)
TIMESTAMP_OPERATORS = tuple(f"Timestamp{name}" for name in _COMPARISONS)
PATH_OPERATORS = tuple(
    f"{name}Path" for name in (*STRING_OPERATORS, *NUMERIC_OPERATORS, "BooleanEquals", *TIMESTAMP_OPERATORS)
)
TYPE_OPERATORS = ("IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp")
OPERATORS = (
    *STRING_OPERATORS,
    "StringMatches",
    *NUMERIC_OPERATORS,
    "BooleanEquals",
    *TIMESTAMP_OPERATORS,
    *PATH_OPERATORS,
    *TYPE_OPERATORS,
)
OPERATOR_NAMES = frozenset(OPERATORS)
RULE_SELECTORS = ("And", "Or", "Not", "Variable", "Condition")
RULE_FIELDS = frozenset({"Comment", *RULE_SELECTORS, *OPERATORS})
TOP_RULE_FIELDS = RULE_FIELDS | {"Next", "Assign", "Output"}
