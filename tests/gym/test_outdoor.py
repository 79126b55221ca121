"""Outdoor points: counted, and known to be there once they were heard."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.devices import DeviceReading
from edge.domain.gym.messages import DayOpened
from edge.domain.gym.trail_rows import CountDayRow
from edge.domain.machine_readings import CountReading

S = 1_000_000_000


def test_a_point_is_unknown_until_it_was_heard(gym):
    gym.run(31)
    assert {name: use.value for name, use, _ in gym.shown["gym"].assets}["o1"] == "unknown"
    gym.give(DeviceReading("row", 1, CountReading(point="o1", use_count=12)))
    gym.run(1)
    assert (gym.shown["asset/o1"].use.value, gym.shown["asset/o1"].heard_ago_s) == ("free", 0)
    assert {name: use.value for name, use, _ in gym.shown["gym"].assets}["o1"] == "free"


def test_only_what_was_added_since_is_use(gym):
    for count in (412, 412, 419, 3):
        gym.give(DeviceReading("row", 1, CountReading(point="o1", use_count=count)))
    assert gym.world.wear["o1"].day.uses == 10


def count(gym, value, at_s=None, **facts):
    """A word of the point's counter, said ``at_s`` by its own clock."""
    said_ns = None if at_s is None else (1_790_000_000 + at_s) * S
    return gym.give(DeviceReading("row", 1, CountReading(point="o1", use_count=value, source_wall_ns=said_ns, **facts)))


def uses(gym):
    return gym.world.wear["o1"].day.uses


@pytest.mark.parametrize(
    ("words", "added"),
    [
        ([(400, 0), (401, 1), (1, 2), (2, 3)], 3),  # a new battery
        ([(8, 0), (5, 1), (6, 2)], 6),  # one of a point that is seldom used: five since
        ([(400, 0), (402, 2), (401, 1), (403, 3)], 3),  # a late word
        ([(400, 0), (2, 1), (400, 0), (3, 2)], 3),  # one from before the battery was changed
        ([(3, 0), (4, 1), (1, -5), (5, 2)], 2),  # late, and less than half
        ([(400, 90_000), (401, 0), (402, 1)], 2),  # the clock was set back
        ([(400, 0), (9000, 1), (9001, 2)], 1),  # a leap is not believed
        ([(0, 0), (0, 600), (0, 1200)], 0),  # nobody came
    ],
)
def test_the_points_own_time_tells_a_late_word_from_a_new_battery(gym, words, added):
    for value, at_s in words:
        count(gym, value, at_s)
    assert uses(gym) == added


@pytest.mark.parametrize(
    ("words", "added"),
    [
        ([412, 419, 3, 4], 11),
        ([412, 411, 413], 1),
        ([412, 410, 411, 412, 413], 2),  # late words, or a counter that began anew: nobody knows, little is added
        ([8, 5, 6, 7], 1),
    ],
)
def test_without_a_time_a_smaller_number_is_late_once(gym, words, added):
    for value in words:
        count(gym, value)
    assert uses(gym) == added


def test_a_use_counts_in_its_hour(gym):
    """The site's clock says 12:00; what was kept for two hours was done at ten, what is of yesterday counts now."""
    count(gym, 100)
    count(gym, 103)
    count(gym, 105, delay_ms=2 * 3_600_000)
    count(gym, 106, delay_ms=13 * 3_600_000)
    hours = gym.world.wear["o1"].day.hours
    assert {hour: n for hour, n in enumerate(hours) if n} == {12: 4, 10: 2}
    gym.give(DayOpened("2026-11-23"))
    (row,) = gym.rows.all(CountDayRow)
    assert (row.uses, msgspec.msgpack.decode(row.hours)) == (6, hours)


def test_a_power_cut_loses_no_use_of_a_quiet_point(gym):
    """One word, then nothing for an hour: it is on disk within a minute."""
    count(gym, 100, 0)
    count(gym, 104, 1)
    gym.run(61)
    gym.restart()
    assert (uses(gym), gym.world.wear["o1"].counter) == (4, 104)
    count(gym, 104, 1)
    count(gym, 105, 2)
    assert uses(gym) == 5


def test_a_battery_that_is_nearly_empty_is_due(gym):
    count(gym, 100, battery_pct=80)
    assert gym.shown["asset/o1"].due == ()
    count(gym, 101, battery_pct=14)
    gym.run(61)
    assert gym.shown["asset/o1"].due == ("battery_low",)
    assert [order.cause for order in gym.world.orders.values()] == ["battery_low"]
    assert gym.causes() == []
