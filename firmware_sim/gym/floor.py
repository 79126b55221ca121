"""The simulated gym, running: time, devices on their wires and at the broker, visitors, the control socket."""

from __future__ import annotations

import asyncio
import contextlib
import time

from firmware_sim.canteenapi import say
from firmware_sim.control import serve
from firmware_sim.gym.clerk import write_down
from firmware_sim.gym.config import GymConfig
from firmware_sim.gym.hall import build
from firmware_sim.gym.orders import Orders
from firmware_sim.gym.visitors import Visitors
from firmware_sim.mqttnet import run_device

STEP_S = 0.1


class Floor:
    """All of it, wired together. ``live`` runs until cancelled."""

    def __init__(self, config: GymConfig) -> None:
        self._config = config
        self.hall = build(config)
        self.visitors = Visitors(config, self.hall)
        self._orders = Orders(config, self.hall, self.visitors)

    async def live(self) -> int:
        """Open wires and socket, let time pass, until cancelled."""
        config, hall = self._config, self.hall
        async with contextlib.AsyncExitStack() as stack:
            for name, wire in hall.wires.items():
                await wire.open()
                stack.callback(wire.close)
                say(f"{name}: 127.0.0.1:{wire.port}")
            server = await serve(config.control, self._orders.operations())
            stack.callback(config.control.unlink, missing_ok=True)
            stack.callback(server.close)
            broker = (config.mqtt_host, config.mqtt_port, config.mqtt_user, config.mqtt_password)
            work = [self._pass_time(), write_down(config, self.visitors)]
            work += [run_device(device, *broker) for device in hall.mqtt]
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
        """Move the people and their hearts."""
        self.visitors.step()
        self.hall.step(seconds)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
