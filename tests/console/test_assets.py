"""The console's files: what is vendored is what its script fetched, all is small, and the page names each file."""

from __future__ import annotations

import hashlib
import re

from stepwell.console.assets import FOLDER, Assets

MOST_BYTES = 60 << 10
"""Of all files together, compressed."""


def test_vendored_files_are_those_that_the_script_fetched() -> None:
    lines = (FOLDER / "vendor" / "hashes.txt").read_text().splitlines()
    expected = {name: digest for digest, name in map(str.split, lines)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (FOLDER / "vendor").iterdir()
        if path.name != "hashes.txt"
    }
    assert found == expected


def test_a_vendored_module_has_its_licence() -> None:
    names = {path.name for path in (FOLDER / "vendor").iterdir()}
    for package in ("dagre", "graphlib", "htm", "preact"):
        assert f"LICENSE-{package}.txt" in names


def test_all_files_together_are_small() -> None:
    assets = Assets()
    loaded = [asset for name, asset in assets.files.items() if not name.endswith(".txt")]
    assert sum(len(asset.compressed) for asset in (*loaded, assets.page)) <= MOST_BYTES


def test_the_page_names_its_files_and_each_module_imports_what_is_there() -> None:
    assets = Assets()
    page = assets.page.content.decode()
    named = re.findall(rf'"/console/{assets.version}/([^"]+)"', page)
    modules = {name for name in assets.files if name.endswith(".js")}
    assert modules <= set(named) <= set(assets.files)
    for name in modules:
        if name.startswith("vendor/"):
            continue
        text = assets.files[name].content.decode()
        for target in re.findall(r'from "(\.[^"]+)"', text):
            folder = name.split("/")[:-1]
            for part in target.split("/"):
                folder = folder[:-1] if part == ".." else folder if part == "." else [*folder, part]
            assert "/".join(folder) in assets.files, f"{name} imports {target}"


def test_no_module_makes_html_of_texts() -> None:
    dangerous = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|\beval\(")
    for path in FOLDER.rglob("*.js"):
        if path.parent.name != "vendor":
            assert not dangerous.search(path.read_text()), path
