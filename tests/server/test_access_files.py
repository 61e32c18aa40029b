"""Files of access keys and tokens: what is wrong with one is told, and no secret with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stepwell.server.keys import Identity, read_keys
from stepwell.server.private_files import UnusableFile

SECRET = "a-secret-that-nobody-may-see"


def file(folder: Path, text: str | bytes, mode: int = 0o600) -> str:
    path = folder / "keys"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return str(path)


def test_keys_and_tokens_are_read(tmp_path: Path) -> None:
    credentials = file(
        tmp_path,
        "# comment\n[ci]\naws_access_key_id = AKIACI\naws_secret_access_key = 0123456789abcdef%(x)s\n"
        "[dashboard]\naws_access_key_id=AKIADASH\naws_secret_access_key=0123456789abcdef\naccess = read-only\n",
    )
    tokens = tmp_path / "tokens"
    tokens.write_text("# comment\n\nworker  token-0123456789\nprobe token-9876543210 read-only\n")
    tokens.chmod(0o400)
    keys = read_keys(credentials, str(tokens))
    assert keys is not None
    assert keys.access_keys["AKIACI"].secret == "0123456789abcdef%(x)s"
    assert keys.access_keys["AKIADASH"].identity == Identity("dashboard", True)
    assert keys.holder("token-0123456789") == Identity("worker", False)
    assert keys.holder("token-9876543210") == Identity("probe", True)
    assert keys.holder("token-012345678") is None
    assert keys.holder("") is None


KEY = "aws_access_key_id = AKIA\naws_secret_access_key = "


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no keys"),
        (KEY + SECRET, "line 1: a section [NAME] must come first"),
        (f"[a]\n{SECRET}\n", "line 2: no line NAME = VALUE"),
        (f"[a]\n{KEY}{SECRET}\n[a]\n", "stands there twice"),
        (f"[a]\n{KEY}{SECRET}\n{KEY}{SECRET}\n", "stands there twice"),
        (f"[a]\n{KEY}{SECRET}\n[b]\n{KEY}{SECRET}\n", "[b]: another section has this aws_access_key_id"),
        (f"[a]\n{KEY}{SECRET}\naws_session_token = {SECRET}\n", "aws_session_token is unknown"),
        (f"[a]\n{KEY}{SECRET}\naccess = all\n", "access is full or read-only"),
        (f"[a]\naws_secret_access_key = {SECRET}\n", "aws_access_key_id must have"),
        (f"[a]\naws_access_key_id = A/B\naws_secret_access_key = {SECRET}\n", "aws_access_key_id must have"),
        (f"[a]\n{KEY}short\n", "16 characters at least"),
        (f"[a b]\n{KEY}{SECRET}\n", "a name has 1 to 64"),
        (b"[a]\n\xff" + SECRET.encode(), "is not UTF-8"),
        ("#" * (2 << 20), "more than"),
    ],
)
def test_a_bad_file_of_keys(tmp_path: Path, text: str | bytes, problem: str) -> None:
    path = file(tmp_path, text)
    with pytest.raises(UnusableFile) as error:
        read_keys(path, None)
    assert path in str(error.value)
    assert problem in str(error.value)
    assert SECRET not in str(error.value)
    assert error.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# nothing\n", "has no tokens"),
        (SECRET, "line 1: a line is NAME TOKEN"),
        (f"a {SECRET} read-only b", "line 1: a line is NAME TOKEN"),
        (f"\na {SECRET} readonly", "line 2: access is full or read-only"),
        ("a short", "16 characters at least"),
        (f"a {SECRET}ü", "a token has letters"),
        (f"a {SECRET}\nb {SECRET}", "line 2: the token stands there twice"),
        (f"a/b {SECRET}", "a name has 1 to 64"),
    ],
)
def test_a_bad_file_of_tokens(tmp_path: Path, text: str, problem: str) -> None:
    path = file(tmp_path, text)
    with pytest.raises(UnusableFile) as error:
        read_keys(None, path)
    assert problem in str(error.value)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o660, 0o620, 0o777])
def test_a_file_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(UnusableFile, match="chmod 600"):
        read_keys(None, file(tmp_path, f"a {SECRET}", mode))


def test_a_file_of_root_may_be_read_by_its_group(tmp_path: Path) -> None:
    path = file(tmp_path, f"a {SECRET}", 0o640)
    if os.geteuid() == 0:
        assert read_keys(None, path) is not None
    else:
        with pytest.raises(UnusableFile, match="0640"):
            read_keys(None, path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path, f"a {SECRET}")
    os.chown(path, 12345, -1)
    with pytest.raises(UnusableFile, match="belongs to another user"):
        read_keys(None, path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    for path in (tmp_path, tmp_path / "fifo", tmp_path / "nothing", Path("/dev/null")):
        with pytest.raises(UnusableFile, match=str(path)):
            read_keys(str(path), None)
