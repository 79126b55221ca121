"""The published frames (tests/vectors): whole, byte by byte, in random splits, and with noise on both sides."""

import io
import json
import random
from pathlib import Path

import pytest

from drivers.buffer import Refused, Scanner
from drivers.decoding import decode_line, main
from drivers.feig.describe import describe as describe_feig
from drivers.feig.frames import Grammar as FeigGrammar
from drivers.magicrf.describe import describe as describe_magicrf
from drivers.magicrf.frames import Framing
from drivers.magicrf.frames import Grammar as MagicGrammar
from drivers.registry import PROTOCOLS

FOLDER = Path(__file__).parents[1] / "vectors"
VECTORS = [
    (protocol, number, json.loads(line))
    for protocol in ("feig", "magicrf")
    for number, line in enumerate((FOLDER / f"{protocol}.jsonl").read_text(encoding="utf-8").splitlines(), 1)
]
WITH_FRAMES = [item for item in VECTORS if item[2]["expect"]["frames"]]
LONE = [item for item in WITH_FRAMES if len(item[2]["expect"]["frames"]) == 1]


def names(items):
    return [f"{protocol}-{number}" for protocol, number, _ in items]


def matches(told, expected):
    assert len(told["frames"]) == len(expected["frames"])
    for frame, wanted in zip(told["frames"], expected["frames"], strict=True):
        assert {key: frame.get(key) for key in wanted} == wanted
    for wanted in expected.get("errors", []):
        assert wanted["kind"] in [error["kind"] for error in told["errors"]]
    if "pending_bytes" in expected:
        assert told["pending_bytes"] == expected["pending_bytes"]


def grammar_and_describe(protocol, options):
    if protocol == "feig":
        return FeigGrammar(from_host=options.get("from") == "host"), describe_feig
    return MagicGrammar(Framing[options.get("framing", "bb7e").upper()]), describe_magicrf


def fed(protocol, options, chunks):
    """As a service gets it: in pieces, then a time-out."""
    grammar, describe = grammar_and_describe(protocol, options)
    scanner = Scanner(grammar)
    items = [item for chunk in chunks for item in scanner.feed(chunk)] + scanner.flush()
    frames = [describe(item) for item in items if not isinstance(item, Refused)]
    errors = [{"kind": item.kind.value} for item in items if isinstance(item, Refused)]
    return {"frames": frames, "errors": errors, "pending_bytes": scanner.pending}


def test_the_vectors_are_all_there():
    assert [sum(item[0] == name for item in VECTORS) for name in ("feig", "magicrf")] == [9, 37]


@pytest.mark.parametrize(("protocol", "number", "vector"), VECTORS, ids=names(VECTORS))
def test_whole_through_the_command(protocol, number, vector):
    words = [word for name, value in vector["options"].items() for word in (f"--{name}", value)]
    out, err = io.StringIO(), io.StringIO()
    assert main(protocol, words, io.BytesIO(vector["input"].encode() + b"\n"), out, err) == 0
    assert err.getvalue() == ""
    (line,) = out.getvalue().splitlines()
    matches(json.loads(line), vector["expect"])


@pytest.mark.parametrize(("protocol", "number", "vector"), VECTORS, ids=names(VECTORS))
def test_in_pieces(protocol, number, vector):
    data = bytes.fromhex(vector["input"])
    matches(fed(protocol, vector["options"], [bytes([byte]) for byte in data]), vector["expect"])
    whole = fed(protocol, vector["options"], [data])
    rng = random.Random(number)
    for _ in range(10):
        cuts = sorted(rng.randint(0, len(data)) for _ in range(rng.randint(1, 6)))
        chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert fed(protocol, vector["options"], chunks) == whole


@pytest.mark.parametrize(("protocol", "number", "vector"), WITH_FRAMES, ids=names(WITH_FRAMES))
def test_with_noise_on_both_sides(protocol, number, vector):
    """The real frames are found in order. Noise may by chance make a further frame (2 ^ -16 for each candidate); these
    seeds have none."""
    data = bytes.fromhex(vector["input"])
    for seed in range(25):
        rng = random.Random(1000 * number + seed)
        noisy = rng.randbytes(rng.randint(0, 12)) + data + rng.randbytes(rng.randint(0, 12))
        told = fed(protocol, vector["options"], [noisy[:7], noisy[7:]])
        matches(told, {"frames": vector["expect"]["frames"]})


@pytest.mark.parametrize(("protocol", "number", "vector"), LONE, ids=names(LONE))
def test_every_proper_beginning_is_pending(protocol, number, vector):
    """No prefix of a lone frame is accepted, and all its bytes wait for the rest."""
    line = vector["input"].encode()
    options = {name: choices[0] for name, choices in PROTOCOLS[protocol].decode_options.items()} | vector["options"]
    for count in range(1, len(line) // 2):
        told = decode_line(PROTOCOLS[protocol], line[: 2 * count], options)
        assert (told.frames, told.errors, told.pending_bytes) == ([], [], count)
