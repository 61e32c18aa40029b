"""The tools of the agent, over one SQLite file. Those that change something do it once for each key."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stepwell import TaskError

SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, sku TEXT, cents INTEGER);
INSERT OR IGNORE INTO orders VALUES ('7', 'desk', 90000);
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, pieces INTEGER);
INSERT OR IGNORE INTO stock VALUES ('desk', 0);
CREATE TABLE IF NOT EXISTS refunds (key TEXT PRIMARY KEY, id TEXT, cents INTEGER);
CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, id TEXT, text TEXT);
"""


class Shop:
    """The shop's database, and the tools."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with self._open() as db:
            db.executescript(SCHEMA)

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        db = sqlite3.connect(self._file, timeout=30)
        try:
            with db:
                yield db
        finally:
            db.close()

    def tool(self, name: str) -> Callable[..., str]:
        """A tool by its name, as a model writes it."""
        tools: dict[str, Callable[..., str]] = {
            "find_order": self.find_order,
            "find_stock": self.find_stock,
            "refund": self.refund,
            "note": self.note,
        }
        if name not in tools:
            raise TaskError("NoSuchTool", f"{name} is none of {', '.join(tools)}")
        return tools[name]

    def find_order(self, key: str, order: str) -> str:
        found = self._one("SELECT sku, cents FROM orders WHERE id = ?", order)
        return f"order {order}: a {found[0]} for {found[1]} cents"

    def find_stock(self, key: str, sku: str) -> str:
        return f"{self._one('SELECT pieces FROM stock WHERE sku = ?', sku)[0]} pieces of {sku}"

    def refund(self, key: str, order: str, cents: int) -> str:
        """Pay back, once for each ``key``: the same call, made again after a crash, pays nothing more."""
        with self._open() as db:
            db.execute("INSERT OR IGNORE INTO refunds VALUES (?, ?, ?)", (key, order, cents))
        return f"{cents} cents are paid back"

    def note(self, key: str, order: str, text: str) -> str:
        with self._open() as db:
            db.execute("INSERT OR IGNORE INTO notes VALUES (?, ?, ?)", (key, order, text))
        return "noted"

    def _one(self, query: str, word: str) -> tuple[Any, ...]:
        with self._open() as db:
            row: tuple[Any, ...] | None = db.execute(query, (word,)).fetchone()
        if row is None:
            raise TaskError("NotFound", word)
        return row
