"""Driver of an OCPP 1.6J charger that dials us; we are its central system. See PROTOCOL.md section 4.

The hard part is that OCPP has no emergency cut: ChangeAvailability waits for the running transaction, a remote stop
needs an id that we may not know, so an off is told in every way there is, past all that waits. A user would notice a
mistake as a car charger that burns on because its transaction began offline.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from drivers.ocpp16.frames import Call, CallError, CallResult, Message, Refusal, encode
from drivers.ocpp16.lines import Grammar, Line
from drivers.ocpp16.outbox import Asked, Outbox
from drivers.ocpp16.profiles import OUR_PROFILE, SETTINGS, zero_profile
from drivers.ocpp16.readings import connector_of, ended_readings, meter_readings, status_readings, whole
from drivers.ocpp16.transactions import Transaction, Transactions
from drivers.options import OptionReader, OptionValue
from drivers.stream import StreamDriver
from drivers.wallclock import WallClock
from edge.domain.devices import DeviceCommand, DeviceIdentity
from edge.domain.field_devices import (
    CardReading,
    Operate,
    OutputReading,
    PointHealth,
    Poll,
    SessionReading,
    SetClock,
)

_STARTING = frozenset({"RemoteStartTransaction", "ChangeAvailability", "ClearChargingProfile"})
_CONNECTOR_MAX = 99
_NOTED = frozenset(
    {
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "LogStatusNotification",
        "SecurityEventNotification",
        "SignedFirmwareStatusNotification",
    }
)


class OcppDriver(StreamDriver[Line]):
    """Options as PROTOCOL.md section 5 lists them."""

    protocol = "ocpp16"
    silent_hint = "the charger has fallen silent: check its network; until it speaks its connectors are unknown"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        read = OptionReader("ocpp16", options)
        self._heartbeat_s = read.integer("heartbeat_s", 60, 5, 3600)
        self._sample_s = read.integer("sample_s", 10, 1, 900)
        self._configure = read.flag("configure", default=True)
        read.finish()
        super().__init__(Grammar(), partial_ms=3_000, silent_ms=(2 * self._heartbeat_s + 10) * 1000)
        self._clock = WallClock()
        self._transactions = Transactions()
        self._outbox = Outbox(self.write)
        self._afterwards: Asked | None = None
        self._closed_to: set[int] = set()
        """Connectors that we have made unavailable and limited to 0 A."""

    # --- stream -------------------------------------------------------------------------------------------------------

    def on_opened(self) -> None:
        self._outbox.clear()

    def on_closed(self) -> None:
        for asked in self._outbox.clear():
            self._settle(asked, accepted=False, detail="link_closed")
        self.say(PointHealth(point="0", online=False, detail="link_closed"))

    def on_silent(self) -> None:
        self.say(PointHealth(point="0", online=False, detail="silent"))

    def on_frame(self, frame: Line) -> None:
        self.ready()
        match frame.message:
            case Refusal(problem=problem, message=message):
                self._refused(problem.detail, message)
            case Call() as call:
                self._called(call)
            case CallResult() as result:
                asked = self._outbox.answered(result.message_id, self.now_ns)
                if asked is not None:
                    status = str(result.payload.get("status", ""))
                    self._settle(asked, accepted=status == "Accepted" if status else True, detail=status)
            case CallError() as error:
                asked = self._outbox.answered(error.message_id, self.now_ns)
                if asked is not None:
                    self._settle(asked, accepted=False, detail=f"{error.error_code}: {error.description}"[:120])
        self._tell_expired()
        self.say(PointHealth(point="0", online=True))

    def on_command(self, command: DeviceCommand) -> bool:
        match command:
            case Operate(point=point):
                connector = int(point) if point.isascii() and point.isdigit() else 0
                if not 0 < connector <= _CONNECTOR_MAX:
                    return False
                return self._on(connector, command) if command.on else self._off(connector, command)
            case Poll(point=point):
                self._trigger(int(point) if point.isascii() and point.isdigit() else 0)
                return True
            case SetClock(wall_ns=wall_ns):
                self._clock.set(wall_ns, self.now_ns)
                return True
            case _:
                return False

    def on_tick(self) -> None:
        self._outbox.go_on(self.now_ns)
        self._tell_expired()

    def next_tick(self) -> int | None:
        return self._outbox.deadline()

    # --- commands -----------------------------------------------------------------------------------------------------

    def _off(self, connector: int, command: Operate) -> bool:
        """Every way there is, at once: stop the transaction, 0 A for whatever runs, and nothing new afterwards."""
        self._transactions.withdraw(connector)
        for asked in self._outbox.forget(connector, _STARTING):
            self._settle(asked, accepted=False, detail="overtaken by an off")
        transaction = self._transactions.of(connector)
        if transaction is not None:
            stop = {"transactionId": transaction.transaction_id}
            self._cut("RemoteStopTransaction", stop, connector, command.command_id)
        profile = zero_profile(connector)
        self._cut("SetChargingProfile", profile, connector, "" if transaction is not None else command.command_id)
        if connector not in self._closed_to:
            closed = {"connectorId": connector, "type": "Inoperative"}
            self._cut("ChangeAvailability", closed, connector, "")
            self._closed_to.add(connector)
        return True

    def _cut(self, action: str, payload: dict[str, Any], connector: int, command_id: str) -> None:
        asked = Asked(action, payload, connector=connector, command_id=command_id)
        self._outbox.at_once(asked, self.now_ns)

    def _on(self, connector: int, command: Operate) -> bool:
        """Undo our own off first; then the start, at most once."""
        opened = {"connectorId": connector, "type": "Operative"}
        tag = self._transactions.give_tag(connector, command.command_id)
        calls = [
            Asked("ChangeAvailability", opened, connector=connector),
            Asked("ClearChargingProfile", {"id": OUR_PROFILE + connector}, connector=connector),
        ]
        start = {"connectorId": connector, "idTag": tag}
        self._closed_to.discard(connector)
        expires_ns, command_id = command.expires_mono_ns, command.command_id
        action = "RemoteStartTransaction"
        calls.append(Asked(action, start, connector=connector, command_id=command_id, expires_ns=expires_ns))
        taken = [self._outbox.queue(asked, self.now_ns) for asked in calls]
        return all(taken)

    def _trigger(self, connector: int) -> None:
        for message in ("StatusNotification", "MeterValues"):
            payload: dict[str, Any] = {"requestedMessage": message}
            if connector:
                payload["connectorId"] = connector
            self._outbox.queue(Asked("TriggerMessage", payload, connector=connector), self.now_ns)

    def _tell_expired(self) -> None:
        for asked in self._outbox.expired:
            self._settle(asked, accepted=False, detail="expired before it could be sent")
        self._outbox.expired.clear()

    def _settle(self, asked: Asked, *, accepted: bool, detail: str) -> None:
        """Say how a command of the kernel ended. Accepted is not off: that is proven by the meter."""
        if asked.command_id:
            self.say(
                OutputReading(
                    point=str(asked.connector),
                    command_id=asked.command_id,
                    accepted=accepted,
                    detail=f"{asked.action}: {detail}",
                )
            )

    # --- what the charger says ----------------------------------------------------------------------------------------

    def _refused(self, detail: str, message: Message | None) -> None:
        """Act on what could be read of it, then answer that it was wrong."""
        if not isinstance(message, Call):
            self.alive(f"refused: {detail}"[:200])
            return
        if message.action == "StatusNotification":
            self.output.readings += status_readings(message.payload)
        elif message.action == "MeterValues":
            self.output.readings += meter_readings(message.payload)
        elif message.action == "StopTransaction" and whole(message.payload.get("transactionId")) is not None:
            self._stopped(message.payload)
        self.write(encode(CallError(message.message_id, "FormationViolation", detail[:250], {})))
        self.alive(f"refused: {detail}"[:200])

    def _called(self, call: Call) -> None:
        payload, answer = call.payload, {}
        promise = False
        match call.action:
            case "BootNotification":
                answer = self._booted(payload)
            case "Heartbeat":
                answer = {"currentTime": self._time()}
            case "Authorize":
                answer = {"idTagInfo": {"status": self._authorise(str(payload["idTag"]), 0)}}
            case "StatusNotification":
                self.output.readings += status_readings(payload)
            case "MeterValues":
                self._adopt(payload)
                self.output.readings += meter_readings(payload)
            case "StartTransaction":
                answer = self._started(payload)
            case "StopTransaction":
                self._stopped(payload)
                promise = True
            case "DataTransfer":
                answer = {"status": "UnknownVendorId"}
            case action if action in _NOTED:
                pass
            case _:
                self.write(encode(CallError(call.message_id, "NotSupported", f"{call.action} is not done here", {})))
                return
        reply = encode(CallResult(call.message_id, answer))
        # A stop is sent again until it is answered, so its answer waits for the disk.
        (self.output.acknowledge if promise else self.output.write).append(reply)
        if call.action == "BootNotification" and self._configure:
            self._send_settings()
        if self._afterwards is not None:
            self._outbox.at_once(self._afterwards, self.now_ns)
            self._afterwards = None

    def _booted(self, payload: dict[str, Any]) -> dict[str, Any]:
        vendor, model = str(payload.get("chargePointVendor", "")), str(payload.get("chargePointModel", ""))
        self.say(
            DeviceIdentity(
                protocol="ocpp16",
                model=f"{vendor} {model}",
                firmware=str(payload.get("firmwareVersion", "")),
                serial=str(payload["chargePointSerialNumber"]) if "chargePointSerialNumber" in payload else None,
            )
        )
        self._closed_to.clear()
        self.say(PointHealth(point="0", online=True, rebooted=True))
        return {"status": "Accepted", "currentTime": self._time(), "interval": self._heartbeat_s}

    def _send_settings(self) -> None:
        """How often it measures decides how soon a cut is proven."""
        for key, value in SETTINGS.items():
            text = value.format(sample_s=self._sample_s)
            asked = Asked("ChangeConfiguration", {"key": key, "value": text})
            self._outbox.queue(asked, self.now_ns)
        self._trigger(0)

    def _authorise(self, tag: str, connector: int) -> str:
        """Only what we started ourselves is accepted. A card is told to the kernel, which starts by remote if it
        pays."""
        if self._transactions.knows_tag(tag):
            return "Accepted"
        self.say(CardReading(point=str(connector), card=tag.lower()))
        return "Invalid"

    def _started(self, payload: dict[str, Any]) -> dict[str, Any]:
        connector, tag = connector_of(payload), str(payload["idTag"])
        status = "Accepted" if self._transactions.knows_tag(tag) else self._authorise(tag, connector)
        told = repr([connector, tag, payload["meterStart"], payload["timestamp"]])
        meter_start_wh = whole(payload["meterStart"])
        transaction, repeated = self._transactions.start(connector, tag, told, meter_start_wh)
        if not repeated:
            self.say(SessionReading(point=str(connector), session=transaction.session, phase="started"))
        if status != "Accepted":
            # Begun offline, or with a card that nobody has authorised: it is stopped at once.
            stop = {"transactionId": transaction.transaction_id}
            self._afterwards = Asked("RemoteStopTransaction", stop, connector=connector)
        return {"transactionId": transaction.transaction_id, "idTagInfo": {"status": status}}

    def _adopt(self, payload: dict[str, Any]) -> None:
        """A running transaction that we do not know (we were restarted): from now on it can be stopped."""
        transaction_id, connector = whole(payload.get("transactionId")), connector_of(payload)
        known = self._transactions.of(connector)
        if transaction_id is None or transaction_id <= 0 or not connector or known is not None:
            return
        if not self._transactions.has_ended(transaction_id):
            session = str(transaction_id)
            self._transactions.adopt(Transaction(transaction_id, connector, session, meter_start_wh=None))

    def _stopped(self, payload: dict[str, Any]) -> None:
        transaction_id = whole(payload.get("transactionId")) or 0
        transaction = self._transactions.stop(transaction_id)
        if transaction is None:
            self.alive(f"stop of unknown transaction {transaction_id}")
            return
        self.output.readings += ended_readings(transaction, payload)

    def _time(self) -> str:
        return self._clock.china(self.now_ns).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
