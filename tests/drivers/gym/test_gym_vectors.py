"""The published frames of the gym's wires: through the command, and the streams byte by byte and in noise."""

import io
import json
import random
from pathlib import Path

import pytest

from drivers.ant_fec.describe import describe as describe_ant
from drivers.ant_fec.frames import Grammar as AntGrammar
from drivers.buffer import Refused, Scanner
from drivers.csafe.describe import describe as describe_csafe
from drivers.csafe.frames import Grammar as CsafeGrammar
from drivers.decoding import main

FOLDER = Path(__file__).parents[2] / "vectors"
COUNTS = {"csafe": 14, "ftms": 31, "heart_rate": 9, "ant_fec": 14, "health": 4}
OWN = ("ble_gateway", "strength", "trail_gates")
RESOLUTION = {"rr_intervals_ms": 1000 / 1024}
VECTORS = [
    (protocol, number, json.loads(line))
    for protocol in (*COUNTS, *OWN)
    for number, line in enumerate((FOLDER / f"{protocol}.jsonl").read_text(encoding="utf-8").splitlines(), 1)
]
STREAMS = [
    item for item in VECTORS if item[0] == "csafe" or (item[0] == "ant_fec" and item[2]["options"]["layer"] == "serial")
]


def names(items):
    return [f"{protocol}-{number}" for protocol, number, _ in items]


def equal(told, wanted, key=""):
    """As the decode contract compares, section 7."""
    if isinstance(wanted, dict):
        return isinstance(told, dict) and all(equal(told.get(name), value, name) for name, value in wanted.items())
    if isinstance(wanted, list):
        return len(told) == len(wanted) and all(equal(a, b, key) for a, b in zip(told, wanted, strict=True))
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        return told == wanted and isinstance(told, bool) == isinstance(wanted, bool)
    slack = max(1e-6 * abs(wanted), RESOLUTION.get(key, 0) / 2)
    return isinstance(told, int | float) and not isinstance(told, bool) and abs(told - wanted) <= slack


def matches(told, expected):
    assert len(told["frames"]) == len(expected["frames"])
    for frame, wanted in zip(told["frames"], expected["frames"], strict=True):
        assert equal(frame, wanted), (frame, wanted)
    for wanted in expected.get("errors", []):
        assert wanted["kind"] in [error["kind"] for error in told["errors"]]
    if "pending_bytes" in expected:
        assert told["pending_bytes"] == expected["pending_bytes"]


def grammar_of(protocol, options):
    if protocol == "csafe":
        return CsafeGrammar(from_host=options["from"] == "host"), describe_csafe
    return AntGrammar(), describe_ant


def fed(protocol, options, chunks):
    grammar, describe = grammar_of(protocol, options)
    scanner = Scanner(grammar)
    items = [item for chunk in chunks for item in scanner.feed(chunk)] + scanner.flush()
    return {
        "frames": [describe(item) for item in items if not isinstance(item, Refused)],
        "errors": [{"kind": item.kind.value} for item in items if isinstance(item, Refused)],
        "pending_bytes": scanner.pending,
    }


def test_the_vectors_are_all_there():
    assert {name: sum(item[0] == name for item in VECTORS) for name in COUNTS} == COUNTS
    assert len(STREAMS) == 17


@pytest.mark.parametrize(("protocol", "number", "vector"), VECTORS, ids=names(VECTORS))
def test_whole_through_the_command(protocol, number, vector):
    words = [word for name, value in vector["options"].items() for word in (f"--{name}", value)]
    line = vector["input"] if isinstance(vector["input"], str) else json.dumps(vector["input"])
    out, err = io.StringIO(), io.StringIO()
    assert main(protocol, words, io.BytesIO(line.encode() + b"\n"), out, err) == 0
    assert err.getvalue() == ""
    (told,) = out.getvalue().splitlines()
    matches(json.loads(told), vector["expect"])


@pytest.mark.parametrize(("protocol", "number", "vector"), STREAMS, ids=names(STREAMS))
def test_streams_in_pieces(protocol, number, vector):
    data = bytes.fromhex(vector["input"])
    matches(fed(protocol, vector["options"], [bytes([byte]) for byte in data]), vector["expect"])
    whole = fed(protocol, vector["options"], [data])
    rng = random.Random(number)
    for _ in range(10):
        cuts = sorted(rng.randint(0, len(data)) for _ in range(rng.randint(1, 6)))
        chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert fed(protocol, vector["options"], chunks) == whole


@pytest.mark.parametrize(("protocol", "number", "vector"), STREAMS, ids=names(STREAMS))
def test_a_frame_in_noise_is_found(protocol, number, vector, witness, rules_of):
    """What is found is what a decoder finds that is nothing but the rules."""
    data, rules = bytes.fromhex(vector["input"]), rules_of[protocol]
    host = vector["options"].get("from") == "host"
    valid = (lambda raw: rules.valid(raw, host=host)) if protocol == "csafe" else rules.valid
    for seed in range(40):
        rng = random.Random(1000 * number + seed)
        noisy = rng.randbytes(rng.randint(0, 12)) + data + rng.randbytes(rng.randint(0, 12))
        expected, _ = witness.naive_decode(noisy, rules.claim, valid)
        grammar, _ = grammar_of(protocol, vector["options"])
        scanner = Scanner(grammar)
        items = scanner.feed(noisy[:7]) + scanner.feed(noisy[7:]) + scanner.flush()
        assert [item.raw for item in items if not isinstance(item, Refused)] == [noisy[a:b] for a, b in expected]
