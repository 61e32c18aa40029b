"""Checks a site that was built: links and anchors lead somewhere, and a page asks no other host for anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

UNREAD = re.compile(r"<p>(?:[^<]|<(?!/p>))*\n(- |\d+\. |\|)[^<]*")
"""A list or a table within a paragraph: it needs an empty line before it."""

FETCHED = {("img", "src"), ("script", "src"), ("iframe", "src"), ("source", "src"), ("link", "href"), ("video", "src")}
"""The attributes whose addresses a browser asks for by itself."""

NOT_FETCHED = {"canonical", "alternate", "next", "prev", "edit", "license"}
"""Of a ``link``: the relations that name a place, which nobody asks for."""


class Page(HTMLParser):
    """The links, anchors and requests of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        for name, value in values.items():
            if (tag, name) in FETCHED and values.get("rel") not in NOT_FETCHED:
                self.fetched.append(value)


def problems(site: Path) -> list[str]:
    """All that is wrong with a site."""
    pages = {file: Page(file.read_text(encoding="utf-8")) for file in sorted(site.rglob("*.html"))}
    found: list[str] = []
    for file, page in pages.items():
        where = file.relative_to(site)
        if where.name == "404.html":  # its links hold at any depth: they begin with the site's address
            continue
        found += [f"{where}: not read as a list or a table: {text!r}" for text in unread(file)]
        found += [f"{where}: a request of {url}" for url in page.fetched if is_elsewhere(url)]
        found += [f"{where}: the link {link} {wrong}" for link in page.links for wrong in wrong_with(file, link, pages)]
        found += [
            f"{where}: no file for {url}" for url in page.fetched if not is_elsewhere(url) and is_missing(file, url)
        ]
    for style in site.rglob("*.css"):
        foreign = re.findall(r"url\(['\"]?((?:https?:)?//[^)]*)", style.read_text(encoding="utf-8"))
        found += [f"{style.relative_to(site)}: a request of {url}" for url in foreign]
    return found


def unread(file: Path) -> list[str]:
    """The ends of paragraphs that should be lists or tables."""
    return [match[0][-60:] for match in UNREAD.finditer(file.read_text(encoding="utf-8"))]


def is_elsewhere(url: str) -> bool:
    """Whether an address leads to another host."""
    return bool(urlsplit(url).netloc)


def is_missing(file: Path, url: str) -> bool:
    """Whether a page asks for a file that the site does not have."""
    parts = urlsplit(url)
    return parts.scheme != "data" and not (file.parent / unquote(parts.path)).exists()


def wrong_with(file: Path, link: str, pages: dict[Path, Page]) -> Iterator[str]:
    """What is wrong with a link of a page."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        is_well_formed = parts.scheme in ("https", "http") and re.fullmatch(r"[\w-]+(\.[\w-]+)+(:\d+)?", parts.netloc)
        if not is_well_formed and parts.scheme != "mailto":
            yield "is no address"
        return
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        yield "leads to no file"
    elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
        yield "leads to no heading"
