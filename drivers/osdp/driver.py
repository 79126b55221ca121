"""Driver of the OSDP readers and door relays of one RS-485 line; we are the control panel. See PROTOCOL.md section 5.

The hard part is to be quick and strict on a shared line: a door relay must not wait behind the polling of eight other
readers, and a reader without a proper key must not be believed. A user would notice a mistake as a door that opens
after two seconds, or to anybody with a cable.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from drivers.buffer import Scanner
from drivers.driver import Output
from drivers.engine import NS_PER_MS, Ask, Engine, Script, Sleep, earlier
from drivers.health_reporter import HealthReporter
from drivers.options import OptionReader, OptionValue
from drivers.osdp.frames import MARK, Command, Frame, Grammar, Reply
from drivers.osdp.problems import PROBLEMS
from drivers.osdp.readings import identity_of, readings_of, to_wire
from drivers.osdp.securechannel import DEFAULT_KEY, NONCE_LENGTH, SecureChannel, parse_key
from drivers.osdp.station import CHALLENGE, CRYPTOGRAM, Station
from edge.domain.devices import DeviceCommand, DeviceState
from edge.domain.field_devices import Operate, OutputReading, PointHealth, Poll

TRIES = 3
BUSY_MAX = 20
_BACKOFF_FIRST_NS = 500 * NS_PER_MS
_BACKOFF_MAX_NS = 8_000 * NS_PER_MS
_BUSY_NS = 50 * NS_PER_MS
_ALIVE_NS = 4_000 * NS_PER_MS
_STATUS = (Command.LSTAT, Command.ISTAT, Command.OSTAT)


class OsdpDriver:
    """Options as PROTOCOL.md section 6 lists them; ``entropy`` gives the handshake's nonces."""

    protocol = "osdp"

    def __init__(
        self, options: Mapping[str, OptionValue], entropy: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        read = OptionReader("osdp", options)
        addresses = sorted(read.names("addresses", "0"))
        key = read.text("scbk", "", ".*", "32 hex digits")
        self._insecure = read.flag("insecure", default=False)
        self._poll_ns = read.integer("poll_ms", 100, 20, 2000) * NS_PER_MS
        self._timeout_ns = read.integer("reply_timeout_ms", 200, 20, 2000) * NS_PER_MS
        gap_ms = read.integer("gap_ms", 2, 0, 50)
        read.finish()
        if not addresses or not all(each.isascii() and each.isdigit() and int(each) <= 126 for each in addresses):
            read.refuse("addresses", ",".join(addresses), "numbers from 0 to 126, separated by commas")
        self._key = parse_key(key)
        self._entropy = entropy
        self._stations = [Station(int(each)) for each in addresses]
        scanner = Scanner(Grammar(secured=bool(self._key)), MARK)
        self._engine = Engine(scanner, gap_ms * NS_PER_MS, 20 * NS_PER_MS)
        self._health = HealthReporter(self._counters)
        self.ignored_commands = 0

    # --- Driver ---------------------------------------------------------------------------------------------------

    def opened(self, now_ns: int) -> Output:
        self._engine.now_ns = now_ns
        for station in self._stations:
            station.forget()
            station.online, station.next_ns, station.backoff_ns = None, now_ns, 0
            station.operates.clear()
        problem = "default_key" if self._key == DEFAULT_KEY else ""
        if not self._key and not self._insecure:
            problem = "no_key"
        if problem:
            self._change(DeviceState.FAULT, problem, PROBLEMS[problem])
        else:
            self._change(DeviceState.CONNECTING)
            self._engine.start(self._script(), now_ns)
        return self._take()

    def received(self, data: bytes, now_ns: int) -> Output:
        self._engine.received(data, now_ns)
        return self._take()

    def command(self, command: DeviceCommand, now_ns: int) -> Output:
        self._engine.now_ns = now_ns
        match command:
            case Operate() if (station := self._station(command.point)) is not None and to_wire(command) is not None:
                dropped = station.queue(command)
                if dropped is not None:
                    self._answer(dropped, accepted=False, detail="too many commands wait")
                if station.online is not False:
                    station.next_ns = now_ns
                self._engine.wake(now_ns)
            case Poll(point=point):
                for station in self._stations:
                    station.wants_status = station.wants_status or point in {"", str(station.address)}
                self._engine.wake(now_ns)
            case _:
                self.ignored_commands += 1
        return self._take()

    def tick(self, now_ns: int) -> Output:
        self._engine.tick(now_ns)
        self._engine.output.readings += self._health.repeat(now_ns)
        return self._take()

    def closed(self, now_ns: int) -> Output:
        self._engine.stop()
        self._engine.now_ns = now_ns
        for station in self._stations:
            self._say_offline(station, "link_closed")
        self._change(DeviceState.LOST, "link_closed")
        return self._take()

    def deadline(self) -> int | None:
        return earlier(self._engine.deadline(), self._health.deadline())

    # --- the line -------------------------------------------------------------------------------------------------

    def _script(self) -> Script[None]:
        """Serve whoever is next, for ever: those who are to be told something before those who are only polled."""
        while True:
            now_ns = self._engine.now_ns
            due = [each for each in self._stations if each.next_ns <= now_ns]
            if not due:
                yield Sleep(min(each.next_ns for each in self._stations))
                continue
            station = min(due, key=lambda each: (not self._is_urgent(each), each.next_ns))
            if station.online:
                yield from self._serve(station)
            else:
                yield from self._connect(station)

    @staticmethod
    def _is_urgent(station: Station) -> bool:
        return bool(station.online and station.operates)

    def _connect(self, station: Station) -> Script[None]:
        station.forget()
        problem = yield from self._handshake(station)
        if problem:
            self._lost(station, problem)
            return
        station.backoff_ns = 0
        station.wants_status = True
        station.next_ns = self._engine.now_ns
        station.problem = ("", "")
        station.online = True
        self._say_alive(station, rebooted=True)
        self._sum_up()

    def _handshake(self, station: Station) -> Script[str]:
        """Identity, then the secure channel. Gives a problem, or ""."""
        reply = yield from self._exchange(station, Command.ID, b"\0")
        if reply is None:
            return "no_answer"
        if reply.code == Reply.PDID and (identity := identity_of(reply)) is not None:
            self._engine.output.readings.append(identity)
        if not self._key:
            return ""
        nonce = self._entropy(NONCE_LENGTH)
        channel = SecureChannel(self._key, nonce)
        reply = yield from self._exchange(station, Command.CHLNG, nonce, CHALLENGE)
        if reply is None or reply.code != Reply.CCRYPT:
            return "no_answer" if reply is None else "no_secure_channel"
        if reply.block_data[:1] != b"\x01":
            return "default_key"
        cryptogram = channel.answer_challenge(reply.payload)
        if cryptogram is None:
            return "wrong_key"
        reply = yield from self._exchange(station, Command.SCRYPT, cryptogram, CRYPTOGRAM)
        if reply is None or reply.code != Reply.RMAC_I or not channel.finish(reply.payload):
            return "no_answer" if reply is None else "wrong_key"
        station.channel = channel
        return ""

    def _serve(self, station: Station) -> Script[None]:
        """One command or one poll."""
        if station.operates:
            yield from self._operate(station, station.operates.popleft())
        elif station.take_status(self._engine.now_ns):
            for code in _STATUS:
                yield from self._ask(station, code)
                if not station.online or station.operates:
                    station.wants_status = station.wants_status or bool(station.operates)
                    return
        else:
            yield from self._ask(station, Command.POLL)
            if station.online:
                station.next_ns = self._engine.now_ns + self._poll_ns

    def _operate(self, station: Station, command: Operate) -> Script[None]:
        if command.expires_mono_ns and self._engine.now_ns >= command.expires_mono_ns:
            self._answer(command, accepted=False, detail="expired before it could be sent")
            return
        wire = to_wire(command)
        assert wire is not None  # judged when it was taken in
        reply = yield from self._ask(station, *wire)
        if reply is None:
            self._answer(command, accepted=False, detail="the reader did not answer")
            return
        refused = reply.code == Reply.NAK
        detail = f"refused: {reply.payload[:1].hex()}" if refused else ""
        self._answer(command, accepted=not refused, detail=detail)
        if wire[0] == Command.OUT and reply.code != Reply.OSTATR and not refused:
            yield from self._ask(station, Command.OSTAT)

    def _ask(self, station: Station, code: int, payload: bytes = b"") -> Script[Frame | None]:
        """Ask and say what the answer says; no answer makes the station lost."""
        reply = yield from self._exchange(station, code, payload)
        if reply is None:
            broken = station.channel is not None and not station.channel.active
            self._lost(station, "channel_broken" if broken else "no_answer")
            return None
        self._engine.output.readings += readings_of(reply)
        if station.online and self._engine.now_ns >= station.told_ns + _ALIVE_NS:
            self._say_alive(station)
        if reply.code == Reply.NAK and reply.payload[:1] in {b"\x04", b"\x05", b"\x06"}:
            # Sequence lost, or it wants (or lost) a secure channel: begin anew.
            secured = reply.payload[:1] != b"\x04" and not self._key
            self._lost(station, "secure_required" if secured else "channel_broken")
        return reply

    def _exchange(self, station: Station, code: int, payload: bytes, block: bytes = b"") -> Script[Frame | None]:
        """The reply in plain; None when there is none that can be believed."""
        raw = station.frame(code, payload, block)
        sequence, address, busy = station.sequence, station.address, 0

        def answers(frame: Frame) -> bool:
            return frame.reply and frame.address == address and (frame.sequence == sequence or frame.code == Reply.BUSY)

        tries = 0
        while tries < TRIES and busy < BUSY_MAX:
            frame = yield Ask(raw, self._timeout_ns, answers)
            if not isinstance(frame, Frame):
                tries += 1
            elif frame.code == Reply.BUSY:
                busy += 1
                yield Sleep(self._engine.now_ns + _BUSY_NS)
            else:
                station.advance()
                return station.read(frame)
        return None

    # --- what is told -----------------------------------------------------------------------------------------------

    def _lost(self, station: Station, problem: str) -> None:
        station.forget()
        station.backoff_ns = min(max(2 * station.backoff_ns, _BACKOFF_FIRST_NS), _BACKOFF_MAX_NS)
        station.next_ns = self._engine.now_ns + (0 if problem == "channel_broken" else station.backoff_ns)
        if problem == "channel_broken" and station.problem[0] == problem:
            station.next_ns = self._engine.now_ns + station.backoff_ns
        station.problem = (problem, f"reader {station.address}: {PROBLEMS[problem]}")
        for command in station.operates:
            self._answer(command, accepted=False, detail=problem)
        station.operates.clear()
        self._say_offline(station, problem)
        self._sum_up()

    def _answer(self, command: Operate, *, accepted: bool, detail: str = "") -> None:
        reading = OutputReading(point=command.point, command_id=command.command_id, accepted=accepted, detail=detail)
        self._engine.output.readings.append(reading)

    def _say_alive(self, station: Station, *, rebooted: bool = False) -> None:
        """An idle reader answers polls with nothing to tell: say so now and then, or the line would look hung."""
        station.told_ns = self._engine.now_ns
        reading = PointHealth(point=str(station.address), online=True, rebooted=rebooted)
        self._engine.output.readings.append(reading)

    def _say_offline(self, station: Station, why: str) -> None:
        if station.online is not False:
            station.online = False
            reading = PointHealth(point=str(station.address), online=False, detail=why)
            self._engine.output.readings.append(reading)

    def _sum_up(self) -> None:
        """The line is as good as its worst reader."""
        worst = next((each.problem for each in self._stations if each.problem[0]), ("", ""))
        if worst[0]:
            self._change(DeviceState.FAULT, *worst)
        elif all(each.online for each in self._stations):
            self._change(DeviceState.READY)

    def _station(self, point: str) -> Station | None:
        address = point.partition(":")[0]
        return next((each for each in self._stations if str(each.address) == address), None)

    def _counters(self) -> tuple[int, int, int, int]:
        scanner = self._engine.scanner
        return scanner.frames, scanner.refused, scanner.noise_bytes, self._engine.timeouts

    def _change(self, state: DeviceState, problem: str = "", detail: str = "") -> None:
        self._engine.output.readings += self._health.change(state, problem, detail, self._engine.now_ns)

    def _take(self) -> Output:
        output, self._engine.output = self._engine.output, Output()
        return output
