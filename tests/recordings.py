"""AWS's recorded answers, and the scorer that comes with them."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SHARED = Path(os.environ.get("STEPWELL_SHARED") or Path(__file__).parents[2] / "shared")
RECORDINGS = SHARED / "conformance"
KNOWN = Path(__file__).parent / "conformance" / "known_differences.toml"


@contextmanager
def recordings_runner() -> Iterator[Any]:
    """The recordings' own scorer, as a module."""
    sys.path.insert(0, str(RECORDINGS))
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        spec = importlib.util.spec_from_file_location("conformance_run", RECORDINGS / "run.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(RECORDINGS))
        sys.dont_write_bytecode = before
