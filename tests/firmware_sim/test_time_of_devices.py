"""Devices that do things by themselves: from when on, and how often."""

from __future__ import annotations

import json

import pytest

from firmware_sim.dc589 import Board
from firmware_sim.dny import Module
from firmware_sim.gb26875 import Panel, TransmissionUnit
from firmware_sim.ocpp16 import Charger

S = 10**9
WEEKS = 30 * 86_400 * S


@pytest.mark.parametrize("make", [Board, Module, lambda: TransmissionUnit(Panel())])
def test_a_device_on_a_machine_that_has_run_for_weeks_makes_nothing_up(make):
    fresh, late = make(), make()
    late.begin(WEEKS)
    for seconds in range(20):
        said = fresh.take(seconds * S), late.take(WEEKS + seconds * S)
        assert len(said[0]) == len(said[1]), f"after {seconds} s"
    assert late.deadline() <= WEEKS + 20 * S


class Central:
    """Answers a charger's calls and makes its own."""

    def __init__(self, charger, now_ns):
        self.charger, self.now_ns, self.heard, self.silent = charger, now_ns, [], False

    def run(self, seconds):
        until_ns = self.now_ns + round(seconds * S)
        while self.now_ns < until_ns:
            self.now_ns += S // 10
            for line in self.charger.take(self.now_ns).splitlines():
                message = json.loads(line)
                if message[0] == 2:
                    self.heard.append((message[2], message[3]))
                    answers = {"BootNotification": {"status": "Accepted", "interval": 300, "currentTime": ""}}
                    answer = answers.get(message[2], {"transactionId": 7, "idTagInfo": {"status": "Accepted"}})
                    self.charger.receive(json.dumps([3, message[1], answer]).encode(), self.now_ns)

    def ask(self, action, **payload):
        self.charger.receive(json.dumps([2, f"k{self.now_ns}{action}", action, payload]).encode(), self.now_ns)

    def count(self, action):
        return sum(name == action for name, _ in self.heard)


@pytest.fixture
def central():
    charger = Charger()
    charger.begin(WEEKS)
    charger.restart(WEEKS)
    return Central(charger, WEEKS)


def test_a_charger_boots_once_and_first(central):
    central.run(1)
    assert [name for name, _ in central.heard[:2]] == ["BootNotification", "StatusNotification"]
    central.charger.restart(central.now_ns)
    central.charger.restart(central.now_ns)
    central.run(1)
    assert central.count("BootNotification") == 2


def test_a_charger_measures_as_often_as_it_is_told_also_when_it_is_told_late(central):
    """Its own interval of a minute has begun when ours comes: the first sample still comes after ours."""
    central.run(5)
    central.ask("ChangeConfiguration", key="MeterValueSampleInterval", value="1")
    central.charger.connectors[1].car_w = 3600.0
    central.run(2)
    assert central.count("MeterValues") == 0
    central.ask("RemoteStartTransaction", connectorId=1, idTag="t")
    central.run(3)
    assert central.count("MeterValues") >= 2


def test_the_interval_counts_from_the_start_of_a_charge(central):
    central.ask("ChangeConfiguration", key="MeterValueSampleInterval", value="10")
    central.charger.connectors[1].car_w = 3600.0
    central.run(14)
    central.ask("RemoteStartTransaction", connectorId=1, idTag="t")
    central.run(11)
    assert central.count("MeterValues") in {1, 2}
