"""Whatever JSON a gateway or machine sends: no driver raises, and what it tells can always be written down."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.csafe.frames import Grammar
from drivers.csafe.readings import Interpreter
from drivers.decoding import decode_line, find_entry, parse_options, to_json
from drivers.registry import make_driver
from edge.domain.machine_readings import MachineKind
from firmware_sim.csafe.frames import sealed

KEYS = (
    *("transport", "char", "hex", "time", "seq", "set", "rep", "reps", "peak_torque_nm", "side", "state", "minutes"),
    *("tag", "rssi", "count", "battery", "id", "weight", "unit", "hr", "tempc", "impedance", "finished", "programme"),
)
TOPICS = {
    "ftms": "park/hall/m1/raw",
    "heart_rate": "park/hall/m1/raw",
    "health": "park/hall/m1/raw",
    "ble_gateway": "park/hall/m1/raw",
    "strength": "park/hall/m1/strength",
    "trail_gates": "park/hall/m1/passage",
}
CHARS = ("2acd", "2ace", "2acf", "2ad0", "2ad1", "2ad2", "2ad3", "2ad6", "2ad9", "2ada", "2a37", "2a35", "2a9d")
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["ble", "ant", "left", "idle", "kg", "jin", "88:0F:10:A1:B2:C3", "9f3c0a77", "9999-12-31T23:59:59Z"]
    ),
    st.text(max_size=8),
    st.binary(max_size=30).map(bytes.hex),
)
payloads = st.dictionaries(st.sampled_from(KEYS), scalars | st.lists(scalars, max_size=2), max_size=8)
values = st.builds(
    lambda char, data, time, seq: {"transport": "ble", "char": char, "hex": data.hex(), "time": time, "seq": seq},
    st.sampled_from(CHARS),
    st.binary(max_size=40),
    st.sampled_from([None, 1, 1_795_000_000_000, "1970-01-01T00:00:01Z", "2199-12-31T00:00:00+08:00"]),
    st.none() | st.integers(0, 5),
)


def line(topic, payload, *, retain=False):
    return json.dumps({"topic": topic, "payload": json.dumps(payload), "retain": retain}).encode()


@given(st.sampled_from(sorted(TOPICS)), st.lists(payloads | values, max_size=8), st.booleans())
def test_no_message_makes_a_driver_raise_or_say_what_cannot_be_written(protocol, messages, retain):
    options = {"devices": "880f10a1b2c3=hut/scale"} if protocol == "ble_gateway" else {}
    driver = make_driver(protocol, options)
    driver.opened(0)
    topics = [TOPICS[protocol], "park/court/p/count", "home/gw/BTtoMQTT/880F10A1B2C3", "x"]
    for number, payload in enumerate(messages):
        for topic in topics:
            output = driver.received(line(topic, payload, retain=retain), number * 1_000_000_000)
            msgspec.json.encode(output.readings)
        msgspec.json.encode(driver.tick(number * 1_000_000_000 + 500_000_000).readings)
        assert (driver.deadline() or 1) > 0


@given(st.sampled_from(["ble_gateway", "strength", "trail_gates"]), payloads)
def test_decoding_any_message_gives_strict_json(protocol, payload):
    entry = find_entry(protocol)
    for topic in (TOPICS[protocol], "park/court/p/count", "home/gw/BTtoMQTT/880F10A1B2C3"):
        told = json.loads(to_json(decode_line(entry, line(topic, payload), parse_options(entry.decode_options, []))))
        assert len(told["frames"]) + len(told["errors"]) == 1


WEAR = st.sampled_from([0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0xA1, 0xA5])


@given(st.lists(st.tuples(WEAR, st.binary(max_size=60)), max_size=5))
def test_what_a_console_answers_can_always_be_written_down(items):
    interpreter = Interpreter("m", MachineKind.OTHER)
    contents = b"\x05" + b"".join(bytes([command, len(data)]) + data for command, data in items)
    frame = Grammar(from_host=False).parse(sealed(contents))
    msgspec.json.encode(interpreter.readings_of(frame))


@pytest.mark.parametrize(
    "time", [10**15, -1, 0, True, "9999-12-31T23:59:59Z", "1969-12-31T00:00:00Z", "2026-11-22", {}]
)
def test_times_beyond_all_clocks_are_refused(time):
    entry = find_entry("ble_gateway")
    payload = {"transport": "ant", "hex": "00", "time": time}
    told = decode_line(entry, line("a/b/c/raw", payload), parse_options(entry.decode_options, []))
    assert [error["kind"] for error in told.errors] == ["bad_time"]
