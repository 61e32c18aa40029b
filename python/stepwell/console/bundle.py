"""The modules of the console joined to one, when they are read: a browser loads one file instead of forty.

Nothing else is done to them but this: each becomes a function that returns its exports, in the order of their imports,
without its comments and its indentation. So a module may only use the forms of ``import`` and ``export`` below.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
_PASSED_ON = re.compile(r'^export \{([^}]*)\} from "(\.[^"]+)";', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
_EXPORTS = re.compile(r"export\{([^}]*)\};?\s*(?:/\*.*\*/\s*)?$")  # of a module that was made by a bundler
_VENDOR_IMPORT = re.compile(r'import\{([^}]*)\}from"(\w+)";')
_BARE = {"preact": "./preact.js"}
"""Where packages lie that others import by their names."""
_COMMENT = re.compile(r"/\*\*.*?\*/ ?", re.DOTALL)
_INDENT = re.compile(r"\n\s+")


def bundled(modules: Mapping[str, str], entry: str) -> str:
    """One module of all that ``entry`` imports, by their paths. Raises ``ValueError`` for another form."""
    done: list[str] = []
    texts: list[str] = []

    def add(path: str) -> None:
        if path in done:
            return
        text = modules[path]
        targets = [match[2] for pattern in (_IMPORT, _PASSED_ON) for match in pattern.finditer(text)]
        targets += [_BARE[match[2]] for match in _VENDOR_IMPORT.finditer(text)]
        done.append(path)
        for target in targets:
            add(_resolved(path, target))
        texts.append(_wrapped(path, text))

    add(entry)
    return "const $ = {};\n" + "\n".join(texts)


def _wrapped(path: str, text: str) -> str:
    """A module as a function whose result, its exports, stands under its path."""
    if path.startswith("vendor/"):
        return _wrapped_vendor(path, text)
    text = _INDENT.sub("\n", _COMMENT.sub("", text))
    text = _IMPORT.sub(lambda match: f"const {{{_renamed(match[1])}}} = {_place(path, match[2])};\n", text)
    exports = [match[2] for match in _EXPORT.finditer(text)]
    text = _EXPORT.sub(r"\1", text)
    passed = [f"...{_place(path, match[2])}" for match in _PASSED_ON.finditer(text)]
    text = _PASSED_ON.sub("", text)
    if re.search(r"^(import|export)\b", text, re.MULTILINE):
        raise ValueError(f"{path} imports or exports in another form")
    return f'$["{path}"] = (() => {{\n{text.strip()}\nreturn {{ {", ".join(passed + exports)} }};\n}})();'


def _wrapped_vendor(path: str, text: str) -> str:
    """A module that a bundler made: it imports at its begin, and exports at its end, or has a default alone."""
    text = _VENDOR_IMPORT.sub(lambda match: f"const{{{_renamed(match[1])}}}={_place(path, _BARE[match[2]])};", text)
    default = text.partition("export default ")
    if default[1]:
        return f'$["{path}"] = (() => {{{default[0]}return {{ default: {default[2].strip().rstrip(";")} }};}})();'
    match = _EXPORTS.search(text)
    if match is None:
        raise ValueError(f"{path} does not end with its exports")
    return f'$["{path}"] = (() => {{{text[: match.start()]}return {{{_turned(match[1])}}};}})();'


def _place(path: str, target: str) -> str:
    return f'$["{_resolved(path, target)}"]'


def _resolved(path: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def _renamed(names: str) -> str:
    """``a as b`` of an import, as the pattern of an object has it."""
    return re.sub(r"(\w+) as (\w+)", r"\1: \2", names)


def _turned(names: str) -> str:
    """``a as b`` of an export, as an object has it."""
    return re.sub(r"([\w$]+) as ([\w$]+)", r"\2: \1", names)
