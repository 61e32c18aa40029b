"""No file of a Rust crate is in a circle of files that use each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from layout.rust_support import rust_imports
from layout.support import circles

RUST = Path(__file__).parents[2] / "rust"


# An interpreter's values hold functions, its functions evaluate, and its errors show values: these files are one unit.
# Nothing else may get into a circle.
INTERPRETER = {
    *("ast", "error", "evaluator", "frame", "function", "functions", "json", "limits", "object", "operators"),
    *("picture::date", "picture::date_parse", "picture::date_picture", "picture::format_number", "picture::integer"),
    *("picture::number_picture", "picture::words", "signature", "value"),
}
# The parts of one type's implementation, in several files.
MEANING = {"ancestry", "meaning", "meaning::paths"}
KNOWN = {"query": [{f"jsonata::{name}" for name in names} for names in (INTERPRETER, MEANING)]}


@pytest.mark.parametrize("crate", ["cluster", "core", "query", "python"])
def test_no_file_is_in_a_circle(crate: str) -> None:
    known = KNOWN.get(crate, [])
    found = [
        circle
        for circle in circles(rust_imports(RUST / crate / "src"))
        if not any(set(circle) <= each for each in known)
    ]
    assert found == []


def test_a_name_that_a_folder_passes_on_counts_for_the_file_that_has_it(tmp_path: Path) -> None:
    files = {
        "lib.rs": "mod a;\nmod b;",
        "a/mod.rs": "mod one;\nmod two;\npub use one::{One, other as another};",
        "a/one.rs": "pub struct One;\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}",
        "a/two.rs": "use super::One;\nuse crate::{\n    b::B, // and nothing else\n};",
        "b.rs": "use crate::a::another;\nuse std::io;\npub struct B;",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = rust_imports(tmp_path)
    assert found == {"": set(), "a": set(), "a::one": set(), "a::two": {"a::one", "b"}, "b": {"a::one"}}
