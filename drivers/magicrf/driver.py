"""Driver of a MagicRF module: handshake, rounds in session S0, residual round in session S1. See PROTOCOL.md section 8.

The hard part is that a round with tags has no end mark: it ends when the line falls silent, and a notice that is lost
leaves no trace. A user would notice a mistake as a plate that is read only now and then.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.buffer import Scanner
from drivers.engine import NS_PER_MS, Ask, Engine, Listen, Script, Silence
from drivers.magicrf.frames import (
    ERROR_NAMES,
    Command,
    ErrorCode,
    Frame,
    FrameType,
    Framing,
    Grammar,
    encode,
    error_name,
)
from drivers.options import OptionReader, OptionValue
from drivers.passes import NO_STATUS, PassLog
from drivers.reader import PlateReader, Trouble
from edge.domain.devices import DeviceIdentity

REGIONS = {"cn900": 1, "us": 2, "eu": 3, "cn800": 4, "kr": 6}
_QUERY_TREXT = 1 << 12
_SESSION_SHIFT = 8
_Q_SHIFT = 3
_NO_SELECT = b"\x01"
_TEXT_LENGTH_MAX = 64
_QUIET_MS = 40
"""Silence after refused bytes while an answer is due; a round may take longer than ``round_gap_ms`` to begin."""
CHECK_EVERY_NS = 5_000 * NS_PER_MS
_STATUS_OK = 0
_STATUS_OK_NAME = "ok"


class MagicRfDriver(PlateReader[Frame]):
    """Options as PROTOCOL.md section 9 lists them; LocalProtocolError names a wrong one."""

    protocol = "magicrf"
    line_hint = "factory setting 115200 8N1"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        reader = OptionReader(self.protocol, options)
        self._framing = Framing[reader.choice("framing", "bb7e", ("bb7e", "aadd")).upper()]
        self._region = REGIONS[reader.choice("region", "cn900", tuple(REGIONS))]
        self._power_cdbm = reader.integer("power_cdbm", 1500, 0, 3300)
        self._q = reader.integer("q", 4, 0, 15)
        self._round_gap_ns = reader.integer("round_gap_ms", 15, 3, 200) * NS_PER_MS
        idle_poll_ms = reader.integer("idle_poll_ms", 40, 5, 5000)
        self._reply_timeout_ns = reader.integer("reply_timeout_ms", 200, 20, 10_000) * NS_PER_MS
        reader.finish()
        self._strays_seen = 0
        self._check_ns = 0
        self._restart_suspected = False
        super().__init__(idle_poll_ms)

    def _new_engine(self) -> Engine[Frame]:
        self._strays_seen = 0
        return Engine(Scanner(Grammar(self._framing)), 0, _QUIET_MS * NS_PER_MS)

    def _handshake(self) -> Script[DeviceIdentity]:
        yield from self._insist("stop multi poll (28)", self._ask(Command.STOP_MULTI_POLL))
        model = yield from self._text("hardware version (03 00)", 0)
        firmware = yield from self._text("software version (03 01)", 1)
        self._ready_detail = yield from self._text("maker (03 02)", 2)
        yield from self._set_up()
        self._strays_seen = self._engine.strays
        return DeviceIdentity(protocol=self.protocol, model=model or "MagicRF", firmware=firmware)

    def _set_up(self) -> Script[None]:
        """Everything that the module forgets when it restarts."""
        yield from self._set("region", Command.SET_REGION, bytes([self._region]))
        yield from self._set("power", Command.SET_TX_POWER, self._power_cdbm.to_bytes(2))
        yield from self._set("select mode", Command.SET_SELECT_MODE, _NO_SELECT)
        yield from self._set("query", Command.SET_QUERY, self._query(session=0))
        self._check_ns = self._engine.now_ns + CHECK_EVERY_NS
        self._restart_suspected = False

    def _keep_set_up(self) -> Script[None]:
        """A module that restarted (weak USB supply) polls on at full power in whatever session it likes: after silence,
        and every few seconds, make sure that it still has our settings."""
        if not self._restart_suspected:
            if self._engine.now_ns < self._check_ns:
                return
            query: Frame | Silence = yield self._ask(Command.GET_QUERY)
            power: Frame | Silence = yield self._ask(Command.GET_TX_POWER)
            self._check_ns = self._engine.now_ns + CHECK_EVERY_NS
            wanted = [self._query(session=0), self._power_cdbm.to_bytes(2)]
            if [answer.parameter for answer in (query, power) if isinstance(answer, Frame)] == wanted:
                return
        yield from self._set_up()

    def _text(self, step: str, which: int) -> Script[str]:
        """A text of the module, "" when it refuses the question."""
        answer = yield from self._insist(step, self._ask(Command.GET_MODULE_INFO, bytes([which])))
        if answer.error_code is not None:
            return ""
        return answer.parameter[1 : 1 + _TEXT_LENGTH_MAX].decode("ascii", "replace").strip("\0 ")

    def _set(self, what: str, command: Command, parameter: bytes) -> Script[None]:
        answer = yield from self._insist(f"set {what} ({command:02x})", self._ask(command, parameter))
        if answer.error_code is not None or answer.parameter != b"\0":
            told = answer.parameter.hex()
            detail = f"the module refuses {what} {parameter.hex()} (answer {told}): check the option in the site file"
            raise Trouble("setup_refused", detail)

    def _query(self, session: int) -> bytes:
        """DR 8, M 1, TRext 1, all tags, target A, 2^q slots (PROTOCOL.md section 4)."""
        return (_QUERY_TREXT | session << _SESSION_SHIFT | self._q << _Q_SHIFT).to_bytes(2)

    def _statistical_pass(self) -> Script[bool]:
        yield from self._keep_set_up()
        log = PassLog(self._engine.now_ns)
        heard, fault = yield from self._round(log)
        self._report(log.close(self._engine.now_ns, residual=False, independent=True))
        yield from self._after(log, fault)
        return heard

    def _residual_pass(self) -> Script[bool]:
        """Rounds in S1: the first silences what it reads, those behind it show what has not answered. If more residual
        passes are wanted they are made at once, as they need no first round of their own."""
        yield from self._keep_set_up()
        first = PassLog(self._engine.now_ns)
        answer: Frame | Silence = yield self._ask(Command.SET_QUERY, self._query(session=1))
        if isinstance(answer, Silence) or answer.parameter != b"\0":
            name = answer.value if isinstance(answer, Silence) else "setup_refused"
            first.end(NO_STATUS, name, complete=False)
            self._report(first.close(self._engine.now_ns, residual=True, independent=False))
            yield from self._back_to_s0()
            return answer is not Silence.TIMED_OUT
        heard, fault = yield from self._round(first)
        self._report(first.close(self._engine.now_ns, residual=False, independent=False))
        trusted, log, further = first.complete, first, True
        while further and heard and fault is None:
            log = PassLog(self._engine.now_ns)
            heard, fault = yield from self._round(log)
            # A notice lost in an earlier round has silenced a tag that nobody heard of.
            trusted = log.complete = log.complete and trusted
            self._report(log.close(self._engine.now_ns, residual=True, independent=False))
            further = self._residual_wanted > 0
            self._residual_wanted -= further
        yield from self._back_to_s0()
        yield from self._after(log, fault)
        return heard

    def _back_to_s0(self) -> Script[None]:
        """Polling in S1 would not be independent, so a module that does not obey is set up anew."""
        yield from self._set("query", Command.SET_QUERY, self._query(session=0))

    def _switch_field(self, *, on: bool) -> Script[None]:
        """The carrier is on only during a poll; off is said all the same."""
        if not on:
            yield self._ask(Command.CONTINUOUS_WAVE, b"\0")

    def _round(self, log: PassLog) -> Script[tuple[bool, int | None]]:
        """One single poll: notices until the line is silent, or error 15. Gives (heard anything, error code that is a
        fault)."""
        damage = self._engine.damage
        poll = encode(Command.SINGLE_POLL, framing=self._framing)
        answer: Frame | Silence = yield Ask(poll, self._reply_timeout_ns, _is_poll_answer)
        told, fault = 0, None
        silence: Silence | None = None
        while True:
            if isinstance(answer, Silence):
                silence = answer
                break
            told += 1
            log.frame(answer.raw)
            if answer.error_code is not None:
                fault = None if answer.error_code == ErrorCode.INVENTORY_FAIL_NO_TAG_OR_CRC else answer.error_code
                break
            if answer.tag is not None:
                log.seen(answer.tag.epc, answer.tag.rssi_dbm)
            answer = yield Listen(self._round_gap_ns, _is_poll_answer)
        damaged = self._engine.damage != damage or self._engine.strays != self._strays_seen
        self._strays_seen = self._engine.strays
        if isinstance(answer, Frame) and answer.error_code is not None:
            name = error_name(answer.error_code) or f"unknown_{answer.error_code:02x}"
            log.end(answer.error_code, name, complete=fault is None and not damaged)
        elif told:
            log.end(_STATUS_OK, _STATUS_OK_NAME, complete=not damaged)
        else:
            assert silence is not None
            log.end(NO_STATUS, silence.value, complete=False)
        heard = silence is not Silence.TIMED_OUT or told > 0
        self._restart_suspected = self._restart_suspected or not heard
        return heard, fault

    def _after(self, log: PassLog, fault: int | None) -> Script[None]:
        """What a round says of the module's health."""
        if fault is not None:
            name = error_name(fault)
            known = fault in ERROR_NAMES or name is not None
            detail = f"the module answers a poll with error {fault:02x} ({name or 'not in our table'})"
            yield from self._pass_fault("reader_error" if known else "unknown_error", detail)
        elif log.status != NO_STATUS:
            self._fine()
        elif log.status_name == Silence.DAMAGED.value:
            self._count_damage()

    def _ask(self, command: Command, parameter: bytes = b"") -> Ask:
        def matches(frame: Frame) -> bool:
            if frame.type is not FrameType.RESPONSE:
                return False
            echoes = command != Command.GET_MODULE_INFO or frame.parameter[:1] == parameter
            return frame.command == Command.ERROR or (frame.command == command and echoes)

        return Ask(encode(command, parameter, framing=self._framing), self._reply_timeout_ns, matches)


def _is_poll_answer(frame: Frame) -> bool:
    if frame.type is FrameType.NOTICE:
        return frame.command == Command.SINGLE_POLL
    return frame.type is FrameType.RESPONSE and frame.command == Command.ERROR
