"""The settings of state machines: role, logging, tracing, encryption (API semantics, chapter 13).

They are kept as they were given, in the API's shapes, and shown with AWS's defaults.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stepwell.asl.json import loads
from stepwell.engine.client.deployments import Settings

from . import model
from .errors import Fault

NO_LOGGING = {"level": "OFF", "includeExecutionData": False}
OWNED_KEY = "AWS_OWNED_KEY"
DATA_KEY_SECONDS = 300
"""For how long a data key of a customer's key is used again by default."""
_encode = msgspec.json.encode


def changed(before: Settings, request: model.CreateStateMachineInput | model.UpdateStateMachineInput) -> Settings:
    """Settings, with those that a request has instead. Raises ``Fault``."""
    logging, tracing, encryption = (
        request.logging_configuration,
        request.tracing_configuration,
        request.encryption_configuration,
    )
    return Settings(
        before.role if request.role_arn is None else request.role_arn,
        before.logging if logging is None else logging_text(logging),
        before.tracing if tracing is None else bool(tracing.enabled),
        before.encryption if encryption is None else encryption_text(encryption),
    )


def shown(settings: Settings) -> dict[str, Any]:
    """Settings as DescribeStateMachine shows them, but for the role."""
    return {
        "loggingConfiguration": loads(settings.logging) if settings.logging else NO_LOGGING,
        "tracingConfiguration": {"enabled": settings.tracing},
        "encryptionConfiguration": shown_encryption(settings.encryption),
    }


def shown_encryption(text: bytes) -> dict[str, Any]:
    """How a state machine or an activity is said to be encrypted. The engine itself encrypts nothing."""
    return loads(text) if text else {"type": OWNED_KEY}


def logging_text(given: model.LoggingConfiguration) -> bytes:
    """A logging configuration, as it is kept; empty for the default one. Raises ``Fault``."""
    level = given.level or "OFF"
    destinations = given.destinations or []
    if (level != "OFF" or destinations) and len(destinations) != 1:
        raise _invalid_logging("Must specify exactly one Log Destination.")
    configuration: dict[str, Any] = {"level": level, "includeExecutionData": bool(given.include_execution_data)}
    if destinations:
        group = destinations[0].cloud_watch_logs_log_group
        if group is None or not group.log_group_arn:
            raise _invalid_logging("Log Destination not found.")
        configuration["destinations"] = [{"cloudWatchLogsLogGroup": {"logGroupArn": group.log_group_arn}}]
    return b"" if configuration == NO_LOGGING else _encode(configuration)


def encryption_text(given: model.EncryptionConfiguration) -> bytes:
    """An encryption configuration, as it is kept; empty for the default one. Raises ``Fault``."""
    seconds = given.kms_data_key_reuse_period_seconds
    if given.type == OWNED_KEY:
        if given.kms_key_id is not None or seconds is not None:
            raise _invalid_encryption(f"a key of AWS ({OWNED_KEY}) has no kmsKeyId and no reuse period")
        return b""
    if given.kms_key_id is None:
        raise _invalid_encryption(f"{given.type} needs a kmsKeyId")
    return _encode(
        {
            "kmsDataKeyReusePeriodSeconds": DATA_KEY_SECONDS if seconds is None else seconds,
            "kmsKeyId": given.kms_key_id,
            "type": given.type,
        }
    )


def _invalid_logging(reason: str) -> Fault:
    return Fault("InvalidLoggingConfiguration", f"Invalid Logging Configuration: {reason}")


def _invalid_encryption(reason: str) -> Fault:
    return Fault("InvalidEncryptionConfiguration", f"Invalid Encryption Configuration: {reason}")
