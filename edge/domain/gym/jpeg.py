"""A photo as it may be kept: a JPEG that browsers show, with nothing in it but the picture.

The hard part is what else a phone's file carries: where and with which phone it was taken, a second picture as a
preview, a film behind the end. A list of what to remove is never whole, so only what a decoder needs is taken over
(tables, frame, scans), each part measured to its last byte, and the three facts that colours and the right way up hang
on are written anew. A user would notice a mistake as a fault report that tells where its sender lives, or as a picture
that lies on its side.

Segments: ITU-T T.81 annex B; JFIF: T.871; orientation: Exif 2.3 tag 0x0112 in an APP1 of TIFF form. The entropy-coded
data is not decoded: a file that is whole in form may still show half a picture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

#: Largest photo that is kept, bytes after cleaning.
MAX_BYTES = 96 * 1024
#: Longest side, px: at most 16 MB in the memory of whoever looks at it, however small the file.
MAX_SIDE_PX = 2048
#: Passes over the picture. Progressive files have about ten; hundreds in a small file are there to keep a reader busy.
MAX_SCANS = 32

_SOI, _EOI, _SOS, _DQT, _DHT, _DRI = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD
_APP0, _APP1, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
#: Baseline, extended sequential, progressive, all with Huffman codes: what every browser shows.
_FRAMES = (0xC0, 0xC1, 0xC2)
#: Stand where a segment should begin only in a file that is damaged: SOI again, RSTn, TEM, a stuffed zero.
_STRAY = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})
#: The end of entropy-coded data: any marker but a stuffed zero and RSTn.
_MARKER = re.compile(rb"(?s)\xff[^\x00\xd0-\xd7]")
_JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
_ORIENTATION_TAG = 0x0112
_SHORT = 3


class Refusal(StrEnum):
    """Why a file is no photo that can be kept; the values are problem codes of the API."""

    NOT_JPEG = "photo_not_jpeg"
    BROKEN = "photo_broken"
    KIND = "photo_kind"
    SIDE = "photo_side"
    LARGE = "photo_large"


class Picture(NamedTuple):
    """``jpeg`` is the cleaned file; width and height as people see it, turned the right way up."""

    jpeg: bytes
    width_px: int
    height_px: int


class _RefusedError(Exception):
    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(slots=True)
class _File:
    """What was read so far. ``body`` is what is taken over, ``tables`` which kinds of them there are."""

    body: bytearray = field(default_factory=bytearray)
    tables: set[int] = field(default_factory=set)
    components: bytes = b""
    width_px: int = 0
    height_px: int = 0
    scans: int = 0
    jfif: bool = False
    orientation: int = 0
    transform: int | None = None


def clean(data: bytes) -> Picture | Refusal:
    """The photo in ``data`` without what is no picture, or why it cannot be kept. Cleaning what is clean changes
    nothing. Never raises, whatever the bytes are."""
    if not data.startswith(b"\xff\xd8\xff"):
        return Refusal.NOT_JPEG
    file = _File()
    try:
        _read(data, file)
    except _RefusedError as refused:
        return refused.why
    jpeg = b"".join((b"\xff\xd8", _heads(file), file.body, b"\xff\xd9"))
    if len(jpeg) > MAX_BYTES:
        return Refusal.LARGE
    turned = file.orientation >= 5  # 5 to 8 lie on their side
    width, height = (file.height_px, file.width_px) if turned else (file.width_px, file.height_px)
    return Picture(jpeg, width, height)


def _read(data: bytes, file: _File) -> None:
    """All segments up to the end of the image; what stands behind it is not looked at."""
    at = 2
    while True:
        marker, at = _next_marker(data, at)
        if marker == _EOI:
            if not file.scans:
                raise _RefusedError(Refusal.BROKEN)
            return
        payload, at = _payload(data, at)
        if marker == _SOS:
            at = _scan(data, at, payload, file)
        else:
            _segment(marker, payload, file)


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at ``at``, which fill bytes may precede, and where its segment's length stands."""
    if data[at : at + 1] != b"\xff":
        raise _RefusedError(Refusal.BROKEN)
    while data[at : at + 1] == b"\xff":
        at += 1
    if at >= len(data) or data[at] in _STRAY:
        raise _RefusedError(Refusal.BROKEN)
    return data[at], at + 1


def _payload(data: bytes, at: int) -> tuple[bytes, int]:
    size = int.from_bytes(data[at : at + 2])
    if size < 2 or at + size > len(data):
        raise _RefusedError(Refusal.BROKEN)
    return data[at + 2 : at + size], at + size


def _segment(marker: int, payload: bytes, file: _File) -> None:
    """Take over a table or the frame, note what an application's segment says of colour and orientation."""
    if marker in _FRAMES:
        _frame(payload, file)
    elif marker == _DQT:
        _must(_quantization_fits(payload))
    elif marker == _DHT:
        _must(_huffman_fits(payload))
    elif marker == _DRI:
        _must(len(payload) == 2)
    elif _APP0 <= marker <= _APP15 or marker == _COM:
        _application(marker, payload, file)
        return
    else:  # arithmetic coding, lossless, hierarchical, number of lines: no browser shows them
        raise _RefusedError(Refusal.KIND)
    file.tables.add(marker)
    file.body += _segment_of(marker, payload)


def _segment_of(marker: int, payload: bytes) -> bytes:
    return b"".join((bytes((0xFF, marker)), (len(payload) + 2).to_bytes(2), payload))


def _must(true: bool) -> None:  # noqa: FBT001 - reads as what must be
    if not true:
        raise _RefusedError(Refusal.BROKEN)


def _frame(payload: bytes, file: _File) -> None:
    """Precision, size and components (T.81 B.2.2); there is one, before the first scan."""
    _must(len(payload) >= 6 and not file.components)
    count = payload[5]
    if payload[0] != 8 or count not in (1, 3):
        raise _RefusedError(Refusal.KIND)  # 12 bit, or the four inks of a printer
    _must(len(payload) == 6 + 3 * count)
    height, width = int.from_bytes(payload[1:3]), int.from_bytes(payload[3:5])
    if height == 0:
        raise _RefusedError(Refusal.KIND)  # the number of lines would come later
    _must(width > 0)
    if max(height, width) > MAX_SIDE_PX:
        raise _RefusedError(Refusal.SIDE)
    parts = [payload[6 + 3 * n : 9 + 3 * n] for n in range(count)]
    _must(all(1 <= part[1] >> 4 <= 4 and 1 <= part[1] & 15 <= 4 and part[2] <= 3 for part in parts))
    file.components = bytes(part[0] for part in parts)
    _must(len(set(file.components)) == count)
    file.width_px, file.height_px = width, height


def _quantization_fits(payload: bytes) -> bool:
    """Whether the payload is tables and nothing else: 1 + 64 or 1 + 128 bytes each (T.81 B.2.4.1)."""
    at = 0
    while at < len(payload):
        precision, number = payload[at] >> 4, payload[at] & 15
        if precision > 1 or number > 3:
            return False
        at += 1 + 64 * (1 + precision)
    return at == len(payload) > 0


def _huffman_fits(payload: bytes) -> bool:
    """Whether the payload is tables and nothing else: 1 + 16 + as many as the 16 say (T.81 B.2.4.2)."""
    at = 0
    while at < len(payload):
        codes = sum(payload[at + 1 : at + 17])
        if payload[at] >> 4 > 1 or payload[at] & 15 > 3 or not 1 <= codes <= 256:
            return False
        at += 17 + codes
    return at == len(payload) > 0


def _scan(data: bytes, at: int, head: bytes, file: _File) -> int:
    """Take over a scan's head and its entropy-coded data; gives where the next marker stands."""
    _must({_DQT, _DHT} <= file.tables and bool(file.components) and len(head) > 1)
    count = head[0]
    _must(1 <= count <= len(file.components) and len(head) == 4 + 2 * count)
    _must(all(head[1 + 2 * n] in file.components for n in range(count)))
    file.scans += 1
    if file.scans > MAX_SCANS:
        raise _RefusedError(Refusal.KIND)
    end = _MARKER.search(data, at)
    if end is None or end.start() == at:
        raise _RefusedError(Refusal.BROKEN)
    file.body += _segment_of(_SOS, head) + data[at : end.start()]
    return end.start()


def _application(marker: int, payload: bytes, file: _File) -> None:
    """What an application's segment says of the picture; the segment itself is dropped."""
    if marker == _APP0 and payload.startswith(b"JFIF\x00"):
        file.jfif = True
    elif marker == _APP1 and payload.startswith(b"Exif\x00\x00") and not file.orientation:
        file.orientation = _orientation(payload[6:])
    elif marker == _APP14 and payload.startswith(b"Adobe") and len(payload) >= 12:
        file.transform = payload[11]


def _orientation(tiff: bytes) -> int:
    """1 to 8 as the first directory of an Exif block says; 1 where it does not say."""
    order = {b"II*\x00": "little", b"MM\x00*": "big"}.get(tiff[:4])
    if order is None:
        return 1
    little = order == "little"

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if little else "big")

    first = number(4, 4)
    for n in range(min(number(first, 2), 512)):
        entry = first + 2 + 12 * n
        if number(entry, 2) == _ORIENTATION_TAG and number(entry + 2, 2) == _SHORT and number(entry + 4, 4) == 1:
            value = number(entry + 8, 2)
            return value if 1 <= value <= 8 else 1
    return 1


def _heads(file: _File) -> bytes:
    """The application segments that the picture needs, with nothing in them but that."""
    heads = _JFIF if file.jfif else b""
    if file.orientation > 1:
        entry = _ORIENTATION_TAG.to_bytes(2) + b"\x00\x03\x00\x00\x00\x01" + bytes((0, file.orientation, 0, 0))
        heads += _segment_of(_APP1, b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01" + entry + bytes(4))
    if file.transform is not None:
        heads += _segment_of(_APP14, b"Adobe\x00\x64\x00\x00\x00\x00" + bytes((file.transform,)))
    return heads
