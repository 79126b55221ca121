"""Where a thing is reached: shared by the verticals that map devices to what people speak of."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True, order=True):
    """Where a thing is reached: the device (link) of the site file and the point behind it."""

    device: str
    point: str


def place_key(device: str, point: str) -> str:
    """How a place is looked up."""
    return f"{device}\n{point}"
