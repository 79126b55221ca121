"""5,000 messages a second on one noisy topic, and smoke on a connection of its own: the flood is bounded, smoke passes.

Both links are those of one daemon; the noisy one's readings wait for a disk that takes nothing, so that every bound in
the way is reached: inbox, pump, link, broker.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

from drivers.links.mqtt_link import UNSETTLED_MAX
from drivers.links.opening import opener_of
from drivers.registry import make_driver
from edge.domain.field_devices import SignalKind, SignalReading
from edge.runtime.clock import RealClock
from edge.runtime.inbox import READINGS_MAX, Entry, EntryKind, Inbox
from edge.runtime.pump import SILENCE_NEVER_S, Pump

RATE = 5_000
SECONDS = 3
SMOKES = 40


class Daemon:
    """An inbox with a kernel that takes 1 ms for each noisy reading and none for smoke; of the noise nothing until the
    flood has reached the bounds, however slowly it comes."""

    def __init__(self):
        self.inbox, self.pumps, self.smokes, self.noise, self.deepest = Inbox(), [], [], 0, 0
        self.waiting = False

    def post(self, reading, settled=None):
        smoke = isinstance(reading.body, SignalReading) and reading.body.active
        entry = Entry(reading, EntryKind.READING, settled=settled)
        self.inbox.put_safety(entry) if smoke else self.inbox.put(entry)
        self.deepest = max(self.deepest, self.inbox.readings)
        self.waiting = self.waiting or self.inbox.full
        return not self.inbox.full

    async def decide(self):
        while True:
            entry = self.inbox.take(safety_only=not self.pumps[0].counters.paused)
            if entry is None:
                await asyncio.sleep(0.001)
                continue
            if isinstance(entry.item.body, SignalReading) and entry.item.body.active:
                self.smokes.append(entry.item)
            else:
                self.noise += 1
                await asyncio.sleep(0.001)
            entry.settle()
            if self.waiting and self.inbox.calm:
                self.waiting = False
                for pump in self.pumps:
                    pump.resume()


def pump_of(daemon, name, url):
    driver = make_driver("zigbee2mqtt", {"base_topic": name})
    pump = Pump(
        name,
        opener_of(url, driver.topics),
        driver,
        daemon.post,
        clock=RealClock(),
        rng=random.Random(1),
        silence_s=SILENCE_NEVER_S,
    )
    daemon.pumps.append(pump)
    return pump


async def publish_noise(broker):
    """QoS 0, from a process of its own: the flood must not share our loop."""
    code = (
        "import sys, time, paho.mqtt.client as paho\n"
        "c = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id='noise')\n"
        f"c.username_pw_set('other', {broker.passwords['other']!r})\n"
        f"c.connect('127.0.0.1', {broker.port}); c.loop_start(); begun = time.monotonic()\n"
        f"for n in range({RATE * SECONDS}):\n"
        "    c.publish('noisy/head', '{\"smoke\":false,\"n\":%d}' % n, 0)\n"
        f"    late = begun + n / {RATE} - time.monotonic()\n"
        "    if late > 0.002: time.sleep(late)\n"
        "info = c.publish('noisy/end', '{}', 1); info.wait_for_publish(60)\n"
        f"print({RATE * SECONDS} / (time.monotonic() - begun))\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return float(out)


def test_a_noisy_topic_is_bounded_and_smoke_passes(mosquitto, run):
    async def flood():
        daemon = Daemon()
        old = mosquitto.url(client="noisy", topics="noisy/%23"), mosquitto.url(client="safety", topics="safety/%23")
        pumps = [pump_of(daemon, "noisy", old[0]), pump_of(daemon, "safety", old[1])]
        tasks = [asyncio.create_task(each) for each in (*(pump.run() for pump in pumps), daemon.decide())]
        while not all(pump.is_open for pump in pumps):
            await asyncio.sleep(0.01)
        noise = asyncio.create_task(publish_noise(mosquitto))
        async with mosquitto.peer() as peer:
            await asyncio.sleep(0.5)
            for number in range(SMOKES):
                await peer.publish(f"safety/head{number}", json.dumps({"smoke": True}), qos=1)
                await asyncio.sleep(SECONDS * 0.7 / SMOKES)
        rate = await noise
        async with asyncio.timeout(60):
            while len(daemon.smokes) < SMOKES or daemon.noise <= 100:
                await asyncio.sleep(0.01)
        print(f"published {rate:.0f}/s, noisy readings decided {daemon.noise}, deepest inbox {daemon.deepest}")
        link = pumps[0]._life.link
        waiting = len(link._arrived) if link is not None else 0
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return daemon, pumps, waiting

    daemon, pumps, waiting = run(flood())
    assert {reading.body.point for reading in daemon.smokes} == {f"head{number}" for number in range(SMOKES)}
    assert all(reading.body.kind is SignalKind.SMOKE for reading in daemon.smokes)
    assert daemon.deepest <= READINGS_MAX
    assert waiting <= UNSETTLED_MAX + 16
    assert pumps[0].counters.paused > 0, "the flood reached the bounds"
    assert pumps[1].counters.opened == 1, "the safety link stayed open"
    assert daemon.noise > 100, "the noisy link was slowed, not cut off"
