"""Draws JSONata calls with pictures of numbers, integers and times."""

from __future__ import annotations

from oracles.jsonata.expressions import Maker
from oracles.jsonata.vocabulary import (
    DATE_PICTURES,
    INTEGER_PICTURES,
    MILLIS,
    NUMBER_PICTURES,
    PARSED,
    TIMESTAMPS,
    ZONES,
)


def picture_of_number(maker: Maker) -> str:
    """A number as text, by a picture."""
    options = maker.choose(
        ["", "", "", ", {'decimal-separator': ','}", ", {'grouping-separator': '.', 'decimal-separator': ','}",
         ", {'zero-digit': '٠'}", ", {'digit': '_'}", ", {'minus-sign': 'm'}", ", {'exponent-separator': 'E'}",
         ", {'percent': 'p'}", ", {'pattern-separator': '|'}", ", {'decimal-separator': '!!'}", ", {'zero-digit': ''}"]
    )  # fmt: skip
    return f"$formatNumber({maker.number()}, {quoted(shaken(maker, maker.choose(NUMBER_PICTURES)))}{options})"


def picture_of_integer(maker: Maker) -> str:
    """An integer as text or from text, by a picture."""
    picture = quoted(shaken(maker, maker.choose(INTEGER_PICTURES)))
    if maker.random.random() < 0.6:
        return f"$formatInteger({maker.number()}, {picture})"
    text = maker.choose(
        [
            "12",
            "1,234",
            "twelve",
            "One Hundred and Two",
            "MCMXC",
            "xiv",
            "AB",
            "z",
            "1st",
            "22nd",
            "٣",
            "-5",
            "",
            "x",
            "1.5",
            "two thousand, and five",
        ]
    )
    return f"$parseInteger('{text}', {picture})"


def date(maker: Maker) -> str:
    """A time as text or from text, or as text and back."""
    kind = maker.random.random()
    if kind < 0.45:
        pictures = "".join(maker.choose(DATE_PICTURES) for _ in range(maker.random.randint(1, 2)))
        zone = maker.choose(["", f", '{maker.choose(ZONES)}'"])
        return f"$fromMillis({maker.choose(MILLIS)}, {quoted(shaken(maker, pictures))}{zone})"
    if kind < 0.55:
        return f"$fromMillis({maker.choose(MILLIS)}, nothing, '{maker.choose(ZONES)}')"
    if kind < 0.75:
        return f"$toMillis('{shaken(maker, maker.choose(TIMESTAMPS), 0.1)}')"
    if kind < 0.9:
        picture = maker.choose(DATE_PICTURES) + maker.choose(["", "", maker.choose(DATE_PICTURES)])
        millis = maker.choose(MILLIS)
        return f"$fromMillis({millis}, '{picture}') ~> $toMillis('[Y]-[M]-[D] ' & '{picture}')"
    picture = (
        "[Y]-[M01]-[D01]T"
        + maker.choose(["[H01]:[m01]:[s01]", "[h]:[m][P]", "[H]", "[H01][m01]"])
        + maker.choose(["", "[Z]", "[Z0101]"])
    )
    return f"$fromMillis({maker.choose(MILLIS)}, '{picture}') ~> $toMillis('{picture}')"


def date_read(maker: Maker) -> str:
    """A time from a text that may not fit its picture."""
    return f"$toMillis('2017-{maker.choose(PARSED)}', {quoted('[Y]-' + maker.choose(DATE_PICTURES))})"


def shaken(maker: Maker, text: str, chance: float = 0.25) -> str:
    """The text with a random letter doubled, dropped or moved."""
    if not text or maker.random.random() > chance:
        return text
    at = maker.random.randrange(len(text))
    return maker.choose(
        [text[:at] + text[at + 1 :], text[:at] + text[at] + text[at:], text[at:] + text[:at], text + text]
    )


def quoted(text: str) -> str:
    """The text as a JSONata text."""
    return '"' + text.replace('"', "") + '"'
