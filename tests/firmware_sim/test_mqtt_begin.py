"""A device's life begins when it is put on a network, however long the machine has been running."""

from __future__ import annotations

from firmware_sim.outlet import Outlet
from firmware_sim.shelly import ShellyPlug
from firmware_sim.zigbee2mqtt import Bridge, Detector

S = 1_000_000_000
UPTIME_NS = 90 * 86_400 * S


def test_no_second_before_its_beginning_is_lived_through():
    bridge = Bridge([Detector("head", report_s=10.0)], seed=1)
    bridge.begin(UPTIME_NS)
    assert bridge.deadline() >= UPTIME_NS
    bridge.connected(UPTIME_NS)
    for second in range(1, 31):
        bridge.tick(UPTIME_NS + second * S)
    states = [out for out in bridge.take(UPTIME_NS + 60 * S) if out.topic == "zigbee2mqtt/head"]
    assert 2 <= len(states) <= 4


def test_the_timers_of_a_plug_keep_their_order_and_distance():
    plug = ShellyPlug("plug", [Outlet()], seed=1)
    first = plug.deadline()
    plug.begin(UPTIME_NS)
    assert plug.deadline() == first + UPTIME_NS
