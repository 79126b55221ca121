from __future__ import annotations

import time

import pytest

from edge.runtime import clock as clock_module
from edge.runtime.clock import STEP_NS, RealClock, local_day, time_server_keeps_clock

S = 1_000_000_000


class Machine:
    """Stands for the machine's two clocks and its time server."""

    def __init__(self, monkeypatch) -> None:
        self.mono, self.wall, self.server = 1000 * S, 1_790_000_000 * S, False
        self.asked = 0
        monkeypatch.setattr(RealClock, "mono_ns", lambda _: self.mono)
        monkeypatch.setattr(RealClock, "wall_ns", lambda _: self.wall)
        monkeypatch.setattr(clock_module, "time_server_keeps_clock", self.ask)

    def ask(self):
        self.asked += 1
        return self.server

    def passes(self, ns):
        self.mono += ns
        self.wall += ns


@pytest.fixture
def machine(monkeypatch):
    return Machine(monkeypatch)


def test_a_clock_that_only_runs_is_trusted_and_nobody_is_asked(machine):
    clock = RealClock(newest_wall_ns=machine.wall - 1, build_wall_ns=machine.wall - 100)
    for _ in range(5):
        machine.passes(3600 * S)
        assert clock.wall_trusted()
    assert machine.asked == 0


def test_a_wall_before_the_newest_commit_is_doubted_until_confirmed_or_passed(machine):
    clock = RealClock(newest_wall_ns=machine.wall + 60 * S)
    assert not clock.wall_trusted()
    machine.passes(61 * S)
    assert clock.wall_trusted()
    later = RealClock(newest_wall_ns=machine.wall + 3600 * S)
    assert not later.wall_trusted()
    later.confirm()
    assert later.wall_trusted()


@pytest.mark.parametrize("step", [STEP_NS + 1, -STEP_NS - 1, 86_400 * S])
def test_a_step_is_doubted_until_a_time_server_keeps_the_clock(machine, step):
    clock = RealClock()
    machine.wall += step
    assert not clock.wall_trusted()
    machine.passes(S)
    assert not clock.wall_trusted()
    machine.server = True
    assert not clock.wall_trusted(), "asked at most once a second"
    machine.passes(S)
    assert clock.wall_trusted()
    machine.server = False
    machine.passes(10 * S)
    assert clock.wall_trusted()


def test_small_corrections_are_no_reason_to_doubt(machine):
    clock = RealClock()
    machine.wall += STEP_NS
    assert clock.wall_trusted()


def test_nothing_confirms_a_time_before_the_build(machine):
    machine.server = True
    clock = RealClock(build_wall_ns=machine.wall + S)
    clock.confirm()
    assert not clock.wall_trusted()


@pytest.mark.parametrize("newest", [-S, 60 * S])
@pytest.mark.parametrize("build", [-S, 30 * S])
@pytest.mark.parametrize("step", [0, STEP_NS, STEP_NS + 1, -STEP_NS, -STEP_NS - 1])
def test_a_stamp_s_three_words_are_those_of_the_clock(machine, newest, build, step):
    clock = RealClock(newest_wall_ns=machine.wall + newest, build_wall_ns=machine.wall + build)
    for _ in range(3):
        machine.wall += step
        assert clock.now() == (machine.mono, machine.wall, clock.wall_trusted())
        machine.passes(40 * S)


def test_the_real_clock_runs_and_names_its_life():
    clock = RealClock()
    first = clock.mono_ns()
    assert clock.mono_ns() >= first > 0
    before_ns = time.time_ns()
    assert before_ns <= clock.wall_ns() <= time.time_ns()
    assert clock.boot_id == RealClock().boot_id
    assert isinstance(time_server_keeps_clock(), bool)


@pytest.mark.parametrize(
    ("wall_s", "offset_min", "day"),
    [
        (0, 0, "1970-01-01"),
        (57_599, 480, "1970-01-01"),
        (57_600, 480, "1970-01-02"),
        (1_795_276_799, 480, "2026-11-21"),
        (1_795_276_800, 480, "2026-11-22"),
        (1_795_276_800, -60, "2026-11-21"),
    ],
)
def test_the_local_day_turns_at_local_midnight(wall_s, offset_min, day):
    assert local_day(wall_s * S, offset_min) == day
