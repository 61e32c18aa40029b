"""DBOS: ``dbos_client.py NAME DATABASE_URL``, for example ``dbos_client.py "DBOS, SQLite" sqlite:///FILE``."""

from __future__ import annotations

import os
import sys

from dbos import DBOS
from work import STEPS, measure

DBOS(
    config={
        "name": "peers",
        "system_database_url": sys.argv[2],
        "log_level": "ERROR",
        "run_admin_server": False,
    }
)


@DBOS.step()
def add_one(number: int) -> int:
    return number + 1


@DBOS.workflow()
def one(number: int) -> int:
    return add_one(number)


@DBOS.workflow()
def ten(number: int) -> int:
    for _ in range(STEPS):
        number = add_one(number)
    return number


@DBOS.workflow()
def waiting(number: int) -> None:
    DBOS.recv("never", timeout_seconds=3600)


def main() -> None:
    DBOS.launch()
    measure(sys.argv[1], [os.getpid()], one, ten, lambda number: DBOS.start_workflow(waiting, number))
    os._exit(0)  # the waiting workflows would keep the process running for an hour


if __name__ == "__main__":
    main()
