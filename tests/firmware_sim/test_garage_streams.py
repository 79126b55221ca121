"""Fire units, charging boards, card readers and chargers as programs, on their real wires, heard by the product's own
pump and drivers."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from functools import partial

import pytest

from drivers.links.opening import opener_of
from drivers.registry import make_driver
from edge.domain.field_devices import Operate
from edge.runtime.clock import RealClock
from edge.runtime.pump import Pump

PATIENCE_S = 60
KEY = "000102030405060708090a0b0c0d0eff"


def tell(control, **request):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(control))
        client.sendall(json.dumps(request).encode() + b"\n")
        with client.makefile("rb") as answers:
            answer = json.loads(answers.readline())
    assert answer["ok"], answer
    return answer


class Site:
    """A pump with its driver, and a simulated device as a process."""

    def __init__(self):
        self.readings, self.pump, self.control = [], None, None

    def post(self, reading, settled=None):
        self.readings.append(reading.body)
        if settled is not None:
            settled()
        return True

    def any(self, name, **wanted):
        return any(
            type(item).__name__ == name and all(getattr(item, key) == value for key, value in wanted.items())
            for item in self.readings
        )

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0.02)

    async def set(self, **request):
        return await asyncio.to_thread(partial(tell, self.control, op="set", **request))


@asynccontextmanager
async def site(protocol, url, options, words, folder):
    here = Site()
    here.control = folder / "control.sock"
    here.pump = Pump(
        "device", opener_of(url), make_driver(protocol, options), here.post, clock=RealClock(), rng=random.Random(1)
    )
    command = [sys.executable, "-m", f"firmware_sim.{protocol}", "--control", str(here.control), *words]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    task = asyncio.create_task(here.pump.run())
    try:
        await here.until(here.control.exists)
        yield here
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def run(scenario):
    asyncio.run(asyncio.wait_for(scenario, 110))


def test_a_fire_reaches_us_from_a_unit_that_dials(tmp_path, free_port):
    async def scenario():
        port = free_port()
        words = ["--dial", f"127.0.0.1:{port}", "--head", "smoke@3:1", "--head", "call_point@3:2"]
        async with site("gb26875", f"tcp-listen://127.0.0.1:{port}", {}, words, tmp_path) as here:
            await here.until(lambda: here.any("DeviceIdentity", serial="889"))
            await here.set(device="3:1", fire=True)
            await here.until(lambda: here.any("SignalReading", point="1:1:3:1", active=True))
            await here.set(device="3:2", fire=True)
            await here.until(lambda: here.any("SignalReading", point="1:1:3:2", kind="call_point", active=True))

    run(scenario())


def test_a_charging_board_that_dials_starts_and_stops(tmp_path, free_port):
    async def scenario():
        port = free_port()
        words = ["--dial", f"127.0.0.1:{port}", "--ports", "4"]
        async with site("dc589", f"tcp-listen://127.0.0.1:{port}", {"heartbeat_s": 1}, words, tmp_path) as here:
            await here.until(lambda: here.any("OutputReading", point="2", on=False))
            await here.set(device="port2", bike_w=120.0)
            here.pump.send(Operate(point="2", on=True, command_id="go"))
            await here.until(lambda: here.any("MeterReading", point="2", power_w=120.0))
            here.pump.send(Operate(point="2", on=False, command_id="halt"))
            await here.until(lambda: here.any("OutputReading", command_id="halt", accepted=True))
            await here.until(lambda: here.any("MeterReading", point="2", power_w=0.0))

    run(scenario())


def test_a_radio_module_that_dials(tmp_path, free_port):
    async def scenario():
        port = free_port()
        words = ["--dial", f"127.0.0.1:{port}", "--board", "04a228cd"]
        async with site("dny", f"tcp-listen://127.0.0.1:{port}", {}, words, tmp_path) as here:
            await here.until(lambda: here.any("OutputReading", point="04a228cd:2", on=False))
            await here.set(device="04a228cd:1", bike_w=99.0)
            here.pump.send(Operate(point="04a228cd:1", on=True, command_id="go"))
            await here.until(lambda: here.any("OutputReading", command_id="go", accepted=True))

    run(scenario())


def test_a_reader_on_a_serial_line_opens_its_door(tmp_path):
    async def scenario():
        link = tmp_path / "line"
        words = ["--link", str(link), "--key", KEY, "--baud", "115200", "--any-baud"]
        async with site("osdp", f"serial://{link}?baud=115200", {"scbk": KEY}, words, tmp_path) as here:
            await here.until(lambda: here.any("DeviceHealth", state="ready"))
            here.pump.send(Operate(point="0:0", on=True, command_id="open"))
            await here.until(lambda: here.any("OutputReading", point="0:0", on=True))
            answer = await asyncio.to_thread(partial(tell, here.control, op="state"))
            assert answer["devices"]["door0"]["relay"] is True

    run(scenario())


def test_a_charger_that_dials_is_controlled(tmp_path, free_port):
    async def scenario():
        port = free_port()
        words = ["--dial", f"ws://127.0.0.1:{port}/CP1"]
        async with site("ocpp16", f"ws-listen://127.0.0.1:{port}/CP1", {"sample_s": 1}, words, tmp_path) as here:
            await here.until(lambda: here.any("DeviceIdentity", model="Sim AC7"))
            await here.set(connector=1, car_w=3600.0)
            await here.until(lambda: here.any("OutputReading", point="1", plugged=True))
            here.pump.send(Operate(point="1", on=True, command_id="go"))
            await here.until(lambda: here.any("MeterReading", point="1", power_w=3600.0))
            here.pump.send(Operate(point="1", on=False, command_id="halt"))
            await here.until(lambda: here.any("SessionReading", phase="ended", end_reason="remote"))

    run(scenario())


def test_our_reports_reach_a_centre_that_listens(tmp_path, free_port):
    async def scenario():
        from edge.domain.field_devices import ReportFire

        port = free_port()
        words = ["--centre", "--listen", f"127.0.0.1:{port}"]
        async with site("gb26875", f"tcp://127.0.0.1:{port}", {"role": "unit"}, words, tmp_path) as here:
            await here.until(lambda: here.any("DeviceHealth", state="ready"))
            here.pump.send(ReportFire(point="1:1:1:1", state="fire", wall_ns=1_790_000_000 * 10**9))
            await here.until(lambda: here.any("OutputReading", point="1:1:1:1", accepted=True))

    run(scenario())


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("gb26875", ["--dial", "127.0.0.1:1", "--head", "smoke"]),
        ("dc589", ["--dial", "127.0.0.1:1", "--ports", "0"]),
        ("dny", ["--dial", "127.0.0.1:1", "--board", "xyz"]),
        ("osdp", ["--listen", "127.0.0.1:0", "--key", "12"]),
        ("ocpp16", []),
    ],
)
def test_wrong_options_end_with_2(program_ends, kind, options):
    status, told = program_ends(kind, *options)
    assert status == 2
    assert f"firmware_sim.{kind}: error: " in told
