"""Stopping a machine through its control point: ask for control, then stop or pause, and believe only its answers.

The hard part is that nothing else may ever be written: 08 is the one op code behind which a belt slows down, 07 the one
that starts it. A user would notice a mistake as a treadmill that begins to run by itself. PROTOCOL.md section 4.
"""

from __future__ import annotations

from drivers.buffer import Refusal
from drivers.engine import NS_PER_MS
from drivers.ftms.control import PAUSE, RESULT_NAMES, STOP, SUCCESS, Op, parse_response
from drivers.rawvalue import RawValue
from edge.domain.machine_readings import StopMachine, StopOutcome

CONTROL_POINT = "2ad9"
ANSWER_NS = 2_000 * NS_PER_MS
"""Longest wait for each answer: a gateway's connection interval and one retry on the air."""


class FtmsStopper:
    """Implements ``drivers.rawtopics.Stopper``."""

    def __init__(self, command: StopMachine, now_ns: int) -> None:
        self._command = command
        self._asked = Op.REQUEST_CONTROL
        self.deadline_ns = now_ns + ANSWER_NS

    def begin(self, now_ns: int) -> tuple[str, bytes]:
        return CONTROL_POINT, bytes((Op.REQUEST_CONTROL,))

    def heard(self, value: RawValue, now_ns: int) -> tuple[str, bytes] | StopOutcome | None:
        if value.channel != CONTROL_POINT:
            return None
        answer = parse_response(value.data)
        if isinstance(answer, Refusal) or answer.response_to != self._asked:
            return None
        if answer.result != SUCCESS:
            return self._outcome(RESULT_NAMES.get(answer.result, f"result_{answer.result}"))
        if self._asked is Op.STOP_OR_PAUSE:
            return self._outcome()
        if 0 < self._command.expires_mono_ns <= now_ns:
            return self._outcome("expired")
        self._asked = Op.STOP_OR_PAUSE
        self.deadline_ns = now_ns + ANSWER_NS
        return CONTROL_POINT, bytes((Op.STOP_OR_PAUSE, PAUSE if self._command.pause else STOP))

    def given_up(self) -> StopOutcome:
        return self._outcome("no_answer")

    def _outcome(self, detail: str = "") -> StopOutcome:
        command = self._command
        return StopOutcome(point=command.point, command_id=command.command_id, accepted=not detail, detail=detail)
