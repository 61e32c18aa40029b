"""Options of the fixtures: of the ini file, of the command line, of the marker. The last one counts."""

from __future__ import annotations

from typing import Any

import pytest

MARKER = "stepwell"


def add_options(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("stepwell")
    group.addoption("--stepwell-seed", type=int, help="seed of random choices of the stepwell fixtures (default: 0)")
    group.addoption("--stepwell-folder", action="store_true", default=None, help="stepwell fixtures use folders")
    _add_coverage_options(group)
    parser.addini("stepwell_folder", "stepwell fixtures use folders below tmp_path", type="bool", default=False)
    parser.addini("stepwell_partitions", "partitions of the stepwell fixtures", default="1")
    parser.addini("stepwell_profile", "profile of the stepwell fixtures: default or aws", default="default")
    parser.addini("stepwell_seed", "seed of random choices of the stepwell fixtures", default="0")
    parser.addini("stepwell_strict", "mocks of the stepwell fixtures are strict", type="bool", default=False)
    parser.addini("stepwell_start", "where the virtual clock of the stepwell fixtures begins", default="")


def _add_coverage_options(group: pytest.OptionGroup) -> None:
    group.addoption("--stepwell-cov", action="store_true", help="tell which states, rules, catchers … tests reached")
    group.addoption("--stepwell-cov-json", metavar="FILE", help="write the coverage to a JSON file")
    group.addoption("--stepwell-cov-html", metavar="FILE", help="write a page with drawings of what was never reached")
    group.addoption("--stepwell-cov-fail-under", type=float, metavar="N", help="fail if less than N %% was covered")


def is_coverage_wanted(config: pytest.Config) -> bool:
    """Whether any of the options of coverage is given."""
    names = ("--stepwell-cov", "--stepwell-cov-json", "--stepwell-cov-html", "--stepwell-cov-fail-under")
    return any(config.getoption(name) not in (None, False) for name in names)


def options_of(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The options of the test that asks for a fixture."""
    config = request.config
    options: dict[str, Any] = {
        "folder": config.getini("stepwell_folder"),
        "partitions": int(config.getini("stepwell_partitions")),
        "profile": config.getini("stepwell_profile"),
        "strict": config.getini("stepwell_strict"),
        "seed": int(config.getini("stepwell_seed")),
    }
    if config.getini("stepwell_start"):
        options["start"] = config.getini("stepwell_start")
    for name in ("seed", "folder"):
        given = config.getoption(f"--stepwell-{name}")
        if given is not None:
            options[name] = given
    for marker in reversed(list(request.node.iter_markers(MARKER))):  # the closest one last
        if marker.args:
            raise pytest.UsageError(f"@pytest.mark.{MARKER} takes options by name, not {marker.args!r}")
        options |= marker.kwargs
    return options
