"""JSON that requests carry as text: parsed once, and refused with the text of AWS's parser."""

from __future__ import annotations

from stepwell.asl.json import loads
from stepwell.engine.log.document import Document, compact
from stepwell.errors import InvalidInput

EMPTY = Document(b"{}")


def parsed(text: str) -> Document:
    """The document of a text, which is kept as it is. Raises ``InvalidInput`` for what is not JSON."""
    data = text.encode()
    return Document(data, loads(data))


def compacted(text: str) -> Document:
    """The document of a text, written compactly. Raises ``InvalidInput`` for what is not JSON."""
    return compact(parsed(text))


def problem(text: str) -> str:
    """What AWS's parser says of a text that is not JSON."""
    from stepwell.asl.validate.json_text import syntax_error  # only a refusal needs it

    if not text.strip():
        return "Invalid execution input."
    error = syntax_error(text)
    return "Invalid execution input." if error is None else error.message


def execution_input(text: str | None) -> Document:
    """The input of an execution; without one it is ``{}``. Raises ``InvalidInput``, whose text is AWS's."""
    if text is None:
        return EMPTY
    try:
        return parsed(text)
    except InvalidInput:
        raise InvalidInput(f"Invalid State Machine Execution Input: '{problem(text)}'") from None
