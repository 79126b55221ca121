"""Hosts for simulated readers in virtual time, and a canteen API made of a few dicts for the floor's people."""

from __future__ import annotations

import pytest

from firmware_sim.chips import Chip, Field
from firmware_sim.feig import FeigReader
from firmware_sim.feig.frames import encode_request
from firmware_sim.line import LineSettings
from firmware_sim.magicrf import MagicRfReader
from firmware_sim.magicrf.frames import encode

MS = 1_000_000


class Host:
    """Asks a reader and lets simulated time run until it has nothing more to say. ``now_ns`` is the time, ``took_ns``
    what the last exchange took from its first bit."""

    def __init__(self, reader, pause_ns):
        self.reader = reader
        self.pause_ns = pause_ns
        self.now_ns = 0
        self.took_ns = 0

    def ask(self, frame, pause_ns=None):
        self.now_ns += self.pause_ns if pause_ns is None else pause_ns
        start_ns = self.now_ns
        self.reader.receive(frame, self.now_ns)
        answer = self.listen()
        self.took_ns = self.now_ns - start_ns
        return answer

    def listen(self, until_ns=None):
        answer = b""
        while (due_ns := self.reader.deadline()) is not None and (until_ns is None or due_ns <= until_ns):
            self.now_ns = max(self.now_ns, due_ns)
            answer += self.reader.take(self.now_ns)
        if until_ns is not None:
            self.now_ns = max(self.now_ns, until_ns)
        return answer


class FeigHost(Host):
    def inventory(self, mode=0x00, **kwargs):
        """Status and UIDs of one inventory."""
        return self.parse(self.ask(encode_request(0xB0, bytes((0x01, mode))), **kwargs))

    @staticmethod
    def parse(answer):
        head = 3 if answer[0] == 2 else 1
        status, data = answer[head + 2], answer[head + 3 : -2]
        sets = [data[1 + 10 * i : 11 + 10 * i] for i in range(data[0])] if data else []
        assert all(one[:2] == b"\x03\x00" for one in sets)
        return status, [one[2:].hex() for one in sets]

    def reset_field(self):
        assert self.ask(encode_request(0x69)).hex() == "06006900f6fa"


class MagicRfHost(Host):
    def command(self, code, parameter="", **kwargs):
        return self.ask(encode(0, code, bytes.fromhex(parameter)), **kwargs).hex()

    def poll(self):
        """(EPC, RSSI) of each notice of one round; [] for error 15."""
        return self.notices(self.ask(encode(0, 0x22)))

    @staticmethod
    def notices(data):
        found = []
        while data:
            length = 7 + int.from_bytes(data[3:5], "big")
            frame, data = data[:length], data[length:]
            if frame[1:3] == b"\x02\x22":
                rssi = frame[5] - 256 if frame[5] > 127 else frame[5]
                found.append((frame[8:-4].hex(), rssi))
            else:
                assert frame.hex() == "bb01ff000115167e"
        return found


@pytest.fixture
def hf_uids():
    """n different UIDs whose low nibbles are spread like those of real chips."""

    def make(count, seed=1):
        import random

        rng = random.Random(seed)
        return [f"e004{rng.getrandbits(48):012x}" for _ in range(count)]

    return make


@pytest.fixture
def feig():
    """FeigHost on a field with the given chips; 115200 8E1 unless told."""

    def make(*chips, seed=1, baud=115_200, settings=None):
        field = Field(seed)
        for chip in chips:
            field.place(chip if isinstance(chip, Chip) else Chip(chip, read_p=1.0))
        reader = FeigReader(field, seed=seed, line=LineSettings(baud, "E"), settings=settings)
        return FeigHost(reader, 5 * MS)

    return make


@pytest.fixture
def magicrf():
    def make(*chips, seed=1, settings=None):
        field = Field(seed)
        for chip in chips:
            field.place(chip if isinstance(chip, Chip) else Chip(chip, read_p=1.0))
        return MagicRfHost(MagicRfReader(field, seed=seed, settings=settings), MS)

    return make
