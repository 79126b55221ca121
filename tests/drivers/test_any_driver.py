"""What must hold for every registered driver, whatever comes from the wire."""

import random

import pytest

from drivers.driver import LocalProtocolError
from drivers.registry import PROTOCOLS, make_driver
from edge.domain.devices import FieldOn, ResidualPass

MS = 1_000_000


def test_an_unknown_protocol_names_the_known_ones():
    with pytest.raises(LocalProtocolError, match="feig, .*magicrf"):
        make_driver("nosuch", {})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_driver_says_its_protocol(protocol):
    assert make_driver(protocol, {}).protocol == protocol


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


@pytest.mark.parametrize("protocol", PROTOCOLS)
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
    assert len(first.write) == 1
    for _ in range(3):
        assert driver.tick(0).write == []
    output = driver.tick(10 * 60 * 1000 * MS)
    assert len(output.write) <= 1
    assert driver.deadline() > 0
