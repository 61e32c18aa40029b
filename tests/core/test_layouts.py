"""Records and rows are laid out in Rust as in Python: the same tags, names and fields in the same order."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import fields

from stepwell import _core
from stepwell.engine.log import records
from stepwell.engine.storage import contexts


def layouts(kinds: list[type[Struct]], suffix: str) -> dict[int, tuple[str, list[str]]]:
    """Tag → (name, fields)."""
    return {
        int(str(kind.__struct_config__.tag)): (
            kind.__name__.removesuffix(suffix),
            [field.name for field in fields(kind)],
        )
        for kind in kinds
    }


def test_records() -> None:
    commands = layouts(records.Command.__subclasses__(), "Command")
    events = layouts(records.Event.__subclasses__(), "Event")
    assert _core.record_layouts() == commands | events


def test_rows() -> None:
    assert _core.context_layouts() == layouts(contexts.Context.__subclasses__(), "Context")
