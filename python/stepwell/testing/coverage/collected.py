"""The coverage of workflows: collected from executors, kept as JSON, combined."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepwell.asl.definition import compile_stored
from stepwell.asl.json import dumps, is_object, loads
from stepwell.engine.state.workflows import Workflow
from stepwell.errors import Closed, InvalidInput, StorageError
from stepwell.graph.marks import EdgeKey, Mark, Marks

from .elements import Element, covered_by, described, elements_of

if TYPE_CHECKING:
    from stepwell.asl.machine import StateMachine
    from stepwell.engine.api.base_executor import BaseExecutor

_EDGES = {"rule": "rule", "default": "default", "catcher": "catch", "next": "next"}


class WorkflowCoverage:
    """The coverage of one definition. ``name`` is its workflow's; a second definition of a name is ``order (2)``."""

    def __init__(self, name: str, definition: bytes, hits: Mapping[Element, int] | None = None) -> None:
        self.name, self.definition = name, definition
        self.hits: Counter[Element] = Counter(hits or {})

    @cached_property
    def _machine(self) -> StateMachine:
        return compile_stored(self.definition)

    @cached_property
    def _elements(self) -> list[Element]:
        return elements_of(self._machine)

    @cached_property
    def states(self) -> dict[str, dict[str, Any]]:
        """The definitions of its states, at all levels."""
        return {name: state.definition for name, state in self._machine.by_name.items()}

    def count(self, kind: str | None = None) -> tuple[int, int]:
        """How many elements of a kind (None: of all) were covered, and how many there are."""
        elements = [element for element in self._elements if kind in (None, element.counted_as)]
        return sum(element in self.hits for element in elements), len(elements)

    @property
    def percent(self) -> float:
        """The share of elements that were covered."""
        covered, number = self.count()
        return 100.0 * covered / number

    @property
    def missed(self) -> list[Element]:
        """What was never reached. Of a state that was never reached nothing else is listed."""
        return [
            element
            for element in self._elements
            if element not in self.hits and (element.kind == "state" or Element("state", element.state) in self.hits)
        ]

    def described(self, element: Element) -> str:
        """An element in words."""
        return described(element, self.states[element.state])

    def marks(self) -> Marks:
        """The marks of a drawing that shows what was never reached."""
        states: dict[str, Mark] = {}
        edges: dict[EdgeKey, Mark] = {("", "start", 0): Mark("covered")} if self.hits else {}
        missing: Counter[str] = Counter(element.state for element in self._elements if element not in self.hits)
        for element in self._elements:
            if element.kind == "state":
                status = "missed" if element not in self.hits else "partly-covered" if missing[element.state] else ""
                runs = self.hits[element]
                states[element.state] = Mark(status or "covered", f"×{runs}" if runs > 1 else "")
            elif element.kind in _EDGES:
                edges[element.state, _EDGES[element.kind], element.index] = Mark(
                    "covered" if element in self.hits else "missed"
                )
        edges |= {(each.state, "next", 0): Mark("covered") for each in self.hits if each.kind == "next"}
        return Marks(states, edges, f"{self.name} · {self.percent:.0f} % covered")

    def svg(self) -> str:
        """A drawing that shows what was never reached."""
        from stepwell.graph import draw, graph_of

        return draw(graph_of(loads(self.definition)), "svg", self.marks())

    def as_dict(self) -> dict[str, Any]:
        """Its content for JSON; ``missed`` is for readers."""
        return {
            "workflow": self.name,
            "percent": round(self.percent, 2),
            "missed": [self.described(element) for element in self.missed],
            "hits": {element.key: count for element, count in sorted(self.hits.items())},
            "definition": loads(self.definition),
        }


class Coverage:
    """What executions went through, by definition."""

    def __init__(self) -> None:
        self._found: dict[str, WorkflowCoverage] = {}

    def collect(self, executor: BaseExecutor) -> None:
        """Add what all executions of an open executor did up to now, and the definitions that are deployed in it.

        Collected twice, an execution counts twice; nothing else changes.
        """
        queries = executor.client.queries
        by_id: dict[str, WorkflowCoverage] = {}
        for newest in queries.workflows(None):
            for workflow in queries.workflows(newest.name):
                by_id[workflow.id] = self._of(workflow)
        for row in queries.executions():
            context = queries.context(row.execution_id)
            id = context.workflow_id
            if id not in by_id:  # the processor of a Distributed Map state
                by_id[id] = self._of(queries.workflow_of(id))
            for run in queries.run(context.id).walk():
                by_id[id].hits.update(covered_by(run))

    def _of(self, workflow: Workflow) -> WorkflowCoverage:
        return self.add(WorkflowCoverage(workflow.name, workflow.definition))

    def add(self, found: WorkflowCoverage) -> WorkflowCoverage:
        """Add the coverage of a definition to that of the same definition, which is returned."""
        key = f"{found.name}:{hashlib.sha256(dumps(loads(found.definition))).hexdigest()}"
        known = self._found.setdefault(key, found)
        if known is not found:
            known.hits.update(found.hits)
        return known

    def combine(self, other: Coverage) -> None:
        """Add the coverage that another process collected."""
        for found in other.workflows:
            self.add(WorkflowCoverage(found.name, found.definition, found.hits))

    @property
    def workflows(self) -> list[WorkflowCoverage]:
        """The coverage of each definition, by name."""
        return sorted(self._found.values(), key=lambda found: found.name)

    @property
    def percent(self) -> float:
        """The share of all elements that were covered; 100 if there are none."""
        counts = [found.count() for found in self.workflows]
        number = sum(number for _, number in counts)
        return 100.0 * sum(covered for covered, _ in counts) / number if number else 100.0

    def to_json(self) -> str:
        """All of it as JSON."""
        document = {"percent": round(self.percent, 2), "workflows": [found.as_dict() for found in self.workflows]}
        return dumps(document).decode()

    @classmethod
    def of_json(cls, text: str | bytes) -> Coverage:
        """The coverage in a JSON text. Raises ``InvalidInput`` for another text."""
        document = loads(text)
        coverage = cls()
        try:
            for each in document["workflows"]:
                hits = {Element.of_key(key): int(count) for key, count in each["hits"].items()}
                coverage.add(WorkflowCoverage(str(each["workflow"]), dumps(each["definition"]), hits))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            kind = type(document).__name__ if not is_object(document) else f"no {error}"
            raise InvalidInput(f"this is not the JSON of a coverage: {kind}") from error
        return coverage

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Coverage:
        """The coverage in a file."""
        try:
            return cls.of_json(Path(path).read_bytes())
        except OSError as error:
            raise InvalidInput(f"cannot read the coverage {os.fspath(path)}: {error.strerror or error}") from error


_COLLECTING: list[Coverage] = []


@contextmanager
def collecting(coverage: Coverage) -> Generator[Coverage]:
    """While it lasts, each ``TestExecutor`` adds what its executions did when it is closed."""
    _COLLECTING.append(coverage)
    try:
        yield coverage
    finally:
        _COLLECTING.remove(coverage)


def collect_closing(executor: BaseExecutor) -> None:
    """An executor is being closed: add it to the coverages that are being collected."""
    for coverage in _COLLECTING:
        with suppress(Closed, StorageError):  # it was closed before, or a test has made its disk fail
            coverage.collect(executor)
