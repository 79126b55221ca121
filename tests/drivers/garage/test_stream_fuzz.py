"""Mutated streams: what is accepted is exactly what the rules accept, nothing raises, and a good frame is found again
right behind any damage."""

import json
import random

import pytest

from drivers.buffer import Refused, Scanner
from drivers.dc589 import describe as dc589
from drivers.dc589.frames import Grammar as Dc589Grammar
from drivers.dny import describe as dny
from drivers.dny.frames import Grammar as DnyGrammar
from drivers.gb26875 import describe as gb26875
from drivers.gb26875.frames import Grammar as Gb26875Grammar
from drivers.osdp import describe as osdp
from drivers.osdp.frames import Grammar as OsdpGrammar

PARTS = {
    "gb26875": (Gb26875Grammar, gb26875.describe),
    "dc589": (Dc589Grammar, dc589.describe),
    "dny": (DnyGrammar, dny.describe),
    "osdp": (OsdpGrammar, osdp.describe),
}
MUTANTS = 4_000


def mutate(rng, data, seal):
    data = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) or 1)
        match rng.randrange(6):
            case 0 if data:
                data[at] ^= 1 << rng.randrange(8)
            case 1 if data:
                data[at] = rng.choice([0, 1, 2, 0x40, 0x23, 0xEE, 0x53, 0xFF, 60, rng.randrange(256)])
            case 2:
                data[at:at] = rng.randbytes(rng.randint(1, 4))
            case 3:
                del data[at : at + rng.randint(1, 4)]
            case 4:
                data[at:at] = data[: rng.randint(1, 40)]
            case _:
                data += data[at:]
    return seal(bytes(data)) if rng.random() < 0.5 else bytes(data)


@pytest.fixture
def originals(make, vectors):
    def collect(protocol):
        frames = [bytes.fromhex(vector["input"]) for vector in vectors(protocol) if vector["expect"]["frames"]]
        match protocol:
            case "gb26875":
                two = make.component(2, text="烟感 一层".encode("gb18030")) + make.component(1, kind=23, position=9)
                frames += [make.gb(b"\x02\x02" + two), make.gb(command=200, app=b"\x02\x05@@##")]
                frames += [make.gb(b"\x01\x01\x01\x01\x02\x20\x02\x3a\x09\x1a\x09\x0c"), make.gb(b"\x3d\x01\x01\x01")]
            case "dc589":
                frames += [make.dc(0xA0, bytes(45)), make.dc(0xBB, bytes(44)), make.dc(0xA4, bytes(17))]
                frames += [make.dc(0xC0, b"\x05\xbb\0\0\0"), make.dc(0xC2, bytes(9)), make.dc(0xEE, b"\xee\x0a")]
            case "dny":
                frames += [make.dny(0x21, b"\xdc\x08\x02\x01\x00"), b"link", make.dny(0x06, b"DNYlink" * 2)]
            case _:
                frames += [make.osdp(3, 0x76, bytes(32), block=b"\x12\x01"), make.osdp(3, 0x40, b"SSS")]
        return frames

    return collect


@pytest.mark.parametrize("protocol", PARTS)
def test_exactly_what_the_rules_accept_is_accepted(protocol, originals, witness, witness_of):
    grammar, describe = PARTS[protocol]
    rules, rng = witness_of[protocol], random.Random(protocol)
    frames = originals(protocol)
    accepted = changed = refused = 0
    for _ in range(MUTANTS):
        original = rng.choice(frames)
        mutant = mutate(rng, original, rules.seal) + (rng.choice(frames) if rng.random() < 0.3 else b"")
        scanner = Scanner(grammar())
        items = scanner.feed(mutant) + scanner.flush()
        found = [item for item in items if not isinstance(item, Refused)]
        expected, pending = witness.naive_decode(mutant, rules.claim, rules.valid)
        assert [item.raw for item in found] == [mutant[start:end] for start, end in expected]
        assert (scanner.pending > 0) == (pending > 0)
        for item in found:
            json.dumps(describe(item), allow_nan=False)
            changed += item.raw not in frames
        accepted += len(found)
        refused += len(items) - len(found)
    # The test is worth something only if many mutants reach the content checks and many of them pass.
    assert changed > 200
    assert accepted > changed
    assert refused > 500


@pytest.mark.parametrize("protocol", PARTS)
def test_a_good_frame_behind_any_damage_is_found_at_the_time_out_at_the_latest(protocol, originals, witness_of):
    grammar, _ = PARTS[protocol]
    rng = random.Random(protocol)
    for frame in originals(protocol):
        if not witness_of[protocol].valid(frame):
            continue
        for _ in range(30):
            damage = rng.randbytes(rng.randint(0, 60)) + frame[: rng.randrange(len(frame))]
            scanner = Scanner(grammar())
            items = scanner.feed(damage + frame) + scanner.flush()
            assert frame in b"".join(item.raw for item in items if not isinstance(item, Refused)) or any(
                not isinstance(item, Refused) and item.raw in damage + frame for item in items
            )


@pytest.mark.parametrize("protocol", PARTS)
def test_endless_noise_is_bounded_work_and_memory(protocol):
    grammar, _ = PARTS[protocol]
    scanner, rng = Scanner(grammar()), random.Random(protocol)
    starts = bytes((0x40, 0xEE, 0x53, 0x44, 0x6C))
    total = 0
    for _ in range(150):
        data = bytes(rng.choice(starts) if rng.random() < 0.3 else rng.randrange(256) for _ in range(200))
        total += len(data)
        scanner.feed(data)
        assert scanner.pending <= grammar.max_length
    assert scanner.examined <= total + 150
