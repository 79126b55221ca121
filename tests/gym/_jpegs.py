"""JPEGs made by hand: real ones that every decoder shows (flat grey), and what phones hang onto theirs.

Written from ITU-T T.81, not from the parser: a flat picture needs one Huffman code for "the same as before" and one for
"nothing more in this block", both of one bit.
"""

from __future__ import annotations

import struct

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
#: Words that no kept photo may hold.
SECRETS = (b"31.2304", b"PhoneMaker", b"XIAOMING", b"secret-preview", b"ftypmp42")


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def quantization() -> bytes:
    return segment(0xDB, b"\x00" + bytes([16] * 64))


def huffman() -> bytes:
    one_code = bytes([1, *[0] * 15]) + b"\x00"
    return segment(0xC4, b"\x00" + one_code) + segment(0xC4, b"\x10" + one_code)


def frame(width: int, height: int, components: int = 3, *, marker: int = 0xC0, precision: int = 8) -> bytes:
    parts = b"".join(bytes([number, 0x11, 0]) for number in range(1, components + 1))
    return segment(marker, struct.pack(">BHHB", precision, height, width, components) + parts)


def scan(width: int, height: int, components: int = 3) -> bytes:
    blocks = -(-width // 8) * -(-height // 8) * components
    bits = "00" * blocks
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    parts = b"".join(bytes([number, 0]) for number in range(1, components + 1))
    return segment(0xDA, bytes([components]) + parts + bytes([0, 63, 0])) + data


def jfif() -> bytes:
    return segment(0xE0, b"JFIF\x00\x01\x02\x01\x00\x48\x00\x48\x00\x00")


def exif(orientation: int = 1, *, little: bool = False, place: bytes = b"31.2304") -> bytes:
    """With a camera, a place and a preview, as a phone writes it."""
    order = "<" if little else ">"
    text = b"PhoneMaker\x00" + place + b"\x00"
    head = (b"II*\x00" if little else b"MM\x00*") + struct.pack(order + "I", 8)
    maker = struct.pack(order + "HHII", 0x010F, 2, len(text), 38)
    turned = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    directory = struct.pack(order + "H", 2) + maker + turned + struct.pack(order + "I", 0)
    return segment(0xE1, b"Exif\x00\x00" + head + directory + text + SOI + b"secret-preview" + EOI)


def jpeg(width: int = 16, height: int = 16, components: int = 3, heads: bytes = b"") -> bytes:
    """A flat grey picture; ``heads`` are segments after its beginning."""
    tables = quantization() + frame(width, height, components) + huffman()
    return SOI + heads + tables + scan(width, height, components) + EOI


def phone_jpeg(width: int = 64, height: int = 48, orientation: int = 6) -> bytes:
    """As a phone hands it over: place, camera, owner's remark, a preview, a film behind the end."""
    heads = (
        jfif() + exif(orientation) + segment(0xE2, b"ICC_PROFILE\x00\x01\x01PhoneMaker") + segment(0xFE, b"XIAOMING")
    )
    return jpeg(width, height, heads=heads) + b"\x00\x00\x00\x18ftypmp42 a film"


def heavy_jpeg(size: int) -> bytes:
    """A whole file of exactly ``size`` bytes: its one scan goes on with data that no decoder reads."""
    whole = jpeg(64, 64)
    return whole[:-2] + bytes(size - len(whole)) + EOI
