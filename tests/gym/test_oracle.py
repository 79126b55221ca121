"""The kernel against a second, plain model that sees the whole truth afterwards, and itself in other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from edge.domain.gym.rows import HeartAlarmRow
from edge.domain.gym.settings import LimitSettings

ROOT = Path(__file__).parents[2]
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
PAUSE_S, LOST_S, END_S, LOST_END_S = 6, 5, 90, 180


# --- a workout: what really happened, and what should have been written down ---

#: (what somebody does, whether the machine is heard, seconds). RESET: its counters begin anew, unheard.
STRETCH = st.one_of(
    st.tuples(st.just("walk"), st.just(True), st.integers(10, 90)),
    st.tuples(st.just("stand"), st.just(True), st.integers(12, 60)),
    st.tuples(st.just("stand"), st.just(True), st.integers(100, 120)),
    st.tuples(st.sampled_from(("walk", "stand")), st.just(False), st.integers(8, 60)),
    st.tuples(st.just("walk"), st.just(False), st.integers(190, 220)),
    st.tuples(st.just("reset"), st.just(False), st.integers(8, 30)),
    st.tuples(st.just("reset"), st.just(True), st.just(1)),
)


def workouts_of(stretches, m_per_s):
    """Offline: (active s, metres, stretches of motion) of each workout, from the list of all that happened."""
    found, lost_s, unheard_walk_s, still_s = [], 0, 0, 0
    now = None

    def over():
        nonlocal now, still_s
        if now is not None:
            found.append(tuple(now))
        now, still_s = None, 0

    for what, heard, seconds in stretches:
        if not heard:
            lost_s += seconds
            unheard_walk_s += seconds if what == "walk" else 0
            if what == "reset" or lost_s >= LOST_END_S:  # somebody began anew, or it was given up
                over()
                unheard_walk_s = 0
            continue
        if what == "reset" and lost_s:  # the first that is heard again is a counter that began anew
            over()
            unheard_walk_s = 0
        if unheard_walk_s and now is not None:
            now[0] += unheard_walk_s
            now[1] += unheard_walk_s * m_per_s
        if lost_s:
            still_s = 0
        lost_s = unheard_walk_s = 0
        if what == "walk":
            now = now or [0, 0.0, 0]
            now = [now[0] + seconds, now[1] + seconds * m_per_s, now[2] + 1]
            still_s = 0
        elif what == "stand":
            still_s += seconds
            if still_s >= END_S:
                over()
    over()
    return found


def seen(stretches):
    """A counter that stands at zero begins anew without anybody noticing."""
    told, count_s = [], 100
    for what, heard, seconds in stretches:
        told.append(("stand" if what == "reset" and not count_s else what, heard, seconds))
        count_s = 0 if what == "reset" else count_s + (seconds if what == "walk" else 0)
    return told


class Machine:
    def __init__(self, gym):
        self.gym, self.metres, self.elapsed_s = gym, 100.0, 100.0

    def play(self, what, heard, seconds, m_per_s):
        def each():
            if what == "walk":
                self.metres, self.elapsed_s = self.metres + m_per_s, self.elapsed_s + 1
            if heard:
                self.say()

        if what == "reset":
            self.metres = self.elapsed_s = 0.0
        self.gym.run(seconds, each=each)

    def say(self):
        self.gym.says("t1", distance_m=round(self.metres, 2), elapsed_s=self.elapsed_s)


@QUICK
@given(stretches=st.lists(STRETCH, min_size=1, max_size=9), km_h=st.sampled_from((3.0, 6.0, 10.8)))
def test_any_walk_is_written_down_as_it_was(kit, stretches, km_h):
    stretches, still = seen(stretches), 0
    for what, heard, seconds in stretches:  # nothing so near to a threshold that a second decides
        still = still + seconds if (what, heard) == ("stand", True) else 0
        assume(not 84 <= still <= 98)
    for heard, group in groupby(stretches, key=lambda one: one[1]):
        silent = 0 if heard else sum(seconds for _, _, seconds in group)
        assume(not 172 <= silent <= 188)
    for former, later in zip(stretches, [*stretches[1:], ("", True, 0)], strict=True):
        assume(not (former[0] == "reset" and not former[1] and not later[1]))  # walked on unheard after a reset
    gym, m_per_s = kit.new(), km_h / 3.6
    machine = Machine(gym)
    machine.say()
    for what, heard, seconds in stretches:
        machine.play(what, heard, seconds, m_per_s)
    machine.play("stand", True, 120, m_per_s)
    rows = sorted(gym.workouts(), key=lambda row: row.began_ns)
    want = workouts_of([*stretches, ("stand", True, 120)], m_per_s)
    assert len(rows) == len(want), (rows, want)
    for row, (active_s, metres, runs) in zip(rows, want, strict=True):
        slack_s = 2.0 * (runs + sum(not heard for _, heard, _ in stretches)) + 1
        assert row.active_ms / 1000 == pytest.approx(active_s, abs=slack_s)
        assert row.distance_m == pytest.approx(metres, abs=slack_s * m_per_s + 1)
        assert row.state == ("ended" if row.active_ms >= 30_000 else "dropped")


# --- limits: when a warning and an alarm are due, from the whole list of beats ---

RULE = LimitSettings()
CEILING, MAXIMUM = 110, 140


def held(beats, at, seconds, holds):
    """Whether ``holds`` was true of every beat of the last ``seconds``, without a gap that makes a pulse unknown."""
    known = [second for second in range(at + 1) if beats[second] is not None]
    if beats[at] is None:
        return False
    first = at
    for earlier, later in zip(reversed(known[:-1]), reversed(known), strict=False):
        if later - earlier >= RULE.unknown_s or not holds(beats[earlier]):
            break
        first = earlier
    return holds(beats[at]) and at - first >= seconds


def alarms_of(beats):
    """Offline: (second, level) of each change to a warning or an alarm."""
    level, found = "ok", []
    for at in range(len(beats)):
        if beats[at] is None:
            continue
        far = held(beats, at, RULE.alarm_s, lambda bpm: bpm > CEILING + RULE.alarm_over_bpm)
        if far or held(beats, at, RULE.max_s, lambda bpm: bpm > MAXIMUM):
            now = "alarm"
        elif level == "ok" and held(beats, at, RULE.warn_s, lambda bpm: bpm > CEILING):
            now = "warn"
        elif held(beats, at, RULE.clear_s, lambda bpm: bpm <= CEILING - RULE.clear_under_bpm):
            now = "ok"
        else:
            now = level
        if now not in {level, "ok"}:
            found.append((at, now))
        level = now
    return found


@st.composite
def pulses(draw):
    """A pulse that wanders as hearts do, with silences."""
    beats, bpm = [], 100
    for _ in range(draw(st.integers(2, 12))):
        goal, seconds = draw(st.integers(90, 150)), draw(st.integers(5, 60))
        silent = draw(st.sampled_from((False, False, False, True)))
        for _ in range(seconds if not silent else min(seconds, 20)):
            bpm += max(-8, min(8, goal - bpm))
            beats.append(None if silent else bpm)
    return beats


@QUICK
@given(beats=pulses())
def test_every_warning_and_alarm_comes_when_it_is_due(kit, beats):
    gym = kit.new()
    gym.person("anna", "c1", ceiling_bpm=CEILING, max_bpm=MAXIMUM)
    gym.card("k1", "c1")
    gym.cuff(120)
    gym.stand("e1")
    gym.card("e1", "c1")
    gym.train("e1", 5)
    began_ns = gym.wall_ns

    left = iter(beats)

    def each():
        gym.walk("e1")
        bpm = next(left)
        if bpm is not None:
            gym.beats("e1", bpm)

    gym.run(len(beats), each=each)
    rows = sorted(gym.rows.all(HeartAlarmRow), key=lambda row: row.at_ns)
    assert [((row.at_ns - began_ns) // 1_000_000_000 - 1, row.level) for row in rows] == alarms_of(beats)
    for row in rows:  # each carries the beats that caused it
        carried = msgspec.msgpack.decode(row.samples, type=list[tuple[int, int]])
        assert carried[-1] == (0, beats[(row.at_ns - began_ns) // 1_000_000_000 - 1])


# --- the same inputs, the same effects ---

REPLAY = """
import hashlib, importlib.util, random, sys, msgspec
spec = importlib.util.spec_from_file_location("conftest_gym", sys.argv[1] + "/conftest.py")
kit = importlib.util.module_from_spec(spec); sys.modules["conftest_gym"] = kit; spec.loader.exec_module(kit)
spec = importlib.util.spec_from_file_location("history", sys.argv[1] + "/test_any_history.py")
history = importlib.util.module_from_spec(spec); spec.loader.exec_module(history)
gym, dice, told = kit.Gym(), random.Random(7), hashlib.sha256()
take = gym.take
def listen(effects):
    told.update(msgspec.msgpack.encode([(type(one).__name__, one) for one in effects])); take(effects)
gym.take = listen
for person, card in history.PEOPLE.items():
    gym.person(person, card, birth_year=1950, ceiling_bpm=115)
for _ in range(60):
    history.step(dice, gym, {})
told.update(msgspec.msgpack.encode(gym.world))
print(told.hexdigest())
"""


def test_two_processes_with_other_hashes_decide_the_same():
    def run(seed):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-c", REPLAY, str(Path(__file__).parent)]
        return subprocess.run(words, env=env, capture_output=True, text=True, timeout=240, check=True).stdout

    assert run("1") == run("4242") != ""
