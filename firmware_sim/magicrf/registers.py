"""What a MagicRF module remembers, and the commands that only read or set it.

All of it is volatile: a module that lost power is back at these values, which is why a driver must set it up again
after every re-plug. Defaults are the frames printed in the V2.1 document (query 1020, 20.00 dBm) and CN900.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from firmware_sim.gen2 import Query, Select
from firmware_sim.magicrf.codes import Cmd

#: Channels of each region (region code -> count).
CHANNELS = {1: 20, 2: 52, 3: 15, 4: 20, 6: 32}
MAX_POWER_CDBM = 2600
OK = b"\x00"


@dataclass(frozen=True, slots=True)
class ModuleText:
    hardware: str = "M100 26dBm V1.0"
    software: str = "V2.3.5"
    maker: str = "MagicRF"


@dataclass(slots=True)
class Registers:
    text: ModuleText
    rng: random.Random
    region: int = 1
    channel: int = 0
    power_cdbm: int = 2000
    query_word: int = 0x1020
    select_bytes: bytes = bytes(7)
    #: 0 select before every operation, 1 never, 2 before all but polls.
    select_mode: int = 1
    carrier: bool = False
    demod: bytes = bytes((0x03, 0x06, 0x01, 0xB0))
    pins: dict[int, int] = field(default_factory=dict)

    @property
    def query(self) -> Query:
        return Query.from_word(self.query_word)

    @property
    def select(self) -> Select:
        """SelParam (target 3, action 3, bank 2), pointer 4, length in bits, truncate, mask."""
        raw = self.select_bytes
        length = raw[5]
        mask = raw[7:].ljust((length + 7) // 8, b"\x00")
        return Select(raw[0] >> 5, raw[0] >> 2 & 7, raw[0] & 3, int.from_bytes(raw[1:5], "big"), length, mask)

    def answer(self, command: int, parameter: bytes) -> bytes | None:
        """The response parameter to a command that reads or sets something; None for a value or length that cannot
        be."""
        reading = self._read(command) if not parameter else None
        return reading if reading is not None else self._set(command, parameter)

    def _read(self, command: int) -> bytes | None:
        match command:
            case Cmd.GET_REGION:
                return bytes((self.region,))
            case Cmd.GET_SELECT:
                return self.select_bytes
            case Cmd.GET_QUERY:
                return self.query_word.to_bytes(2, "big")
            case Cmd.GET_CHANNEL:
                return bytes((self.channel,))
            case Cmd.GET_POWER:
                return self.power_cdbm.to_bytes(2, "big")
            case Cmd.GET_DEMOD:
                return self.demod
            case Cmd.SCAN_JAMMER | Cmd.SCAN_RSSI:
                last = CHANNELS[self.region] - 1
                low, high = (-5, 3) if command == Cmd.SCAN_JAMMER else (-90, -60)
                return bytes((0, last)) + bytes(self.rng.randint(low, high) & 0xFF for _ in range(last + 1))
            case _:
                return None

    def _set(self, command: int, parameter: bytes) -> bytes | None:
        value = int.from_bytes(parameter, "big")
        match command, len(parameter):
            case (Cmd.MODULE_INFO, 1):
                texts = (self.text.hardware, self.text.software, self.text.maker)
                return parameter + texts[value].encode() if value < len(texts) else None
            case (Cmd.SET_REGION, 1) if value in CHANNELS:
                self.region, self.channel = value, 0
            case (Cmd.SET_CHANNEL, 1) if value < CHANNELS[self.region]:
                self.channel = value
            case (Cmd.SET_QUERY, 2):
                self.query_word = value
            case (Cmd.SET_POWER, 2) if value <= MAX_POWER_CDBM:
                self.power_cdbm = value
            case (Cmd.SELECT_MODE, 1) if value <= 2:
                self.select_mode = value
            case (Cmd.SET_SELECT, length) if length >= 7:
                self.select_bytes = parameter
            case (Cmd.SET_DEMOD, 4):
                self.demod = parameter
            case (Cmd.CONTINUOUS_WAVE, 1) if value in {0x00, 0xFF}:
                self.carrier = bool(value)
            case (Cmd.GPIO, 3):
                return self._gpio(*parameter)
            case (Cmd.FHSS, 1) if value in {0x00, 0xFF}:
                return OK
            case (Cmd.IDLE_TIME, 1) | (Cmd.IDLE_MODE, 3):
                return OK
            case (Cmd.INSERT_CHANNEL, length) if length >= 2 and length == 1 + parameter[0]:
                return OK
            case _:
                return None
        return OK

    def _gpio(self, operation: int, pin: int, value: int) -> bytes:
        """Operation 0 sets the direction, 1 the level, 2 reads the level."""
        if operation == 1:
            self.pins[pin] = value
        elif operation == 2:
            value = self.pins.get(pin, 0)
        return bytes((operation, pin, value))
