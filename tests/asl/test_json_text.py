"""What is wrong with a text that is not JSON, in the words of Jackson, AWS's parser.

The messages are those of jackson-core 2.17.2 (``JsonFactory.createParser(String)``, read token by token).
"""

from __future__ import annotations

import pytest

from stepwell.asl.validate.json_text import syntax_error

ANY = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
NUMBERS = "enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"
OPENED = "at [Source: (String)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a":}', "Unexpected character ('}' (code 125)): expected a value"),
        (
            "[1}",
            f"Unexpected close marker '}}': expected ']' (for Array starting {OPENED}\"[1}}\"; line: 1, column: 1])",
        ),
        ('{"a":1,}', "Unexpected character ('}' (code 125)): was expecting double-quote to start field name"),
        ("{'a':1}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name"),
        ('{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value"),
        ("[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries"),
        ("[1x]", "Unexpected character ('x' (code 120)): was expecting comma to separate Array entries"),
        ("1x", "Unexpected character ('x' (code 120)): Expected space separating root-level values"),
        (
            "[",
            f'Unexpected end-of-input: expected close marker for Array (start marker {OPENED}"["; line: 1, column: 1])',
        ),
        ('{"a"', "Unexpected end-of-input within/between Object entries"),
        ("[1,", "Unexpected end-of-input within/between Array entries"),
        ('{"a', "Unexpected end-of-input in field name"),
        ('"abc', "Unexpected end-of-input: was expecting closing quote for a string value"),
        (
            '"a\nb"',
            "Illegal unquoted character ((CTRL-CHAR, code 10)): "
            "has to be escaped using backslash to be included in string value",
        ),
        (r'"\q"', "Unrecognized character escape 'q' (code 113)"),
        (r'"\u12G4"', "Unexpected character ('G' (code 71)): expected a hex-digit for character escape sequence"),
        (r'"\u12', "Unexpected end-of-input in character escape sequence"),
        (
            "\x01",
            r"Illegal character ((CTRL-CHAR, code 1)): only regular white space (\r, \n, \t) is allowed between tokens",
        ),
        ("-01", "Invalid numeric value: Leading zeroes not allowed"),
        (
            "-x",
            "Unexpected character ('x' (code 120)) in numeric value: "
            "expected digit (0-9) to follow minus sign, for valid numeric value",
        ),
        ("1.x", "Unexpected character ('x' (code 120)) in numeric value: Decimal point not followed by a digit"),
        ("1ex", "Unexpected character ('x' (code 120)) in numeric value: Exponent indicator not followed by a digit"),
        ("[NaN]", f"Non-standard token 'NaN': {NUMBERS}"),
        ("-Infinity", f"Non-standard token '-Infinity': {NUMBERS}"),
        ("$x", f"Unrecognized token '$x': was expecting {ANY}"),
        ('{"a":1} x', f"Unrecognized token 'x': was expecting {ANY}"),
        ("“a”", f"Unexpected character ('“' (code 8220 / 0x201c)): expected a valid value {ANY}"),
    ],
)
def test_a_text_is_refused_in_the_words_of_jackson(text: str, message: str) -> None:
    error = syntax_error(text)
    assert error is not None
    assert error.message == message


@pytest.mark.parametrize("text", ["true false", "1 2", "{} {}", "[],"])
def test_a_second_value_is_refused(text: str) -> None:
    assert syntax_error(text) is not None
