"""Mutated CSAFE and ANT streams: exactly what the rules accept is accepted, nothing raises, work stays bounded."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.ant_fec.describe import describe as describe_ant
from drivers.ant_fec.frames import Grammar as AntGrammar
from drivers.ant_fec.frames import encode as encode_ant
from drivers.buffer import Refused, Scanner
from drivers.csafe.describe import describe as describe_csafe
from drivers.csafe.frames import WIRE_MAX, encode
from drivers.csafe.frames import Grammar as CsafeGrammar
from drivers.driver import LocalProtocolError
from firmware_sim.ant_fec.stick import message
from firmware_sim.csafe.frames import Receiver, sealed

MUTANTS = 4_000
GENERAL = "1016281f100eff34"
ORIGINALS = {
    "csafe": [
        *("f1819205303030303026f2", "f1019903d2110058f2", "f109a503260052dbf2", "f189b40341005827f2"),
        *("f000fd017701394ef2", "f100f2", "f109a003011e05"),
    ],
    "ant_fec": ["a40342000000e5", "a405510000000010e0"],
}
PARTS = {"csafe": (lambda: CsafeGrammar(from_host=False), describe_csafe), "ant_fec": (AntGrammar, describe_ant)}


def originals(protocol):
    frames = [bytes.fromhex(each) for each in ORIGINALS[protocol]]
    if protocol == "csafe":
        odometer = b"\x81\x9b\x05\xf0\xf1\xf2\xf3\x24\xa0\x03\x01\x02\x03"
        return [
            *frames,
            sealed(odometer),
            sealed(b"\x05\x1a\x07\xa0\x05\x01\x02\x03\x04\x05"),
            sealed(b"\xf1", (1, 0xF2)),
        ]
    return [*frames, message(0x4E, b"\0" + bytes.fromhex(GENERAL)), message(0x40, b"\xa4\x4e\0")]


def found(protocol, data, cut=None):
    scanner = Scanner(PARTS[protocol][0]())
    chunks = [data] if cut is None else [data[:cut], data[cut:]]
    items = [item for chunk in chunks for item in scanner.feed(chunk)] + scanner.flush()
    return items, scanner


def mutate(rng, data, seal):
    data = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) or 1)
        match rng.randrange(6):
            case 0 if data:
                data[at] ^= 1 << rng.randrange(8)
            case 1 if data:
                data[at] = rng.choice([0, 3, 0xA0, 0xF0, 0xF1, 0xF2, 0xF3, 0xA4, 0x4E, 60, rng.randrange(256)])
            case 2:
                data[at:at] = rng.randbytes(rng.randint(1, 4))
            case 3:
                del data[at : at + rng.randint(1, 4)]
            case 4:
                data[at:at] = data[: rng.randint(1, 40)]
            case _:
                data += data[at:]
    return seal(bytes(data)) if rng.random() < 0.5 else bytes(data)


@pytest.mark.parametrize("protocol", PARTS)
def test_exactly_what_the_rules_accept_is_accepted(protocol, witness, rules_of):
    rules, rng, frames = rules_of[protocol], random.Random(protocol), originals(protocol)
    accepted = changed = refused = 0
    for _ in range(MUTANTS):
        mutant = mutate(rng, rng.choice(frames), rules.seal) + (rng.choice(frames) if rng.random() < 0.3 else b"")
        items, scanner = found(protocol, mutant)
        frames_found = [item for item in items if not isinstance(item, Refused)]
        expected, pending = witness.naive_decode(mutant, rules.claim, rules.valid)
        assert [item.raw for item in frames_found] == [mutant[start:end] for start, end in expected]
        assert (scanner.pending > 0) == (pending > 0)
        for item in frames_found:
            json.dumps(PARTS[protocol][1](item), allow_nan=False)
            changed += item.raw not in frames
        accepted += len(frames_found)
        refused += len(items) - len(frames_found)
    assert changed > 200
    assert accepted > changed
    assert refused > 500


@pytest.mark.parametrize("protocol", PARTS)
def test_behind_any_damage_no_more_than_one_frame_is_lost(protocol, rules_of):
    rng = random.Random(protocol)
    for frame in originals(protocol):
        if not rules_of[protocol].valid(frame):
            continue
        for _ in range(60):
            damage = rng.randbytes(rng.randint(0, 60)) + frame[: rng.randrange(len(frame))]
            items, _ = found(protocol, damage + frame + frame, rng.randrange(len(damage) + 1))
            # An accident of the check may swallow the first one, never the second.
            assert frame in [item.raw for item in items if not isinstance(item, Refused)]


@pytest.mark.parametrize("protocol", PARTS)
def test_endless_noise_is_bounded_work_and_memory(protocol):
    scanner, rng = Scanner(PARTS[protocol][0]()), random.Random(protocol)
    total = 0
    for _ in range(150):
        data = bytes(rng.choice((0xF1, 0xA4, 0xF3)) if rng.random() < 0.2 else rng.randrange(240) for _ in range(200))
        total += len(data)
        scanner.feed(data)
        assert scanner.pending <= max(WIRE_MAX, 45)
    assert scanner.examined <= total + 150


@pytest.mark.parametrize(
    ("wire", "kind"),
    [
        ("f1f304f2", "bad_escape"),
        ("f1f3f2", "bad_escape"),
        ("f1f2", "too_short"),
        ("f0fd00f2", "too_short"),
        ("f10103f2", "bad_checksum"),
        ("f10199039bf2", "bad_length"),
        ("f1a003013c0001f1a0", "truncated"),
        (sealed(b"\x01\xa0\x03\x01\x3c\x00").hex(), "bad_time"),
        ("f1" + "00" * 1100, "bad_length"),
    ],
)
def test_csafe_refusals_are_named(wire, kind):
    items, _ = found("csafe", bytes.fromhex(wire))
    assert kind in [item.kind.value for item in items if isinstance(item, Refused)]
    assert all(isinstance(item, Refused) for item in items)


@given(st.lists(st.tuples(st.integers(0x80, 0xFF), st.binary(max_size=40)), max_size=6), st.integers(0, 255), st.data())
def test_what_a_console_encodes_is_read_back(items, status, data):
    """Every byte value, stuffed or not, in any split."""
    contents = bytes([status]) + b"".join(bytes([command, len(body)]) + body for command, body in items)
    addresses = data.draw(st.none() | st.tuples(st.integers(0, 255), st.integers(0, 255)))
    wire = sealed(contents, addresses)
    cut = data.draw(st.integers(0, len(wire)))
    read, _ = found("csafe", b"\x00\xf2" + wire, cut)
    frames = [item for item in read if not isinstance(item, Refused)]
    bad_time = any(command == 0xA0 and len(body) >= 3 and max(body[1:3]) > 59 for command, body in items)
    if bad_time:
        assert frames == []
        return
    (frame,) = frames
    assert (frame.content, frame.status, frame.destination) == (contents, status, addresses[0] if addresses else None)
    assert [(item.command, item.data) for item in frame.items] == items


@given(st.lists(st.integers(0x80, 0xFF), max_size=30), st.none() | st.tuples(st.integers(0, 255), st.just(0)))
def test_what_the_driver_encodes_a_console_hears(commands, addresses):
    (request,) = Receiver().hear(b"\x55" + encode(bytes(commands), addresses))
    assert [command for command, _ in request.commands] == commands
    assert request.extended == addresses


@given(st.integers(0, 255), st.binary(min_size=1, max_size=41), st.binary(max_size=8).filter(lambda b: 0xA4 not in b))
def test_ant_messages_both_ways(identifier, body, noise):
    wire = message(identifier, body)
    assert encode_ant(identifier, body) == wire
    read, _ = found("ant_fec", noise + wire)
    raws = [item.raw for item in read if not isinstance(item, Refused)]
    lengths = {0x40: {3}, 0x41: {1}, 0x42: {3, 4}, 0x43: {3}, 0x51: {5}}
    least = 9 if identifier in {0x4E, 0x4F} else 1
    if len(body) in lengths.get(identifier, {len(body)}) and len(body) >= least:
        assert raws == [wire]
    else:
        assert wire not in raws


@given(st.sampled_from(["csafe", "ant_fec"]), st.binary(max_size=300))
def test_any_bytes_give_what_the_rules_give(protocol, data):
    # Written out here: hypothesis may not use function-scoped fixtures.
    items, scanner = found(protocol, data)
    assert scanner.pending <= len(data)
    for item in items:
        if not isinstance(item, Refused):
            again, _ = found(protocol, item.raw)
            assert [each.raw for each in again] == [item.raw]


def test_frames_that_have_no_room_are_refused_by_ourselves():
    with pytest.raises(LocalProtocolError, match="1024"):
        encode(bytes(1100))
    with pytest.raises(LocalProtocolError, match="41"):
        encode_ant(0x4E, bytes(42))
