"""A relay board with contactors behind it: coils, auxiliary contacts, inputs, registers, and a watchdog.

The hard part is the chain coil, contactor, auxiliary contact, current: each link can fail without the one before it
knowing. A user would notice as a contactor that is believed open because its coil is off.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_sim.modbus.frames import Request

#: From coil to contactor: pull-in and drop-out of a 63 A contactor (our assumption; data sheets give 10 to 40 ms).
MOVE_NS = 30_000_000
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


@dataclass(slots=True)
class Board:
    """``contacts``: coil -> discrete input of the contactor's auxiliary contact. ``watchdog_ns`` > 0: a coil that is on
    and not written again for so long falls off; ``watchdog_register`` lets the master set it, in 0.1 s; it guards
    the coils ``watched`` (None: all). Faults: ``dead`` silent; ``slow_ns``; ``welded`` coils whose contactor never
    opens; ``lying`` coils that say what was written and do nothing."""

    unit: int = 1
    coils: list[bool] = field(default_factory=lambda: [False] * 16)
    inputs: list[bool] = field(default_factory=lambda: [False] * 32)
    holding: list[int] = field(default_factory=lambda: [0] * 200)
    registers: list[int] = field(default_factory=lambda: [0] * 200)
    contacts: dict[int, int] = field(default_factory=dict)
    watchdog_ns: int = 0
    watchdog_register: int | None = None
    watched: frozenset[int] | None = None
    dead: bool = False
    slow_ns: int = 0
    welded: set[int] = field(default_factory=set)
    lying: set[int] = field(default_factory=set)
    fell_off: int = 0
    _written_ns: dict[int, int] = field(default_factory=dict)

    def reply(self, request: Request, now_ns: int, later: Callable[[int, Callable[[int], None]], None]) -> bytes:
        """The answer to one request; ``later(due_ns, act)`` plans what the copper does."""
        pdu = request.pdu
        function = pdu[0]
        try:
            if function in {1, 2, 3, 4}:
                return self._read(function, _word(pdu, 1), _word(pdu, 3))
            if function == 5:
                return self._write_coil(pdu, now_ns, later)
            if function == 6:
                return self._write_register(pdu)
        except IndexError:
            return bytes((function | 0x80, ILLEGAL_ADDRESS))
        return bytes((function | 0x80, ILLEGAL_FUNCTION))

    def _read(self, function: int, address: int, count: int) -> bytes:
        if function <= 2:
            bits = self.coils if function == 1 else self.inputs
            if address + count > len(bits) or not count:
                return bytes((function | 0x80, ILLEGAL_ADDRESS))
            packed = bytearray((count + 7) // 8)
            for at in range(count):
                packed[at // 8] |= bits[address + at] << at % 8
            return bytes((function, len(packed))) + bytes(packed)
        words = self.holding if function == 3 else self.registers
        if address + count > len(words) or not count:
            return bytes((function | 0x80, ILLEGAL_ADDRESS))
        data = b"".join(bytes((each >> 8, each & 255)) for each in words[address : address + count])
        return bytes((function, len(data))) + data

    def _write_coil(self, pdu: bytes, now_ns: int, later: Callable[[int, Callable[[int], None]], None]) -> bytes:
        coil, value = _word(pdu, 1), _word(pdu, 3)
        if value not in {0xFF00, 0}:
            return bytes((5 | 0x80, ILLEGAL_VALUE))
        self.coils[coil] = value == 0xFF00
        self._written_ns[coil] = now_ns
        self._drive(coil, now_ns, later)
        hold_ns = self._hold_ns()
        if value and hold_ns and (self.watched is None or coil in self.watched):
            later(now_ns + hold_ns, lambda due_ns: self._watch(coil, due_ns, later))
        return pdu

    def _write_register(self, pdu: bytes) -> bytes:
        self.holding[_word(pdu, 1)] = _word(pdu, 3)
        return pdu

    def _hold_ns(self) -> int:
        if self.watchdog_register is not None and self.holding[self.watchdog_register]:
            return self.holding[self.watchdog_register] * 100_000_000
        return self.watchdog_ns

    def _watch(self, coil: int, due_ns: int, later: Callable[[int, Callable[[int], None]], None]) -> None:
        if self.coils[coil] and due_ns - self._written_ns[coil] >= self._hold_ns():
            self.coils[coil] = False
            self.fell_off += 1
            self._drive(coil, due_ns, later)

    def _drive(self, coil: int, now_ns: int, later: Callable[[int, Callable[[int], None]], None]) -> None:
        contact = self.contacts.get(coil)
        if contact is None or coil in self.lying:
            return

        def moved(_due_ns: int) -> None:
            if self.coils[coil] or coil not in self.welded:
                self.inputs[contact] = self.coils[coil]

        later(now_ns + MOVE_NS, moved)


def _word(pdu: bytes, at: int) -> int:
    return pdu[at] * 256 + pdu[at + 1]
