"""The console's files over HTTP: open to whoever reaches the server, since they say nothing of what it has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from stepwell.console.assets import Asset, Assets

from .answers import Answer

PATH = "/console"
POLICY = (
    b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    b"require-trusted-types-for 'script'"
)
_SAFETY = (
    (b"content-security-policy", POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"vary", b"accept-encoding"),
)
_FOREVER = (b"cache-control", b"public, max-age=31536000, immutable")
_ASK_AGAIN = (b"cache-control", b"no-cache")


class Console:
    """Answers what is below ``/console``. The files are read when somebody first opens it."""

    @cached_property
    def _assets(self) -> Assets:
        return Assets()

    def answer(self, path: str, headers: Mapping[bytes, bytes]) -> Answer:
        """A file; at every other address the page, whose script shows what the address names."""
        if path == PATH:
            return Answer(308, b"", b"text/plain", ((b"location", b"/console/"), *_SAFETY))
        below = path.removeprefix(PATH + "/")
        asset = self._assets.find(below)
        if asset is not None:
            return _file(asset, headers, _FOREVER)
        if "." in below.rpartition("/")[2] and below.endswith((".js", ".css", ".svg")):  # of another version
            return Answer(404, b"There is no such file.", b"text/plain", _SAFETY)
        return _file(self._assets.page, headers, _ASK_AGAIN)


def _file(asset: Asset, headers: Mapping[bytes, bytes], caching: tuple[bytes, bytes]) -> Answer:
    more = (*_SAFETY, caching, (b"etag", asset.tag))
    if asset.tag in headers.get(b"if-none-match", b""):
        return Answer(304, b"", asset.content_type, more)
    if b"gzip" in headers.get(b"accept-encoding", b""):
        return Answer(200, asset.compressed, asset.content_type, (*more, (b"content-encoding", b"gzip")))
    return Answer(200, asset.content, asset.content_type, more)


def is_below(path: str) -> bool:
    """Whether a path is the console's."""
    return path == PATH or path.startswith(PATH + "/")
