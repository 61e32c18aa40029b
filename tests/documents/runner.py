"""Runs the blocks of a document in a folder of its own, one after the other, as a reader would.

- A Python program is written to the file of its title, or of its first line (``# orders.py``), and run, unless a
  command names its file. Tests (``test_….py``) are run by pytest. A comment behind a ``print(…)`` says what is printed.
- The commands of a shell block are run by bash. Servers and workers run on until the end of the page; after the start
  of a server the port 8083 is the one that it has chosen. Variables that are exported hold for the rest of the page.
- JSON, YAML, TOML and ini files are read, and written if they have a title. A state machine is validated.
- A block ``text`` directly behind another one is what that one prints; ``…`` stands for anything.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

import yaml

from documents.blocks import Block
from stepwell import validate

SECONDS = 100
SERVER = re.compile(r"^stepwell (serve|worker|console|follow)\b")
PRINTED = re.compile(r"^\s*print\(.*\)  # (.+)$", re.MULTILINE)


class Page:
    """A document that is being run."""

    def __init__(self, folder: Path, blocks: list[Block]) -> None:
        self._folder = folder
        self._commands = "\n".join(block.text for block in blocks if block.language == "sh")
        self._servers: list[subprocess.Popen[str]] = []
        self._printed: str | None = None
        self._port = "8083"
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        dropped = ("STEPWELL_", "AWS_", "PYTEST_", "SFN_")
        self._environment = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
        self._environment |= {"PATH": programs, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(folder)}

    def close(self) -> None:
        """End the servers of the page."""
        for server in self._servers:
            server.send_signal(signal.SIGTERM)
        for server in self._servers:
            with suppress(subprocess.TimeoutExpired):
                server.wait(SECONDS)
            server.kill()
            server.communicate()

    def run(self, block: Block) -> None:
        """Run a block; whatever is wrong with it is an AssertionError or the error of its language."""
        text = self._here(block.text)
        if block.language not in ("python", "sh", "text"):
            self._printed = None
        match block.language:
            case "python":
                self._printed = self._run_program(block, text)
                if self._printed is not None:
                    assert_printed(expected=PRINTED.findall(block.text), printed=self._printed)
            case "sh":
                self._printed = self._run_commands(block.text)
            case "text":
                self._write(block)
                if block.follows_at_once and self._printed is not None:
                    assert matches(text, self._printed), f"the page:\n{block.text}\nprinted:\n{self._printed}"
            case "json":
                self._write(block)
                value = json.loads(text)
                if isinstance(value, dict) and "StartAt" in value:
                    assert [str(each) for each in validate(value) if each.severity == "ERROR"] == []
            case "yaml":
                self._write(block)
                assert yaml.safe_load(text) is not None
            case "toml":
                self._write(block)
                tomllib.loads(text)
            case "ini":
                self._write(block)
                configparser.ConfigParser().read_string(text)
            case _:
                self._write(block)

    def _here(self, text: str) -> str:
        return text.replace("8083", self._port)

    def _write(self, block: Block) -> None:
        if block.title is not None:
            file = self._folder / block.title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")

    def _run_program(self, block: Block, text: str) -> str | None:
        first = re.match(r"# ([\w/]+\.py)$", text.partition("\n")[0])
        name = block.title or (first[1] if first else f"block_{block.line}.py")
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        if re.search(rf"\b{re.escape(name)}\b", self._commands):
            return None
        if name.startswith("test_"):
            return self._ended(
                "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "stepwell.pytest_plugin", name
            )
        return self._ended("python", name)

    def _run_commands(self, text: str) -> str:
        commands, printed = "", ""
        for line in text.replace("\\\n", "").splitlines():
            if SERVER.match(line):
                printed += self._bash(commands)
                commands = ""
                self._serve(self._here(line))
                continue
            if line.startswith("export "):
                words = shlex.split(self._here(line), comments=True)[1:]
                self._environment.update(word.split("=", 1) for word in words)
            commands += line + "\n"
        return printed + self._bash(commands)

    def _bash(self, commands: str) -> str:
        return self._ended("bash", "-euo", "pipefail", "-c", self._here(commands)) if commands else ""

    def _serve(self, line: str) -> None:
        words = shlex.split(line, comments=True)
        if words[1] == "serve":
            words += ["--port", "0"]
        server = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if words[1] == "serve" else None,
            text=True,
        )
        self._servers.append(server)
        if words[1] in ("serve", "console"):
            assert server.stdout is not None
            said = []
            for answer in server.stdout:
                said.append(answer)
                if ready := re.search(r"ready on \S+:(\d+)", answer):
                    self._port = ready[1]
                    return
            raise AssertionError(f"{line} ended:\n{''.join(said)}")

    def _ended(self, *command: str) -> str:
        words = [sys.executable, *command[1:]] if command[0] == "python" else command
        done = subprocess.run(
            words, cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}{done.stderr}"
        return done.stdout


def assert_printed(expected: list[str], printed: str) -> None:
    """Each of the texts was printed, as a line, in this order."""
    lines = iter(printed.splitlines())
    for text in expected:
        assert any(matches(text, line) for line in lines), f"not printed: {text}\nprinted:\n{printed}"


def matches(expected: str, printed: str) -> bool:
    """Whether a text was printed; ``…`` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None
