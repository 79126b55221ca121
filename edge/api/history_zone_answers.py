"""What the API tells of zones that can be asked for as one curve."""

from __future__ import annotations

import msgspec

from edge.domain.words import Text
from edge.runtime.history_messages import ZonesPart


class HistoryZoneQuantity(msgspec.Struct, frozen=True, kw_only=True):
    """What a zone can be asked for; ``members``: how many things in it tell it."""

    quantity: str
    unit: str
    members: int


class HistoryZone(msgspec.Struct, frozen=True, kw_only=True):
    """A zone of one part of the box, as the site file names it."""

    vertical: str
    zone: str
    name: Text
    quantities: list[HistoryZoneQuantity]


class HistoryZones(msgspec.Struct, frozen=True, kw_only=True):
    """All zones of one part of the box."""

    items: list[HistoryZone]


ANSWERS = (HistoryZones,)


def zones_of(vertical: str, part: ZonesPart) -> HistoryZones:
    """Zones as an answer."""
    items = [
        HistoryZone(
            vertical=vertical,
            zone=found.zone,
            name=found.name,
            quantities=[
                HistoryZoneQuantity(quantity=one.quantity, unit=one.unit, members=one.members)
                for one in found.quantities
            ],
        )
        for found in part.items
    ]
    return HistoryZones(items=items)
