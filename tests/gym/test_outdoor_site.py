"""The site that issue 5 speaks of, all at once: 232 outdoor points in 63 compounds beside 200 machines.

An evening of use goes through driver, kernel and store and is held against what people did (``_outdoor_day``): counters
that begin anew, points that fall silent or are cut off, words that come twice or in the wrong order, a box that is
killed. A whole day of it: ``python tests/gym/_outdoor_day.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.domain.gym.wear_rows import OrderRow
from edge.domain.gym.wear_state import HOURS

TESTS = Path(__file__).parents[1]
HOUR_S = 3600
POINTS, COMPOUNDS, MACHINES = 232, 63, 200


@pytest.fixture(scope="module")
def kit():
    """The helpers of three folders: the site of the bench, the box of the fault campaign, the day of this one."""
    with pytest.MonkeyPatch.context() as patch:
        for folder in ("bench", "faults/garage", "faults/gym", "gym"):
            patch.syspath_prepend(str(TESTS / folder))
        import _outdoor_day

        yield _outdoor_day


@pytest.fixture(scope="module")
def day(kit, tmp_path_factory):
    """The evening and its midnight, with a kill -9 and twenty minutes without a box."""
    from _gym_site import Layout

    played = kit.Day(tmp_path_factory.mktemp("outdoor"), Layout(), 5, from_s=20 * HOUR_S)
    played.play(burst_s=1200, share=0.25)
    played.next_day("2026-11-23")
    yield played
    played.box.stop()


def test_the_site_has_the_size_of_the_issue(day):
    assert len(day.site.gym.assets) == POINTS + MACHINES
    assert len({one.zone for one in day.site.gym.assets if one.kind == "outdoor"}) == COMPOUNDS
    assert len(day.site.gym.trails[0].gates) > 1
    assert sum(sum(hours.values()) for hours in day.done.values()) > 10 * POINTS / 2
    assert (day.box.boots, day.box.raised) == (2, [])
    assert {"dies", "cut_off", "new_battery", "repeats", "disorder"} == set(day.fate.values())


def test_every_point_has_its_uses_of_the_day(day, kit):
    rows = day.counted(kit.DAY)
    assert {name: rows[name].uses for name in day.done} == {name: sum(day.done[name].values()) for name in day.done}


def test_every_point_has_its_uses_of_each_hour(day, kit):
    rows = day.counted(kit.DAY)
    found = {name: kit.hours_of(rows[name]) for name in day.done}
    assert {name: (found[name], hours) for name, hours in day.done.items() if found[name] != hours} == {}
    assert len(kit.hours_of(rows["out-001"])) <= HOURS


def test_what_nobody_ever_inspected_is_232_orders_and_no_alarm(day):
    """Each as an alarm of its own would fill the book before the heart of somebody does."""
    owed = [row for row in day.rows(OrderRow, {"standing": 1}, ("order_id",)) if row.cause == "inspection_due"]
    assert len(owed) >= 200, "those of which nobody wrote down an age begin to count today"
    assert day.box.views.get("gym-alarms") is None or not day.box.views["gym-alarms"].alarms


def test_a_counter_that_nobody_hears_for_a_week_is_looked_at(day):
    dead = {name for name, fate in day.fate.items() if fate == "dies"}
    day.others_live_on("2026-11-24", "2026-11-30")
    silent = {row.asset for row in day.rows(OrderRow, {"standing": 1}, ("order_id",)) if row.cause == "counter_silent"}
    assert silent == dead
