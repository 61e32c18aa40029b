"""The work of the order service: a warehouse, a bank and a carrier, which share one SQLite file here.

A handler is called at least once: again after a crash, and once more for each Retry. So each one is *idempotent*: a row
whose key is the order says what was done, in the transaction that does it. A compensation leaves such a row as well. A
charge that arrives after its refund, because it hung, finds that row and charges nothing.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from stepwell import HandlerContext, TaskError

BOOKS = os.environ.get("ORDER_BOOKS", "books.sqlite")
PACKING_SECONDS = float(os.environ.get("ORDER_PACKING_SECONDS", "1"))
ANSWER_SECONDS = float(os.environ.get("ORDER_ANSWER_SECONDS", "0.2"))
"""How long the warehouse and the bank take to answer, once they have done their part: a crash may come in between."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, pieces INTEGER CHECK (pieces >= 0));
INSERT OR IGNORE INTO stock VALUES ('desk', 1000), ('lamp', 1000), ('unicorn', 0);
CREATE TABLE IF NOT EXISTS reservations (id TEXT PRIMARY KEY, sku TEXT, pieces INTEGER, state TEXT);
CREATE TABLE IF NOT EXISTS payments (id TEXT PRIMARY KEY, cents INTEGER, state TEXT);
CREATE TABLE IF NOT EXISTS parcels (id TEXT PRIMARY KEY, state TEXT);
CREATE TABLE IF NOT EXISTS bookings (id TEXT, cents INTEGER);  -- what has moved on the customers' cards
"""


@dataclass
class Order:
    """What a client asks for, and what handlers get. The client chooses the ``id``: the same id is the same order."""

    id: str
    sku: str
    pieces: Annotated[int, Meta(ge=1)]
    cents: Annotated[int, Meta(ge=0)]


@contextmanager
def books() -> Generator[sqlite3.Connection]:
    """A transaction, committed at the end of the block."""
    connection = sqlite3.connect(BOOKS, timeout=30, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
    finally:
        connection.close()


def open_books() -> None:
    """Create the tables."""
    connection = sqlite3.connect(BOOKS)
    connection.executescript(SCHEMA)
    connection.close()


def state_of(table: str, order: Order, db: sqlite3.Connection) -> str | None:
    """What was done for an order; None: nothing."""
    row = db.execute(f"SELECT state FROM {table} WHERE id = ?", (order.id,)).fetchone()
    return None if row is None else str(row[0])


def reserve(order: Order) -> dict[str, str]:
    """Take the pieces from the stock, once."""
    with books() as db:
        if state_of("reservations", order, db) is None:
            left = db.execute("SELECT pieces FROM stock WHERE sku = ?", (order.sku,)).fetchone()
            if left is None or left[0] < order.pieces:
                raise TaskError("OutOfStock", f"{order.pieces} of {order.sku} are not there")
            db.execute("UPDATE stock SET pieces = pieces - ? WHERE sku = ?", (order.pieces, order.sku))
            db.execute("INSERT INTO reservations VALUES (?, ?, ?, 'held')", (order.id, order.sku, order.pieces))
    time.sleep(ANSWER_SECONDS)
    return {"shelf": order.sku[:1].upper()}


def charge(order: Order) -> dict[str, str]:
    """Charge the card, unless it was charged, or was refunded already."""
    with books() as db:
        state = state_of("payments", order, db)
        if state == "refunded":
            raise TaskError("AlreadyRefunded", order.id)
        if state is None:
            db.execute("INSERT INTO payments VALUES (?, ?, 'charged')", (order.id, order.cents))
            db.execute("INSERT INTO bookings VALUES (?, ?)", (order.id, -order.cents))
    time.sleep(ANSWER_SECONDS)
    return {"receipt": f"{order.id}/{order.cents}"}


def ship(order: Order, ctx: HandlerContext) -> dict[str, int]:
    """Pack piece by piece. It ends within a piece if the order is cancelled, or its time is over."""
    for _ in range(order.pieces):
        ctx.raise_if_cancelled()
        time.sleep(PACKING_SECONDS / order.pieces)
    with books() as db:
        if state_of("payments", order, db) != "charged":  # it was refunded since the last look
            raise TaskError("NotPaid", order.id)
        db.execute("INSERT OR IGNORE INTO parcels VALUES (?, 'sent')", (order.id,))
    return {"pieces": order.pieces}


def refund(order: Order) -> None:
    """Pay back what was charged, recall what was sent, and let no later call charge or send."""
    with books() as db:
        if state_of("payments", order, db) == "charged":
            db.execute("INSERT INTO bookings VALUES (?, ?)", (order.id, order.cents))
        db.execute("INSERT OR REPLACE INTO payments VALUES (?, ?, 'refunded')", (order.id, order.cents))
        db.execute("UPDATE parcels SET state = 'recalled' WHERE id = ?", (order.id,))


def release(order: Order) -> None:
    """Put the pieces back, and let no later call reserve them."""
    with books() as db:
        if state_of("reservations", order, db) == "held":
            db.execute("UPDATE stock SET pieces = pieces + ? WHERE sku = ?", (order.pieces, order.sku))
        db.execute(
            "INSERT OR REPLACE INTO reservations VALUES (?, ?, ?, 'released')", (order.id, order.sku, order.pieces)
        )


HANDLERS: dict[str, Callable[..., object]] = {
    "reserve": reserve,
    "charge": charge,
    "ship": ship,
    "refund": refund,
    "release": release,
}
