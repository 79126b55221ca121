"""What the gym keeps of photos: the facts of each, which a world holds, and apart from them the picture itself."""

from __future__ import annotations

from typing import ClassVar

from edge.domain.kernel import Row

#: What a photo belongs to: ``ref`` is then the id of the work order, or the name of the inspected machine.
ORDER, INSPECTION = "order", "inspection"


class PhotoRow(Row, frozen=True, kw_only=True, tag="photo"):
    """The facts of a photo; ``standing`` until it is erased: then only who did it (``by``) and when (``at_ns``) is
    left. ``digest`` is BLAKE2b (16 bytes, hex) of the picture. ``inspection``: number of the inspection that it was
    taken in, 0 for an order's."""

    KEY: ClassVar = ("kind", "ref")
    kind: str
    ref: str
    standing: bool
    digest: str
    inspection: int
    size_bytes: int
    width_px: int
    height_px: int
    by: str
    at_ns: int


class PhotoDataRow(Row, frozen=True, kw_only=True, tag="photo_data"):
    """The picture, empty once it is erased; read by nobody but whoever shows it."""

    KEY: ClassVar = ("kind", "ref")
    kind: str
    ref: str
    jpeg: bytes


PHOTO_ROW_TYPES: tuple[type[Row], ...] = (PhotoRow, PhotoDataRow)
