"""RFC 3339 timestamps as instants."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.asl.timestamps import format_timestamp, parse_instant, parse_timestamp


@pytest.mark.covers("A9.51")
@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("2024-01-01T12:00:00+02:00", "2024-01-01T10:00:00Z"),
        ("2024-01-01T00:30:00-01:30", "2024-01-01T02:00:00Z"),
        ("2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59.500000Z"),
        ("2023-12-31T23:00:00-01:00", "2024-01-01T00:00:00Z"),
    ],
)
def test_offsets_and_fractions_name_the_same_instant(text, same_as):
    assert parse_instant(text) == parse_instant(same_as) is not None


@pytest.mark.covers("A9.51", "A10.53")
@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01T10:00:00",
        "2024-01-01 10:00:00Z",
        "2024-01-01t10:00:00Z",
        "2024-01-01T10:00:00z",
        "2024-01-01",
        "2024-13-01T10:00:00Z",
        "2023-02-29T10:00:00Z",
        "1900-02-29T10:00:00Z",
        "2024-01-32T10:00:00Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T10:60:00Z",
        "2024-01-01T10:00:61Z",
        "2024-01-01T10:00:00.Z",
        "2024-01-01T10:00:00+24:00",
        "2024-01-01T10:00:00Z\n",
        "٢٠٢٤-01-01T10:00:00Z",
        "",
    ],
)
def test_what_is_no_timestamp(text):
    assert parse_instant(text) is None


def test_nanoseconds_tell_instants_apart():
    assert parse_instant("2024-01-01T00:00:00.000000001Z") == parse_instant("2024-01-01T00:00:00Z") + 1


@given(st.datetimes(timezones=st.builds(lambda m: timezone(timedelta(minutes=m)), st.integers(-1439, 1439))))
def test_parsing_agrees_with_the_standard_library(moment):
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    text = moment.isoformat()
    assert parse_timestamp(text) == (moment - epoch) // timedelta(microseconds=1)


@given(st.integers(0, 4_000_000_000_000_000))
def test_a_formatted_time_is_cut_to_the_millisecond(micros):
    assert parse_timestamp(format_timestamp(micros)) == micros // 1000 * 1000


def test_format():
    assert format_timestamp(1_721_039_401_500_999) == "2024-07-15T10:30:01.500Z"


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (1_721_039_401_000_000, "2024-07-15T10:30:01Z"),  # the guide's page of the Context Object
        (1_721_039_401_000_999, "2024-07-15T10:30:01Z"),
        (1_721_039_401_001_000, "2024-07-15T10:30:01.001Z"),
        (1_721_039_401_120_000, "2024-07-15T10:30:01.120Z"),
    ],
)
def test_a_whole_second_has_no_fraction(micros, text):
    assert format_timestamp(micros) == text
