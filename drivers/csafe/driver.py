"""Driver of one wired training machine; we are the master. See PROTOCOL.md section 6.

The hard part is patience in both directions: a console wants its pause between frames and takes up to a second, and
thirty of them must not wait for the one that is switched off. A user would notice a mistake as a machine that shows
"no answer" whenever its screen changes. Read-only unless the site allows stopping.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.buffer import Scanner
from drivers.csafe.frames import Frame, Grammar, encode
from drivers.csafe.plan import Group, Plan
from drivers.csafe.readings import Interpreter
from drivers.csafe.values import PREVIOUS_NAMES, values_of
from drivers.driver import Output
from drivers.engine import NS_PER_MS, Ask, Engine, Script, Silence, Sleep, earlier
from drivers.health_reporter import HealthReporter
from drivers.options import OptionReader, OptionValue
from edge.domain.devices import DeviceCommand, DeviceIdentity, DeviceState
from edge.domain.field_devices import PointHealth, Poll
from edge.domain.machine_readings import MachineInfo, MachineKind, StopMachine, StopOutcome

GET_STATUS, GO_FINISHED = 0x80, 0x86
MISSES_MAX = 8
"""So many questions in a row without a good answer: the machine is off or unplugged. Told within 9 s: after 10 s the
pump takes the line for hung and opens it anew."""
_BACKOFF_FIRST_NS = 500 * NS_PER_MS
_BACKOFF_MAX_NS = 5_000 * NS_PER_MS
_STOP_TRIES = 3
_IDENTITY = (0x91, 0x94)
_HOUR_MS = 3_600_000
_HINT = (
    "no answer: is the machine switched on, its CSAFE port enabled in the service menu, and the cable a CSAFE one "
    "(9600 8N1)?"
)


class CsafeDriver:
    """Implements ``drivers.driver.Driver``. Options as PROTOCOL.md section 7 lists them."""

    protocol = "csafe"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        reader = OptionReader(self.protocol, options)
        self._point = reader.text("point", "machine", r"[A-Za-z0-9_./-]{1,48}", "a name of letters, digits and _./-")
        kind = MachineKind(reader.choice("kind", "other", tuple(each.value for each in MachineKind)))
        poll_ms = reader.integer("poll_ms", 1_000, 200, 60_000)
        wear_ms = reader.integer("wear_s", 60, 5, 86_400) * 1000
        batch = reader.integer("batch", 4, 1, 8)
        self._timeout_ns = reader.integer("timeout_ms", 1_000, 100, 5_000) * NS_PER_MS
        gap_ms = reader.integer("gap_ms", 50, 0, 1_000)
        self._quiet_ns = reader.integer("quiet_ms", 150, 20, 2_000) * NS_PER_MS
        address = reader.integer("address", -1, -1, 255)
        self._allow_stop = reader.flag("allow_stop", default=False)
        self._keep_raw = reader.flag("keep_raw", default=False)
        reader.finish()
        self._addresses = None if address < 0 else (address, 0)
        self._plan = Plan(_groups(poll_ms, wear_ms), batch)
        self._engine = Engine(Scanner[Frame](Grammar(from_host=False)), gap_ms * NS_PER_MS, self._quiet_ns)
        self._health = HealthReporter(self._counters)
        self._kind = kind
        self._interpreter = self._new_interpreter()
        self.ignored_commands = 0
        """Commands that this machine cannot do or may not be told, counted since creation."""
        self.toggle_repeats = 0
        """Answers whose bit 7 did not turn: the machine began anew, or an answer was lost."""
        self.rejected = 0
        """Questions that the machine called rejected, bad or untimely."""
        self._stop: StopMachine | None = None
        self._misses = 0
        self._online: bool | None = None
        self._toggle: int | None = None
        self._info: dict[int, bytes] = {}
        self._told_info: MachineInfo | None = None
        self._at_open = (0, 0, 0, 0)
        self._open = False

    # --- Driver -------------------------------------------------------------------------------------------------------

    def opened(self, now_ns: int) -> Output:
        self._open, self._misses, self._online, self._toggle, self._stop = True, 0, None, None, None
        self._at_open = self._sums()
        self._info.clear()
        self._told_info = None
        self._interpreter = self._new_interpreter()
        self._plan.begin(now_ns)
        self._engine.now_ns = now_ns
        self._change(DeviceState.CONNECTING)
        self._engine.start(self._script(), now_ns)
        return self._take()

    def received(self, data: bytes, now_ns: int) -> Output:
        self._engine.received(data, now_ns)
        return self._take()

    def command(self, command: DeviceCommand, now_ns: int) -> Output:
        self._engine.now_ns = now_ns
        match command:
            case Poll(point=point) if point in {"", self._point}:
                self._plan.hurry(now_ns)
            case StopMachine(point=point) if point == self._point:
                self._ask_to_stop(command)
            case _:
                self.ignored_commands += 1
        if self._open:
            self._engine.wake(now_ns)
        return self._take()

    def tick(self, now_ns: int) -> Output:
        self._engine.tick(now_ns)
        if self._open:
            self._engine.output.readings += self._health.repeat(now_ns)
        return self._take()

    def closed(self, now_ns: int) -> Output:
        self._open = False
        self._engine.now_ns = now_ns
        self._engine.stop()
        if self._stop is not None:
            self._answer(self._stop, "no_answer")
        self._change(DeviceState.LOST, "link_closed")
        return self._take()

    def deadline(self) -> int | None:
        return earlier(self._engine.deadline(), self._health.deadline()) if self._open else None

    # --- the script ---------------------------------------------------------------------------------------------------

    def _script(self) -> Script[None]:
        backoff_ns = _BACKOFF_FIRST_NS
        while True:
            if self._stop is not None:
                yield from self._stop_machine(self._stop)
                continue
            now_ns = self._engine.now_ns
            # Whoever does not answer is asked for nothing but a sign of life, and ever more rarely.
            asked = (GET_STATUS,) if self._misses >= MISSES_MAX else self._plan.next(now_ns)
            if not asked:
                yield Sleep(self._plan.next_due_ns())
                continue
            answer: Frame | Silence = yield self._ask(asked)
            if not isinstance(answer, Silence):
                backoff_ns = _BACKOFF_FIRST_NS
                self._answered(asked, answer)
                continue
            self._missed(asked, answer)
            if self._misses >= MISSES_MAX:
                yield Sleep(self._engine.now_ns + backoff_ns)
                backoff_ns = min(2 * backoff_ns, _BACKOFF_MAX_NS)

    def _ask(self, asked: tuple[int, ...], good_until_ns: int = 0) -> Ask:
        def matches(frame: Frame) -> bool:
            """An empty frame answers nothing; items that nobody asked for belong to a late answer."""
            return frame.status is not None and all(item.command in asked for item in frame.items)

        return Ask(encode(bytes(asked), self._addresses), self._timeout_ns, matches, good_until_ns)

    def _answered(self, asked: tuple[int, ...], frame: Frame) -> None:
        assert frame.status is not None
        now_ns = self._engine.now_ns
        self._misses = 0
        toggle = frame.status >> 7
        self.toggle_repeats += toggle == self._toggle
        self._toggle = toggle
        self.rejected += bool(frame.status & 0x30)
        told = {item.command for item in frame.items}
        self._plan.answered(asked, told, now_ns)
        if self._online is not True:
            self._online = True
            self._say(PointHealth(point=self._point, online=True))
        self._change(DeviceState.READY)
        self._introduce(frame)
        self._engine.output.readings += self._interpreter.readings_of(frame)

    def _missed(self, asked: tuple[int, ...], silence: Silence) -> None:
        self._plan.missed(asked, self._engine.now_ns)
        self._misses += 1
        if self._misses < MISSES_MAX:
            return
        if self._online is not False:
            self._online = False
            self._say(PointHealth(point=self._point, online=False, detail=silence.value))
        self._change(DeviceState.FAULT, "unreadable" if silence is Silence.DAMAGED else "no_answer", _HINT)

    # --- stopping -----------------------------------------------------------------------------------------------------

    def _ask_to_stop(self, command: StopMachine) -> None:
        if not self._allow_stop or command.pause or not self._open:
            self.ignored_commands += 1
            detail = "not_supported" if self._allow_stop and command.pause else "not_allowed"
            self._answer(command, detail if self._open else "no_answer")
            return
        if self._stop is not None and self._stop.command_id != command.command_id:
            self._answer(self._stop, "replaced")
        self._stop = command

    def _stop_machine(self, command: StopMachine) -> Script[None]:
        """Tell it to go to "finished", as often as it takes to hear that it was taken."""
        detail = "no_answer"
        for _ in range(_STOP_TRIES):
            if 0 < command.expires_mono_ns <= self._engine.now_ns:
                detail = "expired"
                break
            answer: Frame | Silence = yield self._ask((GO_FINISHED,), command.expires_mono_ns)
            if isinstance(answer, Silence):
                detail = "expired" if answer is Silence.RECALLED else "no_answer"
                continue
            assert answer.status is not None
            previous = PREVIOUS_NAMES[answer.status >> 4 & 0x03]
            detail = "" if previous == "ok" else previous
            self._engine.output.readings += self._interpreter.readings_of(answer)
            break
        if self._stop is command:
            self._stop = None
        self._answer(command, detail)
        self._plan.hurry(self._engine.now_ns)

    def _answer(self, command: StopMachine, detail: str) -> None:
        outcome = StopOutcome(point=command.point, command_id=command.command_id, accepted=not detail, detail=detail)
        self._say(outcome)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _introduce(self, frame: Frame) -> None:
        """Tell who it is once all that it says of itself has come or will not come, and again when that changes."""
        self._info |= {item.command: item.data for item in frame.items if item.command in _IDENTITY and item.data}
        waiting = [each for each in _IDENTITY if each not in self._info and each not in self._plan.unsupported]
        if waiting:
            return
        version = values_of(0x91, self._info.get(0x91, b""))
        info = MachineInfo(
            point=self._point,
            maker=str(version.get("manufacturer_id", "")),
            model=f"{version['class_id']}-{version['model_number']}" if version else "",
            serial=values_of(0x94, self._info.get(0x94, b"")).get("serial") or "",
            firmware=str(version.get("software_version", "")),
        )
        if info == self._told_info:
            return
        self._told_info = info
        model = f"{info.maker}-{info.model}" if info.model else "csafe"
        self._say(
            DeviceIdentity(protocol=self.protocol, model=model, firmware=info.firmware, serial=info.serial or None)
        )
        self._say(info)

    def _new_interpreter(self) -> Interpreter:
        return Interpreter(self._point, self._kind, keep_raw=self._keep_raw)

    def _say(self, reading: PointHealth | DeviceIdentity | MachineInfo | StopOutcome) -> None:
        self._engine.output.readings.append(reading)

    def _sums(self) -> tuple[int, int, int, int]:
        scanner = self._engine.scanner
        return scanner.frames, scanner.refused, scanner.noise_bytes, self._engine.timeouts

    def _counters(self) -> tuple[int, int, int, int]:
        frames, refused, noise, timeouts = self._sums()
        before = self._at_open
        return frames - before[0], refused - before[1], noise - before[2], timeouts - before[3]

    def _change(self, state: DeviceState, problem: str = "", detail: str = "") -> None:
        self._engine.output.readings += self._health.change(state, problem, detail, self._engine.now_ns)

    def _take(self) -> Output:
        output, self._engine.output = self._engine.output, Output()
        return output


def _groups(poll_ms: int, wear_ms: int) -> tuple[Group, ...]:
    """Who it is first, then speed, time and distance; what a frame holds together is read at one instant."""
    often, seldom = poll_ms * NS_PER_MS, 10 * poll_ms * NS_PER_MS
    return (
        Group(_IDENTITY, _HOUR_MS * NS_PER_MS),
        Group((0xA5, 0xA0, 0xA1), often),
        Group((0xA3, 0xA7, 0xB0, 0xB4), often),
        Group((0x9A, 0x9C, 0x9D, 0xA8), seldom),
        Group((0x99, 0x9B), wear_ms * NS_PER_MS),
    )
