"""What the files of a Rust crate use of each other: a name that a folder passes on counts for the file that has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

USE = re.compile(r"^[ \t]*(pub(?:\([^)]*\))? +)?use ([^;]+);", re.MULTILINE)


def rust_modules(source: Path) -> dict[str, Path]:
    """The modules of a crate that have files, by their names within it; those of tests apart."""
    found: dict[str, Path] = {}
    for path in sorted(source.rglob("*.rs")):
        parts = list(path.relative_to(source).with_suffix("").parts)
        if parts[-1] in ("mod", "lib"):
            parts.pop()
        if not any(part.endswith("tests") for part in parts):
            found["::".join(parts)] = path
    return found


def _split(use: str) -> Iterator[str]:
    """``a::{b, c::{d, e}}`` as ``a::b``, ``a::c::d``, ``a::c::e``."""
    head, brace, rest = use.partition("{")
    if not brace:
        yield head
        return
    depth, start = 0, 0
    rest = rest[: rest.rindex("}")] + ","
    for index, sign in enumerate(rest):
        depth += (sign == "{") - (sign == "}")
        if sign == "," and depth == 0:
            if rest[start:index]:
                yield from (head + each for each in _split(rest[start:index]))
            start = index + 1


def _uses(module: str, text: str, names: set[str]) -> Iterator[tuple[list[str], str, bool]]:
    """What a file uses within its crate: the path, the name that it has in the file, and whether it passes it on."""
    here = module.split("::") if module else []
    text = re.sub(r"//[^\n]*", "", text).partition("#[cfg(test)]\nmod ")[0]
    for match in USE.finditer(text):
        for path in _split(re.sub(r"\s+as\s+", "@", match[2]).replace("\n", "").replace(" ", "")):
            path, _, alias = path.partition("@")
            parts, base = path.split("::"), here
            if parts[0] == "crate":
                parts, base = parts[1:], []
            elif parts[0] == "self":
                parts = parts[1:]
            elif parts[0] == "super":
                while parts and parts[0] == "super":
                    parts, base = parts[1:], base[:-1]
            elif "::".join([*here, parts[0]]) not in names:
                continue
            yield [*base, *parts], alias or parts[-1] if parts else alias, match[1] is not None


def rust_imports(source: Path) -> dict[str, set[str]]:
    """The files of a crate, each with those that it uses."""
    modules = rust_modules(source)
    uses = {
        module: list(_uses(module, path.read_text(encoding="utf-8"), set(modules))) for module, path in modules.items()
    }
    passed = {(module, name): path for module, found in uses.items() for path, name, is_public in found if is_public}
    globs = {
        module: [path[:-1] for path, name, is_public in found if is_public and name == "*"]
        for module, found in uses.items()
    }

    def owner(path: list[str], seen: int = 0) -> str | None:
        for length in range(len(path), -1, -1):
            module = "::".join(path[:length])
            if module not in modules:
                continue
            if length == len(path):
                return module
            further = passed.get((module, path[length]))
            if further is not None and seen < 9 and further != path:
                return owner([*further, *path[length + 1 :]], seen + 1)
            text = modules[module].read_text(encoding="utf-8")
            if not re.search(
                rf"\b(fn|struct|enum|trait|type|const|static|macro_rules!|union) +{re.escape(path[length])}\b", text
            ):
                for glob in globs[module]:
                    inner = owner([*glob, path[length]], seen + 1)
                    if inner is not None and seen < 9:
                        return inner
            return module
        return None

    return {
        module: {found for path, _, is_public in each if not is_public and (found := owner(path)) is not None}
        - {module}
        for module, each in uses.items()
    }
