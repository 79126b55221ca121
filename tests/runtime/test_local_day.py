"""Which days the kernel hears of while the clock is stepped about."""

from __future__ import annotations

import pytest

from edge.runtime.clock import CHINA_UTC_OFFSET_MIN, ManualClock
from edge.runtime.local_day import LocalDay

DAY_NS = 86_400_000_000_000
NOON_NS = 1_795_320_000_000_000_000  # 2026-11-22 12:00 in Shanghai


@pytest.fixture
def clock():
    return ManualClock(wall_ns=NOON_NS)


@pytest.fixture
def today(clock):
    return LocalDay(clock, CHINA_UTC_OFFSET_MIN)


def step(clock, days):
    """Somebody sets the clock of a running box; nobody confirms it."""
    clock.now_wall_ns += days * DAY_NS
    clock.trusted = False


def test_a_date_that_is_years_ahead_for_a_minute_is_never_told(clock, today):
    """The business day could not come back from there: nothing would be on the menu for years."""
    assert today.news() == "2026-11-22"
    step(clock, 3653)
    assert [today.news(), today.news()] == [None, None]
    step(clock, -3653)
    assert today.news() is None
    clock.now_wall_ns += DAY_NS
    assert today.news() == "2026-11-23"


def test_a_leap_is_told_once_a_time_server_stands_for_it(clock, today):
    today.news()
    step(clock, 400)
    assert today.news() is None
    clock.trusted = True
    assert today.news() == "2027-12-27"


def test_days_go_on_under_a_doubted_clock(clock, today):
    """A box without a network whose clock was corrected by a minute stays in doubt until it is started anew."""
    today.news()
    clock.trusted = False
    for _ in range(100):
        clock.advance(DAY_NS)
        assert today.news() is not None
    assert today.day == "2027-03-02"
    step(clock, 31)
    assert today.news() == "2027-04-02"


def test_a_box_that_woke_up_years_back_may_be_set_by_hand(clock, today):
    clock.now_wall_ns = 0
    clock.trusted = False
    assert today.news() == "1970-01-01"
    clock.now_wall_ns = NOON_NS
    assert today.news() == "2026-11-22"
