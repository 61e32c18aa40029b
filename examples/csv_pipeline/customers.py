"""Make a file of customers for the pipeline: a tenth of its rows are of a country that has no currency yet.

python customers.py files 100000
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

CURRENCIES = {"DE": "EUR", "CH": "CHF"}


def rows(count: int) -> list[tuple[str, str, str]]:
    """Rows with an id, an address and a country. Each thousandth has no address."""
    first, end = count // 2, count // 2 + count // 10  # here the country is XX
    return [
        (
            str(number),
            "nobody" if number % 1000 == 999 else f"{number}@example.org",
            "XX" if first <= number < end else ("DE", "CH")[number % 2],
        )
        for number in range(count)
    ]


def main() -> None:
    """Write ``in/customers.csv`` and ``currencies.json`` into a folder."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    (folder / "customers-in").mkdir(parents=True, exist_ok=True)
    (folder / "currencies.json").write_text(json.dumps(CURRENCIES), encoding="utf-8")
    with (folder / "customers-in" / "customers.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "email", "country"))
        writer.writerows(rows(count))
    print(f"{count} rows are in {file.name}")


if __name__ == "__main__":
    main()
