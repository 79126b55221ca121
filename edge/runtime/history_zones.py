"""Zones as people name them: which series of a zone make one curve.

The hard part is to count each thing once: an outlet may be measured by a meter and say its own power too, and a feed
measures what its outlets say already. So each outlet or machine of a zone gives one series of a quantity, that of its
first place which has one (its own meter before itself), and the meters of feeds and contactors give none. A user would
notice a mistake as a zone that draws twice what it does.

Zones are those of the site file as it was when the process started.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge.domain.places import Place
from edge.domain.words import Text
from edge.runtime.history_messages import ZoneInfo, ZoneQuantity
from edge.site_model import Site
from edge.storage.sample_model import Series, SeriesKind

#: Series in one zone's curve.
MEMBERS_MAX = 256


class Zone(NamedTuple):
    """A zone, and the places of each thing in it, the best first."""

    zone: str
    name: Text
    things: tuple[tuple[Place, ...], ...]


Zones = Mapping[str, Mapping[str, Zone]]


def zones_of(site: Site) -> dict[str, dict[str, Zone]]:
    """The zones of a site by daemon and name; the canteen has none."""
    found: dict[str, dict[str, Zone]] = {}
    if site.garage is not None:
        things: list[tuple[str, tuple[Place, ...]]] = [
            (port.zone, (port.at,) if port.meter is None else (port.meter, port.at)) for port in site.garage.ports
        ]
        things += [(source.zone, (source.at,)) for source in site.garage.sources]
        found["garage"] = {
            each.zone: Zone(each.zone, each.name, _things(things, each.zone)) for each in site.garage.zones
        }
    if site.gym is not None:
        assets = [(asset.zone, asset.at) for asset in site.gym.assets]
        found["gym"] = {each.zone: Zone(each.zone, each.name, _things(assets, each.zone)) for each in site.gym.zones}
    return found


def _things(all_of_them: Sequence[tuple[str, tuple[Place, ...]]], zone: str) -> tuple[tuple[Place, ...], ...]:
    return tuple(dict.fromkeys(places for where, places in all_of_them if where == zone))


def members(zone: Zone, quantity: str, series: Sequence[Series]) -> tuple[int, ...]:
    """The series of ``quantity`` in ``zone``: one of each thing, each once."""
    known = {(one.device, one.point): one.id for one in series if one.quantity == quantity and _is_number(one)}
    found = (next((known[place] for place in map(_key, places) if place in known), None) for places in zone.things)
    return tuple(dict.fromkeys(number for number in found if number is not None))[:MEMBERS_MAX]


def describe(zone: Zone, series: Sequence[Series]) -> ZoneInfo:
    """A zone with what can be asked of it: numbers that at least one thing in it has told."""
    places = {_key(place) for thing in zone.things for place in thing}
    there = {one.quantity: one.unit for one in series if _is_number(one) and (one.device, one.point) in places}
    quantities = tuple(
        ZoneQuantity(quantity, unit, len(members(zone, quantity, series))) for quantity, unit in sorted(there.items())
    )
    return ZoneInfo(zone.zone, zone.name, quantities)


def _key(place: Place) -> tuple[str, str]:
    return place.device, place.point


def _is_number(series: Series) -> bool:
    return series.kind is SeriesKind.NUMBER
