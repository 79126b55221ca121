"""The simulated garage, running: time, devices on their wires and at the broker, people, the control socket."""

from __future__ import annotations

from firmware_sim.garage.charge import Fleet
from firmware_sim.garage.config import GarageConfig
from firmware_sim.garage.devices import build
from firmware_sim.garage.orders import Orders
from firmware_sim.garage.people import People
from firmware_sim.mqttnet import run_device
from firmware_sim.stage import pass_time, play


class Floor:
    """All of it, wired together. ``live`` runs until cancelled."""

    def __init__(self, config: GarageConfig) -> None:
        self._config = config
        self.devices = build(config)
        self.people = People(config, self.devices.building, Fleet(config.seed))
        self._orders = Orders(config, self.devices, self.people)

    async def live(self) -> int:
        """Open wires and socket, let time pass, until cancelled."""
        config = self._config
        broker = (config.mqtt_host, config.mqtt_port, config.mqtt_user, config.mqtt_password)
        work = [pass_time(self.step), self.people.work()]
        work += [run_device(device, *broker) for device in self.devices.mqtt]
        if self.devices.unit is not None and config.unit_port:
            work.append(self.devices.unit.dial(config.mqtt_host, config.unit_port))
        return await play(config.control, self._orders.operations(), self.devices.wires, work)

    def step(self, seconds: float) -> None:
        """Move the building and all that looks at it."""
        for head in self.devices.building.step(seconds):
            self.devices.told(head)
        self.devices.step(seconds)
