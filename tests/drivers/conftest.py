"""Independent witnesses for the drivers: slow parsers and encoders written from the protocol pages alone, and a bench
that lets a driver talk to a scripted device in simulated time. Nothing here uses drivers' codecs."""

import heapq
import itertools
from types import SimpleNamespace

import pytest

MS = 1_000_000


def crc_bitwise(data, polynomial, *, start, reflected, final):
    """The textbook definition, one bit at a time. ``polynomial`` in normal (not mirrored) form."""
    crc, mirrored = start, int(f"{polynomial:016b}"[::-1], 2)
    for byte in data:
        for position in range(8):
            bit = byte >> position & 1 if reflected else byte >> (7 - position) & 1
            if reflected:
                top = crc & 1
                crc >>= 1
                crc ^= mirrored if top ^ bit else 0
            else:
                top = crc >> 15
                crc = crc << 1 & 0xFFFF
                crc ^= polynomial if top ^ bit else 0
    return crc ^ final


def crc_feig(data):
    return crc_bitwise(data, 0x1021, start=0xFFFF, reflected=True, final=0)


def crc_gen2(data):
    return crc_bitwise(data, 0x1021, start=0xFFFF, reflected=False, final=0xFFFF)


# --- FEIG -----------------------------------------------------------------------------------------


def feig_reply(command, status, data=b"", *, address=0, advanced=False):
    body = bytes([address, command, status]) + bytes(data)
    return _feig_seal(body, advanced=advanced)


def feig_request(command, data=b"", *, address=255, advanced=False):
    return _feig_seal(bytes([address, command]) + bytes(data), advanced=advanced)


def _feig_seal(body, *, advanced):
    if advanced:
        total = len(body) + 5
        frame = b"\x02" + bytes([total >> 8, total & 255]) + body
    else:
        frame = bytes([len(body) + 3]) + body
    crc = crc_feig(frame)
    return frame + bytes([crc & 255, crc >> 8])


def feig_sets(*uids):
    return bytes([len(uids)]) + b"".join(b"\x03\x00" + bytes.fromhex(uid) for uid in uids)


def feig_claim(data, at, *, from_host=False):
    """Claimed length; None when no frame can begin here; "more" when the header is not all there."""
    least = 5 if from_host else 6
    if data[at] >= least:
        return data[at]
    if data[at] != 2:
        return None
    if at + 2 < len(data):
        length = data[at + 1] * 256 + data[at + 2]
        return length if least + 2 <= length <= 4096 else None
    return None if at + 1 < len(data) and data[at + 1] > 16 else "more"


def feig_valid(raw, *, from_host=False):
    """Every check of the protocol page and the decode contract, on exactly one frame."""
    if len(raw) < 5 or feig_claim(raw, 0, from_host=from_host) != len(raw):
        return False
    if crc_feig(raw[:-2]) != raw[-2] + 256 * raw[-1]:
        return False
    if from_host:
        return True
    at = 3 if raw[0] == 2 else 1
    command, status, data = raw[at + 1], raw[at + 2], raw[at + 3 : -2]
    if not data:
        return True
    if status not in (0x00, 0x83, 0x84, 0x93, 0x94, 0x95):
        return False
    if command == 0xB0 and status != 0x95:
        return len(data) == 1 + 10 * data[0] and all(data[1 + 10 * n] == 3 for n in range(data[0]))
    return True


# --- MagicRF --------------------------------------------------------------------------------------


def magicrf_frame(kind, command, parameter=b"", ends=b"\xbb\x7e"):
    body = bytes([kind, command, len(parameter) >> 8, len(parameter) & 255]) + bytes(parameter)
    return ends[:1] + body + bytes([sum(body) % 256]) + ends[1:]


def magicrf_notice(epc, rssi=-50, ends=b"\xbb\x7e"):
    epc = bytes.fromhex(epc)
    told = bytes([len(epc) // 2 << 3, 0]) + epc
    crc = crc_gen2(told)
    return magicrf_frame(2, 0x22, bytes([rssi & 255]) + told + bytes([crc >> 8, crc & 255]), ends)


def magicrf_claim(data, at, ends=b"\xbb\x7e"):
    head = data[at : at + 5]
    if head[0] != ends[0] or (len(head) > 1 and head[1] > 2) or (len(head) > 3 and head[3] > 2):
        return None
    if len(head) < 5:
        return "more"
    length = head[3] * 256 + head[4]
    return length + 7 if length <= 512 else None


_WITH_TAG = (0x39, 0x49, 0x65, 0x82, 0xD3, 0xE0, 0xE1, 0xE2, 0xE3, 0xE5, 0xE6)


def magicrf_valid(raw, ends=b"\xbb\x7e"):
    if len(raw) < 7 or magicrf_claim(raw, 0, ends) != len(raw) or raw[-1] != ends[1]:
        return False
    if sum(raw[1:-2]) % 256 != raw[-2]:
        return False
    kind, command, parameter = raw[1], raw[2], raw[5:-2]
    numbers = {(0, 0xB6): 2, (1, 0xB7): 2, (0, 0x11): 2, (0, 0x27): 3}
    if len(parameter) != numbers.get((kind, command), len(parameter)):
        return False
    if (kind, command) == (2, 0x22):
        if len(parameter) < 5 or (parameter[1] >> 3) * 2 != len(parameter) - 5:
            return False
        crc = crc_gen2(parameter[1:-2])
        return parameter[-2:] == bytes([crc >> 8, crc & 255])
    if (kind, command) == (1, 0xFF):
        return len(parameter) == 1 or (len(parameter) > 1 and _tag_fits(parameter[1:]))
    return kind != 1 or command not in _WITH_TAG or _tag_fits(parameter)


def _tag_fits(parameter):
    if not parameter or parameter[0] < 2 or parameter[0] + 1 > len(parameter):
        return False
    return (parameter[1] >> 3) * 2 == parameter[0] - 2


# --- a decoder that is nothing but the rules ------------------------------------------------------


def naive_decode(data, claim, valid):
    """Rules 1 to 4 of the contract, section 3, without any cleverness. Gives ([(start, end)], pending bytes)."""
    frames, at = [], 0
    while at < len(data):
        length = claim(data, at)
        if length is None:
            at += 1
        elif length == "more" or at + length > len(data):
            behind = (q for q in range(at + 1, len(data)) if _whole(data, q, claim, valid))
            at = next(behind, None)
            if at is None:
                at = len(data)
                return frames, at - _first_unfinished(data, frames, claim, valid)
        elif valid(data[at : at + length]):
            frames.append((at, at + length))
            at += length
        else:
            at += 1
    return frames, 0


def _whole(data, at, claim, valid):
    length = claim(data, at)
    return isinstance(length, int) and at + length <= len(data) and valid(data[at : at + length])


def _first_unfinished(data, frames, claim, valid):
    at = frames[-1][1] if frames else 0
    while True:
        length = claim(data, at)
        if length == "more" or (length is not None and at + length > len(data)):
            return at
        at += 1


# --- a driver and a device, in simulated time -----------------------------------------------------


class Bench:
    """Runs ``driver`` against ``device``: a function (request, now_ms) -> [(delay_ms, bytes), ...]."""

    def __init__(self, driver, device):
        self.driver, self.device = driver, device
        self.now = 1_000 * MS
        self.readings, self.sent, self.sent_ms = [], [], []
        self._coming, self._order = [], itertools.count()

    @property
    def now_ms(self):
        return self.now / MS

    def take(self, output):
        self.readings += output.readings
        for frame in output.write:
            self.sent.append(frame)
            self.sent_ms.append(self.now_ms)
            for delay_ms, data in self.device(frame, self.now_ms):
                self.give(data, delay_ms)
        return output.readings

    def give(self, data, delay_ms=0):
        heapq.heappush(self._coming, (self.now + int(delay_ms * MS), next(self._order), data))

    def open(self):
        return self.take(self.driver.opened(self.now))

    def close(self):
        self._coming.clear()
        return self.take(self.driver.closed(self.now))

    def command(self, command):
        return self.take(self.driver.command(command, self.now))

    def run(self, ms):
        """Let ``ms`` pass; gives the readings of that time."""
        first, end = len(self.readings), self.now + int(ms * MS)
        for _ in range(200_000):
            due = self.driver.deadline()
            coming = self._coming[0][0] if self._coming else None
            at = min(x for x in (due, coming, end + 1) if x is not None)
            if at > end:
                self.now = end
                return self.readings[first:]
            self.now = max(self.now, at)
            if coming is not None and coming <= self.now:
                self.take(self.driver.received(heapq.heappop(self._coming)[2], self.now))
            else:
                self.take(self.driver.tick(self.now))
        raise AssertionError("the driver spins")

    def run_until(self, happened, limit_ms=5_000):
        """Step by 1 ms until ``happened()``."""
        for _ in range(limit_ms):
            if happened():
                return
            self.run(1)
        raise AssertionError("it did not happen")

    def run_passes(self, count):
        """Until so many passes have been told."""
        self.run_until(lambda: len(self.passes()) >= count)
        return self.passes()[:count]

    def passes(self):
        return self.of("PlatePass")

    def of(self, name):
        return [reading for reading in self.readings if type(reading).__name__ == name]


@pytest.fixture
def witness():
    """The independent codecs and rules above, by name."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if callable(value) and name[0] != "_"})


@pytest.fixture
def bench():
    return Bench


@pytest.fixture(scope="session")
def witness_module():
    """The same as a dict, for tests that hypothesis calls many times (function-scoped fixtures are not reset there)."""
    return {name: value for name, value in globals().items() if callable(value) and name[0] != "_"}
