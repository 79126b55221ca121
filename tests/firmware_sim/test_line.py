"""Wire time and line faults."""

from __future__ import annotations

import random

import pytest

from firmware_sim.chips import Chip
from firmware_sim.feig.frames import encode_request
from firmware_sim.line import MAX_WAITING_BYTES, Line, LineFaults, LineSettings

MS = 1_000_000
FRAME = bytes(range(50))


def line(faults=None, seed=1):
    made = Line(LineSettings(115_200), random.Random(seed))
    if faults is not None:
        made.set_faults(faults, 0)
    return made


@pytest.mark.parametrize(
    ("count", "baud", "parity", "ms"),
    [(64, 38_400, "E", 18.3), (64, 115_200, "E", 6.1), (80, 115_200, "N", 6.9), (80, 9_600, "N", 83.3)],
)
def test_wire_time_of_the_reference(count, baud, parity, ms):
    made = Line(LineSettings(baud, parity), random.Random(1))
    assert made.send(bytes(count), 0) / MS == pytest.approx(ms, abs=0.05)
    heard = made.hear(bytes(count), 0)
    assert heard.end_ns / MS == pytest.approx(ms, abs=0.05)


def test_bytes_appear_when_they_have_crossed_the_wire_and_in_order():
    made = line()
    first = made.send(b"first", 1 * MS)
    second = made.send(b"second", 0)
    assert second == first + 6 * made.settings.byte_ns
    assert made.deadline() == first
    assert made.take(first - 1) == b""
    assert made.take(first) == b"first"
    assert made.take(second) == b"second"
    assert made.deadline() is None


def test_host_bytes_queue_on_the_wire():
    made = line()
    first, second = made.hear(bytes(10), 0), made.hear(bytes(10), 0)
    assert second.start_ns == first.end_ns


def send_many(made, count=400):
    end_ns = 0
    for _ in range(count):
        end_ns = made.send(FRAME, end_ns)
    return made.take(end_ns + 10**12), count * len(FRAME)


def test_drops():
    made = line(LineFaults(drop_p=0.02))
    data, sent = send_many(made)
    assert len(data) == sent - made.counters.bytes_lost
    assert made.counters.bytes_lost / sent == pytest.approx(0.02, abs=0.004)


def test_flips_change_one_bit_each():
    made = line(LineFaults(flip_p=0.02))
    data, sent = send_many(made)
    changed = [a ^ b for a, b in zip(data, FRAME * 400, strict=True) if a != b]
    assert len(changed) == made.counters.bytes_flipped
    assert all(bits.bit_count() == 1 for bits in changed)
    assert len(changed) / sent == pytest.approx(0.02, abs=0.004)


def test_noise_comes_before_frames_and_between_them():
    made = line(LineFaults(noise_p=0.25))
    data, sent = send_many(made)
    assert len(data) == sent + made.counters.noise_bytes
    assert 0.2 < made.counters.noise_bytes / 4.5 / 400 < 0.3
    idle = line(LineFaults(noise=True))
    assert 20 < len(idle.take(10**10)) / 4.5 < 140  # a burst in 120 ms on average
    assert idle.deadline() > 10**10


def test_dribble_keeps_every_byte_in_order():
    made = line(LineFaults(dribble=True))
    end_ns = made.send(FRAME, 0)
    whole_ns = len(FRAME) * made.settings.byte_ns
    assert end_ns > whole_ns
    pieces = []
    while (due_ns := made.deadline()) is not None:
        pieces.append(made.take(due_ns))
    assert b"".join(pieces) == FRAME
    assert 10 <= len(pieces) <= 50
    assert max(map(len, pieces)) <= 5


def test_mute_and_deaf(feig):
    host = feig("e004010000000001")
    host.reader.set_faults("mute", 0)
    assert host.ask(encode_request(0xB0, b"\x01\x00")) == b""
    host.now_ns += 100 * MS
    host.reader.set_faults("none", host.now_ns)
    assert host.inventory() == (1, [])  # it did hear and tell: the chip is quiet
    host.reader.set_faults("deaf", host.now_ns)
    assert host.ask(encode_request(0x69)) == b""
    host.reader.set_faults("none", host.now_ns)
    assert host.inventory() == (1, [])


def test_a_host_that_does_not_read_costs_bounded_memory():
    made = line()
    for _ in range(3000):
        made.send(FRAME, 0)
    data = made.take(10**15)
    assert len(data) <= MAX_WAITING_BYTES
    assert len(data) + made.counters.overrun_bytes == 3000 * len(FRAME)


def test_requests_that_nobody_awaits_are_bounded(feig):
    host = feig()
    for _ in range(1000):
        host.reader.receive(encode_request(0x65), 0)
    assert len(host.reader._requests) <= 64
    assert host.reader.line.counters.overrun_bytes == (1000 - 64) * 5


def test_unplugged_readers_hear_nothing_and_boot_when_plugged(feig):
    host = feig("e004010000000001")
    host.inventory()
    host.reader.unplugged(host.now_ns)
    assert host.ask(encode_request(0x65)) == b""
    host.reader.plugged(host.now_ns, boot_ns=100 * MS)
    assert host.ask(encode_request(0x65)) == b""
    host.now_ns += 100 * MS
    assert host.inventory() == (0, ["e004010000000001"])


def test_faults_do_not_change_what_the_radio_draws(feig, hf_uids):
    """The same seed with and without a damaged line gives the same passes: faults have their own dice."""

    def passes(fault):
        host = feig(*[Chip(uid, read_p=0.7) for uid in hf_uids(5)])
        host.reader.set_faults(fault, 0)
        told = []
        for _ in range(60):
            host.ask(encode_request(0x69))
            told.append(len(host.ask(encode_request(0xB0, b"\x01\x00"))))
        return told

    clean, flipped = passes("none"), passes(LineFaults(mute=False, dribble=True, dribble_gap_ns=0))
    assert clean == flipped
    assert len(set(clean)) > 2


@pytest.mark.parametrize(("baud", "parity"), [(0, "N"), (-1, "N"), (9600, "X")])
def test_bad_settings_are_named(baud, parity):
    with pytest.raises(ValueError, match=r"baud|parity"):
        LineSettings(baud, parity)
