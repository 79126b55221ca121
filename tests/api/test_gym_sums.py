"""When to come and what one did in a week: what sums are divided by, and whose week it is."""

from __future__ import annotations

import msgspec
import pytest

from edge.api.gym_sums import use_week
from edge.api.preview_gym import DAY
from edge.api.preview_gym_world import CONFIG
from edge.domain.gym.pulses import PulseRow
from edge.domain.gym.rows import UseRow, WorkoutRow

BASE = "/api/v1/gym"
HOUR_MS = 3_600_000
EMPTY = UseRow(day="", hour=0, zone="hall", kind="treadmill", busy_ms=0, workouts=0, turned_away=0, waits=0, wait_ms=0,
               longest_wait_ms=0, no_shows=0)  # fmt: skip


def hour(day, number, **more):
    return msgspec.structs.replace(EMPTY, day=day, hour=number, **more)


def line(week, zone="hall", kind="treadmill"):
    return next(one for one in week.items if (one.zone, one.kind) == (zone, kind))


def test_an_hour_is_divided_by_machines_and_by_days_that_have_figures():
    """Two Fridays of four were measured; six treadmills."""
    rows = {
        "2026-11-20": [hour("2026-11-20", 9, busy_ms=6 * HOUR_MS), hour("2026-11-20", 10, busy_ms=3 * HOUR_MS)],
        "2026-11-13": [hour("2026-11-13", 9, busy_ms=3 * HOUR_MS)],
    }
    week = use_week(CONFIG, rows, "2026-11-20", 28)
    assert (week.first_day, week.last_day, week.days) == ("2026-10-24", "2026-11-20", [0, 0, 0, 0, 2, 0, 0])
    busy = line(week).busy_pct
    friday = 4 * 24
    assert (busy[friday + 9], busy[friday + 10], busy[friday + 11]) == (75, 25, 0)
    assert busy[friday + 3] is None, "closed at night"
    assert set(busy[:24]) == {None}, "no Monday was measured: not the same as empty"
    assert line(week, "elders").busy_pct[friday + 9] == 0
    assert {one.zone for one in week.items} == {"hall", "elders"}, "outdoor points are counted, not timed"


def test_waits_are_a_mean_of_those_who_waited():
    rows = {DAY: [hour(DAY, 9, waits=3, wait_ms=600_000, no_shows=1), hour(DAY, 10, waits=1, wait_ms=200_000,
                                                                          turned_away=2)]}  # fmt: skip
    found = line(use_week(CONFIG, rows, DAY, 7))
    assert (found.waits, found.mean_wait_s, found.no_shows, found.turned_away) == (4, 200, 1, 2)
    assert line(use_week(CONFIG, rows, DAY, 7), kind="bike").mean_wait_s is None


def test_a_sum_is_never_more_than_all_of_it():
    assert max(one for one in line(use_week(CONFIG, {DAY: [hour(DAY, 9, busy_ms=99 * HOUR_MS)]}, DAY, 7)).busy_pct
               if one is not None) == 100  # fmt: skip


@pytest.mark.parametrize("day", ["2026-02-30", "0000-01-01", "0001-01-01"])
def test_a_day_that_is_none_is_refused(api, day):
    for path in (f"/use/week?last_day={day}", f"/week?last_day={day}"):
        answer = api.get(BASE + path, who="member")
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_value")


def test_anybody_may_know_when_to_come(api):
    for who in ("member", "family", "read-only", "panel"):
        answer = api.get(f"{BASE}/use/week?last_day={DAY}&weeks=4", who=who)
        assert answer.status_code == 200
        assert sum(answer.json()["days"]) >= 1


# --- my week ---


def week_of(api, who, query=""):
    return api.get(f"{BASE}/week?last_day={DAY}{query}", who=who)


def test_my_week_is_the_sum_of_my_workouts_and_my_pulse(api):
    rows = [row for row in api.gym.rows.all(WorkoutRow) if row.person == "m001"]
    week = week_of(api, "member").json()
    assert [one["day"] for one in week["days"]][-1] == DAY
    assert len(week["days"]) == 7
    today = week["days"][-1]
    assert today["workouts"] == len(rows) == 1
    assert today["active_s"] == rows[0].active_ms // 1000
    assert today["distance_m"] == pytest.approx(rows[0].distance_m, abs=0.1)
    beats = [byte for row in api.gym.rows.all(PulseRow) if row.workout_id == rows[0].workout_id for byte in row.bpm]
    assert 80 < today["pulse_s"] <= sum(byte > 0 for byte in beats)
    # m001: maximum 140 set by staff; 64 % = 90, 77 % = 108; the beats are 97 to 105.
    assert (week["moderate_bpm"], week["vigorous_bpm"], week["source"]) == (90, 108, "personal")
    assert (today["moderate_s"], today["light_s"], today["vigorous_s"]) == (today["pulse_s"], 0, 0)
    assert all(one["workouts"] == 0 for one in week["days"][:-1])


def test_a_members_week_is_his_whatever_is_asked_for(api):
    assert week_of(api, "member", "&person=m002").json() == week_of(api, "member").json()
    assert week_of(api, "member").json()["person"] == "m001"


def test_others_see_a_week_as_they_see_the_workouts(api):
    refused = week_of(api, "family", "&person=m001")
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_person")
    assert week_of(api, "family").status_code == 404
    assert api.post("/api/v1/members/m001/consents", {"family": "family"}, who="member").status_code == 200
    assert week_of(api, "family", "&person=m001").json() == week_of(api, "member").json()
    assert week_of(api, "family", "&person=m002").status_code == 404
    assert week_of(api, "coach", "&person=m001").json() == week_of(api, "member").json()
    assert week_of(api, "coach").status_code == 404, "not everybody's at once"
    for who in ("maintenance", "read-only", "panel"):
        assert week_of(api, who, "&person=m001").status_code == 403, who


def test_turns_are_counted_by_machine_and_hour_of_opening():
    """Six treadmills, one Friday, 18 hours: 54 workouts are half a turn an hour."""
    day = "2026-11-20"
    rows = {day: [hour(day, 9, workouts=50, busy_ms=50 * 1_200_000), hour(day, 10, workouts=4, waits=2, wait_ms=90_000,
                                                                         longest_wait_ms=61_000)]}  # fmt: skip
    found = line(use_week(CONFIG, rows, day, 7))
    assert (found.workouts, found.mean_use_s, found.turns_per_h) == (54, 1111, 0.5)
    assert (found.mean_wait_s, found.longest_wait_s) == (45, 61)
    empty = line(use_week(CONFIG, {}, day, 7))
    assert (empty.mean_use_s, empty.turns_per_h, empty.longest_wait_s) == (None, None, None)
