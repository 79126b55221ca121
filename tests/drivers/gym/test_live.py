"""The serial drivers of the gym on real links: pump, pseudo-terminal or TCP, and the simulators as programs."""

import asyncio
import contextlib
import random
import subprocess
import sys

import pytest

from drivers.links.opening import opener_of
from drivers.registry import make_driver
from edge.domain.machine_readings import StopMachine
from edge.runtime.clock import RealClock
from edge.runtime.pump import Pump

PATIENCE_S = 60
KEY = "0102030405060708"
CASES = {
    "csafe": (
        ["--kind", "bike", "--running"],
        {"kind": "bike", "allow_stop": True, "timeout_ms": 5000},
        "speed_km_h",
        9600,
    ),
    "ant_fec": (["--key", KEY, "--machine", "7=bike"], {"machines": "7", "network_key": KEY}, "power_w", 57_600),
}


@contextlib.contextmanager
def simulator(protocol, words):
    command = [sys.executable, "-m", f"firmware_sim.{protocol}", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr.readline().startswith("ready")
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        process.stderr.close()


async def listen(url, protocol, options, wanted, act=None):
    """Run a pump until ``wanted(readings)``; ``act(pump)`` once it holds, then until the readings say so."""
    readings = []

    def post(reading, settled=None):
        readings.append(reading.body)
        if settled is not None:
            settled()
        return True

    driver = make_driver(protocol, options)
    pump = Pump("m1", opener_of(url), driver, post, clock=RealClock(), rng=random.Random(1))
    task = asyncio.create_task(pump.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not wanted(readings):
                await asyncio.sleep(0.02)
            if act is not None:
                act(pump)
                while not any(type(item).__name__ == "StopOutcome" for item in readings):
                    await asyncio.sleep(0.02)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return readings


@pytest.mark.parametrize("link", ["pty", "tcp"])
@pytest.mark.parametrize("protocol", CASES)
def test_a_machine_is_read_through_pump_and_link(protocol, link, tmp_path, free_port):
    words, options, quantity, baud = CASES[protocol]
    port = free_port()
    where = ["--link", str(tmp_path / "port")] if link == "pty" else ["--listen", f"127.0.0.1:{port}"]
    url = f"serial://{tmp_path}/port?baud={baud}" if link == "pty" else f"tcp://127.0.0.1:{port}"

    def moving(readings):
        told = [getattr(item, quantity) for item in readings if type(item).__name__ == "MachineReading"]
        return len([value for value in told if value]) >= 3

    with simulator(protocol, [*where, *words]):
        readings = asyncio.run(listen(url, protocol, options, moving))
    names = {type(item).__name__ for item in readings}
    assert {"DeviceIdentity", "DeviceHealth", "PointHealth", "MachineReading"} <= names


def test_a_machine_is_stopped_through_pump_and_link(tmp_path):
    words, options, _, _ = CASES["csafe"]
    url = f"serial://{tmp_path}/port?baud=9600"

    def in_use(readings):
        return any(getattr(item, "state", None) == "in_use" for item in readings)

    with simulator("csafe", ["--link", str(tmp_path / "port"), *words]):
        stop = StopMachine(point="machine", command_id="s1")
        readings = asyncio.run(listen(url, "csafe", options, in_use, lambda pump: pump.send(stop)))
    (outcome,) = [item for item in readings if type(item).__name__ == "StopOutcome"]
    assert outcome.accepted is True
