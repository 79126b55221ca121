"""A number beyond 64 bits in a message: what a driver makes of it can be written into a log, or it is refused.

JSON knows no largest integer. One that reached the log once ended the daemon that was to write it: of a plug that said
it draws 10^40 W.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from drivers.messages import PayloadError, as_number
from drivers.registry import make_driver

FOLDER = Path(__file__).parents[1] / "vectors"
S = 10**9
HUGE = ("9" * 40, "-" + "9" * 40, str(2**63), str(-(2**63) - 1), "9" * 300)
MESSAGES = [
    (path.stem, {name.replace("-", "_"): value for name, value in vector["options"].items()}, vector["input"])
    for path in sorted(FOLDER.glob("*.jsonl"))
    for vector in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    if isinstance(vector["input"], dict) and "topic" in vector["input"]
]


def numbers_made_huge(payload, number):
    for found in re.finditer(r"(?<![\w.\"])-?\d+(\.\d+)?", payload):
        yield payload[: found.start()] + number + payload[found.end() :]


def test_there_are_messages():
    assert {protocol for protocol, _, _ in MESSAGES} >= {"shelly", "tasmota", "zigbee2mqtt"}


@pytest.mark.parametrize("number", HUGE, ids=("40 digits", "minus", "2^63", "-2^63-1", "300 digits"))
def test_every_number_of_every_message_may_be_huge(number):
    told = 0
    for protocol, options, message in MESSAGES:
        for payload in numbers_made_huge(message["payload"], number):
            driver = make_driver(protocol, options)
            driver.opened(S)
            for reading in driver.received(json.dumps({**message, "payload": payload}).encode(), 2 * S).readings:
                msgspec.msgpack.encode(reading)
                told += 1
    assert told > 20


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**40, -(10**300)])
def test_an_integer_that_no_log_can_hold_becomes_the_nearest_float(value):
    got = as_number(value, "power")
    assert (type(got), got) == (float, float(value))


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**53, 0, -1])
def test_every_other_integer_is_itself(value):
    got = as_number(value, "power")
    assert (type(got), got) == (int, value)


def test_an_integer_beyond_every_float_is_no_number():
    with pytest.raises(PayloadError, match="power"):
        as_number(10**400, "power")
