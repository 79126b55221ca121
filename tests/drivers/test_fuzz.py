"""Mutated frames: whatever is accepted must pass an independent parser, and nothing may raise."""

import json
import random
from pathlib import Path

import pytest

from drivers.buffer import Refused, Scanner
from drivers.feig.describe import describe as describe_feig
from drivers.feig.frames import Grammar as FeigGrammar
from drivers.magicrf.describe import describe as describe_magicrf
from drivers.magicrf.frames import Grammar as MagicGrammar

FOLDER = Path(__file__).parents[1] / "vectors"
MUTANTS = 12_500


def seeds(protocol, direction=None):
    vectors = map(json.loads, (FOLDER / f"{protocol}.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        bytes.fromhex(vector["input"])
        for vector in vectors
        if direction in {None, vector["options"].get("from")} and vector["options"].get("framing") != "aadd"
    ]


def mutate(rng, data, reseal):
    """One to three changes; then, every other time, the check is made right, so that only the content is wrong."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) or 1)
        match rng.randrange(7):
            case 0 if data:
                data[at] ^= 1 << rng.randrange(8)
            case 1 if data:
                data[at] = rng.choice([0, 1, 2, 5, 0x7E, 0xBB, 0xFF, rng.randrange(256)])
            case 2:
                data[at:at] = rng.randbytes(rng.randint(1, 4))
            case 3:
                del data[at : at + rng.randint(1, 4)]
            case 4:
                data[at:at] = data[: rng.randint(1, 12)]
            case 5 if len(data) > 1:
                other = rng.randrange(len(data))
                data[at], data[other] = data[other], data[at]
            case _:
                data += data[at:]
    return reseal(bytes(data)) if rng.random() < 0.5 else bytes(data)


def reseal_feig(data):
    body = data[:-2]
    if len(body) >= 4 and body[0] != 2:
        body = bytes([min(255, len(data))]) + body[1:]
    crc = 0xFFFF
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return body + bytes([crc & 255, crc >> 8])


def reseal_magicrf(data):
    if len(data) < 7:
        return data
    parameter = data[5:-2]
    head = data[1:3] + bytes([len(parameter) >> 8, len(parameter) & 255])
    return b"\xbb" + head + parameter + bytes([sum(head + parameter) & 255, 0x7E])


@pytest.mark.parametrize("side", ["feig device", "feig host", "magicrf"])
def test_no_mutant_is_wrongly_accepted(witness, side):
    protocol, _, direction = side.partition(" ")
    host = direction == "host"
    if protocol == "feig":
        grammar, describe, reseal = FeigGrammar(from_host=host), describe_feig, reseal_feig
        originals = seeds("feig", direction)
    else:
        grammar, describe, reseal = MagicGrammar(), describe_magicrf, reseal_magicrf
        originals = seeds("magicrf")
    rng = random.Random(side)
    accepted = changed = 0
    for _ in range(MUTANTS // (1 if protocol == "magicrf" else 2)):
        original = rng.choice(originals)
        mutant = mutate(rng, original, reseal)
        scanner = Scanner(grammar)
        at = 0
        for item in scanner.feed(mutant) + scanner.flush():
            if isinstance(item, Refused):
                continue
            at = mutant.index(item.raw, at) + len(item.raw)  # a slice of the input, in order, not overlapping
            assert (
                witness.feig_valid(item.raw, from_host=host) if protocol == "feig" else witness.magicrf_valid(item.raw)
            )
            json.dumps(describe(item), allow_nan=False)
            accepted += 1
            changed += item.raw not in original
    # The test is worth something only if many mutants get as far as the content checks and some through them.
    assert changed > 300
    assert accepted > changed
