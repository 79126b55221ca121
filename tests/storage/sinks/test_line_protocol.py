"""Line protocol: whatever a name or word holds, a strict parser reads one point of one series back; types never
change."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.storage.sample_model import SampleQuality, SeriesKind
from edge.storage.sinks.keys import TimeKeys
from edge.storage.sinks.line_protocol import (
    LineError,
    LineFormer,
    escape_field,
    escape_measurement,
    escape_name,
    escape_string,
)
from firmware_sim.influx_fake.line_parser import LineSyntaxError, parse

MS = 1_000_000
T0 = 1_790_000_000_000 * MS
#: What each trap of a name becomes; everything else stays.
SHOWN = {**{chr(code): chr(0x2400 + code) for code in range(32)}, "\x7f": "␡", "\\": "＼"}


def shown(text):
    return "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else SHOWN.get(c, c) for c in text)


def lines_of(source, make_block, site="s"):
    return LineFormer(site, source.series).prepare(make_block(source.rows, source.head), 0, TimeKeys())


any_text = st.text(st.characters(exclude_categories=()), min_size=1, max_size=12)


@given(any_text)
def test_any_tag_value_reads_back(text):
    point = parse(f"m,device={escape_name(text)} f=1.0 1")
    assert point.tags == (("device", shown(text)),)


@given(any_text, any_text)
def test_two_names_that_differ_stay_two(one, two):
    if shown(one) != shown(two):
        assert escape_name(one) != escape_name(two)


@given(st.text(st.characters(exclude_categories=()), max_size=12))
def test_any_word_reads_back(text):
    point = parse(f"m f={escape_string(text)} 1")
    assert point.fields == {"f": "\\".join(shown(part) for part in text.split("\\"))}
    assert "\n" not in escape_string(text)


@given(any_text)
def test_any_field_name_reads_back(text):
    point = parse(f"m {escape_field(text)}=1.0 1") if shown(text) not in {"time", "_field", "_measurement"} else None
    assert point is None or point.fields == {shown(text).replace('"', "＂"): 1.0}


@pytest.mark.parametrize("name", ["", "#comment", "_internal"])
def test_a_measurement_that_a_server_would_not_take(name):
    with pytest.raises(LineError):
        escape_measurement(name)


@pytest.mark.parametrize("text", ["a\\", "a\\\\", "a,b=c d", 'a"b', "a\nb", "a\tb", " a ", "=", "\\,", "\\ ", "水表"])
def test_the_traps_of_tags(source, make_block, text):
    """A trailing backslash, a newline, separators: one line, one point, the same series each time."""
    series = source.define(text, "power_w", point=text)
    source.add([(series, T0, 20.0)])
    (line,) = lines_of(source, make_block, text).items
    assert line.count("\n") == 0
    point = parse(line)
    assert dict(point.tags) == {"site": shown(text), "device": shown(text), "point": shown(text)}


def test_an_empty_tag_is_left_out(source, make_block):
    series = source.define("d", "power_w")
    source.add([(series, T0, 20.0)])
    assert lines_of(source, make_block).items == [f"garage,site=s,device=d power_w=20.0 {T0}"]


def test_a_number_is_a_float_always_and_a_state_text(source, make_block):
    """20 and 20.5 of one field would be an integer and a float: the server refuses the second for ever."""
    number, state = source.define("d", "count"), source.define("d", "state", kind=SeriesKind.STATE)
    values = [20.0, 20.5, 0.0, -0.0, 1e-7, 1e300, 5e-324, 2.0**64, -(2.0**63), 0.1 + 0.2]
    for at, value in enumerate(values):
        source.add([(number, T0 + at * MS, value)])
    for at, word in enumerate(["on", "", "1", "true", "20i"]):
        source.add([(state, T0 + at * MS, word)])
    made = lines_of(source, make_block)
    read = [parse(line).fields for line in made.items]
    assert [fields["count"] for fields in read[: len(values)]] == values
    assert all(type(fields["count"]) is float for fields in read[: len(values)])
    assert [fields["state"] for fields in read[len(values) :]] == ["on", "", "1", "true", "20i"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_never_becomes_an_empty_line(source, make_block, value):
    series = source.define("d", "power_w")
    source.add([(series, T0, value), (series, T0 + MS, 1.0)])
    made = lines_of(source, make_block)
    assert len(made.items) == 1
    assert "not a number that line protocol can carry" in made.unsendable[0].reason


@pytest.mark.parametrize("quantity", ["time", "_field", "_measurement", ""])
def test_names_that_the_server_keeps_for_itself(source, make_block, quantity):
    series = source.define("d", quantity)
    source.add([(series, T0, 1.0)])
    made = lines_of(source, make_block)
    assert made.items == []
    assert "cannot be a field" in made.unsendable[0].reason


def test_a_word_that_is_too_long(source, make_block):
    series = source.define("d", "state", kind=SeriesKind.STATE)
    source.add([(series, T0, "x" * 5000)])
    assert "5000 characters" in lines_of(source, make_block).unsendable[0].reason


def test_times_are_ns_and_twins_of_a_millisecond_stay_two(source, make_block):
    series = source.define("d", "power_w")
    source.add([(series, T0 + 5 * MS, 1.0)])
    source.add([(series, T0 + 5 * MS, 1.0), (series, T0 + 5 * MS, 1.0)])
    keys = [parse(line).time_ns for line in lines_of(source, make_block).items]
    assert len(set(keys)) == 3
    assert {key // MS for key in keys} == {T0 // MS + 5}
    assert keys[0] == T0 + 5 * MS


def test_a_time_that_no_server_takes(source, make_block):
    series = source.define("d", "power_w")
    source.add([(series, -(2**63), 1.0)])
    assert "time is outside" in lines_of(source, make_block).unsendable[0].reason


def test_a_doubtful_sample_says_so_in_a_field_of_its_own(source, make_block):
    series = source.define("d", "power_w")
    source.add([(series, T0, 1.0, SampleQuality.FAULT), (series, T0 + MS, 2.0)])
    doubtful, good = (parse(line).fields for line in lines_of(source, make_block).items)
    assert doubtful == {"power_w": 1.0, "power_w_quality": 3.0}
    assert good == {"power_w": 2.0}


@pytest.mark.parametrize(
    "line",
    [
        *(
            "",
            "# m f=1 1",
            "m 1",
            "m f=1",
            "m f=1 1.5",
            "m f= 1",
            "m f=oops 1",
            "m f=NaN 1",
            "m f=1e999 1",
            "m,t= f=1 1",
        ),
        *("m,t=a\\ f=1 1", "m,t=a f=1,f=2 1", 'm f="a 1', 'm f="a"b 1', "m,t=a,t=b f=1 1", "_m f=1 1", "m f=1i2 1"),
        *("m time=1 1", "m f=9223372036854775808i 1", "m,=a f=1 1", "m f=1 99999999999999999999"),
    ],
)
def test_the_strict_server_refuses(line):
    """The judge itself: a lenient one would let everything pass."""
    with pytest.raises(LineSyntaxError):
        parse(line)
