"""The console's files: what is vendored is what its script fetched, all is small, and the page names each file."""

from __future__ import annotations

import hashlib
import re

import pytest

from stepwell.console.assets import FOLDER, Assets
from stepwell.console.bundle import bundled

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
    for package in ("htm", "preact"):
        assert f"LICENSE-{package}.txt" in names


def test_all_files_together_are_small() -> None:
    assets = Assets()
    loaded = [asset for name, asset in assets.files.items() if not name.endswith(".txt")]
    assert sum(len(asset.compressed) for asset in (*loaded, assets.page)) <= MOST_BYTES


def test_the_page_names_its_files_and_no_other() -> None:
    assets = Assets()
    named = re.findall(rf'"/console/{assets.version}/([^"]+)"', assets.page.content.decode())
    assert set(named) <= set(assets.files)
    assert {"app.js", "style.css"} <= set(named)
    assert assets.page.content.count(b"<script") == 1


def test_modules_are_joined_in_the_order_of_their_imports() -> None:
    text = bundled(
        {
            "app.js": 'import { two as deux } from "./lib/b.js";\nexport const one = deux;\n',
            "lib/b.js": '/** A number. */\nimport { h } from "../vendor/v.js";\nexport function two() {}\n',
            "vendor/v.js": "var a=1;export{a as h};",
        },
        "app.js",
    )
    assert [line for line in text.splitlines() if line.startswith("$")] == [
        '$["vendor/v.js"] = (() => {var a=1;return {h: a};})();',
        '$["lib/b.js"] = (() => {',
        '$["app.js"] = (() => {',
    ]
    assert 'const { two: deux } = $["lib/b.js"];' in text
    assert "A number" not in text


def test_a_module_that_exports_in_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match=r"app\.js"):
        bundled({"app.js": "export default 1;\n"}, "app.js")


def test_no_module_makes_html_of_texts() -> None:
    dangerous = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|\beval\(")
    for path in FOLDER.rglob("*.js"):
        if path.parent.name != "vendor":
            assert not dangerous.search(path.read_text()), path
