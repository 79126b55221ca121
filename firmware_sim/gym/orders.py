"""What may be done to the simulated gym while it runs: the operations of its control socket.

``state`` · ``train`` {asset, who?, percent?, ready?} · ``leave`` ``pause`` ``resume`` {asset} · ``effort`` {asset,
percent} · ``pulse`` {asset, bpm: 0 = as it is} · ``strap`` {asset, on} · ``card`` {name: machine or desk, who} ·
``measure`` {who, systolic, diastolic, pulse} · ``jog`` {trail?, laps} · ``silence`` ``reset`` ``belt`` ``trip`` {asset}
· ``lie`` {name} · ``fault`` {asset, code} · ``bluetooth`` {room, on} · ``cable`` {wire, on} · ``broker`` · ``people``
{on} · ``mend`` {name: machine; "" = everything}. Names are taken in any case, and by a beginning that only one has.
"""

from __future__ import annotations

from firmware_sim.control import ControlError, Json, Operation, number, text
from firmware_sim.garage.naming import flag, named
from firmware_sim.gym.config import GymConfig
from firmware_sim.gym.hall import Desk, Hall
from firmware_sim.gym.picture import picture
from firmware_sim.gym.station import Station
from firmware_sim.gym.things import PersonConfig
from firmware_sim.gym.visitors import Visitors
from firmware_sim.stage import stop_broker

NAMES = (
    "state", "train", "leave", "pause", "resume", "effort", "pulse", "strap", "card", "measure", "jog", "silence",
    "reset", "belt", "trip", "lie", "fault", "bluetooth", "cable", "broker", "people", "mend",
)  # fmt: skip
LEAST_BPM = 30


class Orders:
    """The operations, on one gym."""

    def __init__(self, config: GymConfig, hall: Hall, visitors: Visitors) -> None:
        self._config = config
        self._hall = hall
        self._visitors = visitors

    def operations(self) -> dict[str, Operation]:
        """By name, for ``firmware_sim.control.serve``."""
        return {name: getattr(self, name) for name in NAMES}

    async def state(self, _request: Json) -> Json:
        return picture(self._hall, self._visitors)

    # --- people on machines -------------------------------------------------------------------------------------------

    async def train(self, request: Json) -> Json:
        """Somebody trains here until told to leave; measured first where the room asks for it."""
        station = self._station(request)
        name = text(request, "who", "")
        person = self._person(name).person if name else ""
        effort, ready = number(request, "percent", 40, 100) / 100, flag(request, "ready", default=False)
        return {"asset": station.config.asset, "who": self._visitors.bring(station, person, effort, ready=ready)}

    async def leave(self, request: Json) -> Json:
        station = self._station(request)
        return {"asset": station.config.asset, "who": self._visitors.send_away(station)}

    async def pause(self, request: Json) -> Json:
        station = self._used(request)
        station.pause(self._hall.clock())
        return {"asset": station.config.asset}

    async def resume(self, request: Json) -> Json:
        station = self._used(request)
        effort = station.exercise.effort if station.exercise is not None else 0.4
        station.start(self._hall.clock(), effort)
        return {"asset": station.config.asset}

    async def effort(self, request: Json) -> Json:
        station = self._used(request)
        station.strive(self._hall.clock(), number(request, "percent", 40, 100) / 100)
        return {"asset": station.config.asset}

    async def pulse(self, request: Json) -> Json:
        """The strap tells this pulse, after a heart's time; somebody begins to train where nobody does."""
        station = self._station(request)
        if not station.straps:
            raise ControlError(f"{station.config.asset} has no strap; try one of {', '.join(self._strapped())}")
        bpm = number(request, "bpm", 0, 230)
        if 0 < bpm < LEAST_BPM:
            raise ControlError(f'"bpm" must be {LEAST_BPM}..230, or 0 to let it be')
        if bpm and not station.who:
            self._visitors.bring(station)
        station.goal_bpm = bpm or None
        return {"asset": station.config.asset, "who": station.who, "bpm": bpm}

    async def strap(self, request: Json) -> Json:
        station = self._station(request)
        on = flag(request, "on", default=False)
        station.take_strap(on=on)
        return {"asset": station.config.asset, "on": on}

    async def card(self, request: Json) -> Json:
        """A card is shown to the reader of a machine or desk."""
        places: dict[str, Station | Desk] = {
            **{name: one for name, one in self._hall.stations.items() if one.config.reader},
            **self._hall.desks,
        }
        place = named(places, text(request, "name"), "machine or desk with a card reader")
        person = self._person(text(request, "who", ""))
        self._hall.tap(place.config.reader, place.config.address, person.card)
        return {"name": text(request, "name").lower(), "who": person.person, "card": person.card}

    async def measure(self, request: Json) -> Json:
        """A person is measured at the desk, with these values."""
        if not self._hall.desks:
            raise ControlError("there is no measuring desk")
        desk = next(iter(self._hall.desks.values()))
        if desk.busy:
            raise ControlError("somebody is being measured; ask again in some seconds")
        person = self._person(text(request, "who"))
        names = {"systolic": 128, "diastolic": 78, "pulse": 70}
        values = {name: float(number(request, name, usual, 300)) for name, usual in names.items()}
        self._visitors.measure(desk, person, **values)
        return {"who": person.person, **values}

    async def jog(self, request: Json) -> Json:
        """Somebody with a tag sets out on a trail."""
        trails = {trail.trail: trail for trail in self._config.trails}
        trail = named(trails, text(request, "trail", next(iter(trails), "")), "trail")
        return {"trail": trail.trail, "tag": self._visitors.jog(trail, laps=max(1, number(request, "laps", 1, 100)))}

    # --- what may be wrong --------------------------------------------------------------------------------------------

    async def silence(self, request: Json) -> Json:
        """The machine says nothing more and goes on working."""
        station = self._station(request)
        station.silence(on=True)
        return {"asset": station.config.asset}

    async def lie(self, request: Json) -> Json:
        """The machine says speed 0 for ever."""
        station = named(self._hall.stations, text(request, "name"), "machine")
        if station.exercise is None:
            raise ControlError(f"{station.config.asset} tells no speed")
        station.exercise.lies = True
        return {"asset": station.config.asset}

    async def reset(self, request: Json) -> Json:
        """The console was switched off and on: its counters begin anew, the person goes on."""
        station = self._station(request)
        if station.exercise is None:
            raise ControlError(f"{station.config.asset} has no counters of its own")
        station.exercise.reset(self._hall.clock())
        return {"asset": station.config.asset}

    async def belt(self, request: Json) -> Json:
        station = self._station(request)
        station.drag()
        return {"asset": station.config.asset}

    async def trip(self, request: Json) -> Json:
        """The safety key is pulled."""
        station = self._used(request)
        station.pull_key(self._hall.clock())
        return {"asset": station.config.asset}

    async def fault(self, request: Json) -> Json:
        station = self._station(request)
        code = number(request, "code", 17, 65_535)
        station.error(self._hall.clock(), code)
        return {"asset": station.config.asset, "code": code}

    # --- ways ---------------------------------------------------------------------------------------------------------

    async def bluetooth(self, request: Json) -> Json:
        """The gateway of a room loses its power, or gets it back."""
        rooms = {room: room for room in self._hall.gateways}
        room = named(rooms, text(request, "room"), "room with a gateway")
        on = flag(request, "on", default=False)
        if on:
            self._hall.plug_gateway(room)
        else:
            self._hall.unplug_gateway(room)
        return {"room": room, "on": on}

    async def cable(self, request: Json) -> Json:
        on, wire = flag(request, "on", default=False), text(request, "wire")
        named(self._hall.wires, wire, "cable").cut(dead=not on)
        return {"cable": wire, "on": on}

    async def broker(self, _request: Json) -> Json:
        return stop_broker(self._config.broker_pid)

    async def people(self, request: Json) -> Json:
        self._visitors.on = flag(request, "on", default=True)
        return {"people": self._visitors.on}

    async def mend(self, request: Json) -> Json:
        name = text(request, "name", "")
        now_ns = self._hall.clock()
        if name:
            station = named(self._hall.stations, name, "machine")
            station.mend(now_ns)
            return {"mended": station.config.asset}
        for station in self._hall.stations.values():
            station.mend(now_ns)
        for room in self._hall.gateways:
            self._hall.plug_gateway(room)
        for wire in self._hall.wires.values():
            wire.cut(dead=False)
        return {"mended": "all"}

    def _station(self, request: Json) -> Station:
        return named(self._hall.stations, text(request, "asset"), "machine")

    def _used(self, request: Json) -> Station:
        station = self._station(request)
        if not station.who:
            raise ControlError(f"nobody is on {station.config.asset}; bring somebody with train")
        return station

    def _person(self, name: str) -> PersonConfig:
        return named(self._visitors.persons, name, "person")

    def _strapped(self) -> list[str]:
        return [name for name, station in self._hall.stations.items() if station.straps]
