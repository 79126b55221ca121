"""The published frames of meters, relays and the pressure terminal: whole, in pieces, in noise, cut short, damaged."""

import io
import json
import random
from pathlib import Path

import pytest

from drivers.buffer import Refused, Scanner
from drivers.decoding import decode_line, main
from drivers.dlt645.describe import describe as describe_dlt645
from drivers.dlt645.frames import Grammar as Dlt645Grammar
from drivers.modbus.describe import describe as describe_modbus
from drivers.modbus.frames import RtuGrammar
from drivers.pressure_a55a.describe import describe as describe_a55a
from drivers.pressure_a55a.frames import Grammar as A55aGrammar
from drivers.registry import PROTOCOLS

FOLDER = Path(__file__).parents[2] / "vectors"
VECTORS = [
    (protocol, number, json.loads(line))
    for protocol in ("dlt645", "modbus", "pressure_a55a")
    for number, line in enumerate((FOLDER / f"{protocol}.jsonl").read_text(encoding="utf-8").splitlines(), 1)
]
WITH_FRAMES = [item for item in VECTORS if item[2]["expect"]["frames"]]


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


def parts_of(protocol, options):
    if protocol == "dlt645":
        return Scanner(Dlt645Grammar(options.get("address", "")), b"\xfe"), describe_dlt645
    if protocol == "modbus":
        return Scanner(RtuGrammar(from_host=options.get("from") == "host")), describe_modbus
    return Scanner(A55aGrammar()), describe_a55a


def fed(protocol, options, chunks):
    scanner, describe = parts_of(protocol, options)
    items = [item for chunk in chunks for item in scanner.feed(chunk)] + scanner.flush()
    frames = [describe(item) for item in items if not isinstance(item, Refused)]
    errors = [{"kind": item.kind.value} for item in items if isinstance(item, Refused)]
    return {"frames": frames, "errors": errors, "pending_bytes": scanner.pending}


def test_the_vectors_are_all_there():
    counts = [sum(item[0] == name for item in VECTORS) for name in ("dlt645", "modbus", "pressure_a55a")]
    assert counts == [10, 3, 1]


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
    for _ in range(20):
        cuts = sorted(rng.randint(0, len(data)) for _ in range(rng.randint(1, 6)))
        chunks = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert fed(protocol, vector["options"], chunks) == whole


@pytest.mark.parametrize(("protocol", "number", "vector"), WITH_FRAMES, ids=names(WITH_FRAMES))
def test_in_noise(protocol, number, vector):
    data = bytes.fromhex(vector["input"])
    for seed in range(25):
        rng = random.Random(1000 * number + seed)
        noisy = rng.randbytes(rng.randint(0, 12)) + data + rng.randbytes(rng.randint(0, 12))
        matches(fed(protocol, vector["options"], [noisy[:7], noisy[7:]]), {"frames": vector["expect"]["frames"]})


@pytest.mark.parametrize(("protocol", "number", "vector"), WITH_FRAMES, ids=names(WITH_FRAMES))
def test_every_proper_beginning_is_pending(protocol, number, vector):
    """No prefix is accepted; all its bytes wait for the rest, a preamble apart."""
    line = vector["input"].encode()
    options = {
        name: choices[0] if isinstance(choices, tuple) else choices.default
        for name, choices in PROTOCOLS[protocol].decode_options.items()
    } | vector["options"]
    preamble = len(line) // 2 - len(bytes.fromhex(vector["input"]).lstrip(b"\xfe")) if protocol == "dlt645" else 0
    for count in range(1, len(line) // 2):
        told = decode_line(PROTOCOLS[protocol], line[: 2 * count], options)
        assert (told.frames, told.errors, told.pending_bytes) == ([], [], max(0, count - preamble))


@pytest.mark.parametrize(("protocol", "number", "vector"), WITH_FRAMES, ids=names(WITH_FRAMES))
def test_the_next_good_frame_is_found_behind_a_damaged_one(protocol, number, vector):
    data = bytes.fromhex(vector["input"])
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 0x5A
        told = fed(protocol, vector["options"], [bytes(damaged), data])
        assert told["frames"][-1] == fed(protocol, vector["options"], [data])["frames"][-1]


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        ("dlt645", ["--address", "12345"]),
        ("dlt645", ["--address", "12345678901x"]),
        ("dlt645", ["--from", "host"]),
        ("modbus", ["--float-order", "abdc"]),
        ("modbus", ["--float-order", ""]),
        ("modbus", ["--from", "meter"]),
        ("pressure_a55a", ["--from", "host"]),
    ],
)
def test_wrong_options_are_refused_without_output(protocol, words):
    out, err = io.StringIO(), io.StringIO()
    assert main(protocol, words, io.BytesIO(b"00\n"), out, err) == 2
    assert out.getvalue() == ""
    assert err.getvalue()
