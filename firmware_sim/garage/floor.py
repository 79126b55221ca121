"""The simulated garage, running: time, devices on their wires and at the broker, people, the control socket."""

from __future__ import annotations

import asyncio
import contextlib
import time

from firmware_sim.canteenapi import say
from firmware_sim.control import serve
from firmware_sim.garage.charge import Fleet
from firmware_sim.garage.config import GarageConfig
from firmware_sim.garage.devices import build
from firmware_sim.garage.orders import Orders
from firmware_sim.garage.people import People
from firmware_sim.mqttnet import run_device

STEP_S = 0.1


class Floor:
    """All of it, wired together. ``live`` runs until cancelled."""

    def __init__(self, config: GarageConfig) -> None:
        self._config = config
        self.devices = build(config)
        self.people = People(config, self.devices.building, Fleet(config.seed))
        self._orders = Orders(config, self.devices, self.people)

    async def live(self) -> int:
        """Open wires and socket, let time pass, until cancelled."""
        config, tasks = self._config, []
        async with contextlib.AsyncExitStack() as stack:
            for name, wire in self.devices.wires.items():
                await wire.open()
                stack.callback(wire.close)
                say(f"{name}: 127.0.0.1:{wire.port}")
            server = await serve(config.control, self._orders.operations())
            stack.callback(config.control.unlink, missing_ok=True)
            stack.callback(server.close)
            broker = (config.mqtt_host, config.mqtt_port, config.mqtt_user, config.mqtt_password)
            work = [self._pass_time(), self.people.work()]
            work += [run_device(device, *broker) for device in self.devices.mqtt]
            if self.devices.unit is not None and config.unit_port:
                work.append(self.devices.unit.dial(config.mqtt_host, config.unit_port))
            tasks = [asyncio.create_task(each) for each in work]
            stack.push_async_callback(_end, tasks)
            say("ready")
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # nothing here ends by itself: a mistake comes out where a person sees it
        return 0

    async def _pass_time(self) -> None:
        last_ns = time.monotonic_ns()
        while True:
            await asyncio.sleep(STEP_S)
            now_ns = time.monotonic_ns()
            seconds, last_ns = (now_ns - last_ns) / 1e9, now_ns
            self.step(seconds)

    def step(self, seconds: float) -> None:
        """Move the building and all that looks at it."""
        for head in self.devices.building.step(seconds):
            self.devices.told(head)
        self.devices.step(seconds)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
