"""Two worlds are compared by what they hold, not by the order in which they came to hold it."""

from __future__ import annotations

import msgspec

from edge.domain.alarm_book import AlarmBook
from edge.domain.alarm_rows import AlarmHourRow
from edge.storage.snapshots import canonical


class Holder(msgspec.Struct):
    by_number: dict[int, str]
    by_name: dict[str, int]
    names: set[str]
    raw: bytes = b""


def test_order_makes_no_difference():
    one = Holder({2: "b", 1: "a"}, {"y": 1, "x": 2}, {"q", "p"})
    other = Holder({1: "a", 2: "b"}, {"x": 2, "y": 1}, {"p", "q"})
    assert canonical(one) == canonical(other)


def test_a_value_makes_a_difference():
    told = Holder({1: "a"}, {"x": 2}, {"p"}, b"1")
    for other in (
        Holder({1: "b"}, {"x": 2}, {"p"}, b"1"),
        Holder({2: "a"}, {"x": 2}, {"p"}, b"1"),
        Holder({1: "a"}, {"x": 3}, {"p"}, b"1"),
        Holder({1: "a"}, {"x": 2}, {"r"}, b"1"),
        Holder({1: "a"}, {"x": 2}, {"p"}, b"2"),
    ):
        assert canonical(told) != canonical(other)


def test_a_book_with_alarms_of_two_hours_can_be_compared():
    hours = {hour: AlarmHourRow(hour=hour, **_counts()) for hour in (7, 6)}
    assert canonical(AlarmBook(hours=hours)) == canonical(AlarmBook(hours=dict(sorted(hours.items()))))


def _counts():
    fields = msgspec.structs.fields(AlarmHourRow)
    return {each.name: 0 for each in fields if each.name != "hour" and each.required}
