"""The files of the console, read once: each with its content type, compressed, and a name that is its content's hash.

The page names all other files by a path that begins with the hash of all of them. So browsers keep them for ever, and a
new version is loaded whole.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
PAGE = "index.html"
_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
}
_BASE, _PRELOADS = b"{base}", b"<!-- preloads -->"


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
    """All files of a folder, by their paths in it."""

    def __init__(self, folder: Path = FOLDER) -> None:
        found = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES and path.is_file())
        self.files = {
            path.relative_to(folder).as_posix(): Asset(_TYPES[path.suffix], path.read_bytes()) for path in found
        }
        whole = hashlib.sha256()
        for name, asset in self.files.items():
            whole.update(name.encode() + asset.tag)
        self.version = whole.hexdigest()[:16]
        """The hash of all files: the first part of their paths."""
        page = self.files.pop(PAGE)
        self.page = Asset(page.content_type, self._filled(page.content))
        """What every address of the console shows first."""

    def find(self, path: str) -> Asset | None:
        """The file at a path below the console's, ``VERSION/NAME``; None: there is none."""
        version, _, name = path.partition("/")
        return self.files.get(name) if version == self.version else None

    def _filled(self, page: bytes) -> bytes:
        """The page with the paths of its files. Modules are named in it, or each would wait for the one before."""
        modules = [name for name in self.files if name.endswith(".js")]
        preloads = "\n".join(f'<link rel="modulepreload" href="/console/{self.version}/{name}">' for name in modules)
        return page.replace(_PRELOADS, preloads.encode()).replace(_BASE, f"/console/{self.version}".encode())
