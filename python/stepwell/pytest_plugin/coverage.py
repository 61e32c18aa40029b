"""Coverage of workflows over a test run: the summary in pytest's output, files, workers of pytest-xdist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stepwell.testing.coverage import Coverage, collecting, html_report, text_report

_KEY = "stepwell_coverage"
PLUGIN = "stepwell-coverage"


class CoveragePlugin:
    """Collects the coverage of a session. A worker of pytest-xdist sends its own to the controller."""

    def __init__(self, config: pytest.Config) -> None:
        self.coverage = Coverage()
        self._config = config
        self._collecting = collecting(self.coverage)
        self._collecting.__enter__()
        self._failures: list[str] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker has ended: add what it collected."""
        sent = getattr(node, "workeroutput", {}).get(_KEY)
        if sent is not None:
            self.coverage.combine(Coverage.of_json(sent))
        else:
            self._failures.append(f"the coverage of {node.gateway.id} is lost: the worker has crashed")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the files, and decide whether enough was covered."""
        config = self._config
        worker_output: dict[str, Any] | None = getattr(config, "workeroutput", None)
        if worker_output is not None:
            worker_output[_KEY] = self.coverage.to_json()
            return
        for name, content in (
            ("--stepwell-cov-json", self.coverage.to_json),
            ("--stepwell-cov-html", lambda: html_report(self.coverage)),
        ):
            path = config.getoption(name)
            if path is not None:
                self._write(Path(path), content())
        least = config.getoption("--stepwell-cov-fail-under")
        if least is not None and round(self.coverage.percent, 2) < least:
            self._failures.append(f"{self.coverage.percent:.2f} % is covered, less than {least:g} %")
        if self._failures and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self, path: Path, content: str) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        except OSError as error:
            self._failures.append(f"cannot write {path}: {error.strerror or error}")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table."""
        terminalreporter.section("stepwell coverage")
        for line in text_report(self.coverage):
            terminalreporter.write_line(line)
        for failure in self._failures:
            terminalreporter.write_line(f"ERROR: stepwell coverage: {failure}", red=True)

    def pytest_unconfigure(self) -> None:
        """End collecting."""
        self._collecting.__exit__(None, None, None)


def coverage_of(config: pytest.Config) -> Coverage:
    """The coverage of the session, or one that nobody reads."""
    plugin = config.pluginmanager.getplugin(PLUGIN)
    return plugin.coverage if isinstance(plugin, CoveragePlugin) else Coverage()
