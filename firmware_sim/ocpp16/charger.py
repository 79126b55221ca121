"""A charge point, written from ``drivers/ocpp16/PROTOCOL.md`` and the public OCPP 1.6 text.

The hard part to simulate is its habits: it stays Faulted with error code NoError, begins transactions while it is
offline, sends a stop twice, ignores profiles, and waits with ChangeAvailability until its transaction is over. A user
would notice a nicer charger as an off that works in the test and not in the garage.

In simulated time: ``receive`` takes one message, ``take`` gives messages as lines.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from firmware_sim.ocpp16.connector import VOLTS, Connector, Habits, change_availability

LOOK_NS = 500_000_000
CALL_TIMEOUT_NS = 10_000_000_000
EPOCH = "2026-11-22T08:00:{:09.6f}Z"


class Charger:
    """``log`` are the calls of the central system: (action, payload, time). ``answers`` those to its own calls."""

    def __init__(self, connectors: int = 1, *, habits: Habits | None = None) -> None:
        self.habits = habits or Habits()
        self.connectors = {number: Connector() for number in range(1, connectors + 1)}
        self.log: deque[tuple[str, dict[str, Any], int]] = deque(maxlen=1024)
        self.answers: deque[tuple[str, dict[str, Any]]] = deque(maxlen=1024)
        self.errors = 0
        self.booted = False
        self._out: list[str] = []
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque(maxlen=256)
        self._open: dict[str, tuple[str, dict[str, Any]]] = {}
        self._open_ns = 0
        self._numbers = itertools.count(1)
        self._events: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = itertools.count()
        self._told: dict[int, str] = {}
        self._due = {"sample": 0, "heartbeat": 0}
        self._looked_ns = 0
        self.restart(0)

    # --- the caller's side

    def begin(self, now_ns: int) -> None:
        """Its time begins at ``now_ns`` and not at 0: nothing is made up for that was before."""
        self._events = [(max(due_ns, now_ns), order, act) for due_ns, order, act in self._events]
        self._looked_ns = now_ns

    def restart(self, now_ns: int) -> None:
        """Power is back, or the connection is: it boots. Contactors fall open, transactions end."""
        self._out.clear()
        self._open.clear()
        self._told.clear()
        self.booted = False
        boot = {"chargePointVendor": "Sim", "chargePointModel": "AC7", "firmwareVersion": "1"}
        if not any(action == "BootNotification" for action, _ in self._waiting):
            self._waiting.appendleft(("BootNotification", boot))
        if not self._events:
            self._at(now_ns, self._look)

    def receive(self, data: bytes, now_ns: int) -> None:
        self._advance(now_ns)
        if self.habits.silent:
            return
        message = json.loads(data)
        if message[0] == 2:
            self._asked(message[1], message[2], message[3], now_ns)
        elif message[1] in self._open:
            action, asked = self._open.pop(message[1])
            if message[0] == 3:
                self.answers.append((action, message[2]))
                self._answered(action, asked, message[2])
            else:
                self.errors += 1
        self._go_on(now_ns)

    def take(self, now_ns: int) -> bytes:
        self._advance(now_ns)
        self._go_on(now_ns)
        lines, self._out = self._out, []
        return "".join(line + "\n" for line in lines).encode()

    def deadline(self) -> int | None:
        return 0 if self._out else self._events[0][0] if self._events else None

    def say_raw(self, text: str) -> None:
        """A message as it stands, for what no schema allows."""
        self._out.append(text)

    def start_offline(self, number: int, tag: str, now_ns: int) -> None:
        """Somebody starts at the charger, with a tag that nobody asked us about."""
        self._begin(number, tag, now_ns)

    # --- what the central system asks

    def _asked(self, message_id: str, action: str, payload: dict[str, Any], now_ns: int) -> None:
        self.log.append((action, payload, now_ns))
        if action in self.habits.deaf_to:
            return
        if action in self.habits.refuses:
            self._answer(message_id, {"status": "Rejected"})
            return
        status, after = self._obey(action, payload, now_ns)
        self._answer(message_id, {"status": status})
        if after is not None:
            after()

    def _obey(self, action: str, payload: dict[str, Any], now_ns: int) -> tuple[str, Callable[[], None] | None]:
        connector = self.connectors.get(payload.get("connectorId", 0))
        match action:
            case "RemoteStartTransaction" if connector is not None:
                busy = connector.transaction or connector.fault or not connector.available
                if busy or not connector.car_w:
                    return "Rejected", None
                return "Accepted", partial(self._begin, payload["connectorId"], payload["idTag"], now_ns)
            case "RemoteStopTransaction":
                numbers = [key for key, each in self.connectors.items() if each.transaction == payload["transactionId"]]
                return ("Accepted", partial(self._end, numbers[0], "Remote")) if numbers else ("Rejected", None)
            case "SetChargingProfile" if connector is not None:
                periods = payload["csChargingProfiles"]["chargingSchedule"]["chargingSchedulePeriod"]
                connector.limit_a = float(periods[0]["limit"])
            case "ClearChargingProfile":
                for each in self.connectors.values():
                    each.limit_a = 32.0
            case "ChangeAvailability" if connector is not None:
                return change_availability(connector, payload["type"]), None
            case "ChangeConfiguration":
                if payload["key"] == "MeterValueSampleInterval":
                    self.habits.sample_s = int(payload["value"])
                    self._sample_in_time(now_ns)
            case "TriggerMessage":
                return "Accepted", partial(self._tell_all, payload["requestedMessage"], now_ns)
            case _:
                return "Rejected", None
        return "Accepted", None

    def _tell_all(self, what: str, now_ns: int) -> None:
        if what == "StatusNotification":
            self._told.clear()
        elif what == "MeterValues":
            for number in self.connectors:
                self._sample(number, now_ns)

    # --- what it does

    def _begin(self, number: int, tag: str, now_ns: int) -> None:
        connector = self.connectors[number]
        connector.closed, connector.tag, connector.start_wh = True, tag, connector.energy_wh
        connector.transaction = -1
        self._sample_in_time(now_ns)
        started = {"connectorId": number, "idTag": tag, "meterStart": int(connector.energy_wh)}
        self._call("StartTransaction", {**started, "timestamp": _time(now_ns)})

    def _end(self, number: int, reason: str) -> None:
        connector = self.connectors[number]
        transaction, connector.transaction = connector.transaction, 0
        connector.closed = False
        if connector.closing_down:
            connector.available, connector.closing_down = False, False
        told = {
            "transactionId": self.habits.stop_id or transaction,
            "meterStop": int(connector.energy_wh),
            "timestamp": _time(self._looked_ns),
            "reason": reason,
        }
        for _ in range(2 if self.habits.stops_twice else 1):
            self._call("StopTransaction", told)

    def _look(self, now_ns: int) -> None:
        self._at(now_ns + LOOK_NS, self._look)
        hours = (now_ns - self._looked_ns) / 3.6e12
        self._looked_ns = now_ns
        for number, connector in self.connectors.items():
            connector.energy_wh += connector.power_w * hours
            if connector.transaction and (not connector.car_w or connector.fault):
                self._end(number, "Other" if connector.fault else "EVDisconnected")
        if not self.booted or self.habits.silent:
            return
        for number in self.connectors:
            self._tell_status(number, now_ns)
        if now_ns >= self._due["sample"]:
            self._due["sample"] = now_ns + self.habits.sample_s * 10**9
            for number, connector in self.connectors.items():
                if connector.closed or connector.welded:
                    self._sample(number, now_ns)
        if now_ns >= self._due["heartbeat"]:
            self._due["heartbeat"] = now_ns + self.habits.heartbeat_s * 10**9
            self._call("Heartbeat", {})

    def _tell_status(self, number: int, now_ns: int) -> None:
        connector = self.connectors[number]
        if connector.fault or connector.sticky:
            status, error = "Faulted", "NoError" if connector.sticky else connector.fault
        elif not connector.available:
            status, error = "Unavailable", "NoError"
        elif connector.transaction:
            status, error = "Charging" if connector.power_w else "SuspendedEVSE", "NoError"
        else:
            status, error = "Preparing" if connector.car_w else "Available", "NoError"
        if self._told.get(number) != status + error:
            self._told[number] = status + error
            told = {"connectorId": number, "errorCode": error, "status": status, "timestamp": _time(now_ns)}
            self._call("StatusNotification", told)

    def _sample_in_time(self, now_ns: int) -> None:
        """The interval counts from the start of a transaction (OCPP 1.6, 9.1.16), and a new one counts at once."""
        self._due["sample"] = min(self._due["sample"], now_ns + self.habits.sample_s * 10**9)

    def _sample(self, number: int, now_ns: int) -> None:
        connector = self.connectors[number]
        watts = connector.power_w
        values = [("Power.Active.Import", f"{watts / 1000:.4f}", "kW"), ("Voltage", f"{VOLTS:.1f}", "V")]
        values += [("Current.Import", f"{watts / VOLTS:.3f}", "A")]
        values += [("Energy.Active.Import.Register", f"{connector.energy_wh:.1f}", "Wh")]
        sampled = [{"measurand": name, "value": value, "unit": unit} for name, value, unit in values]
        told: dict[str, Any] = {"connectorId": number}
        if connector.transaction > 0:
            told["transactionId"] = connector.transaction
        self._call("MeterValues", {**told, "meterValue": [{"timestamp": _time(now_ns), "sampledValue": sampled}]})

    def _answered(self, action: str, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        if action == "BootNotification":
            self.booted = answer["status"] == "Accepted"
            self.habits.heartbeat_s = answer["interval"]
        elif action == "StartTransaction":
            self.connectors[asked["connectorId"]].transaction = answer["transactionId"]

    # --- messages

    def _call(self, action: str, payload: dict[str, Any]) -> None:
        self._waiting.append((action, payload))

    def _go_on(self, now_ns: int) -> None:
        """One call at a time, as the protocol wants it; one that nobody answers is given up."""
        if self._open and now_ns - self._open_ns > CALL_TIMEOUT_NS:
            self._open.clear()
        if self._waiting and not self._open and not self.habits.silent:
            action, payload = self._waiting.popleft()
            message_id = f"c{next(self._numbers)}"
            self._open[message_id] = (action, payload)
            self._open_ns = now_ns
            self._out.append(json.dumps([2, message_id, action, payload]))

    def _answer(self, message_id: str, payload: dict[str, Any]) -> None:
        self._out.append(json.dumps([3, message_id, payload]))

    def _at(self, due_ns: int, act: Callable[[int], None]) -> None:
        heapq.heappush(self._events, (due_ns, next(self._order), act))

    def _advance(self, now_ns: int) -> None:
        while self._events and self._events[0][0] <= now_ns:
            due_ns, _, act = heapq.heappop(self._events)
            act(due_ns)


def _time(now_ns: int) -> str:
    return EPOCH.format(now_ns / 1e9 % 60)
