"""What must hold for every registered driver, whatever comes from the wire."""

import random

import msgspec
import pytest

from drivers.driver import LocalProtocolError
from drivers.registry import PROTOCOLS, make_driver
from edge.domain.devices import FieldOn, ResidualPass
from edge.domain.field_devices import Operate, Poll, ReportFire, SetClock
from edge.domain.machine_readings import StopMachine

MS = 1_000_000


def test_an_unknown_protocol_names_the_known_ones():
    with pytest.raises(LocalProtocolError, match=r"feig, .*magicrf"):
        make_driver("nosuch", {})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_driver_says_its_protocol(protocol):
    assert make_driver(protocol, {}).protocol == protocol


PLATE_READERS = ("feig", "magicrf")
UID, EPC = "e004010000000001", "e2" * 12


def feig_answers(witness):
    """Command -> what a FEIG reader might say to it, mostly good."""
    answers = {c: [witness.feig_reply(c, s) for s in (0, 0, 0, 0, 0x5A)] for c in (0x52, 0x69, 0x6A)}
    answers[0x65] = [witness.feig_reply(0x65, 0, bytes(7))]
    answers[0x66] = [witness.feig_reply(0x66, 0, bytes(16)), witness.feig_reply(0x66, 0x11)]
    answers[0xB0] = [witness.feig_reply(0xB0, s) for s in (1, 0x82, 0x83, 0x5A)]
    return answers | {0xB0: answers[0xB0] + [witness.feig_reply(0xB0, s, witness.feig_sets(UID)) for s in (0, 0, 0x94)]}


def magicrf_answers(witness):
    error = [witness.magicrf_frame(1, 0xFF, bytes([code])) for code in (0x15, 0x15, 0x17)]
    answers = {c: [witness.magicrf_frame(1, c, b"\0")] * 8 + error[2:] for c in (7, 0x0E, 0x12, 0x28, 0xB0, 0xB6)}
    answers[0x03] = [witness.magicrf_frame(1, 3, bytes([n]) + b"text") for n in range(3)]
    answers[0x0D] = [witness.magicrf_frame(1, 0x0D, b"\x10\x20")]
    answers[0xB7] = [witness.magicrf_frame(1, 0xB7, b"\x05\xdc")]
    notices = [witness.magicrf_notice(EPC, -n) for n in (40, 50)]
    return answers | {0x22: [*error, notices[0], notices[0] + notices[1]]}


@pytest.mark.parametrize("protocol", PLATE_READERS)
@pytest.mark.parametrize("seed", range(6))
def test_chaos_never_raises_spins_or_accepts(protocol, seed, witness):
    """Right and wrong answers, noise, commands, ticks too early and too late, and links that come and go, at random."""
    rng = random.Random(f"{protocol} {seed}")
    answers = {"feig": feig_answers, "magicrf": magicrf_answers}[protocol](witness)
    driver, now, asked, passes, seen = make_driver(protocol, {}), 10**12, 0x52, 0, set()
    outputs = [driver.opened(now)]
    for _ in range(4_000):
        for output in outputs:
            assert len(output.write) <= 1, "one question at a time"
            asked = output.write[-1][2] if output.write else asked
            for item in output.readings:
                if type(item).__name__ == "PlatePass":
                    passes += 1
                    seen |= {tag.uid for tag in item.tags}
                    assert item.started_ns <= item.ended_ns
                    assert not (item.complete and item.status < 0)
        match rng.randrange(20):
            case 0:
                outputs = [driver.received(rng.randbytes(rng.randint(1, 30)), now)]
            case 1:
                command = rng.choice([ResidualPass(), ResidualPass(99), FieldOn(on=True), FieldOn(on=False), None])
                outputs = [driver.command(command, now), driver.command(FieldOn(on=True), now)]
            case 2 if rng.random() < 0.1:
                outputs = [driver.closed(now), driver.opened(now)]
            case 3:
                outputs = [driver.tick(now - rng.randint(0, 50) * MS)]
            case 4 | 5 | 6:
                now = max(now, driver.deadline() or now) + rng.choice([0, 0, 1, 300]) * MS
                outputs = [driver.tick(now)]
            case _:
                frame = rng.choice(answers[asked if rng.random() < 0.95 else rng.choice(list(answers))])
                cut = rng.randrange(len(frame)) if rng.random() < 0.3 else 0
                outputs = [driver.received(frame[:cut], now), driver.received(frame[cut:], now)]
                now += rng.choice([5, 5, 5, 60]) * MS
                outputs.append(driver.tick(now))
    assert passes > 100
    assert len(seen) == 1, "the one chip was read, and none was made up"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_late_or_superfluous_tick_is_harmless(protocol):
    driver = make_driver(protocol, {})
    first = driver.opened(0)
    if protocol in PLATE_READERS:
        assert len(first.write) == 1
    for _ in range(3):
        assert driver.tick(0).write == []
    output = driver.tick(10 * 60 * 1000 * MS)
    assert len(output.write) <= 1
    assert (driver.deadline() or 1) > 0
    driver.closed(10 * 60 * 1000 * MS)
    driver.tick(10 * 60 * 1000 * MS)


COMMANDS = [
    Operate(point="output", on=False, command_id="a"),
    Operate(point="meter", on=False, command_id="b"),
    Operate(point="output", on=True, command_id="c", expires_mono_ns=1 << 62, hold_s=5),
    Operate(point="nosuch", on=True, command_id="d"),
    Poll(),
    Poll("meter"),
    SetClock(1_767_196_800 * 10**9),
    SetClock(-(1 << 62)),
    StopMachine(point="machine", command_id="e"),
    StopMachine(point="nosuch", command_id="f", pause=True, expires_mono_ns=1),
    ReportFire(point="x", state="fire", wall_ns=1_767_196_800 * 10**9),
    ResidualPass(),
    FieldOn(on=True),
    None,
]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("seed", range(4))
def test_no_bytes_command_or_time_makes_a_driver_raise_or_spin(protocol, seed):
    rng = random.Random(f"{protocol} any {seed}")
    driver, now = make_driver(protocol, {}), 10**12
    driver.opened(now)
    sent = [b"{}"]
    for _ in range(1_500):
        match rng.randrange(12):
            case 0 | 1:
                outputs = [driver.received(rng.randbytes(rng.randint(0, 40)), now)]
            case 2 | 3:
                piece = bytearray(rng.choice(sent))
                if piece and rng.random() < 0.7:
                    piece[rng.randrange(len(piece))] ^= 1 << rng.randrange(8)
                outputs = [driver.received(bytes(piece), now)]
            case 4 | 5:
                outputs = [driver.command(rng.choice(COMMANDS), now)]
            case 6 if rng.random() < 0.1:
                outputs = [driver.closed(now), driver.command(rng.choice(COMMANDS), now), driver.opened(now)]
            case 7:
                outputs = [driver.tick(now - rng.randint(0, 50) * MS)]
            case _:
                now = max(now, driver.deadline() or now) + rng.choice([0, 0, 1, 300]) * MS
                outputs = [driver.tick(now)]
        sent = [*sent, *(frame for output in outputs for frame in output.write)][-20:]
        for output in outputs:
            assert all(isinstance(frame, bytes) for frame in output.write)
            msgspec.json.encode(output.readings)
