"""The hard caps: no sequence of readings, restarts and pauses passes them, and each is a wall of its own."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.field_devices import MeterReading
from edge.domain.garage import charging
from edge.domain.garage.charging_caps import TRIPS
from edge.domain.garage.settings import FullSettings, PortSettings
from edge.domain.places import Place
from edge.domain.words import Text

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
PORT = PortSettings(port="p", zone="z", at=Place("d", "1"), name=Text(zh="口", en="Port"))
FULL = FullSettings()


def first(port=PORT, **reading):
    state = charging.start("s", 0)
    return charging.observe(state, port, FULL, MeterReading(point="1", **reading), SECOND)


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        ({"power_w": 600.0}, ""),
        ({"power_w": 600.1}, "overpower"),
        ({"power_w": 100.0, "current_a": 5.0}, ""),
        ({"power_w": 100.0, "current_a": 5.01}, "overcurrent"),
        ({"power_w": 100.0, "temperature_c": 64.9}, ""),
        ({"power_w": 100.0, "temperature_c": 65.0}, "hot"),
        ({"temperature_c": 65.0}, "hot"),
        ({"power_w": 100.0, "residual_ma": 29.9}, ""),
        ({"power_w": 100.0, "residual_ma": 30.0}, "residual"),
    ],
)
def test_each_cap_at_its_edge(reading, reason):
    decision = first(**reading)
    assert (decision.reason, decision.cut, decision.trip) == (reason, bool(reason), bool(reason))


def test_caps_are_the_sites_settings():
    strict = msgspec.structs.replace(PORT, cut_w=200, cut_ma=900, cut_c=40, residual_ma=6)
    assert first(strict, power_w=201.0).reason == "overpower"
    assert first(strict, power_w=10.0, current_a=1.0).reason == "overcurrent"
    assert first(strict, power_w=10.0, temperature_c=41.0).reason == "hot"
    assert first(strict, power_w=10.0, residual_ma=6.0).reason == "residual"


def test_warnings_do_not_cut():
    decision = first(power_w=301.0, temperature_c=55.0)
    assert (decision.cut, decision.warnings, decision.changed) == (False, ("high_power", "warm"), True)


def test_a_silent_meter_cuts_at_its_deadline_and_not_before():
    state = charging.start("s", 0)
    charging.observe(state, PORT, FULL, MeterReading(point="1", power_w=100.0), SECOND)
    due = charging.deadline(state, PORT)
    assert due == 16 * SECOND + 1
    assert not charging.tick(state, PORT, due - 1).cut
    assert charging.tick(state, PORT, due).reason == "meter_silent"


def test_a_reading_without_power_or_current_does_not_break_the_silence():
    state = charging.start("s", 0)
    for second in range(1, 20):
        charging.observe(state, PORT, FULL, MeterReading(point="1", temperature_c=30.0), second * SECOND)
    assert state.reason == "meter_silent"


def test_the_persons_own_limit_ends_without_a_trip():
    state = charging.start("s", 0, limit_min=30)
    state.heard_ns = 30 * 60 * SECOND
    decision = charging.tick(state, PORT, 30 * 60 * SECOND)
    assert (decision.reason, decision.trip) == ("time_limit", False)


def test_downtime_counts_and_unknown_downtime_ends():
    for downtime, reason in ((9 * HOUR, ""), (10 * HOUR, "hard_cap")):
        state = charging.start("s", 5)
        charging.resume_after_downtime(state, PORT, downtime, 77 * HOUR)
        assert charging.tick(state, PORT, 77 * HOUR).reason == reason
    for unknown in (None, -1):
        state = charging.start("s", 5)
        assert charging.resume_after_downtime(state, PORT, unknown, 9).reason == "downtime_unknown"


def test_reasons_that_trip_are_those_a_person_must_look_at():
    assert {"overpower", "overcurrent", "hot", "residual", "meter_silent", "meter_stuck", "no_taper"} <= TRIPS
    assert not TRIPS & {"full", "unplugged", "empty", "hard_cap", "session_time", "stopped", "time_limit"}


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(1, 15), st.floats(0, 590)),
        st.tuples(st.just("hold"), st.integers(60, 5400), st.floats(0, 590)),
        st.tuples(st.just("down"), st.integers(0, 7200), st.just(0.0)),
        st.tuples(st.just("pause"), st.integers(1, 3600), st.just(0.0)),
        st.tuples(st.just("back"), st.integers(1, 3600), st.just(0.0)),
    ),
    max_size=30,
)


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_no_sequence_keeps_a_port_on_past_the_hard_cap(steps):
    """Closed time plus downtime, counted here by hand, never passes ten hours while the machine says on."""
    port = msgspec.structs.replace(PORT, meter_silent_s=6000)
    state, now, closed = charging.start("s", 0), 0, 0
    for kind, seconds, watts in steps * 4:
        if kind == "down":
            state = msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=charging.Charging)
            now = seconds  # a new boot: the monotonic clock begins anywhere
            closed += seconds * SECOND
            charging.resume_after_downtime(state, port, seconds * SECOND, now * SECOND)
        elif kind == "pause":
            charging.switched(state, now * SECOND, on=False)
            now += seconds
            charging.switched(state, now * SECOND, on=True)
        elif kind == "back":
            charging.tick(state, port, max(0, now - seconds) * SECOND)
        else:
            now += seconds
            closed += seconds * SECOND
            charging.observe(state, port, FULL, MeterReading(point="1", power_w=watts), now * SECOND)
        if state.reason:
            return
        assert closed <= 10 * HOUR
