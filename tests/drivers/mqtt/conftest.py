"""Messages to decoders and drivers, in simulated time."""

from __future__ import annotations

import json

import pytest

from drivers.decoding import decode_line, find_entry, parse_options, to_json
from drivers.registry import make_driver

MS = 1_000_000
S = 1_000 * MS


class Talk:
    """A driver and what it said."""

    def __init__(self, protocol, options):
        self.driver = make_driver(protocol, options)
        self.now = 1_000 * S
        self.readings, self.sent = [], []
        self.take(self.driver.opened(self.now))

    def take(self, output):
        self.readings += output.readings
        self.sent += [json.loads(data) for data in output.write]
        return output

    def hear(self, topic, payload, *, retain=False, **more):
        """The readings of one message."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        message = {"topic": topic, "payload": text, "retain": retain, **more}
        return self.take(self.driver.received(json.dumps(message).encode(), self.now)).readings

    def tell(self, command):
        """What the driver publishes on a command: (topic, payload, expiry_s)."""
        output = self.take(self.driver.command(command, self.now))
        return [(m["topic"], m["payload"], m["expiry_s"]) for m in map(json.loads, output.write)]

    def wait(self, seconds):
        self.now += int(seconds * S)
        return self.take(self.driver.tick(self.now)).readings

    def of(self, name):
        return [reading for reading in self.readings if type(reading).__name__ == name]


@pytest.fixture
def talk():
    def begin(protocol, **options):
        talk = Talk(protocol, options)
        talk.readings.clear()
        return talk

    return begin


@pytest.fixture(scope="session")
def decode():
    """What ``kangle decode`` says of one message."""

    def one(protocol, topic, payload, *, retain=False, **options):
        entry = find_entry(protocol)
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
        text = payload if isinstance(payload, str) else json.dumps(payload)
        line = json.dumps({"topic": topic, "payload": text, "retain": retain}).encode()
        return json.loads(to_json(decode_line(entry, line, parse_options(entry.decode_options, words))))

    return one


@pytest.fixture(scope="session")
def error_of(decode):
    """(kind, alarm) of the one error of a message that gives no frame."""

    def one(protocol, topic, payload, **more):
        told = decode(protocol, topic, payload, **more)
        assert told["frames"] == []
        (error,) = told["errors"]
        return error["kind"], error.get("alarm")

    return one
