"""What an input that could not be handled was about, and the plainest possible cut of it.

Used when all else failed, so it relies on nothing but the names of things. A user would notice a mistake as smoke that
crashed the box and cut nothing.
"""

from __future__ import annotations

from edge.domain.devices import DeviceReading
from edge.domain.garage.cut import operate
from edge.domain.garage.messages import Command, GarageInput, Timer
from edge.domain.garage.world import World, Zone
from edge.domain.kernel import EffectClass, Effects, Stamp
from edge.domain.places import place_key


def zones_of(world: World, item: GarageInput) -> list[Zone]:
    """The zones that an input speaks of. A point that is mapped to nothing stands for all of its device; a timer for
    all zones, for then nothing watches them."""
    match item:
        case DeviceReading(device=device, body=body):
            names = _at(world, device, getattr(body, "point", None))
        case Command(body=body):
            port = world.ports.get(getattr(body, "port", ""))
            names = {getattr(body, "zone", ""), port.zone if port is not None else ""}
        case Timer():
            names = set(world.zones)
        case _:
            names = set()
    return [zone for name, zone in world.zones.items() if name in names]


def _at(world: World, device: str, point: str | None) -> set[str]:
    place = place_key(device, point or "")
    switches = {name: output.switch for name, output in world.outputs.items()} | world.ports
    exact = {world.sources[name].zone for at, names in world.sources_at.items() for name in names
             if at.startswith(f"{place}\n")}  # fmt: skip
    for index in (world.ports_at, world.outputs_at, world.meters_at):
        exact |= {switches[name].zone for name in index.get(place, ())}
    if exact and point is not None:
        return exact
    behind = {source.zone for source in world.sources.values() if source.device == device}
    return behind | {switch.zone for switch in switches.values() if switch.at.device == device}


def bare_cut(world: World, zones: list[Zone], stamp: Stamp) -> Effects:
    """Off to every contactor and charger of the zones, contactors first."""
    switches = [world.outputs[name].switch for zone in zones for name in zone.contactors]
    switches += [world.ports[name] for zone in zones for name in zone.ports]
    return [
        operate(switch, on=False, seq=stamp.seq, now_ns=stamp.mono_ns, effect_class=EffectClass.SAFETY)
        for switch in switches
    ]
