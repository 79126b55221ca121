"""A photo is kept whole or not at all, and with nothing in it but the picture."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.gym.jpeg import MAX_BYTES, MAX_SCANS, MAX_SIDE_PX, Picture, Refusal, clean

SPEC = importlib.util.spec_from_file_location("kangle_jpegs", Path(__file__).with_name("_jpegs.py"))
jpegs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(jpegs)


def kept(data):
    picture = clean(data)
    assert isinstance(picture, Picture), picture
    return picture


def test_a_plain_picture_stays_as_it_is():
    for components in (1, 3):
        plain = jpegs.jpeg(20, 12, components)
        assert kept(plain) == Picture(plain, 20, 12)


def test_nothing_is_left_of_what_a_phone_adds():
    raw = jpegs.phone_jpeg()
    assert all(secret in raw for secret in jpegs.SECRETS), "the test's own file lost what it is about"
    picture = kept(raw)
    assert [secret for secret in jpegs.SECRETS if secret in picture.jpeg] == []
    assert len(picture.jpeg) < len(raw)
    assert picture.jpeg.endswith(jpegs.EOI)


@pytest.mark.parametrize("little", [False, True])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_which_side_is_up_survives(orientation, little):
    picture = kept(jpegs.jpeg(64, 48, heads=jpegs.exif(orientation, little=little)))
    assert (picture.width_px, picture.height_px) == ((48, 64) if orientation > 4 else (64, 48))
    tag = b"\x01\x12\x00\x03\x00\x00\x00\x01" + struct.pack(">H", orientation)
    assert (tag in picture.jpeg) == (orientation > 1)
    assert b"31.2304" not in picture.jpeg


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_is_none_is_dropped(orientation):
    picture = kept(jpegs.jpeg(64, 48, heads=jpegs.exif(orientation)))
    assert picture == Picture(jpegs.jpeg(64, 48), 64, 48)


def test_what_colours_hang_on_survives():
    adobe = jpegs.segment(0xEE, b"Adobe\x00\x65\x00\x00\x00\x00\x01 and more")
    picture = kept(jpegs.jpeg(heads=jpegs.jfif() + adobe))
    assert b"JFIF\x00" in picture.jpeg
    assert b"Adobe" in picture.jpeg
    assert b" and more" not in picture.jpeg


def test_a_file_that_is_cut_anywhere_is_refused():
    raw = jpegs.phone_jpeg(24, 16)
    end = raw.rindex(jpegs.EOI) + 2
    for size in range(end):
        refusal = clean(raw[:size])
        assert refusal in {Refusal.BROKEN, Refusal.NOT_JPEG}, f"cut at {size} of {end}: {refusal}"
    assert kept(raw[:end]) == kept(raw)


def test_a_progressive_picture_has_several_scans():
    head = jpegs.SOI + jpegs.quantization() + jpegs.frame(16, 16, marker=0xC2) + jpegs.huffman()
    passes = head + jpegs.scan(16, 16) * MAX_SCANS + jpegs.EOI
    assert kept(passes).jpeg == passes
    assert clean(head + jpegs.scan(16, 16) * (MAX_SCANS + 1) + jpegs.EOI) is Refusal.KIND


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", Refusal.NOT_JPEG),
        (b"just words", Refusal.NOT_JPEG),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), Refusal.NOT_JPEG),
        (b"GIF89a" + bytes(64), Refusal.NOT_JPEG),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Refusal.NOT_JPEG),
        (jpegs.jpeg(MAX_SIDE_PX + 1, 1), Refusal.SIDE),
        (jpegs.jpeg(1, MAX_SIDE_PX + 1), Refusal.SIDE),
        (jpegs.SOI + jpegs.quantization() + jpegs.frame(65535, 65535), Refusal.SIDE),
        (jpegs.SOI + jpegs.frame(16, 0), Refusal.KIND),
        (jpegs.SOI + jpegs.frame(0, 16), Refusal.BROKEN),
        (jpegs.SOI + jpegs.frame(16, 16, 4), Refusal.KIND),
        (jpegs.SOI + jpegs.frame(16, 16, precision=12, marker=0xC1), Refusal.KIND),
        (jpegs.SOI + jpegs.frame(16, 16, marker=0xC3), Refusal.KIND),
        (jpegs.SOI + jpegs.frame(16, 16, marker=0xC9), Refusal.KIND),
        (jpegs.SOI + jpegs.frame(16, 16) + jpegs.frame(16, 16), Refusal.BROKEN),
        (jpegs.SOI + jpegs.segment(0xDB, b"\x00" + bytes(63)), Refusal.BROKEN),
        (jpegs.SOI + jpegs.segment(0xDB, b"\x00" + bytes(64) + b"hidden"), Refusal.BROKEN),
        (jpegs.SOI + jpegs.segment(0xC4, b"\x00" + bytes(16)), Refusal.BROKEN),
        (jpegs.SOI + jpegs.segment(0xDD, b"\x00\x01\x02"), Refusal.BROKEN),
        (jpegs.SOI + jpegs.EOI, Refusal.BROKEN),
        (jpegs.SOI + jpegs.quantization() + jpegs.huffman() + jpegs.frame(16, 16) + jpegs.EOI, Refusal.BROKEN),
        (jpegs.SOI + jpegs.frame(16, 16) + jpegs.scan(16, 16) + jpegs.EOI, Refusal.BROKEN),
        (jpegs.heavy_jpeg(MAX_BYTES + 1), Refusal.LARGE),
    ],
)
def test_what_is_no_photo_that_can_be_kept_is_refused(data, why):
    assert clean(data) is why


def test_the_largest_photo_is_kept():
    assert len(kept(jpegs.heavy_jpeg(MAX_BYTES)).jpeg) == MAX_BYTES
    heads = b"".join(jpegs.segment(0xE5, bytes(60_000)) for _ in range(2))
    assert kept(jpegs.jpeg(heads=heads)).jpeg == jpegs.jpeg(), "what is dropped does not count"


def test_fill_bytes_and_restarts_are_read():
    plain = jpegs.jpeg(16, 16)
    filled = plain.replace(b"\xff\xc4", b"\xff\xff\xff\xc4").replace(b"\xff\xda", b"\xff\xff\xda")
    assert kept(filled).jpeg == plain
    restarts = plain[:-2] + b"\xff\xd0\x00\xff\xd1\x00" + jpegs.EOI
    assert kept(restarts).jpeg == restarts


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=400))
def test_no_bytes_raise(data):
    for whole in (data, jpegs.SOI + data, jpegs.SOI + b"\xff\xe1" + data):
        picture = clean(whole)
        assert isinstance(picture, Picture | Refusal)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_a_changed_file_is_refused_or_clean(data):
    """Whatever is changed, cut out or put in: what is kept is small, stays as it is when cleaned again, and holds no
    remark."""
    raw = bytearray(jpegs.phone_jpeg(24, 16))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    picture = clean(bytes(raw))
    if isinstance(picture, Picture):
        assert len(picture.jpeg) <= MAX_BYTES
        assert clean(picture.jpeg) == picture
        assert 0 < picture.width_px <= MAX_SIDE_PX
        assert 0 < picture.height_px <= MAX_SIDE_PX
        segments = picture.jpeg.partition(b"\xff\xda")[0]
        assert b"XIAOMING" not in segments
        assert b"PhoneMaker" not in segments
