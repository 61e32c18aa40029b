"""Shapes and colours of drawings, from ``style.json``; a test compares the console's with them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias

from stepwell.asl.json import loads

Theme: TypeAlias = Literal["light", "dark"]
_THEMES: dict[Theme, int] = {"light": 0, "dark": 1}


@cache
def style() -> dict[str, Any]:
    """The content of ``style.json``."""
    return loads((files("stepwell.graph") / "style.json").read_bytes())


def shape_of(kind: str) -> str:
    """The shape of a type of state, of Start and of End."""
    return style()["shapes"][kind]


def colour(name: str, theme: Theme = "light") -> str:
    """A colour by its name."""
    return style()["colours"][name][_THEMES[theme]]


def status_colour(status: str, theme: Theme = "light") -> str:
    """The colour of a status."""
    return style()["statuses"][status]["colour"][_THEMES[theme]]


def sign(status: str) -> str:
    """The sign that stands before the name of a state with a status: colours are not for everybody."""
    return style()["statuses"][status]["sign"]


def status_label(status: str) -> str:
    """A status in words."""
    return style()["statuses"][status]["label"]


def statuses() -> list[str]:
    """All statuses."""
    return list(style()["statuses"])


def size(name: str) -> float:
    """A size in pixels, or a share."""
    return style()["sizes"][name]
