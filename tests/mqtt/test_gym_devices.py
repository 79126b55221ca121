"""The gym's MQTT drivers on real brokers: gateways, strength machines and posts as real clients, stopping included."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from drivers.ftms import stopping
from drivers.links.opening import opener_of
from drivers.registry import make_driver
from edge.domain.machine_readings import StopMachine
from edge.runtime.clock import RealClock
from edge.runtime.pump import SILENCE_NEVER_S, Pump
from firmware_sim.ble_gateway import BleGateway
from firmware_sim.exercise import Exercise
from firmware_sim.ftms import FtmsMachine
from firmware_sim.health import Cuff
from firmware_sim.heart_rate import Strap
from firmware_sim.mqttnet import run_device
from firmware_sim.strength import StrengthMachine
from firmware_sim.trail_gates import TrailPost

PATIENCE_S = 60


@contextlib.asynccontextmanager
async def site(broker, protocol, *devices, **options):
    """Readings of a pump with its driver on ``broker``, and ``send``."""
    readings = []

    def post(reading, settled=None):
        readings.append(reading.body)
        if settled is not None:
            settled()
        return True

    driver = make_driver(protocol, options)
    topics = ",".join(topic.replace("#", "%23").replace("+", "%2B") for topic in driver.topics)
    opener = opener_of(broker.url(client=f"edge-{protocol}", topics=topics))
    pump = Pump("link", opener, driver, post, clock=RealClock(), rng=random.Random(1), silence_s=SILENCE_NEVER_S)
    tasks = [asyncio.create_task(pump.run())]
    try:
        await until(lambda: pump.is_open)
        password = broker.passwords["other"]
        login = ("127.0.0.1", broker.port, "other", password)
        tasks += [asyncio.create_task(run_device(device, *login)) for device in devices]
        yield readings, pump.send
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.02)


def of(readings, name, **wanted):
    return [
        item
        for item in readings
        if type(item).__name__ == name and all(getattr(item, key) == value for key, value in wanted.items())
    ]


@pytest.mark.parametrize("protocol", ["ftms", "ble_gateway"])
def test_a_treadmill_is_read_and_stopped(broker, run, protocol, monkeypatch):
    monkeypatch.setattr(stopping, "ANSWER_NS", PATIENCE_S * 1_000_000_000)

    async def walk():
        machine = FtmsMachine(Exercise("treadmill", state="in_use"))
        gateway = BleGateway({"hall/t1": machine})
        async with site(broker, protocol, gateway, allow_stop=True) as (readings, send):
            await until(lambda: any(item.speed_km_h == 6.0 for item in of(readings, "MachineReading", point="hall/t1")))
            send(StopMachine(point="hall/t1", command_id="s1"))
            await until(lambda: of(readings, "StopOutcome"))
            assert of(readings, "StopOutcome")[0].accepted is True
            assert machine.writes == [b"\x00", b"\x08\x01"]
            await until(lambda: of(readings, "MachineReading", state="finished"))

    run(walk())


def test_a_heart_and_a_cuff(broker, run):
    async def beat():
        cuff, strap = Cuff(), Strap()
        cuff.measure(120, 80, 66)
        gateway = BleGateway({"hut/cuff": cuff, "hall/strap1": strap})
        async with site(broker, "ble_gateway", gateway) as (readings, _):
            await until(lambda: of(readings, "HeartRateReading", heart_rate_bpm=72))
            await until(lambda: of(readings, "BloodPressureReading", systolic_mmhg=120))

    run(beat())


def test_a_set_of_repetitions_and_a_passage(mosquitto, run):
    async def train():
        machine = StrengthMachine("strength/knee1", sets=1, reps=3)
        machine.rep_s = 0.1
        async with site(mosquitto, "strength", machine) as (readings, _):
            await until(lambda: machine.is_connected)
            machine.begin_session()
            await until(lambda: of(readings, "StrengthSetReading", finished=True))
            assert [item.rep for item in of(readings, "RepReading")] == [1, 2, 3]
        post = TrailPost("trail/gate1")
        async with site(mosquitto, "trail_gates", post, settle_ms=100) as (readings, _):
            await until(lambda: post.is_connected)
            post.walk_by("9f3c0a77", in_s=0.1)
            await until(lambda: of(readings, "GateReading", tag="9f3c0a77"))

    run(train())
