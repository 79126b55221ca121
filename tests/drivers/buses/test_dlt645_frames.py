"""DL/T 645 content against the decode contract, frame by frame."""

import pytest

from drivers.dlt645.describe import decode
from drivers.dlt645.frames import Grammar, encode
from drivers.driver import LocalProtocolError

ADDRESS = "201000000012"


def one(data, address=""):
    told = decode(data, {"address": address})
    assert len(told.frames) == 1, told
    return told.frames[0]


def refused(data, address=""):
    told = decode(data, {"address": address})
    assert told.frames == []
    return [error["kind"] for error in told.errors]


@pytest.mark.parametrize(
    ("identifier", "payload", "field", "value"),
    [
        ("00010000", "78563412", "energy_wh", 123456780),
        ("00000000", "00000000", "energy_wh", 0),
        ("00020300", "01000000", "energy_wh", 10),
        ("0001ff00", "01000000ffffffff02000000", "energy_wh", [10, None, 20]),
        ("00030000", "50000000", "reactive_energy_varh", 500),
        ("0004ff00", "50000000", "reactive_energy_varh", [500]),
        ("02010300", "0123", "voltage_v", 230.1),
        ("0201ff00", "5622ffff0023", "voltage_v", [225.6, None, 230.0]),
        ("02020100", "341200", "current_a", 1.234),
        ("0202ff00", "341200ffffff010000", "current_a", [1.234, None, 0.001]),
        ("02030000", "563412", "power_w", 12345.6),
        ("02030000", "563492", "power_w", -12345.6),
        ("02030000", "000080", "power_w", 0),
        ("0203ff00", "010080ffffff", "power_w", [-0.1, None]),
        ("02800007", "4502", "temperature_c", 24.5),
        ("04000102", "593023", "time", "23:30:59"),
        ("04000101", "04281125", "date", "2025-11-28"),
        ("04000101", "04281125", "weekday", 4),
        ("04000102", "ffffff", "time", None),
        ("1d000001", "120000", "trip_count", 12),
        ("03300d00", "030000", "cover_open_count", 3),
        ("02010100", "ffff", "voltage_v", None),
    ],
)
def test_values(book, identifier, payload, field, value):
    data = bytes.fromhex(identifier)[::-1] + bytes.fromhex(payload)
    frame = one(book.dlt645_frame(ADDRESS, 0x91, data))
    assert frame["data_identifier"] == identifier
    assert frame[field] == pytest.approx(value) if not isinstance(value, list | str | type(None)) else True
    assert frame[field] == value
    assert "value_error" not in frame


@pytest.mark.parametrize(
    ("identifier", "payload", "field", "value"),
    [
        ("02010100", "5a22", "voltage_v", None),
        ("0201ff00", "562212fa0023", "voltage_v", [225.6, None, 230.0]),
        ("02030000", "5634fa", "power_w", None),
        ("04000102", "5a3023", "time", None),
        ("04000101", "04281a25", "date", None),
        ("1d000001", "1a0000", "trip_count", None),
    ],
)
def test_a_nibble_that_is_no_digit_leaves_the_frame_without_the_value(book, identifier, payload, field, value):
    frame = one(book.dlt645_frame(ADDRESS, 0x91, bytes.fromhex(identifier)[::-1] + bytes.fromhex(payload)))
    assert frame[field] == value
    assert frame["value_error"] == "bad_bcd"


@pytest.mark.parametrize(
    ("control", "data", "kind"),
    [
        (0x91, "00010102012200", "bad_length"),
        (0x91, "00ff0102012200", "bad_length"),
        (0x91, "00010102", "bad_length"),
        (0x91, "02010004600000", "bad_time"),
        (0x91, "0101000404281325", "bad_time"),
        (0x91, "0101000404300225", "bad_time"),
        (0x93, "1200000010", "bad_length"),
        (0x1C, "021111115453414 51a00595923311325".replace(" ", ""), "bad_time"),
    ],
)
def test_good_sum_and_impossible_content(book, control, data, kind):
    assert refused(book.dlt645_frame(ADDRESS, control, bytes.fromhex(data))) == [kind]


def test_switch_requests(book):
    head = bytes.fromhex("0211111154534145")
    until = bytes.fromhex("595923311225")
    trip = one(book.dlt645_frame(ADDRESS, 0x1C, head + b"\x1a\0" + until))
    assert trip["action_name"] == "trip"
    assert trip["valid_until"] == "2025-12-31T23:59:59+08:00"
    assert trip["nonstandard_length"] is False
    close = one(book.dlt645_frame(ADDRESS, 0x1C, head + b"\x1c"))
    assert (close["action_name"], close["nonstandard_length"], close.get("valid_until")) == ("close", True, None)
    assert one(book.dlt645_frame(ADDRESS, 0x1C, head + b"\x77"))["action_name"] is None
    assert one(book.dlt645_frame(ADDRESS, 0x1C, head[:3]))["action_name"] is None
    assert one(book.dlt645_frame(ADDRESS, 0x9C))["contact_state_name"] == "unknown"
    refusal = one(book.dlt645_frame(ADDRESS, 0xDC, b"\x7f"))
    assert "contact_state_name" not in refusal
    assert refusal["error_names"] == [
        "other_error",
        "no_requested_data",
        "password_or_unauthorised",
        "baud_rate_fixed",
        "year_zones",
        "day_periods",
        "tariffs",
    ]


def test_addresses(book):
    reply = book.dlt645_frame(ADDRESS, 0x93, bytes.fromhex(ADDRESS)[::-1])
    assert one(reply)["reported_address"] == ADDRESS
    assert refused(reply, "201000000013") == ["address_mismatch"]
    assert one(reply, ADDRESS)["address"] == ADDRESS
    request = book.dlt645_frame("201000000099", 0x11, b"\0\0\1\0")
    assert one(request, ADDRESS)["from_meter"] is False
    assert one(book.dlt645_frame("999999999999", 0x08, bytes(6)))["broadcast"] is True
    assert one(request)["broadcast"] is False


def test_editions_are_told_apart(book):
    mixed = one(bytes.fromhex("68674523010000681102 44e9e016".replace(" ", "")))
    assert (mixed["mixed_versions"], mixed["data_identifier"]) == (True, None)
    answer = one(book.dlt645_frame(ADDRESS, 0x91, b"\x10\x90\x26\0\0\0"))
    assert (answer["mixed_versions"], answer["data_identifier"]) == (True, None)
    assert "energy_wh" not in answer
    assert "mixed_versions" not in one(book.dlt645_frame(ADDRESS, 0x91, b"\0\xff\1\2\x56\x22"))
    assert "mixed_versions" not in one(book.dlt645_frame(ADDRESS, 0x81, b"\x10\x90\x26\0\0\0"))


def test_damage_is_named(book):
    good = book.dlt645_frame(ADDRESS, 0x91, b"\0\0\1\0\x26\0\0\0")
    assert refused(good[:-1] + b"\x17")[0] == "bad_terminator"
    assert refused(good[:-2] + bytes([good[-2] ^ 1, 0x16]))[0] == "bad_checksum"
    assert refused(good[:7] + b"\x69" + good[8:])[0] == "bad_start"
    nonsense = decode(good[:9] + b"\xc9" + good[10:], {"address": ""})
    assert nonsense.errors[0]["kind"] == "bad_length"
    assert nonsense.pending_bytes == 0


def test_a_frame_inside_the_data_of_a_damaged_one_is_found(book):
    inner = book.dlt645_frame(ADDRESS, 0x91, b"\0\0\1\0\x26\0\0\0")
    outer = bytes.fromhex("68010000000000 6811 20".replace(" ", "")) + inner
    assert one(outer + bytes(20))["data_identifier"] == "00010000"


def test_a_preamble_is_no_noise(book):
    good = book.dlt645_frame(ADDRESS, 0x91, b"\0\0\1\0\x26\0\0\0", preamble=4)
    assert decode(good + good, {"address": ""}).errors == []
    assert [e["kind"] for e in decode(b"\x01\xfe" + good, {"address": ""}).errors] == ["noise"]


def test_both_length_limits(book):
    assert len(one(book.dlt645_frame(ADDRESS, 0x94, bytes(200)))["data_hex"]) == 400
    assert refused(book.dlt645_frame(ADDRESS, 0x94, bytes(201)))[0] == "bad_length"
    with pytest.raises(LocalProtocolError, match="at most 255 and 50"):
        encode(ADDRESS, 0x14, bytes(51))
    with pytest.raises(LocalProtocolError, match="12 digits"):
        encode("12", 0x11)


def test_encode_is_the_book(book):
    for control, data in ((0x11, b"\0\0\1\0"), (0x1C, bytes(range(200, 216))), (0x13, b"")):
        frame = encode("aaaaaaaaaa01", control, data, preamble=3)
        assert frame == book.dlt645_frame("aaaaaaaaaa01", control, data, preamble=3)
        assert Grammar().parse(frame[3:]).data == data
