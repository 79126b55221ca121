"""Slow parsers of the gym's streams, written from the protocol pages alone, and rigs in simulated time."""

import json
from types import SimpleNamespace

import pytest

from drivers.registry import make_driver

MS = 1_000_000
S = 1_000 * MS


# --- CSAFE: claim gives a length, None (nothing begins here) or "more"; valid judges exactly one frame ----------------


def csafe_claim(data, at):
    if data[at] not in (0xF0, 0xF1):
        return None
    position = at + 1
    while position < len(data):
        byte = data[position]
        if byte == 0xF2:
            return position + 1 - at
        if byte in (0xF0, 0xF1):
            return None
        if byte == 0xF3 and position + 1 < len(data) and data[position + 1] > 3:
            return None
        position += 2 if byte == 0xF3 else 1
    return "more"


def csafe_plain(raw):
    plain, position = bytearray(), 1
    while position < len(raw) - 1:
        if raw[position] == 0xF3:
            plain.append(0xF0 + raw[position + 1] & 0xFF)
            position += 1
        else:
            plain.append(raw[position])
        position += 1
    return bytes(plain[2:] if raw[0] == 0xF0 else plain)


def csafe_fits(contents, *, wrapped=False, host=False):
    at = 0
    while at < len(contents):
        command = contents[at]
        at += 1
        if host and command >= 0x80:
            continue
        if at == len(contents):
            return wrapped
        inner = contents[at + 1 : at + 1 + contents[at]]
        if len(inner) < contents[at]:
            return False
        if command in (0x1A, 0x76, 0x77, 0x7E, 0x7F) and not wrapped:
            if not csafe_fits(inner, wrapped=True, host=host):
                return False
        elif command == 0xA0 and not wrapped and not host and len(inner) >= 3 and max(inner[1:3]) > 59:
            return False
        at += 1 + len(inner)
    return True


def csafe_valid(raw, *, host=False):
    if raw[-1:] != b"\xf2" or csafe_claim(raw, 0) != len(raw):
        return False
    plain = csafe_plain(raw)
    check = 0
    for byte in plain[:-1]:
        check ^= byte
    if not plain or check != plain[-1]:
        return False
    return csafe_fits(plain[:-1] if host else plain[1:-1], host=host)


def csafe_seal(data):
    """The same contents with the right checksum, stuffed anew."""
    if len(data) < 3 or data[0] not in (0xF0, 0xF1):
        return data
    return csafe_frame(csafe_plain(data[:-1] + b"\xf2")[:-1], bytes(2) if data[0] == 0xF0 else b"")


def csafe_frame(contents, addresses=b""):
    check = 0
    for byte in contents:
        check ^= byte
    out = bytearray(b"\xf0" if addresses else b"\xf1")
    for byte in bytes(addresses) + bytes(contents) + bytes([check]):
        out += bytes([0xF3, byte & 3]) if 0xF0 <= byte <= 0xF3 else bytes([byte])
    return bytes(out) + b"\xf2"


# --- ANT --------------------------------------------------------------------------------------------------------------


def ant_claim(data, at):
    if data[at] != 0xA4:
        return None
    if at + 1 >= len(data):
        return "more"
    return data[at + 1] + 4 if 1 <= data[at + 1] <= 41 else None


def ant_valid(raw):
    if len(raw) < 5 or ant_claim(raw, 0) != len(raw):
        return False
    check = 0
    for byte in raw:
        check ^= byte
    exact = {0x40: (3,), 0x41: (1,), 0x42: (3, 4), 0x43: (3,), 0x51: (5,)}
    if raw[2] in (0x4E, 0x4F):
        return check == 0 and raw[1] >= 9
    return check == 0 and raw[1] in exact.get(raw[2], (raw[1],))


def ant_seal(data):
    if len(data) < 5:
        return data
    body = b"\xa4" + bytes([(len(data) - 4) & 255]) + data[2:-1]
    check = 0
    for byte in body:
        check ^= byte
    return body + bytes([check])


WITNESSES = {
    "csafe": SimpleNamespace(claim=csafe_claim, valid=csafe_valid, seal=csafe_seal),
    "ant_fec": SimpleNamespace(claim=ant_claim, valid=ant_valid, seal=ant_seal),
}


@pytest.fixture(scope="session")
def rules_of():
    return WITNESSES


@pytest.fixture(scope="session")
def csafe():
    """Contents (and addresses) to a frame."""
    return csafe_frame


# --- simulated time ---------------------------------------------------------------------------------------------------


class Said:
    """What a driver said, and questions about it."""

    def __init__(self):
        self.readings = []

    def of(self, name, **wanted):
        return [
            item
            for item in self.readings
            if type(item).__name__ == name and all(getattr(item, key) == value for key, value in wanted.items())
        ]

    def last(self, name, **wanted):
        return self.of(name, **wanted)[-1]

    def told(self, name, field, **wanted):
        """The values of ``field`` where it was told, in order."""
        return [value for item in self.of(name, **wanted) if (value := getattr(item, field)) is not None]

    def states(self):
        return [(item.state.value, item.problem) for item in self.of("DeviceHealth")]


class LineRig(Said):
    """``driver`` on a simulated line device."""

    def __init__(self, driver, device, now=10 * S):
        super().__init__()
        self.driver, self.device, self.now, self.written = driver, device, now, []
        self.carry(driver.opened(now))

    def carry(self, output):
        self.readings += output.readings
        for frame in output.write:
            self.written.append((self.now, frame))
            self.device.receive(frame, self.now)

    def command(self, command):
        self.carry(self.driver.command(command, self.now))

    def run(self, seconds):
        first, end = len(self.readings), self.now + int(seconds * S)
        for _ in range(500_000):
            due = [at for at in (self.device.deadline(), self.driver.deadline()) if at is not None]
            at = max(self.now, min(due, default=end + 1))
            if at > end:
                self.now = end
                return self.readings[first:]
            self.now = at
            data = self.device.take(at)
            if data:
                self.carry(self.driver.received(data, at))
            elif self.driver.deadline() is not None and self.driver.deadline() <= at:
                self.carry(self.driver.tick(at))
        raise AssertionError("the driver or the device spins")

    def reconnect(self):
        self.carry(self.driver.closed(self.now))
        self.device.restart(self.now)
        self.carry(self.driver.opened(self.now))


class MqttRig(Said):
    """``driver`` and simulated MQTT devices on a broker that is nothing but a list."""

    def __init__(self, protocol, *devices, **options):
        super().__init__()
        self.driver, self.devices, self.now, self.heard = make_driver(protocol, options), devices, 0, []
        self.take(self.driver.opened(0))
        for device in devices:
            device.connected(0)

    def take(self, output):
        self.readings += output.readings
        for message in map(json.loads, output.write):
            for device in self.devices:
                device.receive(message["topic"], message["payload"].encode(), self.now)

    def command(self, command):
        self.take(self.driver.command(command, self.now))

    def hear(self, topic, payload, *, retain=False):
        text = payload if isinstance(payload, str) else json.dumps(payload)
        first = len(self.readings)
        line = json.dumps({"topic": topic, "payload": text, "retain": retain}).encode()
        self.take(self.driver.received(line, self.now))
        return self.readings[first:]

    def cut(self):
        for device in self.devices:
            device.disconnected(self.now)

    def join(self):
        for device in self.devices:
            device.connected(self.now)

    def run(self, seconds):
        first, end = len(self.readings), self.now + int(seconds * S)
        for _ in range(500_000):
            things = [*self.devices, self.driver]
            due = [at for at in (thing.deadline() for thing in things) if at is not None]
            at = max(self.now, min(due, default=end + 1))
            if at > end:
                self.now = end
                return self.readings[first:]
            self.now = at
            if self.driver.deadline() is not None and self.driver.deadline() <= at:
                self.take(self.driver.tick(at))
            for device in self.devices:
                device.tick(at)
                for topic, payload, retain, _ in device.take(at):
                    self.heard.append((topic, payload))
                    self.hear(topic, payload, retain=retain)
        raise AssertionError("the driver or a device spins")


@pytest.fixture
def line_rig():
    return LineRig


@pytest.fixture
def mqtt_rig():
    return MqttRig
