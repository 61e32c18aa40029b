"""Which states, choice rules, catchers, retriers, branches and iterations the executions of a test run went through."""

from .collected import Coverage, WorkflowCoverage, collect_closing, collecting
from .elements import Element, elements_of
from .report import html_report, text_report

__all__ = [
    "Coverage",
    "Element",
    "WorkflowCoverage",
    "collect_closing",
    "collecting",
    "elements_of",
    "html_report",
    "text_report",
]
