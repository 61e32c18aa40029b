"""Definitions in YAML, as values of JSON. Needs the extra ``yaml`` (PyYAML)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from stepwell.errors import InvalidDefinition

_MAX_VALUES = 1_000_000

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node


def load_yaml(text: str | bytes) -> Any:
    """The value of a YAML document: JSON types only, with unique string keys.

    Raises InvalidDefinition for what is not YAML or does not exist in JSON (dates, NaN, binary, repeated keys).
    """
    try:
        import yaml
    except ImportError as error:
        message = "Reading YAML needs PyYAML: install the extra with `pip install 'stepwell[yaml]'`."
        raise InvalidDefinition(message) from error
    try:
        compose: Any = yaml.compose  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return _Reader(yaml.SafeLoader("")).value(compose(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise InvalidDefinition(f"This is not valid YAML: {error}") from error
    except RecursionError as error:
        raise InvalidDefinition("This YAML is nested too deeply, or holds itself.") from error


class _Reader:
    """Converts nodes to values; refuses a small text whose aliases make a huge value."""

    def __init__(self, loader: Any) -> None:
        self._loader, self._count = loader, 0

    def value(self, node: Node | None) -> Any:
        if node is None:
            return None
        self._count += 1
        if self._count > _MAX_VALUES:
            raise _refused(f"its aliases make more than {_MAX_VALUES} values", node)
        kind = node.tag.rpartition(":")[2]
        if kind == "map":
            return self._mapping(cast("MappingNode", node))
        if kind == "seq":
            return [self.value(item) for item in cast("list[Node]", node.value)]
        if kind in ("str", "null", "bool", "int", "float"):
            return self._scalar(node, kind)
        if kind == "timestamp":
            # Without quotes YAML reads a timestamp as a date; ASL needs its text.
            return node.value
        raise _refused(f"a value of type {node.tag} has no place in JSON", node)

    def _scalar(self, node: Node, kind: str) -> Any:
        try:
            value = getattr(self._loader, f"construct_yaml_{kind}")(node)
        except (ValueError, KeyError) as error:
            raise _refused(f"{node.value!r} is no {kind}", node) from error
        if isinstance(value, float) and not math.isfinite(value):
            raise _refused(f"{node.value} is not a JSON number", node)
        return value

    def _mapping(self, node: MappingNode) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key_node, value_node in cast("list[tuple[Node, Node]]", node.value):
            if key_node.tag.endswith(":merge"):
                raise _refused("the merge key '<<' is not supported", key_node)
            key = key_node.value
            if not isinstance(key, str):
                raise _refused("a key must be a string", key_node)
            if key in members:
                raise _refused(f"the key '{key}' stands twice", key_node)
            members[key] = self.value(value_node)
        return members


def _refused(problem: str, node: Node) -> InvalidDefinition:
    mark = node.start_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}"
    return InvalidDefinition(f"This YAML cannot be a definition: {problem} ({place}).")
