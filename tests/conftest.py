"""What all tests share: reports that pytest-xdist can send from the process that ran a test."""

from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, dict[str, Any] | None, Any]:
    """xdist sends reports as UTF-8, which has no lone surrogates; some tests print them or fail with them."""
    return _without_surrogates((yield))


def _without_surrogates(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
        case list():
            return [_without_surrogates(item) for item in value]
        case tuple():  # a skipped test's place
            return tuple(map(_without_surrogates, value))
        case _:
            return value
