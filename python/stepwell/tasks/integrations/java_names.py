"""Names that AWS's SDK for Java 2 derives from a service's model: error prefixes and exceptions of ``aws-sdk:*``.

Its code generator splits a name into words and capitalizes each: ``ACM PCA`` → ``AcmPca``.
"""

from __future__ import annotations

import re

_STEPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[^A-Za-z0-9]+", " "),
        (r"([^a-z]{2,})v([0-9]+)", r"\1 v\2 "),  # a version is a word of its own: SESv2
        (r"([^A-Z]{2,})V([0-9]+)", r"\1 V\2 "),
        (r"(?<=[a-z])(?=[A-Z][a-zA-Z0-9])", " "),
        (r"([A-Z]+)([A-Z][a-z])", r"\1 \2"),  # an acronym ends: KMSInvalid
        (r"([0-9])([a-zA-Z])", r"\1 \2"),
    )
)
# Services for which AWS's guide ("Supported AWS SDK service integrations") differs from the rule.
_DOCUMENTED = {"MemoryDb": "MemoryDB"}


def pascal(name: str) -> str:
    """A name in the form of the SDK's class names."""
    for pattern, replacement in _STEPS:
        name = pattern.sub(replacement, name)
    return "".join(word.capitalize() for word in name.split())


def error_prefix(service_id: str) -> str:
    """The prefix of a service's errors, by its ``serviceId``: ``Config Service`` → ``Config``."""
    name = pascal(service_id)
    for vendor in ("Amazon", "Aws"):
        name = name.removeprefix(vendor)
    name = name.removesuffix("Service")
    return _DOCUMENTED.get(name, name)


def exception_name(shape: str) -> str:
    """The exception of an error shape: ``NoSuchBucket`` → ``NoSuchBucketException``."""
    name = shape.removesuffix("Fault") if shape.endswith("Fault") else shape
    name = pascal(name)
    return name if shape.endswith("Exception") else f"{name}Exception"
