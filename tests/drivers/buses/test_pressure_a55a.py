"""The pressure terminal: content by the decode contract, and the driver on a simulated terminal."""

import struct

import pytest

from drivers.pressure_a55a.describe import decode
from drivers.registry import make_driver
from edge.domain.field_devices import Operate, SignalKind
from firmware_sim.pressure_a55a import Pipe, PressureTerminal

MS = 1_000_000
S = 1_000_000_000
SAMPLE = bytes.fromhex("A55A00002953485250323530393031323034D0000000010100000009C4025D68FFB887025D843E55AA")


def frame(book, *, name=b"SHRP25090120", battery=b"4", kind=1, alarm=0, count=None, records=(605,), length=None):
    tail = b"".join(struct.pack(">H", each) for each in records)
    body = name + battery + struct.pack(">bHH", -48, 60, len(records) if count is None else count)
    body += struct.pack(">BBHHHI", kind, alarm, 200, 2500, 605, 1_761_589_383) + tail
    body = b"\xa5\x5a" + (len(body) + 9 if length is None else length).to_bytes(3, "big") + body
    return body + book.modbus_crc(body).to_bytes(2, "big") + b"\x55\xaa"


def test_all_fields(book):
    (told,) = decode(frame(book, alarm=0b1000_0110, battery=b"3", records=(1, 2500, 65_535)), {}).frames
    assert told == {
        "device_id": "SHRP25090120",
        "battery_pct": 75,
        "rssi_dbm": -48,
        "interval_s": 60,
        "record_count": 3,
        "alarm_names": ["high", "bit_2", "bit_7"],
        "low_limit_mpa": 0.2,
        "high_limit_mpa": 2.5,
        "pressure_mpa": 0.605,
        "time": "2025-10-27T18:23:03Z",
        "records_mpa": [0.001, 2.5, 65.535],
    }


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"count": 2}, "bad_count"),
        ({"kind": 2}, "bad_value"),
        ({"name": b"SHRP2509012\x80"}, "bad_value"),
        ({"length": 42}, "bad_length"),
        ({"length": 37}, "bad_length"),
        ({"length": 0x010029}, "bad_length"),
    ],
)
def test_what_is_refused(book, change, kind):
    told = decode(frame(book, **change), {})
    assert (told.frames, told.errors[0]["kind"], told.pending_bytes) == ([], kind, 0)


def test_damage_is_named():
    for at, kind in ((-1, "bad_terminator"), (-3, "bad_checksum"), (30, "bad_checksum"), (1, "bad_start")):
        damaged = bytearray(SAMPLE)
        damaged[at] ^= 1
        assert decode(bytes(damaged), {}).errors[0]["kind"] == kind


def test_a_nonsense_length_does_not_hide_the_next_frame():
    nonsense = SAMPLE[:2] + b"\xff\xff\xff" + SAMPLE[5:]
    assert len(decode(nonsense + SAMPLE, {}).frames) == 1


def test_readings_and_silence(rig):
    pipe = Pipe(kpa=605.0)
    terminal = PressureTerminal(pipe, interval_s=60, limits_kpa=(200, 900), now_ns=5_000 * MS)
    bus = rig("pressure_a55a", {"silent_s": 150, "present_kpa": 50}, terminal)
    bus.run(90_000)
    first = bus.of("PressureReading")[0]
    assert (first.point, first.pressure_kpa, first.low, first.high) == ("SHRP25090120", 605.0, False, False)
    signal = bus.of("SignalReading")[0]
    assert (signal.kind, signal.active, signal.battery_low) == (SignalKind.PRESSURE, True, False)
    assert signal.source_wall_ns == 1_761_589_383 * S
    assert bus.health()[:2] == [("connecting", ""), ("ready", "")]
    pipe.kpa = 950.0
    bus.run(2_000)
    assert bus.of("PressureReading")[-1].high
    pipe.kpa, pipe.leak_kpa_s = 210.0, 10.0
    bus.run(120_000)
    assert [(r.pressure_kpa, r.low) for r in bus.of("PressureReading")][-1] == (0.0, True)
    assert bus.of("SignalReading")[-1].active is False
    terminal.dead = True
    bus.run(200_000)
    assert bus.health()[-1] == ("fault", "silent")
    assert [r.online for r in bus.of("PointHealth", "SHRP25090120")] == [True, False]
    terminal.dead = False
    bus.run(70_000)
    assert bus.health()[-1] == ("ready", "")
    assert [r.online for r in bus.of("PointHealth", "SHRP25090120")] == [True, False, True]


@pytest.mark.parametrize("fault", ["noise", "split", "flip"])
def test_a_bad_line_loses_reports_but_invents_none(rig, fault):
    terminal = PressureTerminal(Pipe(), interval_s=2, now_ns=5_000 * MS)
    bus = rig("pressure_a55a", {}, terminal)
    terminal.set_faults(fault, bus.now)
    bus.run(120_000)
    assert {r.pressure_kpa for r in bus.of("PressureReading")} == {605.0}
    assert len(bus.of("PressureReading")) > 30


def test_it_takes_no_commands(rig):
    driver = make_driver("pressure_a55a", {})
    driver.opened(0)
    output = driver.command(Operate(point="x", on=False, command_id="c"), 1)
    assert (output.write, output.readings, driver.ignored_commands) == ([], [], 1)
