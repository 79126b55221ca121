"""Driver of an ANT stick: sets up one receiving channel for each machine and reads its pages. PROTOCOL.md section 4.

The hard part is that a stick forgets everything when its USB port hiccups and keeps quiet about it: a channel that has
closed itself is opened again, and a machine that is not heard is told as not there. Nothing is ever sent to a machine.
A user would notice a mistake as a row of machines that is dead until somebody pulls the stick.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.ant_fec import pages
from drivers.ant_fec.beats import BeatReader
from drivers.ant_fec.frames import Grammar, Message, MessageId, encode
from drivers.ant_fec.readings import Interpreter
from drivers.buffer import Refusal
from drivers.engine import NS_PER_MS
from drivers.options import OptionReader, OptionValue
from drivers.stream import StreamDriver
from edge.domain.devices import DeviceCommand, DeviceIdentity
from edge.domain.field_devices import PointHealth, Poll
from edge.domain.machine_readings import StopMachine, StopOutcome

MACHINE_TYPE, MACHINE_PERIOD = 0x11, 8192
STRAP_TYPE, STRAP_PERIOD = 0x78, 8070
FREQUENCY = 57
CHANNELS_MAX = 8
ANSWER_NS = 1_000 * NS_PER_MS
RESET_NS = 500 * NS_PER_MS
"""A stick needs half a second after a reset."""
SILENT_NS = 5_000 * NS_PER_MS
"""Twenty pages."""
AGAIN_NS = 5_000 * NS_PER_MS
_RECEIVE = 0x00
_EVENT, _NO_ERROR, _CHANNEL_CLOSED, _IN_WRONG_STATE = 0x01, 0x00, 0x07, 0x15
_NETWORK = 0


class _Machine:
    """One channel: a machine, or a strap."""

    def __init__(self, channel: int, number: int, *, strap: bool) -> None:
        self.channel = channel
        self.number = number
        self.strap = strap
        self.point = f"strap{number}" if strap else str(number)
        self.interpreter = Interpreter()
        self.beats = BeatReader()
        self.online: bool | None = None
        self.heard_ns = 0


class AntDriver(StreamDriver[Message]):
    """Options as PROTOCOL.md section 5 lists them."""

    protocol = "ant_fec"
    silent_hint = "no page of any machine: are they switched on, and are their device numbers those of the option?"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        reader = OptionReader(self.protocol, options)
        straps = sorted(reader.names("straps"))
        numbers = sorted(reader.names("machines", "" if straps else "1"))
        key = reader.text(
            "network_key", "", r"|[0-9a-fA-F]{16}", "16 hex digits, as the ANT+ adopter's page gives them"
        )
        silent_s = reader.integer("silent_s", 30, 5, 3_600)
        reader.finish()
        for name, given in (("machines", numbers), ("straps", straps)):
            wrong = not all(each.isascii() and each.isdecimal() and 0 < int(each) <= 0xFFFF for each in given)
            if wrong or not 0 < len(numbers) + len(straps) <= CHANNELS_MAX:
                form = f"device numbers from 1 to 65535, separated by commas, {CHANNELS_MAX} in all"
                reader.refuse(name, ",".join(given), form)
        super().__init__(Grammar(), partial_ms=100, silent_ms=silent_s * 1000)
        self._key = bytes.fromhex(key)
        wanted = [(int(each), False) for each in numbers] + [(int(each), True) for each in straps]
        self._machines = [_Machine(at, number, strap=strap) for at, (number, strap) in enumerate(wanted)]
        self._steps: list[bytes] = []
        self._waits_for: int | None = None
        self._due_ns: int | None = None

    # --- setting up ---------------------------------------------------------------------------------------------------

    def on_opened(self) -> None:
        for machine in self._machines:
            machine.interpreter, machine.beats = Interpreter(), BeatReader()
            machine.online, machine.heard_ns = None, self.now_ns
        self._steps, self._waits_for, self._due_ns = [], None, None
        if not self._key:
            self.ready("no_key", "set network_key: without it no ANT+ machine can be heard")
            return
        self._begin()

    def on_closed(self) -> None:
        self._due_ns = None

    def _begin(self) -> None:
        """Reset the stick, then everything anew."""
        self._steps = [encode(MessageId.SET_NETWORK_KEY, bytes((_NETWORK,)) + self._key)]
        for machine in self._machines:
            self._steps += self._channel_steps(machine)
        self.write(encode(MessageId.RESET, b"\0"))
        self._waits_for, self._due_ns = None, self.now_ns + RESET_NS

    def _channel_steps(self, machine: _Machine) -> list[bytes]:
        channel = bytes((machine.channel,))
        kind, period = (STRAP_TYPE, STRAP_PERIOD) if machine.strap else (MACHINE_TYPE, MACHINE_PERIOD)
        sender = machine.number.to_bytes(2, "little") + bytes((kind, 0))
        return [
            encode(MessageId.ASSIGN_CHANNEL, channel + bytes((_RECEIVE, _NETWORK))),
            encode(MessageId.SET_CHANNEL_ID, channel + sender),
            encode(MessageId.SET_FREQUENCY, channel + bytes((FREQUENCY,))),
            encode(MessageId.SET_PERIOD, channel + period.to_bytes(2, "little")),
            encode(MessageId.OPEN_CHANNEL, channel),
        ]

    def _next_step(self) -> None:
        if not self._steps:
            self._waits_for = self._due_ns = None
            return
        step = self._steps[0]
        self._waits_for, self._due_ns = step[2], self.now_ns + ANSWER_NS
        self.write(step)

    def next_tick(self) -> int | None:
        at = [machine.heard_ns + SILENT_NS for machine in self._machines if machine.online]
        return min([*at, *([self._due_ns] if self._due_ns is not None else [])], default=None)

    def on_tick(self) -> None:
        if self._due_ns is not None and self.now_ns >= self._due_ns:
            if self._waits_for is None:
                self._next_step()
            else:
                self.ready("no_answer", "the stick does not answer; is it an ANT stick, at the right baud rate?")
                self._begin()
                self._due_ns = self.now_ns + AGAIN_NS
        for machine in self._machines:
            if machine.online and self.now_ns >= machine.heard_ns + SILENT_NS:
                machine.online = False
                self.say(PointHealth(point=machine.point, online=False, detail="silent"))

    # --- hearing ------------------------------------------------------------------------------------------------------

    def is_sign_of_life(self, frame: Message) -> bool:
        return frame.page is not None

    def on_frame(self, frame: Message) -> None:
        if frame.page is not None:
            self._page(frame)
        elif frame.message_id == MessageId.CHANNEL_RESPONSE:
            self._response(*frame.data)
        elif frame.message_id == MessageId.STARTUP and self._key and self._waits_for is not None:
            self._begin()

    def _response(self, channel: int, to: int, code: int) -> None:
        if to == _EVENT:
            machine = next((each for each in self._machines if each.channel == channel), None)
            # A search that timed out closes the channel by itself: open it again.
            if code == _CHANNEL_CLOSED and machine is not None and not self._steps:
                self._steps = [encode(MessageId.OPEN_CHANNEL, bytes((channel,)))]
                self._next_step()
            return
        if to != self._waits_for:
            return
        if code not in {_NO_ERROR, _IN_WRONG_STATE}:
            self.ready("refused", f"the stick refused message {to:02x} with code {code:02x}")
            self._steps, self._waits_for, self._due_ns = [], None, None
            return
        del self._steps[:1]
        if not self._steps:
            self.say(DeviceIdentity(protocol=self.protocol, model="ant stick", firmware=""))
            self.ready()
        self._next_step()

    def _page(self, frame: Message) -> None:
        machine = next((each for each in self._machines if each.channel == frame.data[0]), None)
        data = frame.page
        page = pages.parse(data or b"")
        if machine is None or data is None or isinstance(page, Refusal):
            return
        machine.heard_ns = self.now_ns
        if not machine.online:
            machine.online = True
            self.say(PointHealth(point=machine.point, online=True))
        self.ready()
        marks = {"point": machine.point}
        if machine.strap:
            self.output.readings += machine.beats.take(data, marks, self.now_ns)
        else:
            self.output.readings += machine.interpreter.take(page, marks, self.now_ns)

    # --- commands -----------------------------------------------------------------------------------------------------

    def on_command(self, command: DeviceCommand) -> bool:
        match command:
            case StopMachine(point=point, command_id=command_id):
                self.say(StopOutcome(point=point, command_id=command_id, accepted=False, detail="not_supported"))
                return True
            case Poll():
                return True  # pages come four times a second whether asked for or not
            case _:
                return False
