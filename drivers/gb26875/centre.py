"""The receiving side of GB/T 26875.3: we are the centre of a building's transmission unit. PROTOCOL.md section 5.

The hard part is to miss nothing: what is refused is answered with a nack so that the unit repeats it, and a refused
message that says fire is acted on all the same. After each connection the unit is asked for its states, because a fire
may have begun while nobody listened. A user would notice a mistake as a garage that charges on under a ringing panel.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.buffer import Refused
from drivers.gb26875.frames import (
    AppType,
    Command,
    Frame,
    Grammar,
    Header,
    answer,
    command_name,
    encode,
    expected_reply,
    nack_of,
)
from drivers.gb26875.objects import (
    FAULT,
    FIRE,
    MANUAL_ALARM,
    OPERATIONS,
    STATES,
    InfoObject,
    Version,
    write_time,
)
from drivers.gb26875.readings import UNIT_POINT, Reader
from drivers.options import OptionReader, OptionValue
from drivers.stream import StreamDriver
from drivers.wallclock import WallClock
from edge.domain.devices import DeviceCommand, DeviceIdentity
from edge.domain.field_devices import PointHealth, Poll, SetClock, SignalKind, SignalReading

_QUESTIONS = (
    (AppType.READ_UNIT_STATE, bytes(1)),
    (AppType.READ_SYSTEM_STATE, bytes((1, 1))),
    (AppType.READ_UNIT_VERSION, bytes(1)),
)
"""What the unit is asked: system 1:1 is where panels put their fire alarm system; the others carry a spare byte."""


class CentreDriver(StreamDriver[Frame]):
    """Options as PROTOCOL.md section 7 lists them."""

    protocol = "gb26875"
    silent_hint = (
        "the transmission unit has fallen silent: check its power, its network and that it dials this box; until it "
        "speaks again the panel's word does not reach us"
    )

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        read = OptionReader("gb26875", options)
        read.choice("role", "centre", ("centre", "unit"))
        heartbeat_s = read.integer("heartbeat_s", 30, 1, 600)
        self._own_address = read.integer("own_address", 0, 0, (1 << 48) - 1)
        self._unit_address = read.integer("peer_address", 0, 0, (1 << 48) - 1)
        self._poll = read.flag("poll", default=True)
        read.integer(
            "ack_timeout_ms", 5_000, 100, 10_000
        )  # the unit's; a site file's options are also tried one by one
        read.finish()
        super().__init__(Grammar(), partial_ms=3_000, silent_ms=3 * heartbeat_s * 1000)
        self._reader = Reader()
        self._clock = WallClock()
        self._serial = 0
        self._wants_states = False

    # --- stream -------------------------------------------------------------------------------------------------------

    def on_opened(self) -> None:
        self._wants_states = self._poll

    def on_closed(self) -> None:
        self.say(PointHealth(point="", online=False, detail="link_closed"))

    def on_silent(self) -> None:
        self.say(PointHealth(point="", online=False, detail="silent"))

    def on_frame(self, frame: Frame) -> None:
        """Whatever the sender's address: a fire from a unit that was configured wrongly is a fire."""
        header = frame.header
        if self._unit_address and header.source != self._unit_address:
            detail = f"unit {header.source} speaks, {self._unit_address} is expected: check peer_address in site.toml"
            self.ready("wrong_unit", detail)
        else:
            self.ready()
        self._say_objects(frame.objects, frame)
        self._reply(frame)
        if self._wants_states and frame.command == Command.SEND_DATA:
            self._wants_states = False
            self._ask_states(header)

    def on_refused(self, refused: Refused) -> None:
        """Act on its alarm, then ask for it again."""
        told = [each for each in refused.salvaged if isinstance(each, STATES) and each.status & (FIRE | FAULT)]
        calls = [each for each in refused.salvaged if isinstance(each, OPERATIONS) and each.operation & MANUAL_ALARM]
        for each in (*told, *calls):
            self.output.readings += self._reader.read(each, None, polled=False)
        if refused.alarm == "fire" and not any(each.status & FIRE for each in told):
            # Cut off behind its state bits: nobody can say which component, so it is the panel as a whole.
            self.say(SignalReading(point=UNIT_POINT, kind=SignalKind.PANEL_FIRE, active=True, detail="torn message"))
        nack = nack_of(refused)
        if nack is not None:
            self.write(nack)
            self.alive(f"refused: {refused.kind.value}")

    def on_command(self, command: DeviceCommand) -> bool:
        match command:
            case Poll():
                self._wants_states = True
                return True
            case SetClock(wall_ns=wall_ns):
                self._clock.set(wall_ns, self.now_ns)
                return True
            case _:
                return False

    # --- inside -------------------------------------------------------------------------------------------------------

    def _say_objects(self, objects: tuple[InfoObject, ...], frame: Frame) -> None:
        polled = frame.command == Command.REPLY
        for each in objects:
            self.output.readings += self._reader.read(each, frame.sent_time, polled=polled)
            if isinstance(each, Version):
                unit, version = str(frame.header.source), each.software_version
                self.say(DeviceIdentity(protocol="gb26875", model="transmission unit", firmware=version, serial=unit))

    def _reply(self, frame: Frame) -> None:
        """Ack or nack as the standard wants; every answered frame is told as a sign of life. An ack is a promise: it
        waits until what the frame said is on disk."""
        match expected_reply(frame.command):
            case "ack":
                self.output.acknowledge.append(answer(frame.header, Command.ACK))
            case "nack" | "reply":
                self.write(answer(frame.header, Command.NACK))
            case _:
                pass
        self.alive(command_name(frame.command) or "")

    def _ask_states(self, peer: Header) -> None:
        """Ask for everything at once, right behind a frame of the unit's: a unit that does not answer questions is
        common, and what it sends of its own accord is what counts."""
        time = write_time(self._clock.china(self.now_ns)) if self._clock.is_set else peer.time
        for question, body in _QUESTIONS:
            self._serial = (self._serial + 1) & 0xFFFF
            header = Header(
                serial=self._serial,
                version_major=peer.version_major,
                version_user=peer.version_user,
                time=time,
                source=self._own_address or peer.destination,
                destination=peer.source,
            )
            self.write(encode(header, Command.REQUEST, bytes((question, 1)) + body))
