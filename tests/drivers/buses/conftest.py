"""A driver and a simulated line, in simulated time; and slow parsers written from the protocol pages alone."""

from types import SimpleNamespace

import pytest

from drivers.registry import make_driver

MS = 1_000_000


class Rig:
    """The real driver on a simulated line. ``asked`` are (ms, frame) written; ``told`` (ms, reading)."""

    def __init__(self, driver, line, now_ms=5_000):
        self.driver, self.line, self.now = driver, line, now_ms * MS
        self.asked, self.told = [], []

    @property
    def now_ms(self):
        return self.now / MS

    def carry(self, output):
        self.told += [(self.now_ms, reading) for reading in output.readings]
        for frame in output.write:
            self.asked.append((self.now_ms, frame))
            self.line.receive(frame, self.now)
        return output

    def open(self):
        self.carry(self.driver.opened(self.now))
        return self

    def command(self, command):
        return self.carry(self.driver.command(command, self.now))

    def run(self, ms):
        first, end = len(self.told), self.now + int(ms * MS)
        for _ in range(500_000):
            wanted = self.driver.deadline()
            due = [at for at in (self.line.deadline(), wanted) if at is not None]
            at = max(self.now, min(due, default=end + 1))
            if at > end:
                self.now = end
                return [reading for _, reading in self.told[first:]]
            self.now = at
            data = self.line.take(at)
            if data:
                self.carry(self.driver.received(data, at))
                wanted = self.driver.deadline()
            if wanted is not None and wanted <= at:
                self.carry(self.driver.tick(at))
        raise AssertionError("the driver or the line spins")

    def run_until(self, happened, limit_ms=20_000):
        end = self.now_ms + limit_ms
        while not happened():
            assert self.now_ms < end, "it did not happen"
            self.run(1)

    def of(self, name, point=None):
        return [r for _, r in self.told if type(r).__name__ == name and point in {None, getattr(r, "point", None)}]

    def health(self):
        return [(r.state.value, r.problem) for r in self.of("DeviceHealth")]


@pytest.fixture
def rig():
    def make(protocol, options, line, **settings):
        return Rig(make_driver(protocol, options), line, **settings).open()

    return make


# --- witnesses: DL/T 645, Modbus and A55A by the book ----------------------------------------------------------------


def dlt645_frame(address, control, data=b"", preamble=0):
    body = b"\x68" + bytes.fromhex(address)[::-1] + b"\x68" + bytes([control, len(data)])
    body += bytes((byte + 0x33) % 256 for byte in data)
    return b"\xfe" * preamble + body + bytes([sum(body) % 256, 0x16])


def dlt645_valid(raw):
    return (
        len(raw) >= 12
        and raw[0] == raw[7] == 0x68
        and raw[9] <= 200
        and len(raw) == 12 + raw[9]
        and raw[-1] == 0x16
        and raw[-2] == sum(raw[:-2]) % 256
    )


def modbus_crc(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def modbus_frame(unit, pdu):
    body = bytes([unit]) + bytes(pdu)
    crc = modbus_crc(body)
    return body + bytes([crc & 255, crc >> 8])


def a55a_valid(raw):
    return (
        raw[:2] == b"\xa5\x5a"
        and raw[-2:] == b"\x55\xaa"
        and int.from_bytes(raw[2:5], "big") == len(raw)
        and modbus_crc(raw[:-4]) == int.from_bytes(raw[-4:-2], "big")
        and 39 + 2 * int.from_bytes(raw[21:23], "big") == len(raw)
        and raw[23] == 1
    )


@pytest.fixture(scope="session")
def book():
    """The independent encoders and checks above, by name."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if callable(value) and name[0] != "_"})
