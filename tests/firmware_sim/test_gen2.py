"""Gen2 rounds: collisions, sessions, Select, RSSI, time."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from firmware_sim import gen2
from firmware_sim.chips import Answer, Chip, Placed
from firmware_sim.gen2 import Gen2Settings, Query, Select, SlotTimes, apply_select, run_round, set_flag

ONE_FRAME = Gen2Settings(capture_db=math.inf, frames_per_round=1)
SECOND = 1_000_000_000


def tray(count):
    return [Answer(Placed(Chip(f"e2800000000000000000{i:04x}"), 0.0), 0.0) for i in range(count)]


def go(answers, query, settings=ONE_FRAME, rng=None, now_ns=0, power_cdbm=1500):
    return run_round(answers, query, settings, rng or random.Random(1), now_ns=now_ns, power_cdbm=power_cdbm)


def forget(answers):
    for answer in answers:
        answer.placed.inventoried = [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("word", "query"),
    [
        (0x1020, Query(dr=0, m=1, trext=True, sel=0, session=0, target_b=False, q=4)),  # the printed default
        (0x1120, Query(session=1)),
        (0xFFF8, Query(dr=1, m=8, trext=True, sel=3, session=3, target_b=True, q=15)),
        (0x0080, Query(trext=False, target_b=True, q=0)),
    ],
)
def test_query_word(word, query):
    assert Query.from_word(word) == query


@pytest.mark.parametrize(("plates", "q"), [(2, 4), (5, 4), (5, 3), (8, 4)])
def test_one_frame_reads_who_is_alone_in_a_slot(plates, q):
    """A chip is read with ((2^Q - 1) / 2^Q)^(n - 1), framed ALOHA."""
    rng, answers, frames = random.Random(2), tray(plates), 2500
    read = 0
    for _ in range(frames):
        forget(answers)
        read += len(go(answers, Query(q=q), rng=rng).read)
    exact = ((2**q - 1) / 2**q) ** (plates - 1)
    assert read / frames / plates == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / frames / plates))


def test_the_reader_asks_again_while_slots_collide():
    rng, answers = random.Random(3), tray(8)
    missed = 0
    for _ in range(1000):
        forget(answers)
        result = go(answers, Query(), Gen2Settings(capture_db=math.inf, frames_per_round=6), rng)
        assert len({one.placed.stay for one in result.read}) == len(result.read)
        missed += 8 - len(result.read)
    assert missed / 8000 < 0.002


def test_session_flags_decide_who_answers_again():
    answers = tray(1)
    assert len(go(answers, Query(session=1)).read) == 1
    assert not go(answers, Query(session=1), now_ns=SECOND // 10).read
    assert len(go(answers, Query(session=2), now_ns=SECOND // 10).read) == 1  # each session has its own flag
    assert len(go(answers, Query(session=1, target_b=True), now_ns=SECOND // 5).read) == 1  # B is asked, flips to A
    assert len(go(answers, Query(session=1), now_ns=SECOND // 4).read) == 1


def test_s1_lasts_half_a_second_to_five_s2_longer():
    rng = random.Random(4)
    for session, low, high in ((1, 0.5, 5.0), (2, 2.0, 20.0), (3, 2.0, 20.0)):
        lasts = []
        for _ in range(300):
            placed = tray(1)[0].placed
            set_flag(placed, session, 0, rng, to_b=True)
            lasts.append(placed.inventoried[session] / SECOND)
        assert low <= min(lasts) < low * 1.2
        assert high * 0.9 < max(lasts) <= high


def test_select_by_epc_bits():
    """The command printed in the V2.1 document: target S0, action 0, bank EPC, pointer 32, 96 bits."""
    epc = "30751feb705c5904e3d50d70"
    bank = bytes.fromhex("3a76" + "3400" + epc)
    select = Select(target=4, action=0, bank=1, pointer=0x20, length=0x60, mask=bytes.fromhex(epc))
    assert select.matches(bank)
    assert not select.matches(bank[:-1] + b"\x71")
    assert not Select(4, 0, 1, 0x40, 0x60, bytes(12)).matches(bank)  # reaches beyond the bank
    assert Select(4, 0, 1, 33, 3, b"\x60").matches(bank)  # 0x30 = 0 011 0000: three bits from the second


@pytest.mark.parametrize(
    ("action", "matching", "other"),
    [(0, True, False), (1, True, None), (2, None, False), (4, False, True), (5, False, None), (6, None, True)],
)
def test_select_actions_on_the_sl_flag(action, matching, other):
    for mask, expected in ((b"\xff", matching), (b"\x00", other)):
        for before in (False, True):
            placed = tray(1)[0].placed
            placed.selected = before
            apply_select(placed, Select(4, action, 3, 0, 8, mask), b"\xff\xff", 0, random.Random(1))
            assert placed.selected is (before if expected is None else expected)


def test_sel_asks_selected_or_others():
    answers = tray(2)
    answers[0].placed.selected = True
    for sel, expected in ((0, {0, 1}), (1, {0, 1}), (2, {1}), (3, {0})):
        forget(answers)
        read = {one.placed.stay for one in go(answers, Query(sel=sel, q=8)).read}
        assert read == {answers[i].placed.stay for i in expected}


def test_rssi_follows_strength_and_power():
    answers = [Answer(Placed(Chip("e28000000000000000000001"), 0.0), -3.0)]
    by_power = {}
    for power_cdbm in (500, 1500, 2600):
        forget(answers)
        by_power[power_cdbm] = go(answers, Query(), power_cdbm=power_cdbm).read[0].rssi_dbm
    assert by_power == {500: -58, 1500: -48, 2600: -37}


def test_slot_times():
    """80 kHz FM0 with pilot: one symbol 12.5 us; a 96-bit EPC reply is 18 + 145 symbols."""
    times = SlotTimes.for_query(Query())
    assert times.symbol_ns == 12_500
    assert times.read_ns(96) - times.handshake_ns == 129 * 12_500
    assert times.empty_ns < times.collided_ns < times.read_ns(96)
    assert SlotTimes.for_query(Query(m=4)).read_ns(96) > 3 * times.read_ns(96) / 2
    empty = go([], Query())
    assert empty.air_ns == gen2.QUERY_NS + 16 * times.empty_ns


def test_time_of_a_round_is_the_sum_of_its_slots():
    rng, answers = random.Random(5), tray(5)
    times = SlotTimes.for_query(Query())
    for _ in range(200):
        forget(answers)
        result = go(answers, Query(), rng=rng)
        occupied = len(result.read) + result.collisions
        expected = gen2.QUERY_NS + (16 - occupied) * times.empty_ns + result.collisions * times.collided_ns
        assert result.air_ns == expected + len(result.read) * times.read_ns(96)
        at = [one.after_ns for one in result.read]
        assert at == sorted(at)
        assert not at or at[-1] <= result.air_ns


def test_capture_in_a_slot_leaves_the_weaker_for_the_next_round():
    strong = Answer(Placed(Chip("e28000000000000000000001"), 0.0), 10.0)
    weak = Answer(Placed(Chip("e28000000000000000000002"), 0.0), -10.0)
    result = go([weak, strong], Query(q=0, session=1), Gen2Settings(capture_db=6.0))
    assert [one.placed for one in result.read] == [strong.placed]
    again = go([weak, strong], Query(q=0, session=1), Gen2Settings(capture_db=6.0), now_ns=SECOND // 10)
    assert [one.placed for one in again.read] == [weak.placed]


def test_rounds_of_a_tray_take_the_time_that_was_meant():
    """5 plates in 16 slots at 80 kHz: some 25 ms, which the stopping rule can afford ten times a tray."""
    rng, answers = random.Random(6), tray(5)
    times = []
    for _ in range(300):
        forget(answers)
        times.append(go(answers, Query(), Gen2Settings(), rng).air_ns / 1e6)
    assert 20 < statistics.mean(times) < 32
