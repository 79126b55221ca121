"""Meters, relay boards and the pressure terminal: what the copper does, what they say, and as programs."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
import serial

from firmware_sim.dlt645 import Meter, MeterBus
from firmware_sim.dlt645.frames import sealed
from firmware_sim.modbus import Board, BoardBus
from firmware_sim.modbus.frames import crc
from firmware_sim.pressure_a55a import Pipe, PressureTerminal

S = 1_000_000_000
ADDRESS = bytes.fromhex("000000000001")[::-1]
TRIP = bytes([2, 0, 0, 0, 0, 0, 0, 0, 0x1A, 0]) + bytes.fromhex("595923311299")


def ask(device, frame, now_ns, patience_ns=S):
    """The answer to ``frame``, and when its last byte came."""
    device.receive(frame, now_ns)
    said, at = b"", now_ns
    while (due := device.deadline()) is not None and due <= now_ns + patience_ns:
        at = due
        said += device.take(due)
    return said, at


def read(identifier):
    return sealed(ADDRESS, 0x11, bytes.fromhex(identifier)[::-1], 4)


def test_a_meter_counts_the_energy_that_flows():
    bus = MeterBus({"m": Meter("000000000001", load_w=1000.0, energy_wh=0.0)})
    ask(bus, read("00010000"), 0)
    said, _ = ask(bus, read("00010000"), 1800 * S)
    assert said == sealed(ADDRESS, 0x91, bytes.fromhex("00000100") + bytes.fromhex("50000000"))
    ask(bus, sealed(ADDRESS, 0x1C, TRIP), 1801 * S)
    ask(bus, read("00010000"), 3600 * S)
    assert bus.meters["m"].energy_wh == pytest.approx(500, abs=1)


def test_an_answer_takes_its_time_on_the_wire():
    bus = MeterBus({"m": Meter("000000000001")})
    frame = read("02010100")
    said, at = ask(bus, frame, 0)
    assert at == pytest.approx((len(frame) + len(said)) * 11 / 2400 * S + 30_000_000, rel=0.001)


@pytest.mark.parametrize(
    ("fault", "closed", "flows"),
    [({}, False, False), ({"welded": True}, False, True), ({"deaf_relay": True}, True, True)],
)
def test_what_a_trip_does_to_the_contact_and_to_the_current(fault, closed, flows):
    bus = MeterBus({"m": Meter("000000000001", load_w=100.0, **fault)})
    said, _ = ask(bus, sealed(ADDRESS, 0x1C, TRIP), 0)
    assert said == sealed(ADDRESS, 0x9C)
    bus.take(2 * S)
    meter = bus.meters["m"]
    assert (meter.closed, meter.true_w > 0) == (closed, flows)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (TRIP[:1] + b"\x01" + TRIP[2:], 4),
        (TRIP[:10] + bytes.fromhex("595923311225"), 1),
        (TRIP[:10] + bytes.fromhex("5959233113aa"), 1),
        (TRIP[:8] + b"\x77" + TRIP[9:], 1),
        (TRIP[:12], 1),
    ],
)
def test_a_trip_that_is_refused_changes_nothing(data, error):
    bus = MeterBus({"m": Meter("000000000001", load_w=100.0)})
    said, _ = ask(bus, sealed(ADDRESS, 0x1C, data), 10 * S)
    assert said == sealed(ADDRESS, 0xDC, bytes([error]))
    assert bus.meters["m"].closed


def test_two_meters_of_one_address_collide():
    bus = MeterBus({"a": Meter("000000000001"), "b": Meter("000000000001", voltage_v=199.9)})
    said, _ = ask(bus, read("02010100"), 0)
    assert bus.collisions == 1
    assert sum(said[2:-2]) % 256 != said[-2]


def rtu(pdu, unit=1):
    body = bytes([unit]) + bytes.fromhex(pdu)
    value = crc(body)
    return body + bytes([value & 255, value >> 8])


def test_a_coil_moves_its_contactor_and_the_contactor_its_contact():
    bus = BoardBus({"b": Board(contacts={0: 3})})
    said, at = ask(bus, rtu("050000ff00"), 0)
    assert said == rtu("050000ff00")
    bus.take(at + S)
    assert bus.boards["b"].inputs[3]
    assert ask(bus, rtu("0200030001"), 2 * S)[0] == rtu("020101")


def test_a_watchdog_drops_only_a_coil_that_is_not_written_again():
    bus = BoardBus({"b": Board(contacts={0: 0}, watchdog_ns=5 * S)})
    for second in (0, 3, 6):
        ask(bus, rtu("050000ff00"), second * S)
    bus.take(10 * S)
    assert bus.boards["b"].coils[0]
    bus.take(12 * S)
    assert not bus.boards["b"].coils[0]
    assert not bus.boards["b"].inputs[0]


@pytest.mark.parametrize(
    ("request_pdu", "answer"),
    [
        ("0100000000", "8102"),
        ("0300ff0001", "8302"),
        ("0500630000", "8502"),
        ("0500001234", "8503"),
        ("0f000000010101", "8f01"),
    ],
)
def test_what_a_board_cannot_do_is_an_exception(request_pdu, answer):
    assert ask(BoardBus({"b": Board()}), rtu(request_pdu), 0)[0] == rtu(answer)


def test_a_terminal_reports_at_its_interval_and_at_once_when_a_limit_is_passed():
    pipe = Pipe(kpa=300.0)
    terminal = PressureTerminal(pipe, interval_s=60, limits_kpa=(200, 2500))
    assert len(terminal.take(S)) == 41
    assert terminal.take(59 * S) == b""
    assert len(terminal.take(62 * S)) == 43
    pipe.leak_kpa_s = 20.0
    terminal.take(68 * S)
    assert terminal.reports == 3
    assert pipe.kpa < 200
    for minute in range(3, 30):
        terminal.take(minute * 60 * S)
    assert len(terminal.frame(1900 * S)) == 39 + 2 * 10, "ten records at most"


# --- as programs -------------------------------------------------------------------------------------------------


@contextmanager
def program(kind, folder, *options):
    control = folder / "control.sock"
    command = [sys.executable, "-m", f"firmware_sim.{kind}", "--control", str(control), *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr.readline().startswith("ready: ")
        yield lambda **request: told(control, request)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        process.stderr.close()


def told(control, request):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(control))
        client.sendall(json.dumps(request).encode() + b"\n")
        with client.makefile("rb") as answers:
            return json.loads(answers.readline())


def test_meters_on_a_pty(tmp_path):
    link = tmp_path / "bus"
    options = ["--link", str(link), "--meter", "m01=000000000001:300", "--baud", "9600"]
    with program("dlt645", tmp_path, *options) as control, serial.Serial(str(link), 9600, timeout=60) as port:
        port.write(read("02030000"))
        answer = sealed(ADDRESS, 0x91, bytes.fromhex("00000302") + bytes.fromhex("003000"))
        assert port.read(len(answer)) == answer
        port.write(sealed(ADDRESS, 0x1C, TRIP))
        assert port.read(14) == sealed(ADDRESS, 0x9C)
        assert control(op="set", device="m01", load_w=450, welded=True)["device"]["load_w"] == 450.0
        assert "none of" in control(op="set", device="m01", colour="red")["error"]
        assert "must be like" in control(op="set", device="m01", load_w="much")["error"]
        assert control(op="fault", fault="echo") == {"ok": True}
        port.write(read("02030000"))
        assert port.read(20) == read("02030000")
        assert control(op="state")["line"] == {"echo": True, "wrong_parity": False}


def test_a_board_on_tcp(tmp_path, free_port):
    port = free_port()
    options = ["--listen", f"127.0.0.1:{port}", "--tcp", "--contactor", "0=0"]
    with (
        program("modbus", tmp_path, *options) as control,
        socket.create_connection(("127.0.0.1", port), timeout=60) as client,
    ):
        client.sendall(bytes.fromhex("000700000006 01 050000ff00"))
        assert client.recv(64).hex() == "00070000000601050000ff00"
        assert control(op="set", device="unit1", welded=[0])["device"]["welded"] == [0]
        assert control(op="state")["devices"]["unit1"]["coils"][0] is True


def test_a_terminal_dials(tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        listener.settimeout(60)
        options = ["--dial", f"127.0.0.1:{listener.getsockname()[1]}"]
        with program("pressure_a55a", tmp_path, *options):
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(60)
                frame = connection.recv(100)
        assert (frame[:2], frame[-2:], len(frame)) == (b"\xa5\x5a", b"\x55\xaa", 41)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("dlt645", ["--listen", "127.0.0.1:0", "--meter", "m=12"]),
        ("modbus", ["--listen", "127.0.0.1:0", "--contactor", "a=b"]),
        ("pressure_a55a", ["--dial", "nowhere"]),
    ],
)
def test_wrong_options_end_with_2(program_ends, kind, options):
    status, told = program_ends(kind, *options)
    assert status == 2
    assert f"firmware_sim.{kind}: error: " in told
