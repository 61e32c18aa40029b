"""Access keys and bearer tokens, from their files."""

from __future__ import annotations

import configparser
import hashlib
import hmac
import re
from typing import NamedTuple

from .private_files import UnusableFile, read_private

SHORTEST_SECRET = 16
"""In characters. A shorter one could be guessed from one signed request."""
_NAME = re.compile(r"[A-Za-z0-9_.@+-]{1,64}")
_ACCESS_KEY = re.compile(r"[A-Za-z0-9_]{1,128}")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 §2.1
_ACCESS = {"full": False, "read-only": True}


class Identity(NamedTuple):
    """Who sends a request."""

    name: str
    is_read_only: bool


class AccessKey(NamedTuple):
    """A key whose secret signs requests."""

    secret: str
    identity: Identity


class Keys:
    """What requests may be signed with: ``access_keys`` by their ids, and tokens."""

    def __init__(self, access_keys: dict[str, AccessKey], tokens: list[tuple[str, Identity]]) -> None:
        self.access_keys = access_keys
        self._tokens = [(_digest(token), identity) for token, identity in tokens]

    @property
    def has_tokens(self) -> bool:
        """Whether somebody has a token."""
        return bool(self._tokens)

    def holder(self, token: str) -> Identity | None:
        """Whose bearer token it is. It takes the same time for every text."""
        given, found = _digest(token), None
        for digest, identity in self._tokens:
            if hmac.compare_digest(digest, given):
                found = identity
        return found


def read_keys(credentials: str | None, token_file: str | None) -> Keys | None:
    """The keys of both files; None if there is neither. Raises ``UnusableFile``."""
    if credentials is None and token_file is None:
        return None
    return Keys(
        {} if credentials is None else _access_keys(credentials),
        [] if token_file is None else _tokens(token_file),
    )


def _access_keys(path: str) -> dict[str, AccessKey]:
    """A file in the form of AWS's ``~/.aws/credentials``: a section for each key, named for who has it."""
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        parser.read_string(read_private(path))
    except configparser.MissingSectionHeaderError as error:
        raise UnusableFile(f"{path}, line {error.lineno}: a section [NAME] must come first.") from None
    except configparser.ParsingError as error:  # its text has the lines, which may be secrets
        raise UnusableFile(f"{path}, line {error.errors[0][0]}: no line NAME = VALUE.") from None
    except configparser.Error as error:
        line = getattr(error, "lineno", "?")
        raise UnusableFile(f"{path}, line {line}: the section or the name stands there twice.") from None
    found: dict[str, AccessKey] = {}
    for name in parser.sections():
        key, value = _access_key(f"{path}, [{name}]", name, dict(parser[name]))
        if key in found:
            raise UnusableFile(f"{path}, [{name}]: another section has this aws_access_key_id.")
        found[key] = value
    if not found:
        raise UnusableFile(f"{path} has no keys: a section [NAME] with aws_access_key_id and aws_secret_access_key.")
    return found


def _access_key(place: str, name: str, values: dict[str, str]) -> tuple[str, AccessKey]:
    key, secret = values.pop("aws_access_key_id", ""), values.pop("aws_secret_access_key", "")
    access = values.pop("access", "full")
    if values:
        raise UnusableFile(
            f"{place}: {sorted(values)[0]} is unknown: there are aws_access_key_id, aws_secret_access_key and access."
        )
    if not _ACCESS_KEY.fullmatch(key):
        raise UnusableFile(f"{place}: aws_access_key_id must have 1 to 128 letters, digits and _.")
    _check_secret(f"{place}: aws_secret_access_key", secret)
    return key, AccessKey(secret, _identity(place, name, access))


def _tokens(path: str) -> list[tuple[str, Identity]]:
    """A file with a line ``NAME TOKEN [read-only]`` for each token; lines that begin with # are comments."""
    found: dict[str, Identity] = {}
    for number, line in enumerate(read_private(path).splitlines(), 1):
        words, place = line.split(), f"{path}, line {number}"
        if not words or words[0].startswith("#"):
            continue
        if len(words) not in (2, 3):
            raise UnusableFile(f"{place}: a line is NAME TOKEN, or NAME TOKEN read-only.")
        name, token, access = (*words, "full")[:3]
        _check_secret(f"{place}: the token", token)
        if not _TOKEN.fullmatch(token):
            raise UnusableFile(f"{place}: a token has letters, digits and -._~+/ only, and = at its end.")
        if token in found:
            raise UnusableFile(f"{place}: the token stands there twice.")
        found[token] = _identity(place, name, access)
    if not found:
        raise UnusableFile(f"{path} has no tokens: a line NAME TOKEN for each.")
    return list(found.items())


def _identity(place: str, name: str, access: str) -> Identity:
    if not _NAME.fullmatch(name):
        raise UnusableFile(f"{place}: a name has 1 to 64 letters, digits and _.@+-.")
    if access not in _ACCESS:
        raise UnusableFile(f"{place}: access is full or read-only.")
    return Identity(name, _ACCESS[access])


def _check_secret(what: str, secret: str) -> None:
    if len(secret) < SHORTEST_SECRET:
        raise UnusableFile(f"{what} must have {SHORTEST_SECRET} characters at least.")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
