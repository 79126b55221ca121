"""A MagicRF M100 module: what it makes of the host's bytes, and its inventory rounds.

The hard part is that nothing marks the end of a round with tags: notices leave while the round goes on, each when its
tag was read, and after the last there is silence. And a round's chips depend on flags that outlive it
(``firmware_sim.gen2``). A user would notice a wrong model of this as plates that are read once and then never again.

The carrier is on during a round only (so S0 forgets between rounds), unless continuous wave (B0) is on. Unverified
and chosen here: a frame with a bad sum is not answered; a wrong length or value gives error 17; a command that
arrives during a round waits for its end; after sleep (17) the first bytes only wake the module.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from firmware_sim.chips import Answer, Chip, Field
from firmware_sim.gen2 import Gen2Settings, Round, apply_select, run_round
from firmware_sim.line import Heard, LineSettings
from firmware_sim.magicrf import frames
from firmware_sim.magicrf.access import bank_bytes, operate
from firmware_sim.magicrf.codes import FOREIGN_OPERATIONS, Cmd, Err
from firmware_sim.magicrf.registers import OK, ModuleText, Registers
from firmware_sim.reader import Actions, ReaderBase

TURNAROUND_NS = 300_000
#: A partial frame is given up after so much silence, else a stray header would swallow the next command.
PARTIAL_NS = 20_000_000
#: Between the rounds of a multi poll.
ROUND_PAUSE_NS = 1_000_000
#: Commands that wait while a round goes on; a module has one small buffer.
MAX_PENDING = 8
#: An access operation on the air: singulation, handle, the operation and its reply (our estimate).
ACCESS_NS = 12_000_000
#: The multi-poll parameter begins with this reserved byte.
MULTI_POLL_MARK = 0x22


@dataclass(frozen=True, slots=True)
class MagicRfSettings:
    framing: str = "bb7e"
    text: ModuleText = field(default_factory=ModuleText)
    air: Gen2Settings = field(default_factory=Gen2Settings)


@dataclass(slots=True)
class MagicRfCounters:
    requests: int = 0
    rounds: int = 0
    collisions: int = 0
    dropped_requests: int = 0


class MagicRfReader(ReaderBase):
    """``antenna``: the field it drives. Factory line 115200 8N1. In simulated time; see ``firmware_sim``."""

    def __init__(
        self,
        antenna: Field,
        *,
        seed: int = 0,
        line: LineSettings | None = None,
        settings: MagicRfSettings | None = None,
    ) -> None:
        actions = Actions(self._on_bytes, self._on_work, self._forget)
        super().__init__(antenna, line or LineSettings(115_200), seed, actions)
        self.settings = settings or MagicRfSettings()
        self.counters = MagicRfCounters()
        self._framing = frames.FRAMINGS[self.settings.framing]
        self._forget()

    @property
    def registers(self) -> Registers:
        """What the module was set to: for looking at, from tests."""
        return self._registers

    def _forget(self) -> None:
        self._registers = Registers(self.settings.text, self._random)
        self._buffer = bytearray()
        self._pending: deque[frames.Request] = deque()
        self._rounds_left = 0
        self._busy_ns = 0
        self._last_heard_ns = 0
        self._asleep = False

    # --- frames in

    def _on_bytes(self, heard: Heard) -> None:
        if heard.start_ns - self._last_heard_ns > PARTIAL_NS:
            self._buffer.clear()
        self._last_heard_ns = heard.end_ns
        if self._asleep:
            self._asleep = False
            return
        self._buffer += heard.data
        for request in frames.cut_requests(self._buffer, self._framing):
            self.counters.requests += 1
            if len(self._pending) >= MAX_PENDING:
                self.counters.dropped_requests += 1
            else:
                self._pending.append(request)
        self._schedule(heard.end_ns)

    def _schedule(self, now_ns: int) -> None:
        if self._pending:
            self._work_ns = max(now_ns, self._busy_ns)
        elif self._rounds_left:
            self._work_ns = max(now_ns, self._busy_ns + ROUND_PAUSE_NS)
        else:
            self._work_ns = None

    def _on_work(self, now_ns: int) -> None:
        if self._pending:
            self._on_request(self._pending.popleft(), now_ns)
        elif self._rounds_left:
            self._rounds_left -= 1
            self._poll(now_ns)
        self._schedule(now_ns)

    # --- commands

    def _on_request(self, request: frames.Request, now_ns: int) -> None:
        command, parameter = request.command, request.parameter
        match command:
            case Cmd.SINGLE_POLL if not parameter:
                self._poll(now_ns + TURNAROUND_NS)
            case Cmd.MULTI_POLL:
                self._multi_poll(parameter, now_ns)
            case Cmd.STOP_MULTI_POLL if not parameter:
                self._rounds_left = 0
                self._respond(command, OK, now_ns)
            case Cmd.READ | Cmd.WRITE | Cmd.KILL | Cmd.LOCK:
                self._access(command, parameter, now_ns)
            case Cmd.SLEEP if not parameter:
                self._respond(command, OK, now_ns)
                self._asleep = True
            case Cmd.SET_BAUD if len(parameter) == 2 and any(parameter):
                self.line.set_baud(100 * int.from_bytes(parameter, "big"))
            case _ if command in FOREIGN_OPERATIONS:
                self._error(FOREIGN_OPERATIONS[Cmd(command)], now_ns)
            case _:
                self._register(command, parameter, now_ns)

    def _register(self, command: int, parameter: bytes, now_ns: int) -> None:
        carrier = self._registers.carrier
        answer = self._registers.answer(command, parameter)
        if answer is None:
            self._error(Err.BAD_COMMAND, now_ns)
            return
        if carrier and not self._registers.carrier:
            self.field.power_lost()
        self._respond(command, answer, now_ns)

    def _multi_poll(self, parameter: bytes, now_ns: int) -> None:
        count = int.from_bytes(parameter[1:3], "big")
        if len(parameter) != 3 or parameter[0] != MULTI_POLL_MARK or not count:
            self._error(Err.BAD_COMMAND, now_ns)
        else:
            self._rounds_left = count

    def _respond(self, command: int, parameter: bytes, now_ns: int) -> None:
        self.line.send(frames.encode(frames.RESPONSE, command, parameter, self._framing), now_ns + TURNAROUND_NS)

    def _error(self, code: int, now_ns: int, tag: bytes = b"") -> None:
        self._respond(Cmd.ERROR, bytes((code,)) + tag, now_ns)

    # --- the air

    def _poll(self, now_ns: int) -> None:
        """One round; each tag is told when it was read, an empty round at its end."""
        round_ = self._round(now_ns, select=self._registers.select_mode == 0)
        for one in round_.read:
            notice = frames.tag_notice(bytes.fromhex(one.placed.chip.uid), one.rssi_dbm, self._framing)
            self.line.send(notice, now_ns + one.after_ns)
        self._busy_ns = now_ns + round_.air_ns
        if not round_.read:
            self._error(Err.NO_TAG, self._busy_ns)

    def _round(self, now_ns: int, *, select: bool) -> Round:
        registers = self._registers
        leak_scale = 10 ** ((registers.power_cdbm - self.settings.air.nominal_cdbm) / 1000)
        answers = self.field.pass_answers(leak_scale)
        select_ns = self._send_select(answers, now_ns) if select else 0
        round_ = run_round(
            answers,
            registers.query,
            self.settings.air,
            self._random,
            now_ns=now_ns + select_ns,
            power_cdbm=registers.power_cdbm,
        )
        if not registers.carrier:
            for answer in answers:
                answer.placed.inventoried[0] = 0
        self.counters.rounds += 1
        self.counters.collisions += round_.collisions
        round_.air_ns += select_ns
        return round_

    def _send_select(self, answers: list[Answer], now_ns: int) -> int:
        select = self._registers.select
        for answer in answers:
            memory = bank_bytes(answer.placed.chip, select.bank)
            apply_select(answer.placed, select, memory, now_ns, self._random)
        return select.air_ns

    def _access(self, command: int, parameter: bytes, now_ns: int) -> None:
        """Read, write, kill or lock the first chip that a round (after Select, unless its mode is 1) singulates."""
        chip = self._singulate(now_ns)
        self._busy_ns = now_ns + ACCESS_NS
        error, data = operate(command, parameter, chip)
        if error is None:
            self._respond(command, data, self._busy_ns)
        else:
            self._error(error, self._busy_ns, data)

    def _singulate(self, now_ns: int) -> Chip | None:
        round_ = self._round(now_ns, select=self._registers.select_mode in {0, 2})
        select = self._registers.select
        for one in round_.read:
            chip = one.placed.chip
            if self._registers.select_mode == 1 or select.matches(bank_bytes(chip, select.bank)):
                return chip
        return None
