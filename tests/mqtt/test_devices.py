"""Drivers against simulated devices through real brokers: set-up, commands, proof, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.links.opening import opener_of
from drivers.registry import make_driver
from edge.domain.field_devices import Operate, SignalKind
from edge.runtime.clock import RealClock
from edge.runtime.pump import SILENCE_NEVER_S, Pump
from firmware_sim.mqttnet import run_device
from firmware_sim.outlet import Outlet
from firmware_sim.shelly import ShellyPlug
from firmware_sim.tasmota import TasmotaPlug
from firmware_sim.zigbee2mqtt import Bridge, Detector, Plug

ROOT = Path(__file__).parents[2]
SWITCHED = ("shelly", "tasmota", "zigbee2mqtt")


class Site:
    """A pump with its driver on a broker, and simulated devices beside it."""

    def __init__(self, broker, protocol, **options):
        self.broker, self.readings = broker, []
        driver = make_driver(protocol, options)
        topics = ",".join(topic.replace("#", "%23") for topic in driver.topics)
        opener = opener_of(broker.url(client=f"edge-{protocol}", topics=topics))
        self.pump = Pump(
            "link",
            opener,
            driver,
            self._post,
            clock=RealClock(),
            rng=random.Random(1),
            silence_s=SILENCE_NEVER_S,
        )
        self.tasks = []

    def _post(self, reading, settled=None):
        self.readings.append(reading.body)
        if settled is not None:
            settled()
        return True

    def run(self, *devices):
        password = self.broker.passwords["other"]
        for device in devices:
            self.tasks.append(asyncio.create_task(run_device(device, "127.0.0.1", self.broker.port, "other", password)))

    async def __aenter__(self):
        self.tasks.append(asyncio.create_task(self.pump.run()))
        await self.until(lambda _: self.pump.is_open)
        return self

    async def __aexit__(self, *_):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def operate(self, point, *, on, hold_s=0):
        by_ns = RealClock().mono_ns() + 60_000_000_000
        self.pump.send(Operate(point=point, on=on, command_id="c1", expires_mono_ns=by_ns, hold_s=hold_s))

    def of(self, name, **wanted):
        return [
            each
            for each in self.readings
            if type(each).__name__ == name and all(getattr(each, key) == value for key, value in wanted.items())
        ]

    async def until(self, condition, seconds=60):
        async with asyncio.timeout(seconds):
            while not condition(self):
                await asyncio.sleep(0.01)


def plug_of(protocol, outlet):
    """A device with that outlet, and the point that it is for the driver."""
    match protocol:
        case "shelly":
            return ShellyPlug("plug", [outlet], seed=5), "plug:0"
        case "tasmota":
            return TasmotaPlug("plug", [outlet], seed=5), "plug"
        case _:
            return Bridge([Plug("plug", outlet=outlet)], seed=5), "plug"


@pytest.mark.parametrize("protocol", SWITCHED)
def test_on_with_a_dead_man_off_and_the_meter_proves_it(broker, run, protocol):
    async def switch():
        outlet = Outlet(load_w=120, seed=5)
        device, point = plug_of(protocol, outlet)
        async with Site(broker, protocol) as site:
            site.run(device)
            await site.until(lambda s: s.of("PointHealth", point=point, online=True))
            site.operate(point, on=True, hold_s=60)
            await site.until(lambda s: s.of("OutputReading", point=point, on=True))
            await site.until(lambda s: any((each.power_w or 0) > 100 for each in s.of("MeterReading", point=point)))
            site.readings.clear()
            site.operate(point, on=False)
            await site.until(lambda s: s.of("OutputReading", point=point, on=False))
            await site.until(lambda s: any(each.power_w == 0 for each in s.of("MeterReading", point=point)))
            assert not outlet.conducts

    run(switch())


@pytest.mark.parametrize("protocol", ["shelly", "tasmota"])
def test_a_dead_man_lets_go_when_nobody_tells_it_again(mosquitto, run, protocol):
    def off_again(site):
        told = [each.on for each in site.of("OutputReading", point=point)]
        return True in told and False in told[told.index(True) :]

    outlet = Outlet(load_w=120, seed=5)
    device, point = plug_of(protocol, outlet)

    async def forget():
        async with Site(mosquitto, protocol) as site:
            site.run(device)
            await site.until(lambda s: s.of("PointHealth", online=True))
            site.operate(point, on=True, hold_s=2)
            await site.until(off_again)
            assert not outlet.conducts
            assert outlet.switched == 2

    run(forget())


def test_smoke_alone_twice_late_and_in_the_dark(broker, run):
    async def burn():
        head = Detector("B1/head", report_s=600)
        bridge = Bridge([head], seed=6)
        async with Site(broker, "zigbee2mqtt") as site:
            site.run(bridge)
            await site.until(lambda s: s.of("PointHealth", point="B1/head", online=True))
            bridge.way.duplicate_p = 1.0
            bridge.way.delay_ms = (50, 200)
            head.alarm = True
            bridge.tell("B1/head")
            await site.until(lambda s: len(s.of("SignalReading", kind=SignalKind.SMOKE, active=True)) >= 2)
            assert not site.of("SignalReading", retained=True)
            site.readings.clear()
            bridge.way.dark = True
            await site.until(lambda s: s.of("DeviceHealth", problem="bridge_offline"))
            bridge.way.dark = False
            await site.until(lambda s: s.of("DeviceHealth", problem="", state="ready"))

    run(burn())


def test_a_state_from_before_is_marked(broker, run):
    async def stale():
        bridge = Bridge([Detector("head", report_s=600)], seed=6)
        first = Site(broker, "zigbee2mqtt", base_topic="elsewhere")
        async with first as early:
            early.run(bridge)
            await early.until(lambda _: bridge.is_connected)
            async with broker.peer() as peer:
                await peer.subscribe("zigbee2mqtt/head")
                bridge.replay_stale("head", smoke=True)
                async with asyncio.timeout(60):
                    async for message in peer.messages:
                        if json.loads(message.payload).get("smoke") is True:
                            break
        async with Site(broker, "zigbee2mqtt") as site:
            await site.until(lambda s: s.of("SignalReading", active=True))
            # The embedded broker may hand a stored message out twice; each copy says what it is.
            assert {each.retained for each in site.of("SignalReading", active=True)} == {True}

    run(stale())


def test_a_tasmota_that_closes_again_is_cut_each_time(mosquitto, run, monkeypatch):
    from firmware_sim.tasmota import plug as tasmota

    monkeypatch.setattr(tasmota, "MAX_POWER_HOLD_S", 0.5)
    monkeypatch.setattr(tasmota, "MAX_POWER_WINDOW_S", 1.0)

    async def overload():
        outlet = Outlet(load_w=900, seed=7)
        device, point = plug_of("tasmota", outlet)
        device.max_power_w = 600
        async with Site(mosquitto, "tasmota") as site:
            site.run(device)
            await site.until(lambda s: s.of("PointHealth", online=True))
            site.operate(point, on=True)
            await site.until(lambda s: s.of("OutputReading", fault="overpower"))
            await site.until(lambda s: s.of("OutputReading", fault="reclose_pending"))
            await site.until(lambda _: device.reclosed and not outlet.conducts)
            assert device.retries == 1, "it was told to try once only"

    run(overload())


@pytest.mark.parametrize("initial", ["on", "restore_last"])
def test_a_shelly_from_the_factory_is_set_right_before_the_next_power_cut(mosquitto, run, initial):
    async def cut():
        outlet = Outlet(load_w=120, seed=8)
        device, point = plug_of("shelly", outlet)
        device.switches[0].settings.initial_state = initial
        async with Site(mosquitto, "shelly") as site:
            site.run(device)
            await site.until(lambda _: device.switches[0].settings.initial_state == "off")
            site.operate(point, on=True)
            await site.until(lambda s: s.of("OutputReading", accepted=True))
            assert outlet.conducts
            site.readings.clear()
            device.reboot()
            await site.until(lambda s: s.of("PointHealth", rebooted=True))
            await site.until(lambda s: s.of("OutputReading", on=False))
            assert not outlet.conducts
            assert not site.of("OutputReading", fault="output_fault")

    run(cut())


def test_a_welded_contact_shows_in_one_message(mosquitto, run):
    async def weld():
        outlet = Outlet(load_w=120, seed=9)
        device, point = plug_of("shelly", outlet)
        async with Site(mosquitto, "shelly") as site:
            site.run(device)
            await site.until(lambda s: s.of("PointHealth", online=True))
            site.operate(point, on=True)
            await site.until(lambda s: s.of("OutputReading", point=point, on=True))
            outlet.welded = True
            site.operate(point, on=False)
            await site.until(lambda s: s.of("OutputReading", point=point, fault="welded"))

    run(weld())


CONFIGS = {
    "shelly": {"device": "garage/p1", "outlets": [{"load_w": 120}], "initial_state": "on"},
    "tasmota": {"topic": "p1", "outlets": [{"load_w": 120}, {"load_w": 5}]},
    "zigbee2mqtt": {"name": "B1/smoke", "kind": "smoke", "report_s": 1.0},
}


@contextlib.contextmanager
def program(protocol, config):
    command = [sys.executable, "-m", f"firmware_sim.{protocol}", "--config", str(config)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ})
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.parametrize("protocol", CONFIGS)
def test_the_programs(mosquitto, run, tmp_path, protocol):
    config = tmp_path / "config.json"
    settings = {
        "port": mosquitto.port,
        "user": "other",
        "password_file": str(mosquitto.directory / "other.password"),
        "control": str(tmp_path / "control"),
        "devices": [CONFIGS[protocol]],
    }
    config.write_text(json.dumps(settings))

    async def ask(request):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "control")
        writer.write(json.dumps(request).encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        await writer.wait_closed()
        return answer

    async def watch(process):
        options = {"prefix": "garage"} if protocol == "shelly" else {}
        async with Site(mosquitto, protocol, **options) as site:
            await site.until(lambda s: s.of("PointHealth", online=True))
            state = await ask({"op": "state"})
            assert state["ok"]
            assert all(each["connected"] for each in state["devices"].values())
            name = next(iter(state["devices"]))
            assert (await ask({"op": "way", "device": name, "fault": "dark"}))["ok"]
            wanted = {"problem": "bridge_offline"} if protocol == "zigbee2mqtt" else {"online": False}
            kind = "DeviceHealth" if protocol == "zigbee2mqtt" else "PointHealth"
            await site.until(lambda s: s.of(kind, **wanted))
            assert "must be one of" in (await ask({"op": "way", "device": name, "fault": "tired"}))["error"]

    with program(protocol, config) as process:
        assert process.stderr.readline().startswith("ready: 1 on 127.0.0.1:")
        run(watch(process))


@pytest.mark.parametrize("protocol", CONFIGS)
def test_a_wrong_file_is_told_whole(tmp_path, protocol, monkeypatch, capsys):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"port": "x", "devices": [{"nosuch": 1}]}))
    monkeypatch.setattr(sys, "argv", [f"firmware_sim.{protocol}", "--config", str(config)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(f"firmware_sim.{protocol}", run_name="__main__")
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "port: must be int" in told
    assert "devices[0].nosuch: unknown" in told
