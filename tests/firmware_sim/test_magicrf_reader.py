"""The MagicRF module: its answers, its rounds, and what it forgets."""

from __future__ import annotations

import itertools

import pytest

from firmware_sim.chips import Chip, Field, Leak
from firmware_sim.magicrf import MagicRfReader, MagicRfSettings
from firmware_sim.magicrf.frames import FRAMINGS, encode, tag_notice

MS = 1_000_000
EPC = "e20010710000529b0940b402"
OTHER = "30751feb705c5904e3d50d70"

# drivers/magicrf/PROTOCOL.md, section 7 (texts and sums checked there by arithmetic).
EXAMPLES = [
    ("bb00280000287e", "bb01280001002a7e"),
    ("bb0003000100047e", "bb01030010004d31303020323664426d2056312e30927e"),
    ("bb0003000101057e", "bb010300070156322e332e35587e"),
    ("bb0003000102067e", "bb01030008024d616769635246877e"),
    ("bb0007000101097e", "bb0107000100097e"),
    ("bb00b6000205dc997e", "bb01b6000100b87e"),
    ("bb0012000101147e", "bb0112000100147e"),
    ("bb000e00021020407e", "bb010e000100107e"),
    ("bb00220000227e", "bb01ff000115167e"),
    ("bb00b0000100b17e", "bb01b0000100b27e"),
]


@pytest.mark.parametrize(("request_hex", "answer"), EXAMPLES)
def test_documented_exchanges(magicrf, request_hex, answer):
    assert magicrf().ask(bytes.fromhex(request_hex)).hex() == answer


@pytest.mark.parametrize(
    ("code", "parameter"),
    [
        (0x99, ""),
        (0x03, "03"),
        (0x03, ""),
        (0x07, "05"),
        (0xB6, "0a29"),
        (0xB6, "01"),
        (0x0E, "10"),
        (0x12, "03"),
        (0x27, "220000"),
        (0x27, "210001"),
        (0x39, "0000"),
        (0xAB, "14"),
        (0x22, "00"),
    ],
)
def test_bad_commands_get_error_17(magicrf, code, parameter):
    assert magicrf().command(code, parameter) == "bb01ff000117187e"


@pytest.mark.parametrize("bad", ["bb00220000237e", "bb002200002200", "bb0122000022" + "7e", "00ff13"])
def test_bad_frames_are_not_answered(magicrf, bad):
    host = magicrf(EPC)
    assert host.ask(bytes.fromhex(bad)) == b""
    host.now_ns += 30 * MS
    assert [epc for epc, _ in host.poll()] == [EPC]


def test_settings_are_told_back_and_lost_with_the_power(magicrf):
    host = magicrf()
    host.command(0x07, "04")
    host.command(0xB6, "04e2")
    host.command(0x0E, "1120")
    host.command(0x0C, "01000000206000" + OTHER)
    host.command(0xAB, "03")
    told = [host.command(code) for code in (0x08, 0xB7, 0x0D, 0x0B, 0xAA)]
    assert [frame[10:-4] for frame in told] == ["04", "04e2", "1120", "01000000206000" + OTHER, "03"]
    host.reader.restart(host.now_ns)
    assert host.command(0x08) == ""  # booting
    host.now_ns += 500 * MS
    told = [host.command(code) for code in (0x08, 0xB7, 0x0D)]
    assert [frame[10:-4] for frame in told] == ["01", "07d0", "1020"]


def test_a_poll_tells_each_tag_once_with_its_own_crc(magicrf):
    host = magicrf(EPC, OTHER)
    for _ in range(50):
        frames = host.ask(encode(0, 0x22))
        found = host.notices(frames)
        assert len({epc for epc, _ in found}) == len(found)
        assert frames == b"".join(tag_notice(bytes.fromhex(epc), rssi) for epc, rssi in found) or not found


def test_rounds_in_s0_are_independent_trials(magicrf):
    host = magicrf(Chip(EPC, read_p=0.6))
    rounds = [bool(host.poll()) for _ in range(1500)]
    assert sum(rounds) / 1500 == pytest.approx(0.6, abs=0.05)
    after_read = [b for a, b in itertools.pairwise(rounds) if a]
    assert sum(after_read) / len(after_read) == pytest.approx(0.6, abs=0.06)


def test_s1_keeps_tags_silent_for_a_while(magicrf):
    host = magicrf(EPC)
    host.command(0x0E, "1120")
    assert len(host.poll()) == 1
    assert host.poll() == []
    host.now_ns += 5000 * MS
    assert len(host.poll()) == 1


def test_with_the_carrier_left_on_s0_remembers_too(magicrf):
    host = magicrf(EPC)
    host.command(0xB0, "ff")
    assert len(host.poll()) == 1
    assert host.poll() == []
    host.command(0xB0, "00")
    assert len(host.poll()) == 1


def test_multi_poll_runs_until_its_count_or_stop(magicrf):
    host = magicrf(EPC)
    assert len(host.notices(bytes.fromhex(host.command(0x27, "220005")))) == 5
    start_ns = host.now_ns
    host.reader.receive(encode(0, 0x27, b"\x22\xff\xff"), start_ns)
    heard = host.listen(start_ns + 400 * MS)
    host.reader.receive(encode(0, 0x28), host.now_ns)
    rest = host.listen()
    assert rest.endswith(bytes.fromhex("bb01280001002a7e"))
    rounds = len(host.notices(heard + rest[:-8]))
    assert 15 < rounds < 60
    assert host.reader.deadline() is None


def test_an_empty_multi_poll_says_so_in_each_round(magicrf):
    assert magicrf().command(0x27, "220003") == "bb01ff000115167e" * 3


def test_a_command_during_a_round_waits_for_its_end(magicrf):
    host = magicrf(EPC)
    host.reader.receive(encode(0, 0x22), 0)
    host.reader.receive(encode(0, 0x08), 2 * MS)
    assert host.listen().hex().endswith("bb01080001010b7e")


def test_pollers_that_do_not_wait_lose_commands_not_the_module(magicrf):
    host = magicrf(EPC)
    for _ in range(50):
        host.reader.receive(encode(0, 0x22), 0)
    host.listen()
    assert host.reader.counters.rounds + host.reader.counters.dropped_requests == 50
    assert host.reader.counters.dropped_requests > 0
    assert len(host.poll()) == 1


def test_select_before_polls_filters_by_the_sl_flag(magicrf):
    host = magicrf(EPC, OTHER)
    host.command(0x0C, "81000000206000" + OTHER)  # target SL, action 0, bank EPC
    host.command(0x12, "00")
    for query, expected in (("1c20", {OTHER}), ("1820", {EPC})):  # Sel = SL, not SL
        host.command(0x0E, query)
        found = {epc for _ in range(5) for epc, _ in host.poll()}
        assert found == expected


def test_reading_and_writing_a_tag(magicrf):
    host = magicrf(OTHER)
    head = "0e3400" + OTHER
    assert host.command(0x39, "00000000" + "01" + "0002" + "0006")[10:-4] == head + OTHER
    assert host.command(0x39, "00000000" + "03" + "0000" + "0002")[10:-4] == head + "00000000"
    # The very frame of the V2.1 document for the answer of a write.
    written = host.command(0x49, "00000000" + "03" + "0000" + "0002" + "12345678")
    assert written == "bb014900100e340030751feb705c5904e3d50d7000a97e"
    read = host.command(0x39, "00000000" + "03" + "0000" + "0002")
    assert read == "bb013900130e340030751feb705c5904e3d50d7012345678b07e"


@pytest.mark.parametrize(
    ("code", "parameter", "error"),
    [
        (0x39, "00000000030040" + "0001", "a3"),
        (0x49, "000000000300400001" + "1234", "b3"),
        (0x49, "000000000100020001" + "1234", "b4"),
        (0x39, "0000ffff03000000" + "02", "16"),
        (0x65, "00000000", "12"),
    ],
)
def test_access_errors_carry_the_tag(magicrf, code, parameter, error):
    answer = magicrf(OTHER).command(code, parameter)
    assert answer[:10] == "bb01ff0010"
    assert answer[10:-4] == error + "0e3400" + OTHER


def test_documented_password_error(magicrf):
    answer = magicrf(OTHER).command(0x39, "0000ffff0300000002")
    assert answer == "bb01ff0010160e340030751feb705c5904e3d50d70757e"


@pytest.mark.parametrize(
    ("code", "parameter", "error"), [(0x39, "000000000300000002", "09"), (0xE1, "0000000000", "2a")]
)
def test_access_without_a_fitting_tag(magicrf, code, parameter, error):
    assert magicrf().command(code, parameter)[10:-4] == error


def test_passwords_locks_and_kill(magicrf):
    chip = Chip(OTHER, read_p=1.0)
    host = magicrf(chip)
    password = "0000ffff"
    assert host.command(0x49, "00000000" + "00" + "0000" + "0004" + "11112222" + password)[-6:-4] == "00"
    assert host.command(0x82, password + "000802")[-6:-4] == "00"  # user memory: write with password only
    assert host.command(0x49, "00000000" + "03" + "0000" + "0001" + "aaaa")[10:12] == "b4"
    assert host.command(0x49, password + "03" + "0000" + "0001" + "aaaa")[-6:-4] == "00"
    assert host.command(0x65, "11112222")[-6:-4] == "00"
    assert chip.dead
    assert host.poll() == []


def test_sleep_eats_the_first_bytes(magicrf):
    host = magicrf()
    assert host.command(0x17) == "bb0117000100197e"
    assert host.command(0x08) == ""
    assert host.command(0x08) == "bb01080001010b7e"


def test_scans_tell_each_channel(magicrf):
    host = magicrf()
    for code in (0xF2, 0xF3):
        answer = bytes.fromhex(host.command(code))
        assert answer[5:7] == bytes((0, 19))
        assert len(answer) == 7 + 22


def test_baud_change_takes_effect_at_once(magicrf):
    host = magicrf()
    assert host.command(0x11, "00c0") == ""
    assert host.reader.baud() == 19_200
    host.command(0x08)
    assert host.took_ns / MS == pytest.approx((7 + 8) * 10 / 19.2 + 0.3, abs=0.1)


def test_the_other_framing(magicrf):
    host = magicrf(settings=MagicRfSettings(framing="aadd"))
    assert host.ask(encode(0, 0xB7, b"", FRAMINGS["aadd"])).hex() == "aa01b7000207d091dd"


def test_a_stray_head_swallows_nothing_after_a_pause(magicrf):
    host = magicrf(EPC)
    host.ask(bytes.fromhex("bb00220040"))
    host.now_ns += 25 * MS
    assert len(host.poll()) == 1


def test_leakage_grows_with_power_and_is_19_db_weaker():
    own, neighbour = Field(1, place_sd_db=0, fading_sd_db=0), Field(2, place_sd_db=0, fading_sd_db=0)
    neighbour.place(Chip(EPC, read_p=1.0))
    own.leaks.append(Leak(neighbour, 0.02))
    heard = {}
    for power in (0x05DC, 0x0A28):
        reader = MagicRfReader(own, seed=3)
        now_ns = 0
        rssi = []
        for frame in [encode(0, 0xB6, power.to_bytes(2, "big"))] + [encode(0, 0x22)] * 1500:
            now_ns += 5 * MS
            reader.receive(frame, now_ns)
            answer = b""
            while (due_ns := reader.deadline()) is not None:
                now_ns = due_ns
                answer += reader.take(now_ns)
            if answer[1:3] == b"\x02\x22":
                rssi.append(answer[5] - 256)
        heard[power] = (len(rssi), set(rssi))
    assert 12 <= heard[0x05DC][0] <= 55
    assert heard[0x05DC][1] == {-64}
    assert heard[0x0A28][0] > 5 * heard[0x05DC][0]
    assert heard[0x0A28][1] == {-53}
