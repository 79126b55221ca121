"""The simulated gym, running: time, devices on their wires and at the broker, visitors, the control socket."""

from __future__ import annotations

from firmware_sim.gym.clerk import write_down
from firmware_sim.gym.config import GymConfig
from firmware_sim.gym.hall import build
from firmware_sim.gym.orders import Orders
from firmware_sim.gym.visitors import Visitors
from firmware_sim.mqttnet import run_device
from firmware_sim.stage import pass_time, play


class Floor:
    """All of it, wired together. ``live`` runs until cancelled."""

    def __init__(self, config: GymConfig) -> None:
        self._config = config
        self.hall = build(config)
        self.visitors = Visitors(config, self.hall)
        self._orders = Orders(config, self.hall, self.visitors)

    async def live(self) -> int:
        """Open wires and socket, let time pass, until cancelled."""
        config = self._config
        broker = (config.mqtt_host, config.mqtt_port, config.mqtt_user, config.mqtt_password)
        work = [pass_time(self.step), write_down(config, self.visitors)]
        work += [run_device(device, *broker) for device in self.hall.mqtt]
        return await play(config.control, self._orders.operations(), self.hall.wires, work)

    def step(self, seconds: float) -> None:
        """Move the people and their hearts."""
        self.visitors.step()
        self.hall.step(seconds)
