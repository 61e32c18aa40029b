"""Runs one check under a coverage-guided fuzzer: ``python fuzz/python/fuzz.py definition -max_total_time=600 FOLDER``.

Needs ``atheris``. The arguments after the check's name are libFuzzer's. ``make fuzz`` calls it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["stepwell.asl"]):
    sys.path.insert(0, str(Path(__file__).parent))
    from checks import CHECKS


def main() -> None:
    name = sys.argv.pop(1)
    dictionary = Path(__file__).with_name(f"{name}.dict")
    atheris.Setup([*sys.argv, f"-dict={dictionary}"], CHECKS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
