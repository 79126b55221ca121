"""The published messages through the command, and mutations of them: nothing raises, nothing wrong is made up."""

from __future__ import annotations

import io
import json
import math
import random
from pathlib import Path

import pytest

from drivers.decoding import main
from drivers.messages import outermost
from drivers.registry import make_driver
from edge.domain.field_devices import Operate, Poll

FOLDER = Path(__file__).parents[2] / "vectors"
PROTOCOLS = ("zigbee2mqtt", "shelly", "tasmota")
VECTORS = [
    (protocol, number, json.loads(line))
    for protocol in PROTOCOLS
    for number, line in enumerate((FOLDER / f"{protocol}.jsonl").read_text(encoding="utf-8").splitlines(), 1)
]


def run(protocol, options, lines):
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    out, err = io.StringIO(), io.StringIO()
    assert main(protocol, words, io.BytesIO(b"".join(line + b"\n" for line in lines)), out, err) == 0
    assert err.getvalue() == ""
    return [json.loads(line) for line in out.getvalue().splitlines()]


def matches(told, expected):
    assert len(told["frames"]) == len(expected["frames"])
    for frame, wanted in zip(told["frames"], expected["frames"], strict=True):
        for key, value in wanted.items():
            assert frame.get(key) == (pytest.approx(value) if isinstance(value, float) else value), key
    for wanted in expected.get("errors", []):
        assert any({key: error.get(key) for key in wanted} == wanted for error in told["errors"])
    assert told["pending_bytes"] == 0


def test_the_vectors_are_all_there():
    assert [sum(item[0] == name for item in VECTORS) for name in PROTOCOLS] == [8, 6, 6]


@pytest.mark.parametrize(("protocol", "number", "vector"), VECTORS, ids=[f"{p}-{n}" for p, n, _ in VECTORS])
def test_a_vector_alone_and_between_others(protocol, number, vector):
    line = json.dumps(vector["input"]).encode()
    (told,) = run(protocol, vector["options"], [line])
    matches(told, vector["expect"])
    among = run(protocol, vector["options"], [b"", line, b"\xff{", line, b'{"topic":"x"}'])
    assert among[1] == among[3] == told
    assert [each["errors"][0]["kind"] for each in (among[0], among[2], among[4])] == ["bad_input"] * 3


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        b"null",
        b'{"topic":1,"payload":"","retain":false}',
        b'{"topic":"a","payload":{},"retain":false}',
        b'{"topic":"a","payload":"","retain":0}',
        b'{"topic":"a","payload":""}',
        b'{"topic":"a","payload":"\\ud800","retain":false}',
        b"6a",
    ],
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_no_message_is_bad_input(protocol, line):
    (told,) = run(protocol, {}, [line])
    assert (told["frames"], [error["kind"] for error in told["errors"]]) == ([], ["bad_input"])


def mutate(rng, text):
    text = list(text)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        match rng.randrange(5):
            case 0:
                del text[at : at + rng.randint(1, 6)]
            case 1:
                text[at:at] = rng.choice(
                    ["NaN", "null", "true", "1e999", "-0", '"', "{", "}", "[]", "\\", "\0", "😀", "ı"]
                )
            case 2 if at < len(text):
                text[at] = chr(rng.choice([rng.randrange(32, 127), rng.randrange(0x20, 0xD7FF)]))
            case 3:
                text[at:at] = text[rng.randrange(len(text) + 1) :][:20]
            case _:
                text = text[:at]
    return "".join(text)


def finite(value):
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_mutated_messages_never_raise_and_drivers_survive_them(protocol):
    rng = random.Random(protocol)
    vectors = [item[2] for item in VECTORS if item[0] == protocol]
    lines = []
    for _ in range(3_000):
        message = dict(rng.choice(vectors)["input"])
        part = rng.choice(["payload", "payload", "payload", "topic"])
        message[part] = mutate(rng, message[part])
        message["retain"] = rng.random() < 0.3
        lines.append(json.dumps(message).encode())
    told = run(protocol, {}, lines)
    assert len(told) == len(lines)
    accepted = sum(bool(each["frames"]) for each in told)
    assert 200 < accepted < 2_900
    assert all(finite(each) for each in told)
    driver, now, readings = make_driver(protocol, {}), 10**12, 0
    driver.opened(now)
    for line in lines:
        now += rng.randrange(10**9)
        output = driver.received(line, now)
        readings += len(output.readings)
        if rng.random() < 0.05:
            point = rng.choice(["a", "plug:0", "plug:x", ":", "", "a/b:2", "x:99", "+"])
            driver.command(Operate(point=point, on=rng.random() < 0.5, command_id="c", hold_s=rng.choice([0, 90])), now)
            driver.command(Poll(point), now)
        for data in output.write:
            assert set(json.loads(data)) == {"topic", "payload", "retain", "expiry_s"}
            assert json.loads(data)["retain"] is False
    assert readings > 200


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ('{"smoke":true}', '"smoke":true,'),
        ('xx{"a":{"b":1},"c":"}"}yy', '"a":,"c":"}",'),
        ('[{"a":1},{"b":2}]', '"a":1,"b":2,'),
        ('{"a":"\\""}', '"a":"\\"",'),
        ('{"a":1', None),
        ('{"a":{"b":1}', None),
        ('{"a":1}}', None),
        ('{"a":"}', None),
        ("", None),
        ("}{", None),
    ],
)
def test_what_stands_within_the_outermost_braces(text, within):
    assert outermost(text) == within
