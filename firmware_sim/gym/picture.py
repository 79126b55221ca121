"""The simulated gym as its control socket shows it: what is true, beside what the devices say."""

from __future__ import annotations

from firmware_sim.control import Json
from firmware_sim.csafe import Console
from firmware_sim.gym.hall import Hall
from firmware_sim.gym.station import Station
from firmware_sim.gym.visitors import Visitors
from firmware_sim.trail_gates import TrailPost


def picture(hall: Hall, visitors: Visitors) -> Json:
    """All machines with who is on them, gateways, wires, desks and buzzers."""
    for station in hall.stations.values():
        if station.exercise is not None:
            station.exercise.run(hall.clock())  # also of one that nobody asks: people go on behind a cut cable
    return {
        "machines": {name: _station(station) for name, station in hall.stations.items()},
        "gateways": {room: not gateway.way.dark for room, gateway in hall.gateways.items()},
        "wires": {name: {"port": wire.port, "dead": wire.dead} for name, wire in hall.wires.items()},
        "desks": {name: {"zone": desk.config.zone, "busy": desk.busy} for name, desk in hall.desks.items()},
        "buzzing": [f"{line}/{address}" for line, address in hall.buzzing()],
        "persons": sorted(visitors.persons),
        "people": visitors.on,
        "welcome": visitors.welcome,
    }


def _station(station: Station) -> Json:
    it, body = station.exercise, station.body
    wrong = [word for word, is_so in (("silent", station.silent), ("strap off", not station.strap_on)) if is_so]
    told: Json = {"zone": station.config.zone, "who": station.who, "in_use": station.in_use, "bpm": station.bpm}
    if it is not None:
        wrong += [f"error {it.error_code}"] if it.error_code else []
        wrong += ["lies"] if it.lies and not station.config.lies else []
        wrong += ["belt drags"] if it.friction > 1 else []
        told |= {"state": it.state, "distance_m": round(it.distance_m, 1), "speed_km_h": round(it.speed_km_h, 1)}
    if isinstance(body, Console):
        assert it is not None
        told["motor_a"] = round(it.motor_a, 2)
    if isinstance(body, TrailPost):
        told["uses"] = body.uses
    return {**told, "wrong": wrong}
