import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.buffer import ErrorKind, Refusal
from drivers.driver import LocalProtocolError
from drivers.magicrf.describe import decode, describe
from drivers.magicrf.frames import TAG_ACCESS, FrameType, Framing, Grammar, encode

GRAMMAR = Grammar()
EPC = "e28068940000501283a4b5c6"
HEAD = bytes.fromhex("0e3000" + EPC)
BYTES = st.integers(0, 255)
KINDS = st.sampled_from(list(FrameType))


def told(data, framing="bb7e"):
    return decode(data, {"framing": framing})


def kinds(decoded):
    return [error["kind"] for error in decoded.errors]


def test_examples_of_the_protocol_page():
    assert encode(0x22).hex() == "bb00220000227e"
    assert encode(0xB6, b"\x05\xdc").hex() == "bb00b6000205dc997e"
    assert encode(0x0E, b"\x10\x20").hex() == "bb000e00021020407e"
    assert encode(0x22, framing=Framing.AADD).hex() == "aa0022000022dd"


@given(KINDS, BYTES, st.binary(max_size=512), st.sampled_from(list(Framing)))
def test_encode_is_what_the_page_says(witness_module, kind, command, parameter, framing):
    raw = encode(command, parameter, framing=framing, kind=kind)
    ends = bytes(framing.value)
    assert raw == witness_module["magicrf_frame"](kind, command, parameter, ends)
    result = Grammar(framing).parse(raw)
    assert isinstance(result, Refusal) is not witness_module["magicrf_valid"](raw, ends)
    if not isinstance(result, Refusal):
        assert (result.type, result.command, result.parameter) == (kind, command, parameter)


@given(st.binary(max_size=31), st.integers(-128, 127))
def test_notices_round_trip(witness_module, half, rssi):
    epc = (half + half).hex()
    frame = GRAMMAR.parse(witness_module["magicrf_notice"](epc, rssi))
    assert (frame.tag.epc, frame.tag.rssi_dbm) == (epc, rssi)
    fields = describe(frame)
    assert fields["rssi_dbm"] == rssi
    assert fields["pc"] == f"{len(half) << 3:02x}00"
    assert fields["tag_crc"] == frame.parameter[-2:].hex()


def test_two_byte_errors_that_keep_the_sum_are_refused(witness):
    """The trap of the 8-bit sum: +1 here, -1 there."""
    notice = bytearray(witness.magicrf_notice(EPC))
    notice[8] -= 1
    notice[9] += 1
    assert sum(notice[1:-2]) % 256 == notice[-2]
    decoded = told(bytes(notice))
    assert decoded.frames == []
    assert kinds(decoded) == ["bad_checksum"]
    assert "Gen2" in decoded.errors[0]["detail"]


@pytest.mark.parametrize("pc", ["2800", "3800", "0000", "f800"])
def test_a_notice_whose_pc_tells_another_length_is_refused(witness, pc):
    body = bytes.fromhex(pc + EPC)
    parameter = b"\xc8" + body + witness.crc_gen2(body).to_bytes(2, "big")
    decoded = told(witness.magicrf_frame(2, 0x22, parameter))
    assert decoded.frames == []
    assert kinds(decoded) == ["bad_length"]


def test_a_notice_too_short_for_its_parts_is_refused(witness):
    for length in range(5):
        assert kinds(told(witness.magicrf_frame(2, 0x22, bytes(length)))) == ["bad_length"]


@pytest.mark.parametrize("command", sorted(TAG_ACCESS))
def test_tag_access_replies(witness, command):
    (frame,) = told(witness.magicrf_frame(1, command, HEAD + b"\x12\x34")).frames
    assert (frame["pc"], frame["epc"], frame["data_hex"]) == ("3000", EPC, "1234")
    (frame,) = told(witness.magicrf_frame(0, command, HEAD)).frames
    assert "epc" not in frame


def test_eas_alarm_carries_no_tag(witness):
    (frame,) = told(witness.magicrf_frame(1, 0xE4, bytes.fromhex("690aec7cd215d8f9"))).frames
    assert "epc" not in frame
    assert frame["command_name"] == "nxp_eas_alarm"


@pytest.mark.parametrize("parameter", [b"", b"\x00", b"\x01\x30", HEAD[:-1], b"\x0f" + HEAD[1:], b"\x0c" + HEAD[1:]])
def test_a_tag_length_that_does_not_fit_is_refused(witness, parameter):
    assert kinds(told(witness.magicrf_frame(1, 0x39, parameter))) == ["bad_length"]
    if parameter:
        assert kinds(told(witness.magicrf_frame(1, 0xFF, b"\x09" + parameter))) == ["bad_length"]


ERRORS = {
    0x09: ("read_fail", None),
    0x10: ("write_fail", None),
    0x12: ("kill_fail", None),
    0x13: ("lock_fail", None),
    0x14: ("permalock_fail", None),
    0x15: ("inventory_fail_no_tag_or_crc", None),
    0x16: ("access_fail_password", None),
    0x17: ("bad_command", None),
    0x20: ("fhss_fail", None),
    0x1A: ("nxp_change_config_fail", None),
    0x1B: ("nxp_change_eas_fail", None),
    0x1D: ("nxp_eas_alarm_fail", None),
    0x2A: ("nxp_readprotect_fail", None),
    0x2B: ("nxp_reset_readprotect_fail", None),
    0x2E: ("monza_qt_fail", None),
    0xA0: ("read_error", "other"),
    0xB3: ("write_error", "memory_overrun"),
    0xC4: ("lock_error", "memory_locked"),
    0xDB: ("kill_error", "insufficient_power"),
    0xEF: ("special_error", "non_specific"),
    0xA7: ("read_error", None),
    0x77: (None, None),
    0xF3: (None, None),
}


@pytest.mark.parametrize(("code", "names"), ERRORS.items())
@pytest.mark.parametrize("head", [b"", HEAD], ids=["bare", "with tag"])
def test_errors_with_and_without_a_tag(witness, code, names, head):
    (frame,) = told(witness.magicrf_frame(1, 0xFF, bytes([code]) + head)).frames
    assert (frame["error_code"], frame["error_name"], frame.get("gen2_error_name")) == (code, *names)
    assert frame.get("epc") == (EPC if head else None)


def test_an_error_without_a_code_is_refused(witness):
    assert kinds(told(witness.magicrf_frame(1, 0xFF))) == ["bad_length"]


@pytest.mark.parametrize(
    ("kind", "command", "parameter", "fields"),
    [
        (0, 0xB6, "0a28", {"power_dbm": 26.0}),
        (1, 0xB7, "04e2", {"power_dbm": 12.5}),
        (1, 0xB6, "00", {"power_dbm": None}),
        (0, 0xB7, "", {"power_dbm": None}),
        (0, 0x11, "0480", {"baud_rate": 115_200}),
        (0, 0x27, "220001", {"poll_count": 1}),
        (0, 0x27, "230001", {"poll_count": None}),
        (1, 0x27, "00", {"poll_count": None, "command_name": "multi_poll"}),
        (0, 0x99, "", {"command": 0x99, "command_name": None}),
    ],
)
def test_numbers(witness, kind, command, parameter, fields):
    (frame,) = told(witness.magicrf_frame(kind, command, bytes.fromhex(parameter))).frames
    assert {name: frame.get(name) for name in fields} == fields


@pytest.mark.parametrize(("kind", "command", "length"), [(0, 0xB6, 1), (1, 0xB7, 3), (0, 0x11, 0), (0, 0x27, 2)])
def test_numbers_of_another_length_are_refused(witness, kind, command, length):
    assert kinds(told(witness.magicrf_frame(kind, command, bytes(length)))) == ["bad_length"]


def test_the_checks_come_in_their_order(witness):
    good = witness.magicrf_frame(1, 0x0C, b"\0")
    assert kinds(told(good[:-2] + b"\xff\x7f")) == ["bad_terminator"]
    assert kinds(told(good[:-2] + b"\xff\x7e")) == ["bad_checksum"]
    assert kinds(told(b"\xbb\x03" + good[2:])) == ["bad_value", "noise"]
    assert GRAMMAR.claim(bytearray(b"\xbb\x01\x0c\x03"), 0).kind is ErrorKind.BAD_LENGTH


def test_each_framing_refuses_the_other(witness):
    for framing, ends in (("bb7e", b"\xaa\xdd"), ("aadd", b"\xbb\x7e")):
        decoded = told(witness.magicrf_frame(1, 0xFF, b"\x15", ends), framing)
        assert decoded.frames == []
        assert kinds(decoded) == ["noise"]


@pytest.mark.parametrize("arguments", [(256, b""), (-1, b""), (0x0C, bytes(513))])
def test_what_cannot_be_sent_is_our_error(arguments):
    with pytest.raises(LocalProtocolError, match="magicrf"):
        encode(*arguments)
