"""The files of the console as browsers get them: read once, joined, compressed, named by a hash.

The page names all other files by a path that begins with the hash of all of them. So browsers keep them for ever, and a
new version is loaded whole.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cached_property
from pathlib import Path

from .bundle import bundled

FOLDER = Path(__file__).parent / "static"
PAGE, SCRIPT = "index.html", "app.js"
_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
}
_BASE = b"{base}"


class Asset:
    """A file of the console."""

    def __init__(self, content_type: bytes, content: bytes) -> None:
        self.content_type, self.content = content_type, content

    @cached_property
    def compressed(self) -> bytes:
        """The content, compressed with gzip."""
        return gzip.compress(self.content, 9, mtime=0)

    @cached_property
    def tag(self) -> bytes:
        """The content's entity tag."""
        return b'"%s"' % hashlib.sha256(self.content).hexdigest()[:32].encode()


class Assets:
    """All files of a folder, by their paths in it; the modules are one."""

    def __init__(self, folder: Path = FOLDER) -> None:
        found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
        contents = {name: path.read_bytes() for name, path in found.items() if path.suffix in _TYPES}
        modules = {name: text.decode() for name, text in contents.items() if name.endswith(".js")}
        contents[SCRIPT] = bundled(modules, SCRIPT).encode()
        self.files = {
            name: Asset(_TYPES[found[name].suffix], content)
            for name, content in contents.items()
            if name == SCRIPT or name not in modules
        }
        whole = hashlib.sha256(b"".join(name.encode() + asset.tag for name, asset in self.files.items()))
        self.version = whole.hexdigest()[:16]
        """The hash of all files: the first part of their paths."""
        page = self.files.pop(PAGE)
        self.page = Asset(page.content_type, page.content.replace(_BASE, f"/console/{self.version}".encode()))
        """What every address of the console shows first."""

    def find(self, path: str) -> Asset | None:
        """The file at a path below the console's, ``VERSION/NAME``; None: there is none."""
        version, _, name = path.partition("/")
        return self.files.get(name) if version == self.version else None
