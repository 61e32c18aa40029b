"""What rust/rocksdb compiles RocksDB with agrees with librocksdb-sys, cargo's configuration and the sdist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def read(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))


def test_the_script_knows_the_value_that_the_configuration_sets() -> None:
    """With another value it compiles nothing, and the linker finds no RocksDB."""
    marker = re.search(r'^const MARKER: &str = "(.*)";', (ROOT / "rust/rocksdb/build.rs").read_text(), re.MULTILINE)
    assert marker is not None
    assert read(".cargo/config.toml")["env"] == {"ROCKSDB_LIB_DIR": marker[1]}


def test_the_sdist_has_the_configuration() -> None:
    assert {"path": ".cargo/config.toml", "format": "sdist"} in read("pyproject.toml")["tool"]["maturin"]["include"]


def test_the_features_are_those_of_the_bindings() -> None:
    """Other features would be other options of the compiler (LZ4, SNAPPY, …) than this script's."""
    ours = read("rust/rocksdb/Cargo.toml")["dependencies"]["librocksdb-sys"]
    rocksdb = read("rust/core/Cargo.toml")["dependencies"]["rocksdb"]
    assert ours["default-features"] is rocksdb["default-features"] is False
    assert set(ours["features"]) == set(rocksdb["features"]) == {"lz4", "bindgen-runtime"}
