"""Outdoor points: counted, and known to be there once they were heard."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.devices import DeviceReading
from edge.domain.gym.messages import DayOpened, Inspect
from edge.domain.gym.settings import AssetKind, WearSettings
from edge.domain.gym.trail_rows import CountDayRow
from edge.domain.gym.wear_rows import OrderRow, OrderStepRow
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


def orders(gym):
    return {row.cause: row.state for row in gym.rows.all(OrderRow)}


@pytest.fixture
def old(kit):
    """A point that nobody has inspected for a year, and whose silence is told after a week."""
    rules = (WearSettings(kind=AssetKind.OUTDOOR, inspect_days=30, silent_days=7),)
    points = (kit.asset("o1", AssetKind.OUTDOOR, installed="2025-11-22"),)
    return kit.new(config=kit.config(assets=points, wear=rules))


def test_an_inspection_settles_what_asked_for_it_and_leaves_what_it_found(old):
    count(old, 1, 0)
    old.run(61)
    assert orders(old) == {"inspection_due": "seen"}
    old.command(Inspect(asset="o1", items=(("frame", "ok"), ("bolts", "minor"))), role=Role.MAINTENANCE)
    assert orders(old) == {"inspection_due": "closed", "inspection": "seen"}
    assert [row.step for row in old.rows.all(OrderStepRow) if row.order_id.endswith("inspection_due")] == [
        "seen", "settled",
    ]  # fmt: skip


def test_a_dangerous_piece_is_locked_out_under_the_order_that_stood(old):
    """Only a return test gives it back."""
    count(old, 1, 0)
    old.run(61)
    old.command(Inspect(asset="o1", items=(("frame", "danger"),)), role=Role.MAINTENANCE)
    assert orders(old) == {"inspection_due": "locked_out"}
    old.run(61, each=lambda: count(old, 2, 90))
    assert orders(old) == {"inspection_due": "locked_out"}
    assert old.shown["asset/o1"].use.value == "locked"


def test_a_counter_that_is_heard_again_needs_nobody(old):
    for day in range(23, 31):
        old.give(DayOpened(f"2026-11-{day}"))
    assert orders(old)["counter_silent"] == "seen"
    assert "counter_silent" in old.shown["asset/o1"].due
    count(old, 5, 100)
    old.run(61)
    assert orders(old)["counter_silent"] == "closed"
    assert "counter_silent" not in old.shown["asset/o1"].due
