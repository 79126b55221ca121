"""What all plate readers share: connect, poll, pause, commands, health. A protocol adds its frames and its rounds.

The hard part is never to stop: whatever a reader does, the session goes back to the handshake and tries again, with
bounded effort. A user would notice a mistake as a lane that stays dark until somebody restarts the box.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from drivers.driver import Output
from drivers.engine import NS_PER_MS, Ask, Engine, Script, Silence, Sleep, earlier
from drivers.health_reporter import HealthReporter
from drivers.passes import PassReporter
from edge.domain.devices import DeviceIdentity, DeviceState, FieldOn, PlatePass, ResidualPass

BACKOFF_FIRST_NS = 200 * NS_PER_MS
BACKOFF_MAX_NS = 5_000 * NS_PER_MS
TRIES = 3
"""Times that a handshake step is asked before the round is given up."""
SILENT_PASSES_MAX = 3
"""Passes without any answer after which the reader is taken for gone and the handshake begins again."""
DAMAGED_PASSES_MAX = 10
"""Damaged passes in a row after which the line, not chance, is to blame."""
FAULT_POLL_NS = 250 * NS_PER_MS
"""Pause after a pass that ended in a fault: soon enough to notice the cure, slow enough not to flood log and line."""

RESIDUAL_PASSES_MAX = 8
"""Residual passes in a row; more only keep the statistical passes waiting."""
CHOICE_NS = 2 * NS_PER_MS
"""Time after a pass for the kernel to ask for residual passes, before the next statistical one begins. A FEIG reader
wants 5 ms of silence anyway; on a MagicRF it costs a tenth of a round."""

F = TypeVar("F")


class Trouble(Exception):  # noqa: N818 - it is a state of the device that ends a handshake, not an error of ours
    """The session cannot go on: a stable problem code, and a detail that names the remedy."""

    def __init__(self, problem: str, detail: str) -> None:
        super().__init__(f"{problem}: {detail}")
        self.problem = problem
        self.detail = detail


class PlateReader(ABC, Generic[F]):
    """A driver whose reader is asked and answers. Implements ``drivers.driver.Driver``."""

    protocol: str
    line_hint: str
    """Factory settings of the line, for the remedy when nothing is understood."""

    def __init__(self, idle_poll_ms: int) -> None:
        self._idle_poll_ns = idle_poll_ms * NS_PER_MS
        self._engine = self._new_engine()
        self._health = HealthReporter(self._counters)
        self._passes = PassReporter()
        self._residual_wanted = 0
        self._field_wanted = True
        self._heard_any = False  # since the last handshake began
        self._damaged_in_row = 0
        self._ready_detail = ""
        self._lasting: tuple[str, str] | None = None
        self.ignored_commands = 0
        """Commands that this device cannot do, counted since creation."""

    @abstractmethod
    def _new_engine(self) -> Engine[F]:
        """An engine with a fresh scanner."""

    @abstractmethod
    def _handshake(self) -> Script[DeviceIdentity]:
        """Set the reader up and learn who it is; raises Trouble."""

    @abstractmethod
    def _statistical_pass(self) -> Script[bool]:
        """One independent pass, reported. True unless nothing at all was heard."""

    @abstractmethod
    def _residual_pass(self) -> Script[bool]:
        """One pass of the chips that have not answered yet, reported. True unless nothing at all was heard."""

    @abstractmethod
    def _switch_field(self, *, on: bool) -> Script[None]:
        """Switch the field, best effort."""

    def _residual_refusal(self) -> str:
        """Why this reader can never do a residual pass, with the remedy; empty when it can."""
        return ""

    def _residual_possible(self) -> bool:
        """False while a statistical pass must come first."""
        return True

    # --- Driver -----------------------------------------------------------------------------------------------------

    def opened(self, now_ns: int) -> Output:
        self._engine.stop()
        self._engine = self._new_engine()
        self._passes.reset()
        self._residual_wanted = 0
        self._damaged_in_row = 0
        self._lasting = None
        self._engine.now_ns = now_ns
        self._tell_health(DeviceState.CONNECTING, "", "")
        self._engine.start(self._session(), now_ns)
        return self._take()

    def received(self, data: bytes, now_ns: int) -> Output:
        self._engine.received(data, now_ns)
        return self._take()

    def command(self, command: object, now_ns: int) -> Output:
        """As in Driver; takes any object, because a command for another kind of device must be counted, not crash."""
        self._engine.now_ns = now_ns
        match command:
            case ResidualPass(passes=passes):
                refusal = self._residual_refusal()
                if refusal:
                    self.ignored_commands += 1
                    self._lasting = ("residual_unavailable", refusal)
                else:
                    self._residual_wanted = max(0, min(passes, RESIDUAL_PASSES_MAX))
                    self._engine.wake(now_ns)
            case FieldOn(on=on):
                self._field_wanted = on
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
        self._engine.output.readings += self._passes.flush()
        self._tell_health(DeviceState.LOST, "link_closed", "the link to the reader is closed; check cable and power")
        return self._take()

    def deadline(self) -> int | None:
        return earlier(self._engine.deadline(), self._health.deadline())

    # --- session ----------------------------------------------------------------------------------------------------

    def _session(self) -> Script[None]:
        backoff_ns = BACKOFF_FIRST_NS
        believed = True  # a reader that shook hands and then answered no pass must answer one before it is ready again
        while True:
            self._heard_any = False
            try:
                identity = yield from self._handshake()
                self._engine.output.readings.append(identity)
                if believed:
                    self._fine()
                believed = False
                yield from self._poll()
                trouble = Trouble("no_answer", self._no_answer_detail())
            except Trouble as caught:
                trouble = caught
            self._tell_health(DeviceState.FAULT, trouble.problem, trouble.detail)
            if self._heard_any:
                believed, backoff_ns = True, BACKOFF_FIRST_NS
                continue
            until_ns = self._engine.now_ns + backoff_ns
            while self._engine.now_ns < until_ns:  # a command ends a Sleep early, but must not hasten a retry
                yield Sleep(until_ns)
            backoff_ns = min(backoff_ns * 2, BACKOFF_MAX_NS)

    def _poll(self) -> Script[None]:
        """Pass after pass until the reader has fallen silent."""
        silent = 0
        while silent < SILENT_PASSES_MAX:
            if not self._field_wanted:
                yield from self._stay_off()
            if not self._passes.idle and not self._residual_wanted:
                yield Sleep(self._engine.now_ns + CHOICE_NS)
                if not self._field_wanted:
                    continue
            started_ns = self._engine.now_ns
            if self._residual_wanted and self._residual_possible():
                self._residual_wanted -= 1
                heard = yield from self._residual_pass()
            else:
                heard = yield from self._statistical_pass()
            silent = 0 if heard else silent + 1
            self._heard_any = self._heard_any or heard
            if self._passes.idle and not self._residual_wanted and self._field_wanted:
                yield Sleep(started_ns + self._idle_poll_ns)

    def _stay_off(self) -> Script[None]:
        self._engine.output.readings += self._passes.flush()
        self._passes.reset()
        yield from self._switch_field(on=False)
        while not self._field_wanted:
            yield Sleep(None)
        yield from self._switch_field(on=True)

    def _insist(self, step: str, ask: Ask) -> Script[F]:
        """Ask up to three times; Trouble when no good answer comes. ``step`` is told to a person."""
        answer: F | Silence = Silence.TIMED_OUT
        for _ in range(TRIES):
            answer = yield ask
            if not isinstance(answer, Silence):
                return answer
        if answer is Silence.DAMAGED:
            detail = f"bytes come, but no good answer to {step}: check baud rate and parity ({self.line_hint})"
            raise Trouble("unreadable", detail)
        raise Trouble("no_answer", f"no answer to {step}; {self._no_answer_detail()}")

    # --- for the protocols ------------------------------------------------------------------------------------------

    def _report(self, done: PlatePass) -> None:
        self._engine.output.readings += self._passes.report(done)

    def _fine(self) -> None:
        """A pass went well: ready, unless something lasting is wrong."""
        self._damaged_in_row = 0
        if self._lasting is None:
            self._tell_health(DeviceState.READY, "", self._ready_detail)
        else:
            self._tell_health(DeviceState.FAULT, *self._lasting)

    def _pass_fault(self, problem: str, detail: str) -> Script[None]:
        """A pass ended in a fault that polling faster would not cure."""
        self._tell_health(DeviceState.FAULT, problem, detail)
        yield Sleep(self._engine.now_ns + FAULT_POLL_NS)

    def _count_damage(self) -> None:
        self._damaged_in_row += 1
        if self._damaged_in_row >= DAMAGED_PASSES_MAX:
            detail = (
                f"no good answer in {DAMAGED_PASSES_MAX} passes: check cable, baud rate and parity ({self.line_hint})"
            )
            self._tell_health(DeviceState.FAULT, "unreadable", detail)

    def _tell_health(self, state: DeviceState, problem: str, detail: str) -> None:
        self._engine.output.readings += self._health.change(state, problem, detail, self._engine.now_ns)

    def _no_answer_detail(self) -> str:
        return f"the reader is silent: check power, cable, baud rate and parity ({self.line_hint})"

    def _counters(self) -> tuple[int, int, int, int]:
        scanner = self._engine.scanner
        return scanner.frames, scanner.refused + self._engine.strays, scanner.noise_bytes, self._engine.timeouts

    def _take(self) -> Output:
        output, self._engine.output = self._engine.output, Output()
        return output
