"""The published frames of the garage's streams: whole, byte by byte, in random splits, and in noise."""

import io
import json
import random
from pathlib import Path

import pytest

from drivers.buffer import Refused, Scanner
from drivers.dc589 import describe as dc589
from drivers.dc589.frames import Grammar as Dc589Grammar
from drivers.decoding import decode_line, main
from drivers.dny import describe as dny
from drivers.dny.frames import Grammar as DnyGrammar
from drivers.gb26875 import describe as gb26875
from drivers.gb26875.frames import Grammar as Gb26875Grammar
from drivers.osdp import describe as osdp
from drivers.osdp.frames import MARK
from drivers.osdp.frames import Grammar as OsdpGrammar
from drivers.registry import PROTOCOLS

FOLDER = Path(__file__).parents[2] / "vectors"
COUNTS = {"gb26875": 8, "dc589": 4, "dny": 4, "osdp": 9}
PARTS = {
    "gb26875": (Gb26875Grammar, gb26875.describe, b""),
    "dc589": (Dc589Grammar, dc589.describe, b""),
    "dny": (DnyGrammar, dny.describe, b""),
    "osdp": (OsdpGrammar, osdp.describe, MARK),
}
VECTORS = [
    (protocol, number, json.loads(line))
    for protocol in COUNTS
    for number, line in enumerate((FOLDER / f"{protocol}.jsonl").read_text(encoding="utf-8").splitlines(), 1)
]
WITH_FRAMES = [item for item in VECTORS if item[2]["expect"]["frames"]]
# A mark byte before the frame is no part of it and never pending.
LONE = [item for item in WITH_FRAMES if not item[2]["input"].startswith("ff")]


def names(items):
    return [f"{protocol}-{number}" for protocol, number, _ in items]


def equal(told, wanted):
    if isinstance(wanted, dict):
        return isinstance(told, dict) and all(equal(told.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return len(told) == len(wanted) and all(map(equal, told, wanted))
    return told == wanted


def matches(told, expected):
    assert len(told["frames"]) == len(expected["frames"])
    for frame, wanted in zip(told["frames"], expected["frames"], strict=True):
        assert equal(frame, wanted)
    for wanted in expected.get("errors", []):
        assert wanted["kind"] in [error["kind"] for error in told["errors"]]
    if "pending_bytes" in expected:
        assert told["pending_bytes"] == expected["pending_bytes"]


def fed(protocol, chunks):
    grammar, describe, filler = PARTS[protocol]
    scanner = Scanner(grammar(), filler)
    items = [item for chunk in chunks for item in scanner.feed(chunk)] + scanner.flush()
    frames = [describe(item) for item in items if not isinstance(item, Refused)]
    errors = [{"kind": item.kind.value} for item in items if isinstance(item, Refused)]
    return {"frames": frames, "errors": errors, "pending_bytes": scanner.pending}


def test_the_vectors_are_all_there():
    assert {name: sum(item[0] == name for item in VECTORS) for name in COUNTS} == COUNTS


@pytest.mark.parametrize(("protocol", "number", "vector"), VECTORS, ids=names(VECTORS))
def test_whole_through_the_command(protocol, number, vector):
    out, err = io.StringIO(), io.StringIO()
    assert main(protocol, [], io.BytesIO(vector["input"].encode() + b"\n"), out, err) == 0
    assert err.getvalue() == ""
    (line,) = out.getvalue().splitlines()
    matches(json.loads(line), vector["expect"])


@pytest.mark.parametrize(("protocol", "number", "vector"), VECTORS, ids=names(VECTORS))
def test_in_pieces(protocol, number, vector):
    data = bytes.fromhex(vector["input"])
    matches(fed(protocol, [bytes([byte]) for byte in data]), vector["expect"])
    whole = fed(protocol, [data])
    rng = random.Random(number)
    for _ in range(10):
        cuts = sorted(rng.randint(0, len(data)) for _ in range(rng.randint(1, 6)))
        chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert fed(protocol, chunks) == whole


@pytest.mark.parametrize(("protocol", "number", "vector"), WITH_FRAMES, ids=names(WITH_FRAMES))
def test_with_noise_on_both_sides(protocol, number, vector, witness, witness_of):
    """What is found is what a decoder finds that is nothing but the rules; the real frame is among it."""
    data = bytes.fromhex(vector["input"])
    rules = witness_of[protocol]
    for seed in range(40):
        rng = random.Random(1000 * number + seed)
        noisy = rng.randbytes(rng.randint(0, 12)) + data + rng.randbytes(rng.randint(0, 12))
        expected, _ = witness.naive_decode(noisy, rules.claim, rules.valid)
        grammar, _, filler = PARTS[protocol]
        scanner = Scanner(grammar(), filler)
        items = scanner.feed(noisy[:7]) + scanner.feed(noisy[7:]) + scanner.flush()
        found = [item.raw for item in items if not isinstance(item, Refused)]
        assert found == [noisy[start:end] for start, end in expected]
        assert any(raw in data for raw in found)


@pytest.mark.parametrize(("protocol", "number", "vector"), LONE, ids=names(LONE))
def test_every_proper_beginning_is_pending(protocol, number, vector):
    line = vector["input"].encode()
    for count in range(1, len(line) // 2):
        told = decode_line(PROTOCOLS[protocol], line[: 2 * count], {})
        assert (told.frames, told.errors, told.pending_bytes) == ([], [], count)
