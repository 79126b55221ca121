"""Encoders and parsers of the simulators against frames that neither they nor the drivers made."""

from __future__ import annotations

import pytest

from firmware_sim.feig import frames as feig
from firmware_sim.magicrf import frames as magicrf

# From the project's shared vectors: "public Accada/Fosstrak FEIG adaptor comment" and "constructed from the layout".
FEIG_REQUESTS = [
    ("05ff65e5cb", 0x65, "", False),
    ("07ffb001001c56", 0xB0, "0100", False),
    ("020009ffb001001843", 0xB0, "0100", True),
]
FEIG_REPLIES = [
    ("0600b0015c63", 0xB0, 0x01, "", False),
    ("1100b000010300e00700001353e7b6aa00", 0xB0, 0x00, "010300e00700001353e7b6", False),
    ("02001300b000010300e00700001353e7b67144", 0xB0, 0x00, "010300e00700001353e7b6", True),
    (
        "2500b094030300e00700001353e7b60300e007000012c014800300e007000012c014792048",
        0xB0,
        0x94,
        "030300e00700001353e7b60300e007000012c014800300e007000012c01479",
        False,
    ),
]
# From the same: quick reference and V2.1 document in anteploon/yrm100lib, R200 V2.3.3 document.
MAGICRF_FRAMES = [
    ("bb00220000227e", 0, 0x22, "", "bb7e"),
    ("bb01ff000115167e", 1, 0xFF, "15", "bb7e"),
    ("bb0027000322ffff4a7e", 0, 0x27, "22ffff", "bb7e"),
    ("bb01280001002a7e", 1, 0x28, "00", "bb7e"),
    ("bb00b6000204e29e7e", 0, 0xB6, "04e2", "bb7e"),
    ("bb010d00021020407e", 1, 0x0D, "1020", "bb7e"),
    ("bb01ff0010100e3400e2000016551102060390eaaff47e", 1, 0xFF, "100e3400e2000016551102060390eaaf", "bb7e"),
    ("aa01b7000207d091dd", 1, 0xB7, "07d0", "aadd"),
]
# Real captures: the tag's own Gen2 CRC was computed by the tag. PC 3400 has the user-memory bit, as our chips do.
NOTICES = [
    ("bb02220011c83400e20010710000529b0940b402163dd37e", "e20010710000529b0940b402", -56, "bb7e"),
    ("aa02220011c9340030751feb705c5904e3d50d703a76efdd", "30751feb705c5904e3d50d70", -55, "aadd"),
]


def test_check_values():
    assert feig.crc16(b"123456789") == 0x6F91
    assert magicrf.gen2_crc(b"123456789") == 0xD64E


@pytest.mark.parametrize(("frame", "command", "data", "advanced"), FEIG_REQUESTS)
def test_feig_requests(frame, command, data, advanced):
    raw = bytes.fromhex(frame)
    assert feig.encode_request(command, bytes.fromhex(data), advanced=advanced) == raw
    assert feig.claimed_length(raw) == len(raw)
    request = feig.parse_request(raw)
    assert request == feig.Request(255, command, bytes.fromhex(data), advanced)


@pytest.mark.parametrize(("frame", "command", "status", "data", "advanced"), FEIG_REPLIES)
def test_feig_replies(frame, command, status, data, advanced):
    assert feig.encode_reply(0, command, status, bytes.fromhex(data), advanced=advanced).hex() == frame


def test_feig_reply_turns_advanced_when_255_bytes_do_not_do():
    longest = feig.encode_reply(0, 0xB0, 0, bytes(249))
    assert (longest[0], len(longest)) == (255, 255)
    longer = feig.encode_reply(0, 0xB0, 0, bytes(250))
    assert longer[:3] == b"\x02\x01\x02"
    assert len(longer) == 0x102


@pytest.mark.parametrize("bit", range(56))
def test_feig_request_with_any_flipped_bit_is_refused(bit):
    raw = bytearray.fromhex("07ffb001001c56")
    raw[bit // 8] ^= 1 << bit % 8
    length = feig.claimed_length(raw)
    assert length is None or length != len(raw) or feig.parse_request(bytes(raw)) is None


@pytest.mark.parametrize("first", [0, 1, 3, 4])
def test_feig_length_that_cannot_be(first):
    assert feig.claimed_length(bytes((first, 0, 0))) == 0
    assert feig.claimed_length(b"\x02\x00\x06") == 0


@pytest.mark.parametrize(("frame", "kind", "command", "parameter", "framing"), MAGICRF_FRAMES)
def test_magicrf_frames(frame, kind, command, parameter, framing):
    framing = magicrf.FRAMINGS[framing]
    assert magicrf.encode(kind, command, bytes.fromhex(parameter), framing).hex() == frame
    if kind == magicrf.COMMAND:
        buffer = bytearray.fromhex(frame)
        assert magicrf.cut_requests(buffer, framing) == [magicrf.Request(command, bytes.fromhex(parameter))]
        assert not buffer


@pytest.mark.parametrize(("frame", "epc", "rssi_dbm", "framing"), NOTICES)
def test_magicrf_notices(frame, epc, rssi_dbm, framing):
    assert magicrf.tag_notice(bytes.fromhex(epc), rssi_dbm, magicrf.FRAMINGS[framing]).hex() == frame


def test_magicrf_commands_are_found_behind_noise_and_false_heads():
    good = "bb00220000227e"
    buffer = bytearray.fromhex("7e00bb" + "bb02" + "bb00220000237e" + good + "bb0027000322ffff4a7e" + "bb0022")
    found = magicrf.cut_requests(buffer, magicrf.FRAMINGS["bb7e"])
    assert found == [magicrf.Request(0x22, b""), magicrf.Request(0x27, b"\x22\xff\xff")]
    assert buffer.hex() == "bb0022"


def test_magicrf_buffer_does_not_grow_on_noise():
    import random

    rng = random.Random(7)
    buffer = bytearray()
    for _ in range(400):
        buffer += rng.randbytes(250)
        magicrf.cut_requests(buffer, magicrf.FRAMINGS["bb7e"])
        assert len(buffer) <= magicrf.OVERHEAD + magicrf.MAX_PARAMETER
