"""Ids of activities, map runs, children, tasks and names: how they are made, and what they are within.

The formats are those of ``stepwell._core``.
"""

from __future__ import annotations

import re
from typing import Final

from stepwell import _core

_SUFFIXES: Final = tuple(f"/{number:08x}" for number in range(1024))

NUMBERS: Final = 0xFFFF_FFFF
"""The largest task number. Numbers have 8 hex digits and wrap around."""
CHILD_LISTS: Final = "\U0010fffd"
"""Begins the names of lists of child executions. They come after those of all workflows, which cannot contain it."""


REDRIVEN: Final = "/redriven"
"""Ends the names of the lists of executions that were redriven, in AWS's order."""

_DEFAULT: Final = "default"
_EXECUTION: Final = re.compile(r"/([^/]+)/([^/]+)/(e[0-9a-f]{7})/([0-9a-f]{16})")
_SHORT: Final = re.compile(r"(?:([A-Za-z0-9_]+)-([A-Za-z0-9_]+)-)?(e[0-9a-f]{7})-([0-9a-f]{16})")
_OWN_NAME: Final = re.compile(r"[0-9a-f]{7}([0-9a-f])-([0-9a-f]{4})-4([0-9a-f]{3})-[89ab]([0-9a-f]{3})-([0-9a-f]{12})")
_VARIANTS: Final = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
_ESCAPED: Final = re.compile(r"((?:_[0-9a-f]{2})+)")
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def short_id(id: str) -> str:
    """An execution's id in letters, digits, ``-`` and ``_``, as a segment of a URL's path may have them.

    ``/default/default/e1234567/0123456789abcdef`` is ``e1234567-0123456789abcdef``. Another tenant or namespace comes
    before that, each byte that is no letter and no digit as ``_`` and two hex digits.
    """
    match = _EXECUTION.fullmatch(id)
    assert match is not None, id
    tenant, namespace, *rest = match.groups()
    place = [] if tenant == namespace == _DEFAULT else [_escaped(tenant), _escaped(namespace)]
    return "-".join([*place, *rest])


def long_id(text: str) -> str:
    """The id of a short one; any other text as it is."""
    match = _SHORT.fullmatch(text)
    if match is None:
        return text
    tenant, namespace, *rest = match.groups()
    try:
        place = [_DEFAULT, _DEFAULT] if tenant is None else [_unescaped(tenant), _unescaped(namespace)]
    except ValueError:  # what is escaped there is not UTF-8
        return text
    return "/".join(["", *place, *rest])


def own_name(id: str) -> str:
    """The name of an execution that was given none: a UUID, as on AWS, that its id can be read from.

    The version's and the variant's digits apart, it has the 23 digits of the id, behind 7 that are computed from them.
    """
    *_, part, tick = id.split("/")
    check = _core.hash7(part + tick)
    return f"{check}{part[1]}-{part[2:6]}-4{part[6:]}{tick[0]}-{_VARIANTS[check[0]]}{tick[1:4]}-{tick[4:]}"


def id_of_name(tenant: str, namespace: str, name: str) -> str | None:
    """The id that a name made by ``own_name`` stands for; None: it was not made so."""
    match = _OWN_NAME.fullmatch(name)
    if match is None:
        return None
    one, two, three, four, five = match.groups()
    id = f"/{tenant}/{namespace}/e{one}{two}{three[:2]}/{three[2]}{four}{five}"
    return id if own_name(id) == name else None


def _escaped(name: str) -> str:
    return "".join(sign if sign in _PLAIN else "".join(f"_{byte:02x}" for byte in sign.encode()) for sign in name)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: bytes.fromhex(match[0].replace("_", "")).decode(), text)


def activity_id(execution_id: str, number: int) -> str:
    """The id of an execution's ``number``-th activity."""
    return execution_id + (_SUFFIXES[number] if number < 1024 else f"/{number:08x}")


def execution_of(id: str) -> str:
    """The execution of a map run, or of a child of one."""
    return "/".join(id.split("/", 5)[:5])


def activity_of(id: str) -> str:
    """The state of a map run, of a branch or of an iteration."""
    return id.rpartition("/")[0]


def run_of(child_id: str) -> str:
    """The map run of a child."""
    return child_id.rpartition("/")[0]


def child_list(run_id: str) -> str:
    """The list of executions that the children of a map run are in."""
    return CHILD_LISTS + run_id


def idempotency_key(execution_id: str, workflow: str, name: str) -> str:
    """The key within which a user's name is unique: tenant, namespace, workflow."""
    tenant, namespace = execution_id.split("/")[1:3]
    return f"/{tenant}/{namespace}/{workflow}/{name}"


def qualified_lists(workflow: str, qualifier: str) -> list[str]:
    """The lists of the published version, and of the alias, that an execution was started by.

    ``prod:3`` is the version 3 that the alias ``prod`` chose, ``3`` the version itself. No workflow's name has a colon.
    """
    published = published_part(qualifier)
    return [f"{workflow}:{part}" for part in published.split(":")] if published else []


def versions_sequence(workflow: str) -> str:
    """The name of the sequence of a workflow's published versions."""
    return f"versions {workflow}"


def tags_of_workflow(name: str) -> str:
    """The name under which the tags of a workflow are kept."""
    return f"stateMachine:{name}"


def tags_of_activity(name: str) -> str:
    """The name under which the tags of an activity are kept."""
    return f"activity:{name}"


def later_task(last: int, number: int) -> int:
    """The count of used task numbers, with this task's ``number``; ``last`` is the count before."""
    ahead = (number - last) & NUMBERS
    return last + ahead if ahead < 1 << 31 else last


def mock_case_of(qualifier: str) -> str:
    """The test case of a mock file that an execution was started by, which ends its qualifier; empty: none."""
    return qualifier.partition("#")[2]


def mock_part(qualifier: str) -> str:
    """What the children of an execution's map runs have of its qualifier."""
    return "".join(qualifier.partition("#")[1:])


def published_part(qualifier: str) -> str:
    """The published version, and the alias, of a qualifier."""
    return qualifier.partition("#")[0]
