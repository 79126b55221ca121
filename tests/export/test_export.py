"""A workout as FIT, TCX and CSV, read back by programs that are not ours."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree as ET

import fitdecode
import msgspec
import pytest

from edge.domain.gym.rows import WorkoutRow
from edge.domain.gym.settings import QuirkSettings
from edge.export.fit_file import to_fit
from edge.export.text_files import HEADER, TCX, to_csv, to_tcx
from edge.export.track import track_of

S = 1_000_000_000
BEGAN = 1_795_320_000 * S


def row(**changes):
    base = WorkoutRow(
        workout_id="w1", asset="tm-1", zone="hall", kind="treadmill", person="anna", identity="card", day="2026-11-22",
        standing=False, state="ended", reason="idle", stop_reason="", began_ns=BEGAN, ended_ns=BEGAN + 120 * S,
        clock_trusted=True, active_ms=90_000, filled_ms=0, distance_m=180.0, strokes=0.0, energy_kcal=12.4, climb_m=0.0,
        reps=0, sets=0, work_j=0.0, peak_torque_nm=0.0, mean_power_w=None, peak_power_w=0.0, mean_bpm=101.4,
        peak_bpm=117, recovery_bpm=None, breaks=msgspec.msgpack.encode([("pause", 60_000, 90_000)]), at_ns=BEGAN,
        body=b"",
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


@pytest.fixture
def track():
    """Two metres a second, a pause from the 60th to the 90th second in which the counter creeps on by 3 m."""
    metres, samples = 500.0, []
    for second in range(-2, 121):
        metres += 2.0 if not 60 < second <= 90 else 0.1
        samples.append((BEGAN + second * S, metres))
    grips = [(BEGAN + second * S, 99.0) for second in range(0, 120, 2)]
    strap = [(BEGAN + second * S, 100.0 + second // 10) for second in range(10, 120)]
    speed = [(BEGAN + second * S, 7.2) for second in range(121)]
    return track_of(row(), {"distance_m": samples, "speed_km_h": speed, "heart_rate_bpm": grips}, strap)


def test_the_track_ends_where_the_totals_do(track):
    assert track.points[-1].distance_m == pytest.approx(180, abs=4)
    assert not [point for point in track.points if 61 * S <= point.at_ns - BEGAN < 90 * S]
    assert {point.heart_rate_bpm for point in track.points if point.at_ns < BEGAN + 10 * S} == {99, None}
    assert track.points[50].heart_rate_bpm == 105  # the strap wins


def test_a_counter_that_began_anew_goes_on():
    samples = [(BEGAN + s * S, v) for s, v in ((0, 90.0), (1, 92.0), (2, 1.0), (3, 3.0))]
    points = track_of(row(breaks=msgspec.msgpack.encode([])), {"distance_m": samples}, quirks=QuirkSettings()).points
    assert [point.distance_m for point in points] == [0, 2, 3, 5]


def test_fit_is_read_by_another_program(track):
    messages = {}
    with fitdecode.FitReader(io.BytesIO(to_fit(track)), check_crc=fitdecode.CrcCheck.RAISE) as reader:
        for frame in reader:
            if isinstance(frame, fitdecode.FitDataMessage):
                messages.setdefault(frame.name, []).append(frame)
    records = messages["record"]
    assert len(records) == len(track.points)
    assert records[-1].get_value("distance") == pytest.approx(track.points[-1].distance_m, abs=0.01)
    assert records[50].get_value("heart_rate") == 105
    assert records[50].get_value("enhanced_speed") == pytest.approx(2.0, abs=0.001)
    assert records[1].get_value("timestamp").timestamp() == pytest.approx(BEGAN / S + 1, abs=1)
    timer = [one.get_value("event_type") for one in messages["event"]]
    assert timer == ["start", "stop_all", "start", "stop_all"]
    session = messages["session"][0]
    assert session.get_value("total_timer_time") == pytest.approx(90.0)
    assert session.get_value("total_elapsed_time") == pytest.approx(120.0)
    assert session.get_value("total_distance") == pytest.approx(180.0)
    assert (session.get_value("sport"), session.get_value("sub_sport")) == ("running", "treadmill")
    assert (session.get_value("avg_heart_rate"), session.get_value("max_heart_rate")) == (101, 117)


def test_tcx_keeps_the_pause_as_a_new_track(track):
    root = ET.fromstring(to_tcx(track))
    name = {"t": TCX}
    laps = root.findall(".//t:Lap", name)
    assert [lap.find("t:TotalTimeSeconds", name).text for lap in laps] == ["90.000"]
    tracks = laps[0].findall("t:Track", name)
    assert len(tracks) == 2
    points = root.findall(".//t:Trackpoint", name)
    assert len(points) == len(track.points)
    assert points[50].find("t:HeartRateBpm/t:Value", name).text == "105"
    assert points[0].find("t:Time", name).text.endswith("Z")
    assert root.find(".//t:Activity", name).get("Sport") == "Running"


def test_csv_has_units_in_its_header_and_pauses_as_events(track):
    lines = list(csv.DictReader(io.StringIO(to_csv(track).decode())))
    assert tuple(lines[0]) == HEADER
    states = [line["state"] for line in lines]
    assert states.count("pause_begins") == states.count("pause_ends") == 1
    assert states.index("pause_begins") == 61
    assert lines[50]["heart_rate_bpm"] == "105"
    assert float(lines[50]["speed_km_h"]) == pytest.approx(7.2)


def test_what_no_format_can_hold_still_makes_a_file():
    at = [BEGAN + s * S for s in range(5)]
    values = (float("nan"), float("inf"), -400.0, 1e9, 70_000.0)
    series = {
        name: list(zip(at, values, strict=True)) for name in ("distance_m", "speed_km_h", "cadence_rpm", "power_w")
    }
    odd = track_of(row(mean_power_w=90_000.0, peak_power_w=1e9, peak_bpm=999), series)
    for make in (to_fit, to_tcx, to_csv):
        assert make(odd)


def test_a_loss_that_the_counters_filled_is_no_stop():
    breaks = msgspec.msgpack.encode([("lost", 30_000, 50_000), ("pause", 60_000, 90_000)])
    timers = {}
    for filled_ms in (0, 20_000):
        data = to_fit(track_of(row(breaks=breaks, filled_ms=filled_ms), {}))
        with fitdecode.FitReader(io.BytesIO(data)) as reader:
            data_messages = [one for one in reader if isinstance(one, fitdecode.FitDataMessage)]
        events = [one.get_value("event_type") for one in data_messages if one.name == "event"]
        timers[filled_ms] = events.count("stop_all")
    assert timers == {0: 3, 20_000: 2}


def test_a_workout_without_samples_is_still_a_file():
    empty = track_of(row(), {})
    assert to_fit(empty)
    assert b"<TotalTimeSeconds>90.000" in to_tcx(empty)
    assert to_csv(empty).count(b"\r\n") == 3
