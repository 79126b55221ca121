"""Slow parsers of the garage's streams, written from the protocol pages alone; nothing here uses drivers' codecs.
``claim`` gives a length, None (no frame can begin here) or "more"; ``valid`` judges exactly one frame; ``seal`` makes
the check of altered bytes right again, so that only the content is wrong."""

import calendar
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

VECTORS = Path(__file__).parents[2] / "vectors"


def u16(data, at):
    return data[at] + 256 * data[at + 1]


# --- GB/T 26875.3 -------------------------------------------------------------------------------------------------


def gb_claim(data, at):
    if data[at] != 0x40 or (at + 1 < len(data) and data[at + 1] != 0x40):
        return None
    if at + 26 > len(data):
        return "more"
    length = u16(data, at + 24)
    return length + 30 if length <= 1024 else None


def gb_time_ok(six):
    second, minute, hour, day, month, year = six
    if second > 59 or minute > 59 or hour > 23 or not 1 <= month <= 12 or year > 99:
        return False
    return 1 <= day <= calendar.monthrange(2000 + year, month)[1]


GB_SIZES = {
    1: (10, 4),
    2: (46, 40),
    3: (16, 10),
    4: (10, 4),
    21: (7, 1),
    24: (8, 2),
    25: (2, None),
    28: (6, 0),
    90: (6, 0),
}


def gb_valid(raw):
    if len(raw) < 30 or gb_claim(raw, 0) != len(raw) or raw[-2:] != b"##":
        return False
    if sum(raw[2:-3]) % 256 != raw[-3] or not gb_time_ok(raw[6:12]):
        return False
    app = raw[27:-3]
    if not app:
        return True
    fits = len(app) > 1 and (app[0] not in GB_SIZES or gb_objects_ok(app))
    # User commands may hold anything; but what says fire is not passed over in silence.
    return fits or (raw[26] >= 128 and not gb_says(app))


def gb_objects_ok(app):
    size, time_at = GB_SIZES[app[0]]
    body = app[2:]
    if len(body) != size * app[1]:
        return False
    return time_at is None or all(gb_time_ok(body[at + time_at : at + time_at + 6]) for at in range(0, len(body), size))


def gb_says(app):
    """Whether a state among the objects (whole or torn behind its bits) has fire or fault set."""
    if len(app) < 2 or app[0] not in {1, 2, 21}:
        return False
    size, status_at = {1: (10, 2), 2: (46, 7), 21: (7, 0)}[app[0]]
    body = app[2:]
    whole = range(0, len(body) - size + 1, size)
    torn = [len(body) // size * size] if len(body) % size > status_at + (app[0] != 21) else []
    return any(body[at + status_at] & 6 for at in whole) or any(body[at + status_at] & 2 for at in torn)


def gb_frame(app=b"", *, serial=1, command=2, time=bytes((0x20, 0x3A, 9, 0x1A, 9, 12)), source=889, destination=88888):
    body = serial.to_bytes(2, "little") + b"\x01\x01" + time + source.to_bytes(6, "little")
    body += destination.to_bytes(6, "little") + len(app).to_bytes(2, "little") + bytes([command]) + app
    return b"@@" + body + bytes([sum(body) % 256]) + b"##"


def gb_component(status, *, kind=40, zone=10, position=2, text=b"", time=bytes((2, 0x3A, 9, 0x1A, 9, 12))):
    body = bytes([1, 1, kind]) + zone.to_bytes(2, "little") + position.to_bytes(2, "little")
    return body + status.to_bytes(2, "little") + text.ljust(31, b"\0") + time


def gb_seal(data):
    if len(data) < 30:
        return data
    app = data[27:-3]
    data = data[:24] + len(app).to_bytes(2, "little") + data[26:-3]
    return b"@@" + data[2:] + bytes([sum(data[2:]) % 256]) + b"##"


# --- DC589 ----------------------------------------------------------------------------------------------------------


def dc_claim(data, at):
    if data[at] != 0xEE:
        return None
    if at + 1 >= len(data):
        return "more"
    return data[at + 1] + 2 if data[at + 1] >= 8 else None


def dc_valid(raw):
    if len(raw) < 10 or dc_claim(raw, 0) != len(raw):
        return False
    check = 0
    for byte in raw[1:-1]:
        check ^= byte
    command, data = raw[2], raw[9:-1]
    if check != raw[-1]:
        return False
    exact = {0xA0: 45, 0xB9: 1, 0xB8: 2, 0xBA: 2, 0xBB: 44}
    least = {0xB6: 7, 0xD1: 7, 0xC0: 2, 0xC2: 9, 0xA4: 17}
    if len(data) != exact.get(command, len(data)) or len(data) < least.get(command, 0):
        return False
    if command == 0xBB:
        return data[24] < 60 and data[28] < 60
    return command != 0xA4 or len(data) == 17 or dc_heartbeat_ok(data)


def dc_heartbeat_ok(data):
    if len(data) < 23 or len(data) < 23 + data[21]:
        return False
    records = data[23 + data[21] :]
    if len(records) % 13 or len(records) // 13 > data[22 + data[21]]:
        return False
    return all(records[at + 3] < 60 and records[at + 6] < 60 for at in range(0, len(records), 13))


def dc_frame(command, data=b"", session=bytes(6)):
    body = bytes([8 + len(data), command]) + session + bytes(data)
    check = 0
    for byte in body:
        check ^= byte
    return b"\xee" + body + bytes([check])


def dc_seal(data):
    return dc_frame(data[2], data[9:-1][:247], data[3:9]) if len(data) >= 10 else data


# --- DNY ------------------------------------------------------------------------------------------------------------


def dny_claim(data, at):
    rest = bytes(data[at : at + 4])
    if b"link".startswith(rest):
        return 4
    if not b"DNY".startswith(rest[:3]):
        return None
    if at + 5 > len(data):
        return "more"
    length = u16(data, at + 3)
    return length + 5 if 9 <= length <= 1024 else None


def dny_valid(raw):
    if bytes(raw) == b"link":
        return True
    return len(raw) >= 14 and dny_claim(raw, 0) == len(raw) and sum(raw[:-2]) % 65536 == u16(raw, len(raw) - 2)


def dny_frame(command, data=b"", *, device="04a26cf3", message_id=1):
    body = bytes.fromhex(device)[::-1] + message_id.to_bytes(2, "little") + bytes([command]) + bytes(data)
    frame = b"DNY" + (len(body) + 2).to_bytes(2, "little") + body
    return frame + (sum(frame) % 65536).to_bytes(2, "little")


def dny_seal(data):
    if len(data) < 14:
        return data
    frame = b"DNY" + (len(data) - 5).to_bytes(2, "little") + data[5:-2]
    return frame + (sum(frame) % 65536).to_bytes(2, "little")


# --- OSDP -----------------------------------------------------------------------------------------------------------


def osdp_claim(data, at):
    if data[at] != 0x53:
        return None
    if at + 4 > len(data):
        return "more"
    length = u16(data, at + 2)
    return length if 7 <= length <= 1440 else None


def osdp_crc(data):
    crc = 0x1D0F
    for byte in data:
        for position in range(8):
            bit = byte >> (7 - position) & 1
            top = crc >> 15
            crc = crc << 1 & 0xFFFF
            crc ^= 0x1021 if top ^ bit else 0
    return crc


def osdp_valid(raw):
    if len(raw) < 7 or osdp_claim(raw, 0) != len(raw):
        return False
    if raw[4] & 4:
        if len(raw) < 8 or osdp_crc(raw[:-2]) != u16(raw, len(raw) - 2):
            return False
        body = raw[5:-2]
    else:
        if sum(raw) % 256:
            return False
        body = raw[5:-1]
    if raw[4] & 8:
        if body[0] < 2 or body[0] >= len(body) or not 0x11 <= body[1] <= 0x14:
            return False
        body = body[body[0] :]
    code, data = body[0], body[1:]
    if raw[1] & 128 and code == 0x53:
        return len(data) >= 2 and len(data) == 2 + data[1]
    if raw[1] & 128 and code == 0x50:
        return len(data) >= 4 and len(data) == 4 + (u16(data, 2) + 7) // 8
    return True


def osdp_frame(address, code, data=b"", *, sequence=0, block=b"", crc=True, reply=True):
    inner = (bytes([len(block) + 1]) + block if block else b"") + bytes([code]) + bytes(data)
    control = sequence | (4 if crc else 0) | (8 if block else 0)
    length = 5 + len(inner) + (2 if crc else 1)
    frame = bytes([0x53, address | (128 if reply else 0)]) + length.to_bytes(2, "little") + bytes([control]) + inner
    return frame + (osdp_crc(frame).to_bytes(2, "little") if crc else bytes([-sum(frame) % 256]))


def osdp_seal(data):
    if len(data) < 8:
        return data
    tail = 2 if data[4] & 4 else 1
    frame = b"\x53" + data[1:2] + len(data).to_bytes(2, "little") + data[4:-tail]
    return frame + (osdp_crc(frame).to_bytes(2, "little") if tail == 2 else bytes([-sum(frame) % 256]))


WITNESSES = {
    "gb26875": SimpleNamespace(claim=gb_claim, valid=gb_valid, seal=gb_seal),
    "dc589": SimpleNamespace(claim=dc_claim, valid=dc_valid, seal=dc_seal),
    "dny": SimpleNamespace(claim=dny_claim, valid=dny_valid, seal=dny_seal),
    "osdp": SimpleNamespace(claim=osdp_claim, valid=osdp_valid, seal=osdp_seal),
}


@pytest.fixture
def witness_of():
    return WITNESSES


@pytest.fixture
def make():
    """Makers of frames, by name."""
    return SimpleNamespace(gb=gb_frame, component=gb_component, dc=dc_frame, dny=dny_frame, osdp=osdp_frame)


@pytest.fixture
def vectors():
    """Protocol -> its published vectors."""

    def read(protocol):
        return [json.loads(line) for line in (VECTORS / f"{protocol}.jsonl").read_text(encoding="utf-8").splitlines()]

    return read


# --- a driver on a simulated device, in simulated time ---------------------------------------------------------------

MS = 1_000_000


class Rig:
    """``device`` is a simulated line device. ``commits``: acknowledgements leave (readings reach the disk)."""

    def __init__(self, driver, device, *, now=0):
        self.driver, self.device, self.now = driver, device, now
        self.readings, self.written, self.commits = [], [], True
        self.carry(driver.opened(now))

    def carry(self, output):
        self.readings += output.readings
        self.written += output.write
        for frame in output.write + (output.acknowledge if self.commits else []):
            self.device.receive(frame, self.now)
        return output

    def command(self, command):
        return self.carry(self.driver.command(command, self.now))

    def run(self, ms):
        """Let ``ms`` pass; gives the readings of that time."""
        first, end = len(self.readings), self.now + int(ms * MS)
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

    def of(self, name, **wanted):
        return [
            item
            for item in self.readings
            if type(item).__name__ == name and all(getattr(item, key) == value for key, value in wanted.items())
        ]

    def last(self, name, **wanted):
        return self.of(name, **wanted)[-1]

    def states(self):
        return [(item.state.value, item.problem) for item in self.of("DeviceHealth")]

    def reconnect(self):
        self.carry(self.driver.closed(self.now))
        self.device.restart(self.now)
        self.carry(self.driver.opened(self.now))


@pytest.fixture
def rig():
    return Rig
