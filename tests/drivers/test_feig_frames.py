import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.buffer import ErrorKind, Refusal
from drivers.driver import LocalProtocolError
from drivers.feig.describe import decode, describe
from drivers.feig.frames import ISO_ERROR_NAMES, STATUS_NAMES, DataSet, Grammar, encode

DEVICE, HOST = Grammar(from_host=False), Grammar(from_host=True)
A, B = "e00401001234abcd", "e004010000000001"
BYTES = st.integers(0, 255)
UID = st.binary(min_size=8, max_size=8).map(bytes.hex)
SET_BEARING = st.sampled_from([0x00, 0x83, 0x84, 0x93, 0x94])


def device(data):
    return decode(data, {"from": "device"})


def error_kinds(decoded):
    return [error["kind"] for error in decoded.errors]


def test_examples_of_the_protocol_page():
    assert encode(0x52, b"\0").hex() == "06ff52000f6e"
    assert encode(0x65).hex() == "05ff65e5cb"
    assert encode(0x69).hex() == "05ff698901"
    assert encode(0x6A, b"\x01").hex() == "06ff6a01e407"
    assert encode(0xB0, b"\x01\x80").hex() == "07ffb0018014d2"
    assert encode(0xB0, b"\x01\x00", advanced=True).hex() == "020009ffb001001843"
    assert encode(0xB0, address=0, status=0x82).hex() == "0600b082cfd5"


@given(BYTES, BYTES, st.binary(max_size=400), st.booleans())
def test_requests_round_trip(witness_module, command, address, data, advanced):
    raw = encode(command, data, address=address, advanced=advanced)
    advanced = advanced or len(data) > 250
    assert raw == witness_module["feig_request"](command, data, address=address, advanced=advanced)
    frame = HOST.parse(raw)
    assert HOST.claim(bytearray(raw), 0) == len(raw)
    assert (frame.command, frame.address, frame.data, frame.advanced) == (command, address, data, advanced)
    assert frame.status is None


@given(st.lists(UID, max_size=60), SET_BEARING, BYTES, st.booleans())
def test_inventories_round_trip(witness_module, uids, status, address, advanced):
    data = witness_module["feig_sets"](*uids)
    raw = encode(0xB0, data, address=address, status=status, advanced=advanced)
    assert witness_module["feig_valid"](raw)
    frame = DEVICE.parse(raw)
    assert frame.sets == tuple(DataSet(3, 0, uid) for uid in uids)
    assert (frame.address, frame.status, frame.advanced) == (address, status, advanced or len(uids) > 24)
    told = describe(frame)
    assert told["tag_count"] == len(uids)
    assert told["complete"] is (status == 0)


@given(st.binary(min_size=6, max_size=60))
def test_parse_agrees_with_the_independent_checks(witness_module, data):
    """Resealed, so that the content is what decides."""
    body = bytes([len(data)]) + data[1:-2]
    raw = body + witness_module["crc_feig"](body).to_bytes(2, "little")
    assert isinstance(DEVICE.parse(raw), Refusal) is not witness_module["feig_valid"](raw)


@pytest.mark.parametrize("status", sorted(STATUS_NAMES))
def test_every_status(witness, status):
    decoded = device(witness.feig_reply(0xB0, status))
    (frame,) = decoded.frames
    assert frame["status_name"] == STATUS_NAMES[status]
    assert frame["complete"] is (status in {0x00, 0x01})
    assert "tags" not in frame


def test_an_unknown_status_has_no_name_and_is_not_complete(witness):
    (frame,) = device(witness.feig_reply(0xB0, 0x5A)).frames
    assert frame["status"] == 0x5A
    assert frame["status_name"] is None
    assert frame["complete"] is False


def test_complete_is_told_of_inventories_only(witness):
    (frame,) = device(witness.feig_reply(0x69, 0)).frames
    assert "complete" not in frame


@pytest.mark.parametrize("status", [0x01, 0x02, 0x05, 0x0E, 0x10, 0x80, 0x82, 0x5A])
def test_data_behind_a_status_without_data_is_refused(witness, status):
    decoded = device(witness.feig_reply(0xB0, status, witness.feig_sets(A)))
    assert decoded.frames == []
    assert error_kinds(decoded)[0] == "bad_length"


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" + bytes.fromhex("0300" + A),
        b"\x02" + bytes.fromhex("0300" + A),
        b"\x01" + bytes.fromhex("0300" + A) + b"\x00",
        b"\x01" + bytes.fromhex("0300" + A)[:-1],
        b"\x01" + bytes.fromhex("0300" + A + "0300" + B),
        b"\x01",
        b"\xff",
    ],
)
def test_data_sets_that_do_not_fit_are_refused(witness, data):
    decoded = device(witness.feig_reply(0xB0, 0, data))
    assert decoded.frames == []
    assert error_kinds(decoded)[0] == "bad_count"


def test_a_chip_of_another_kind_is_never_stepped_over(witness):
    """TR-TYPE 04 with a 7-byte UID is 10 bytes long too: a blind parser would make a UID of it."""
    foreign = bytes.fromhex("04440004a1b2c3d4e5f6")
    decoded = device(witness.feig_reply(0xB0, 0, b"\x02" + bytes.fromhex("0300" + A) + foreign))
    assert decoded.frames == []
    assert decoded.errors[0]["kind"] == "bad_value"
    assert "04" in decoded.errors[0]["detail"]
    assert decoded.errors[0]["salvaged"] == [{"tr_type": 3, "dsfid": 0, "uid": A}]


@pytest.mark.parametrize(("code", "name"), [*ISO_ERROR_NAMES.items(), (0x77, None)])
def test_iso15693_errors(witness, code, name):
    (frame,) = device(witness.feig_reply(0xB0, 0x95, bytes([code]))).frames
    assert frame["iso15693_error"] == code
    assert frame["iso15693_error_name"] == name
    assert frame["complete"] is False


@pytest.mark.parametrize(("mode", "flags"), [(0, "000"), (0x80, "100"), (0x40, "010"), (0x20, "001"), (0xFF, "111")])
def test_inventory_mode_bits(witness, mode, flags):
    decoded = decode(witness.feig_request(0xB0, bytes([1, mode, 5][: 3 if mode & 0x40 else 2])), {"from": "host"})
    told = "".join(str(int(decoded.frames[0][name])) for name in ("more", "notify", "presence_check"))
    assert told == flags
    assert decoded.frames[0]["command_name"] == "inventory"


def test_other_host_frames_are_no_inventory(witness):
    for data in (b"\x23\x00", b"\x01", b""):
        (frame,) = decode(witness.feig_request(0xB0, data), {"from": "host"}).frames
        assert "command_name" not in frame
        assert frame["data_hex"] == data.hex()


def test_a_host_frame_is_no_device_frame():
    decoded = device(bytes.fromhex("05ff65e5cb"))
    assert decoded.frames == []
    assert error_kinds(decoded)[0] == "bad_length"


@pytest.mark.parametrize("length", [1, 3, 4])
def test_a_length_below_the_minimum_is_told_where_a_frame_was_due(witness, length):
    good = witness.feig_reply(0xB0, 1)
    decoded = device(good + bytes([length]) + good)
    assert len(decoded.frames) == 2
    assert error_kinds(decoded) == ["bad_length"]


def test_every_length_of_advanced_frame_below_the_minimum_is_refused(witness):
    for from_host, least in ((True, 7), (False, 8)):
        for length in range(least):
            grammar = Grammar(from_host=from_host)
            assert grammar.claim(bytearray([2, 0, length]), 0).kind is ErrorKind.BAD_LENGTH
        assert grammar.claim(bytearray([2, 0, least]), 0) == least


@pytest.mark.parametrize(
    "arguments", [{"command": 256}, {"command": 1, "address": -1}, {"command": 1, "data": bytes(5000)}]
)
def test_what_cannot_be_sent_is_our_error(arguments):
    with pytest.raises(LocalProtocolError, match="feig"):
        encode(**arguments)
