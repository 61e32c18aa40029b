"""The checks of the fuzzers, over their seeds and over seeds cut short or altered: quick enough for every run."""

import importlib.util
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"
STEPS = 40


def checks():
    spec = importlib.util.spec_from_file_location("checks", FUZZ / "python/checks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CHECKS


CHECKS = checks()


@pytest.mark.parametrize("name", CHECKS)
def test_seeds(name):
    seeds = [path.read_bytes() for path in sorted((FUZZ / "corpus" / name).iterdir())]
    assert seeds
    for seed in seeds:
        CHECKS[name](seed)


@pytest.mark.parametrize("name", CHECKS)
def test_seeds_cut_short_and_altered(name):
    for path in sorted((FUZZ / "corpus" / name).iterdir())[:8]:
        seed = path.read_bytes()
        for at in range(0, len(seed), max(1, len(seed) // STEPS)):
            CHECKS[name](seed[:at])
            CHECKS[name](seed[:at] + bytes([seed[at] ^ 0x15]) + seed[at + 1 :])
