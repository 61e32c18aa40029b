"""Stages the pages of the site: copies of the documents, with the links that hold there.

A document of the project links to files of the repository, as a reader of the repository needs it. On the site, a link
to a document leads to its page, and one to another file to a copy of that file below ``files/``.
"""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

ROOT_PAGES = {
    "ARCHITECTURE.md": "project/architecture.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "ROADMAP.md": "project/roadmap.md",
    "SECURITY.md": "project/security.md",
    "README.md": "index.md",
}
"""Documents outside of ``docs/``, and their pages. The readme's place is taken by a page of its own."""

LIST_OF_EXAMPLES = "examples/README.md"

LINK = re.compile(r"(\]\()([^)\s]+)(\))")
CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
LANGUAGES = {".py": "python", ".json": "json", ".toml": "toml", ".yaml": "yaml", ".sh": "sh", ".js": "javascript"}


def stage(root: Path, target: Path) -> list[str]:
    """Write all pages below ``target``; returns their paths."""
    pages = page_paths(root)
    for source, page in pages.items():
        if source == "README.md":
            continue
        text = (root / source).read_text(encoding="utf-8")
        if source.startswith("examples/") and source != LIST_OF_EXAMPLES:
            text += sources_of_example(root / source)
        file = target / page
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(relinked(without_diagrams(text), source, page, pages, root, target), encoding="utf-8")
    copy(Path(__file__).with_name("site.css"), target / "assets/site.css")
    for picture in (root / "docs").rglob("*"):
        if picture.suffix in (".png", ".svg"):
            copy(picture, target / picture.relative_to(root / "docs"))
    return sorted(set(pages.values()))


def page_paths(root: Path) -> dict[str, str]:
    """The paths of all documents in the repository, with those of their pages."""
    pages = dict(ROOT_PAGES)
    for file in sorted((root / "docs").rglob("*.md")):
        page = file.relative_to(root / "docs").as_posix()
        pages[f"docs/{page}"] = re.sub(r"README\.md$", "index.md", page)
    for file in sorted((root / "examples").rglob("README.md")):
        pages[file.relative_to(root).as_posix()] = f"examples/{file.parent.name}.md"
    pages[LIST_OF_EXAMPLES] = "examples/index.md"
    return pages


def sources_of_example(readme: Path) -> str:
    """The files of an example, to be read on its page."""
    parts = ["\n\n## Its files\n"]
    for file in sorted(readme.parent.iterdir()):
        language = LANGUAGES.get(file.suffix)
        if language is not None and file.is_file():
            text = file.read_text(encoding="utf-8").rstrip("\n")
            parts.append(f'```{language} title="{file.name}"\n{text}\n```\n')
    return "\n".join(parts)


def without_diagrams(text: str) -> str:
    """The text with diagrams as text: what draws them would have to be fetched from another host."""
    return text.replace("```mermaid\n", "```text\n")


def relinked(text: str, source: str, page: str, pages: dict[str, str], root: Path, target: Path) -> str:
    """The text of a page with its links as they hold on the site."""

    def link(match: re.Match[str]) -> str:
        before, address, after = match.groups()
        path, hash_sign, heading = address.partition("#")
        if "://" in address or not path:
            return match[0]
        wanted = os.path.normpath(PurePosixPath(source).parent / path)
        place = place_of(wanted, pages, root, target)
        if place is None:
            raise SystemExit(f"{source}: nothing is at {address}")
        return before + os.path.relpath(place, PurePosixPath(page).parent) + hash_sign + heading + after

    parts = CODE.split(text)
    return "".join(part if CODE.fullmatch(part) else LINK.sub(link, part) for part in parts)


def place_of(path: str, pages: dict[str, str], root: Path, target: Path) -> str | None:
    """Where on the site a file of the repository is: its page, its place among the pictures, or a copy of it."""
    if path in pages:
        return pages[path]
    if path == "examples":
        return "examples/index.md"
    file = root / path
    if not file.is_file():
        return None
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    copy(file, target / "files" / f"{path}.txt")
    return f"files/{path}.txt"


def copy(file: Path, target: Path) -> None:
    """Copy a file, and make its folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def navigation(config: Path) -> list[tuple[str, str, str]]:
    """The pages of the navigation: section, title, path."""

    def entries(items: list[Any], section: str) -> Iterator[tuple[str, str, str]]:
        for item in items:
            ((title, value),) = item.items()
            if isinstance(value, list):
                yield from entries(value, section or title)
            else:
                yield section, title, value

    return list(entries(tomllib.loads(config.read_text(encoding="utf-8"))["project"]["nav"], ""))


def without_navigation(pages: list[str], titles: list[tuple[str, str, str]]) -> list[str]:
    """The pages that the navigation does not have. Decisions are listed on their own page, and examples on theirs."""
    listed = {path for _, _, path in titles}
    missing = [page for page in pages if page not in listed and not page.startswith(("adr/", "examples/"))]
    return [f"{page} is not in the navigation (scripts/site/zensical.toml)" for page in missing]
