"""Direct Bluetooth links on a stand-in for bleak: what comes, what goes, what hangs, and life without the package."""

import asyncio
import json
import random
import sys
import types

import pytest

from drivers.ftms import stopping
from drivers.links import ble
from drivers.links.link import LinkError, LinkUrlError
from drivers.links.opening import opener_of
from drivers.links.url import occupied_by, parse_link_url
from drivers.registry import make_driver
from edge.domain.machine_readings import StopMachine
from edge.runtime.clock import RealClock
from edge.runtime.pump import SILENCE_NEVER_S, Pump
from firmware_sim.exercise import Exercise
from firmware_sim.ftms import FtmsMachine

URL = "ble://AABBCCDDEEFF/hall/t1?chars=2acd,2ada,2ad9"


class FakeServices:
    def __init__(self, chars):
        self._chars = chars

    def get_characteristic(self, uuid):
        return object() if uuid[4:8] in self._chars else None


class FakeClient:
    """As bleak's: one machine, whose notifications come when ``beat`` is called."""

    chars = ("2acd", "2ada", "2ad9")
    made = ()
    hangs = False

    def __init__(self, address, disconnected_callback):
        self.address, self.lost = address, disconnected_callback
        self.machine = FtmsMachine(Exercise("treadmill", state="in_use"))
        self.subscribed, self.connected, self.now = {}, False, 0
        self.services = FakeServices(self.chars)
        type(self).made = (*type(self).made, self)

    async def connect(self):
        if self.hangs:
            await asyncio.sleep(3600)
        self.connected = True

    async def disconnect(self):
        self.connected = False

    async def start_notify(self, uuid, callback):
        self.subscribed[uuid[4:8]] = callback

    async def write_gatt_char(self, uuid, data, response):
        assert response is True
        self.tell(self.machine.written(uuid[4:8], data, self.now))

    def tell(self, values):
        for value in values:
            self.subscribed[value.char](None, bytearray(value.data))

    def beat(self):
        self.now += 1_000_000_000
        self.tell(self.machine.values(self.now))


class Ear:
    def __init__(self):
        self.lines, self.reason = [], ""

    def data_received(self, data):
        self.lines.append(json.loads(data))

    def link_lost(self, reason):
        self.reason = reason


@pytest.fixture
def client(monkeypatch):
    """A fresh class of clients behind ``import bleak``."""
    kind = type("Client", (FakeClient,), {"made": ()})
    module = types.ModuleType("bleak")
    module.BleakClient = kind
    monkeypatch.setitem(sys.modules, "bleak", module)
    return kind


async def settle(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def test_notifications_become_messages_of_the_raw_contract(client):
    async def listen():
        ear = Ear()
        link = await opener_of(URL).open(ear)
        (device,) = client.made
        assert device.address == "AA:BB:CC:DD:EE:FF"
        device.beat()
        await settle(lambda: len(ear.lines) == 2)
        assert [line["topic"] for line in ear.lines] == ["ble/hall/t1/raw"] * 2
        payload = json.loads(ear.lines[1]["payload"])
        assert (payload["transport"], payload["char"], payload["seq"]) == ("ble", "2acd", 2)
        link.pause_reading()
        device.beat()
        await asyncio.sleep(0.02)
        assert len(ear.lines) == 2
        link.resume_reading()
        assert len(ear.lines) == 3
        link.close()
        await settle(lambda: not device.connected)
        device.beat()
        await asyncio.sleep(0.02)
        assert len(ear.lines) == 3

    asyncio.run(listen())


def test_a_machine_is_read_and_stopped_by_its_driver_over_such_a_link(client, monkeypatch):
    monkeypatch.setattr(stopping, "ANSWER_NS", 60_000_000_000)

    async def train():
        readings = []

        def post(reading, settled=None):
            readings.append(reading.body)
            return True

        driver = make_driver("ftms", {"allow_stop": True})
        pump = Pump(
            "t1", opener_of(URL), driver, post, clock=RealClock(), rng=random.Random(1), silence_s=SILENCE_NEVER_S
        )
        task = asyncio.create_task(pump.run())
        await settle(lambda: pump.is_open)
        (device,) = client.made
        device.beat()
        await settle(lambda: any(getattr(item, "speed_km_h", None) == 6.0 for item in readings))
        pump.send(StopMachine(point="hall/t1", command_id="s1"))
        await settle(lambda: any(type(item).__name__ == "StopOutcome" for item in readings))
        assert [item.accepted for item in readings if type(item).__name__ == "StopOutcome"] == [True]
        assert device.machine.writes == [b"\x00", b"\x08\x01"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(train())


def test_a_device_that_hangs_up_or_takes_nothing_is_lost(client, monkeypatch):
    async def lose():
        ear = Ear()
        await opener_of(URL).open(ear)
        client.made[0].lost(None)
        await settle(lambda: ear.reason)
        assert "hung up" in ear.reason

        async def never(*_, **__):
            await asyncio.sleep(3600)

        monkeypatch.setattr(client, "write_gatt_char", never)
        busy = Ear()
        link = await opener_of(URL).open(busy)
        write = {"topic": "ble/hall/t1/write", "payload": '{"char": "2ad9", "hex": "00"}', "retain": False}
        for _ in range(ble.WRITES_MAX + 1):
            link.write(json.dumps(write).encode())
        assert "writes wait" in busy.reason

    asyncio.run(lose())


def test_what_cannot_be_written_is_dropped_and_counted(client):
    async def drop():
        link = await opener_of(URL).open(Ear())
        for payload in ("{", "{}", '{"char": "2ad9", "hex": "zz"}'):
            link.write(json.dumps({"topic": "ble/hall/t1/write", "payload": payload, "retain": False}).encode())
        link.write(b"\x00")
        link.write(json.dumps({"topic": "x", "payload": '{"char": "2ad9", "hex": "00"}', "retain": False}).encode())
        assert link.dropped == 5
        link.close()

    asyncio.run(drop())


def test_errors_name_the_remedy(client, monkeypatch):
    client.chars = ()
    with pytest.raises(LinkError, match="none of 2acd"):
        asyncio.run(opener_of(URL).open(Ear()))
    client.hangs = True
    monkeypatch.setattr(ble, "CONNECT_S", 0.05)
    with pytest.raises(LinkError, match="in range"):
        asyncio.run(opener_of(URL).open(Ear()))
    monkeypatch.setitem(sys.modules, "bleak", None)
    with pytest.raises(LinkError, match="pip install bleak"):
        asyncio.run(opener_of(URL).open(Ear()))


@pytest.mark.parametrize(
    "url",
    [
        *("ble://AABB/hall/t1?chars=2acd", "ble://AABBCCDDEEFF/t1?chars=2acd", "ble://AABBCCDDEEFF/hall/t1"),
        *("ble://AABBCCDDEEFF/hall/t1?chars=", "ble://AABBCCDDEEFF/hall/t1?chars=2acd,2acd"),
        *("ble://AABBCCDDEEFF/hall/t1?chars=2acd&x=1", "ble://AABBCCDDEEFF/hall/+?chars=2acd"),
    ],
)
def test_wrong_urls_name_the_form(url):
    with pytest.raises(LinkUrlError, match="ble://AABBCCDDEEFF/ZONE/ASSET"):
        parse_link_url(url)


def test_one_link_for_a_device():
    other = "ble://aabbccddeeff/hall/t2?chars=2a37"
    assert occupied_by(parse_link_url(URL)) == occupied_by(parse_link_url(other)) == "ble://AA:BB:CC:DD:EE:FF"
