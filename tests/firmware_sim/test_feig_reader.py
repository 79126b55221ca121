"""The FEIG reader: its answers, its silences, and what it remembers between passes."""

from __future__ import annotations

import random

import pytest

from firmware_sim.air15693 import STAY_QUIET_NS, AirSettings
from firmware_sim.chips import Chip
from firmware_sim.feig import FeigSettings
from firmware_sim.feig.frames import encode_request
from firmware_sim.feig.reader import RF_RESET_NS
from firmware_sim.feig.transponder import memory

MS = 1_000_000
UID = "e00700001353e7b6"

# Examples of drivers/feig/PROTOCOL.md, section 6, and of the shared vectors.
EXAMPLES = [
    ("06ff52000f6e", "06005200fca8"),
    ("05ff65e5cb", "0d006500010200002100082b66"),
    ("06ff6600cdbf", "110066000102000021000800ff00ff8180"),
    ("06ff6680c53b", "1600660012345678000000000000000000000000d53e"),
    ("05ff698901", "06006900f6fa"),
    ("06ff6a01e407", "06006a009ed0"),
    ("07ffb001001c56", "0600b0015c63"),
]


@pytest.mark.parametrize(("request_hex", "answer"), EXAMPLES)
def test_documented_exchanges(feig, request_hex, answer):
    assert feig().ask(bytes.fromhex(request_hex)).hex() == answer


def test_inventory_is_the_golden_frame(feig):
    host = feig(UID)
    assert host.ask(bytes.fromhex("07ffb001001c56")).hex() == "1100b000010300e00700001353e7b6aa00"
    host.reset_field()
    assert host.ask(bytes.fromhex("020009ffb001001843")).hex() == "02001300b000010300e00700001353e7b67144"


@pytest.mark.parametrize(
    ("command", "data", "status"),
    [
        (0x99, "", 0x80),
        (0x52, "", 0x81),
        (0x65, "00", 0x81),
        (0x66, "33", 0x11),
        (0x69, "00", 0x81),
        (0x6A, "02", 0x11),
        (0x6E, "07", 0x11),
        (0x72, "0102010100000a", 0x81),
        (0x72, "0101010100" + "0a", 0x00),
        (0xB0, "", 0x81),
        (0xB0, "01", 0x81),
        (0xB0, "010000", 0x81),
        (0xB0, "0140", 0x81),
        (0xB0, "7700", 0x01),
        (0xB0, "2500", 0x01),
        (0xB0, "2307", 0x11),
    ],
)
def test_status_of_odd_requests(feig, command, data, status):
    answer = feig().ask(encode_request(command, bytes.fromhex(data)))
    assert answer[2:4] == bytes((command, status))


def test_diagnostic_tells_the_field(feig):
    host = feig()
    assert host.ask(encode_request(0x6E, b"\x01"))[3:6] == b"\x00\x01\x00"
    host.ask(encode_request(0x6A, b"\x00"))
    assert host.ask(encode_request(0x6E, b"\x01"))[3:6] == b"\x00\x00\x00"


# --- silences


@pytest.mark.parametrize("bad", ["07ffb001001c57", "05ff65e5cc", "00", "0302", "020004ff65"])
def test_a_bad_frame_is_never_answered(feig, bad):
    host = feig(UID)
    assert host.ask(bytes.fromhex(bad)) == b""
    host.now_ns += 20 * MS
    assert host.inventory() == (0, [UID])


def test_other_addresses_are_not_answered(feig):
    host = feig(settings=FeigSettings(address=7))
    assert host.ask(encode_request(0x65, address=8)) == b""
    assert host.ask(encode_request(0x65, address=7))[1] == 7
    assert host.ask(encode_request(0x65))[1] == 7


def test_a_frame_needs_5_ms_of_quiet_line_before_it(feig):
    host = feig(UID)
    host.inventory()
    assert host.ask(encode_request(0x65), pause_ns=4_900_000) == b""
    assert host.reader.counters.gap_violations == 1
    assert host.ask(encode_request(0x65), pause_ns=5_000_000) != b""


def test_bytes_may_be_12_ms_apart_not_more(feig):
    host = feig()
    frame = encode_request(0x65)
    for gap_ns, answered in ((11 * MS, True), (13 * MS, False)):
        host.now_ns += 50 * MS
        host.reader.receive(frame[:2], host.now_ns)
        host.now_ns += 2 * host.reader.line.settings.byte_ns + gap_ns
        host.reader.receive(frame[2:], host.now_ns)
        assert bool(host.listen()) is answered


def test_a_request_while_the_reader_answers_is_lost(feig):
    host = feig(UID)
    host.now_ns += 5 * MS
    host.reader.receive(encode_request(0xB0, b"\x01\x00"), host.now_ns)
    host.reader.receive(encode_request(0x65), host.now_ns + 8 * MS)
    assert host.parse(host.listen()) == (0, [UID])


def test_scan_mode_refuses_transponder_commands(feig):
    host = feig(UID, settings=FeigSettings(scan_mode=True))
    assert host.ask(encode_request(0xB0, b"\x01\x00")).hex() == "0600b082cfd5"
    assert host.ask(encode_request(0x65))[3] == 0


def test_cpu_reset_forgets_and_is_silent_for_a_while(feig):
    host = feig(UID)
    assert host.inventory() == (0, [UID])
    assert host.ask(encode_request(0x63))[3] == 0
    assert host.ask(encode_request(0x65)) == b""
    host.now_ns += 500 * MS
    assert host.inventory() == (0, [UID])


# --- quiet chips, residual passes


def test_a_chip_told_once_is_quiet_until_the_field_was_off(feig):
    host = feig(UID)
    assert host.inventory() == (0, [UID])
    assert host.inventory() == (1, [])
    host.reset_field()
    assert host.inventory() == (0, [UID])
    host.ask(encode_request(0x6A, b"\x00"))
    assert host.inventory() == (1, [])
    host.ask(encode_request(0x6A, b"\x01"))
    assert host.inventory() == (0, [UID])


def test_a_lifted_plate_is_heard_again(feig):
    host = feig(UID)
    host.inventory()
    chip = host.reader.field.remove(UID)
    host.reader.field.place(chip)
    assert host.inventory() == (0, [UID])


def test_with_ont_0_every_inventory_asks_all_chips_and_costs_a_field_reset(feig):
    plain, each = feig(UID), feig(UID, settings=FeigSettings(only_new=False))
    plain.inventory()
    for _ in range(3):
        assert each.inventory() == (0, [UID])
    assert each.took_ns == plain.took_ns + RF_RESET_NS


def test_the_residual_pass_asks_only_chips_that_were_not_heard(feig, hf_uids):
    chips = [Chip(uid, read_p=0.5) for uid in hf_uids(6)]
    host = feig(*chips, settings=FeigSettings(air=AirSettings(capture_db=99.0)))
    for _ in range(50):
        host.reset_field()
        heard = []
        for _ in range(12):
            status, found = host.inventory()
            assert status == (0 if found else 1)
            assert not set(found) & set(heard)
            heard += found
        assert sorted(heard) == sorted(chip.uid for chip in chips)


def test_capture_is_cured_by_the_residual_pass(feig):
    """Same low nibble, very different strength: the weak chip is hidden in every first pass, never in the second."""
    host = feig("e004010000000015", "e004010000000025")
    strong, weak = host.reader.field.placed.values()
    strong.gain_db, weak.gain_db = 10.0, -10.0
    for _ in range(20):
        host.reset_field()
        assert host.inventory() == (0, ["e004010000000015"])
        assert host.inventory() == (0, ["e004010000000025"])
        assert host.inventory() == (1, [])
    assert host.reader.counters.hidden_by_capture == 20


def test_presence_check_asks_the_chips_told_before(feig):
    host = feig(UID)
    assert host.inventory(0x20) == (1, [])
    host.inventory()
    assert host.inventory(0x20) == (0, [UID])


def test_notification_answers_when_a_chip_comes_or_the_time_is_over(feig):
    host = feig()
    frame = encode_request(0xB0, b"\x01\x40\x03")
    assert host.parse(host.ask(frame)) == (1, [])
    assert 300 * MS <= host.took_ns < 350 * MS
    host.now_ns += 5 * MS
    begin_ns = host.now_ns
    host.reader.receive(frame, begin_ns)
    assert host.listen(begin_ns + 100 * MS) == b""
    host.reader.field.place(Chip(UID, read_p=1.0))
    assert host.parse(host.listen()) == (0, [UID])
    assert host.now_ns - begin_ns < 140 * MS


# --- long answers and incomplete passes


def test_more_chips_than_an_answer_holds(feig, hf_uids):
    uids = hf_uids(30)
    host = feig(*uids, settings=FeigSettings(tx_buffer=128, air=AirSettings(capture_db=99.0)))
    status, found = host.inventory()
    assert (status, len(found)) == (0x94, 11)
    for expected, count in ((0x94, 11), (0x00, 8)):
        status, more = host.inventory(0x80)
        assert (status, len(more)) == (expected, count)
        found += more
    assert sorted(found) == sorted(uids)
    assert host.inventory(0x80) == (1, [])


def test_a_standard_request_gets_at_most_24_sets_in_255_bytes(feig, hf_uids):
    host = feig(*hf_uids(30), settings=FeigSettings(air=AirSettings(capture_db=99.0)))
    status, found = host.inventory()
    assert (status, len(found)) == (0x94, 24)


def test_buffer_overflow_and_given_up_trees_are_said(feig, hf_uids):
    uids = hf_uids(30)
    host = feig(*uids, settings=FeigSettings(max_sets=16, tx_buffer=4096, air=AirSettings(capture_db=99.0)))
    status, found = host.inventory()
    assert (status, len(found)) == (0x93, 16)
    host = feig(*uids, settings=FeigSettings(tx_buffer=4096, air=AirSettings(capture_db=99.0, max_rounds=4)))
    status, found = host.inventory()
    assert status == 0x83
    assert 0 < len(found) < 30
    assert set(found) < set(uids)


# --- single chips


def test_read_blocks(feig):
    host = feig(UID)
    content = memory(host.reader.field.placed[UID])
    answer = host.ask(encode_request(0xB0, bytes.fromhex("2301" + UID + "0202")))
    assert answer[3:-2] == b"\x00\x02\x04" + b"\x00" + content[8:12] + b"\x00" + content[12:16]
    beyond = host.ask(encode_request(0xB0, bytes.fromhex("2301" + UID + "1b02")))
    assert beyond[3:5] == b"\x95\x10"


def test_system_information_and_reset_to_ready(feig):
    host = feig(UID)
    answer = host.ask(encode_request(0xB0, bytes.fromhex("2b01" + UID)))
    assert answer[3:-2].hex() == "00" + "00" + UID + "00" + "031b" + "01"
    host.inventory()
    assert host.inventory() == (1, [])
    assert host.ask(encode_request(0xB0, bytes.fromhex("2601" + UID)))[3] == 0
    assert host.inventory() == (0, [UID])


def test_selected_mode_means_the_selected_chip(feig):
    other = "e00700001353e7b7"
    host = feig(UID, other)
    assert host.ask(encode_request(0xB0, bytes.fromhex("2b00")))[3] == 0x83  # two answer at once
    assert host.ask(encode_request(0xB0, bytes.fromhex("2b02")))[3] == 0x01
    assert host.ask(encode_request(0xB0, bytes.fromhex("2501" + other)))[3] == 0
    assert host.ask(encode_request(0xB0, bytes.fromhex("2b02")))[5:13].hex() == other


# --- time


def test_an_inventory_takes_wire_air_and_nothing_hidden(feig, hf_uids):
    """5 chips, one round: request 7 bytes, air 13.86 ms + 4 more occupied slots + 5 Stay Quiet, answer 57 bytes,
    8E1."""
    uid = [f"e00401000000000{i}" for i in range(5)]
    for baud in (38_400, 115_200):
        host = feig(*uid, baud=baud)
        assert host.inventory()[1] == uid
        wire_ms = (7 + 57) * 11 / baud * 1e3
        air_ms = 13.862 + 4 * (4.557 - 0.474) + 5 * STAY_QUIET_NS / MS
        assert host.took_ns / MS == pytest.approx(wire_ms + air_ms + 0.5, abs=0.05)
    assert wire_ms == pytest.approx(6.1, abs=0.1)  # the reference says 6 ms at 115200, 18 ms at 38400


def test_field_reset_is_answered_after_15_ms(feig):
    host = feig()
    host.reset_field()
    assert host.took_ns / MS == pytest.approx(15 + 0.5 + (5 + 6) * 11 / 115.2, abs=0.02)


def test_noise_before_a_request_costs_at_most_that_request(feig):
    rng = random.Random(9)
    host = feig(UID)
    for _ in range(200):
        host.now_ns += 5 * MS
        host.reader.receive(rng.randbytes(rng.randint(1, 40)), host.now_ns)
        host.listen()
        host.now_ns += 20 * MS
        host.reset_field()
        assert host.inventory() == (0, [UID])
