"""What is wrong with a definition, asked without an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stepwell.engine.limits import AWS, limits_of
from stepwell.engine.quoting import shown
from stepwell.errors import InvalidInput

from .arguments import TYPES, Definition, definition_text

if TYPE_CHECKING:
    from stepwell.asl.validate import Diagnostic


def validate(definition: Definition, *, type: str = "STANDARD", profile: str = "default") -> list[Diagnostic]:
    """Every problem of a definition, with its place: what ``deploy`` under this profile refuses, and warnings.

    ``definition`` is a dict, JSON text, or the path of a JSON or YAML file; ``type`` is STANDARD or EXPRESS.
    ``severity`` is ``ERROR`` or ``WARNING``; ``code``, ``message`` and ``location`` are those of AWS's
    ValidateStateMachineDefinition. ``profile="aws"`` refuses names of handlers as resources, and more than 1 MiB.
    Raises ``InvalidDefinition`` for what cannot be read at all, ``InvalidInput`` for an unknown type or profile.
    """
    from stepwell.asl.lints import review
    from stepwell.asl.validate import MAX_CHARACTERS

    is_aws = limits_of(profile, None).profile == AWS
    if type not in TYPES:
        raise InvalidInput(f"the type of a workflow is {' or '.join(TYPES)}, not {shown(type)}")
    text = definition_text(definition)
    return review(text, type, local_resources=not is_aws, max_characters=MAX_CHARACTERS if is_aws else None)
