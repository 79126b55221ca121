"""The oracle: what people really did against the rows that the box left behind.

It knows no rule of the kernel but the bounds that ``docs/gym.md`` states: a workout that nobody could hear begin loses
what was done until it was heard, a console that begins anew unheard loses what its counter had not told, a power cut
costs at most the last minute of what no counter tells. Everything else must be there once, and nothing twice.
"""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Any

from _gym_floor import STRENGTH, Floor, S, Visit

#: A machine's word comes each second and is whole metres; motion is believed after two.
NEAR_M, NEAR_S = 12.0, 5.0
#: After a fault a link needs so long to be heard again (reconnecting, a poll, two words), without counters a minute
#: of totals is what a row may be behind.
BACK_S, NOTED_S = 8, 61
#: Alarm after 20 s above the ceiling or 5 s above the maximum, and the pulse of the first seconds may be doubted.
ALARM_S = 32


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """Committed rows, as dictionaries."""
    store = sqlite3.connect(folder / "gym" / "facts.db")
    store.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in store.execute(f"SELECT * FROM {table}")]
    finally:
        store.close()


class Truth:
    """Compares; ``judge`` raises AssertionError with the first thing that is wrong, and counts what it looked at."""

    def __init__(self, floor: Floor, folder: Path) -> None:
        self._floor = floor
        self._wall_ns = floor.clock.now_wall_ns - floor.clock.now_mono_ns
        self._workouts = rows(folder, "workout")
        self._alarms = rows(folder, "heart_alarm")

    def judge(self) -> dict[str, int]:
        counts = {"visits": 0, "workouts": len(self._workouts), "alarms_due": 0, "kills": len(self._floor.kills)}
        assert not self._floor.box.raised, self._floor.box.raised[:3]
        assert [row for row in self._workouts if row["standing"]] == [], "a workout is open for ever"
        claimed: set[str] = set()
        for visit in self._floor.visits:
            assert visit.to_ns, "the scene was too short"
            found = self._of(visit)
            claimed |= {row["workout_id"] for row in found}
            self._whole(visit, found)
            if visit.asset == STRENGTH:
                self._repetitions(visit, found)
            else:
                self._totals(visit, found)
            counts["alarms_due"] += self._ceiling(visit, parts=len(found))
            counts["visits"] += 1
        made_up = [row for row in self._workouts if row["workout_id"] not in claimed and row["state"] == "ended"]
        assert not made_up, f"nobody did this: {made_up}"
        return counts

    def _of(self, visit: Visit) -> list[dict[str, Any]]:
        """Rows of its machine that began while it lasted, the first one first."""
        first, last = visit.from_ns + self._wall_ns - 5 * S, visit.to_ns + self._wall_ns + S
        mine = [row for row in self._workouts if row["asset"] == visit.asset and first <= row["began_ns"] <= last]
        return sorted(mine, key=lambda row: row["began_ns"])

    # --- one workout for one visit ------------------------------------------------------------------------------------

    def _whole(self, visit: Visit, found: list[dict[str, Any]]) -> None:
        seconds = (visit.to_ns - visit.from_ns) / S
        if not [row for row in found if row["state"] == "ended"] and self._audible_s(visit) >= 45:
            raise AssertionError(f"a workout is lost: {visit.asset}, {seconds:.0f} s, rows {_short(found)}")
        assert len(found) <= 1 + len(visit.resets) + self._died_at_its_start(visit), f"doubled: {_short(found)}"
        ended = sorted((row["began_ns"], row["ended_ns"]) for row in found)
        assert all(a[1] <= b[0] for a, b in pairwise(ended)), f"overlapping: {_short(found)}"
        if not self._died_at_its_start(visit):
            assert not found or found[0]["person"] == visit.person, f"whose was it: {visit.person}, {_short(found)}"
        # A console that began anew unheard may be somebody else's: what follows is nobody's until a card says so.
        assert {row["person"] for row in found} <= {visit.person, ""}, f"another's: {visit.person}, {_short(found)}"

    def _totals(self, visit: Visit, found: list[dict[str, Any]]) -> None:
        real_m = visit.metres(visit.from_ns, visit.to_ns)
        told_m = sum(row["distance_m"] for row in found)
        assert told_m <= real_m + NEAR_M, f"metres that nobody did: {told_m} of {real_m:.0f}, {_short(found)}"
        least_m = real_m - NEAR_M - self._excused_m(visit)
        assert told_m >= least_m, f"metres were lost: {told_m} of {real_m:.0f} (bound {least_m:.0f}), {_short(found)}"
        real_s, told_s = (visit.to_ns - visit.from_ns) / S, sum(row["active_ms"] for row in found) / 1000
        assert told_s <= real_s + NEAR_S, f"time that nobody trained: {told_s} of {real_s}"
        assert told_s >= real_s - NEAR_S - self._excused_s(visit), f"time was lost: {told_s} of {real_s}"

    def _repetitions(self, visit: Visit, found: list[dict[str, Any]]) -> None:
        told = sum(row["reps"] for row in found)
        assert told <= visit.reps, f"repetitions that nobody did: {told} of {visit.reps}, {_short(found)}"
        inside = [at_ns for at_ns in self._floor.heard_reps if visit.from_ns <= at_ns <= visit.to_ns]
        kills = [at_ns for at_ns in self._floor.kills if visit.from_ns <= at_ns <= visit.to_ns + S]
        sure = [at for at in inside if not any(at <= kill <= at + NOTED_S * S for kill in kills)]
        assert told >= len(sure), f"repetitions were lost: {told} of {len(sure)} heard, {_short(found)}"

    # --- pulses -------------------------------------------------------------------------------------------------------

    def _ceiling(self, visit: Visit, parts: int) -> int:
        """No ceiling of a person is missed while the strap could be heard, and none is made up. In the second of
        ``parts`` nobody knows who it is."""
        first, last = visit.from_ns + self._wall_ns, visit.to_ns + self._wall_ns + 5 * S
        told = [row for row in self._alarms if row["asset"] == visit.asset and first <= row["at_ns"] <= last]
        alarms = [row for row in told if row["level"] == "alarm"]
        if visit.high is None:
            assert not told, f"nobody's heart was that fast: {told}"
            return 0
        if self._clear_s(visit.asset, *visit.high) < ALARM_S or self._died_at_its_start(visit) or parts > 1:
            return 0
        assert alarms, f"a ceiling was missed: {visit.asset}, {visit.person}"
        assert {row["person"] for row in alarms} == {visit.person}, f"another's alarm: {alarms}"
        return 1

    # --- what the box could know --------------------------------------------------------------------------------------

    def _windows(self, asset: str) -> list[tuple[int, int]]:
        """When it may not have been heard, each with the time that hearing needs to come back; merged."""
        mine = [(a, b + BACK_S * S) for name, a, b in self._floor.deaf if name in {asset, "*"}]
        merged: list[tuple[int, int]] = []
        for a, b in sorted(mine):
            if merged and a <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], b))
            else:
                merged.append((a, b))
        return merged

    def _clear_s(self, asset: str, from_ns: int, to_ns: int) -> float:
        """The longest stretch between without a fault."""
        at_ns, longest = from_ns, 0
        for a, b in self._windows(asset):
            if b <= from_ns or a >= to_ns:
                continue
            longest = max(longest, a - at_ns)
            at_ns = max(at_ns, b)
        return max(longest, to_ns - at_ns) / S

    def _audible_s(self, visit: Visit) -> float:
        return self._clear_s(visit.asset, visit.from_ns, visit.to_ns)

    def _unheard(self, visit: Visit) -> list[tuple[int, int]]:
        """Stretches of it that no counter will tell: at its beginning, and around a console that began anew or leapt
        (what was walked unheard before a leap cannot be told from the leap)."""
        excused, told_wrong = [], [*visit.resets, *visit.jumps]
        for a, b in self._windows(visit.asset):
            if a <= visit.from_ns + 4 * S < b or any(a - 2 * S <= at_ns <= b for at_ns in told_wrong):
                excused.append((max(a - 3 * S, visit.from_ns), b))
        for kill in self._floor.kills:
            after = next((b for a, b in self._windows(visit.asset) if a <= kill <= b), kill)
            near = any(kill - NOTED_S * S <= at_ns <= after for at_ns in told_wrong)
            if near or visit.from_ns - 5 * S <= kill <= visit.from_ns + 5 * S:
                excused.append((max(kill - NOTED_S * S, visit.from_ns), after))
        excused += [(at_ns - 3 * S, at_ns + 3 * S) for at_ns in told_wrong]
        return excused

    def _excused_m(self, visit: Visit) -> float:
        return sum(visit.metres(a, b) for a, b in self._unheard(visit))

    def _excused_s(self, visit: Visit) -> float:
        """Time is filled by the machine's own clock, as exactly as metres."""
        return sum(max(0, min(b, visit.to_ns) - max(a, visit.from_ns)) / S for a, b in self._unheard(visit))

    def _died_at_its_start(self, visit: Visit) -> int:
        """Deaths between the card and the first commit of the workout: nobody may know any more who came."""
        return sum(visit.claimed_ns - S <= kill <= visit.from_ns + 5 * S for kill in self._floor.kills)


def _short(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("person", "state", "reason", "active_ms", "filled_ms", "distance_m", "reps", "began_ns", "ended_ns")
    return [tuple(row[name] for name in names) for row in found]
