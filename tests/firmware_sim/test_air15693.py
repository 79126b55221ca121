"""The anticollision tree against the reference table (canteen-domain.md, section 1.1: 3,000 trials a row)."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from firmware_sim import air15693
from firmware_sim.air15693 import AirSettings, walk_tree
from firmware_sim.chips import Answer, Chip, Placed

TRIALS = 2000
MS = 1e6
# plates, P(no collision), rounds, 100 % ASK mean / p99, 10 % ASK mean / p99 (ms)
TABLE = [
    (1, 1.00, 1.0, 14, 14, 71, 71),
    (3, 0.82, 1.2, 25, 50, 85, 213),
    (5, 0.50, 1.6, 39, 73, 115, 284),
    (8, 0.12, 2.5, 63, 99, 178, 356),
    (12, 0.003, 4.0, 102, 144, 289, 499),
]


def answers(rng, count, strength_db=0.0):
    return [Answer(Placed(Chip(f"e004{rng.getrandbits(48):012x}"), 0.0), strength_db) for _ in range(count)]


@pytest.mark.parametrize(("plates", "alone", "rounds", "mean", "p99", "mean_10", "p99_10"), TABLE)
def test_reference_table(plates, alone, rounds, mean, p99, mean_10, p99_10):
    rng = random.Random(plates)
    passes = {ask: [] for ask in (100, 10)}
    for _ in range(TRIALS):
        tray = answers(rng, plates)
        for ask, results in passes.items():
            results.append(walk_tree(tray, AirSettings(ask_percent=ask, capture_db=math.inf), rng))
    for ask, want_mean, want_p99 in ((100, mean, p99), (10, mean_10, p99_10)):
        results = passes[ask]
        times = sorted(one.air_ns / MS for one in results)
        error = 3 * statistics.stdev(times) / math.sqrt(TRIALS)  # both sides were sampled, the table is rounded
        assert statistics.mean(times) == pytest.approx(want_mean, abs=1.5 * error + 0.6)
        # The p99 of a law with few steps may fall one step (a round) either way.
        round_ms = 14.5 if ask == 100 else 71.5
        assert times[int(TRIALS * 0.99)] == pytest.approx(want_p99, abs=round_ms + 0.5)
    free = sum(one.collisions == 0 for one in passes[100]) / TRIALS
    assert free == pytest.approx(alone, abs=3 * math.sqrt(max(alone * (1 - alone), 0.003) / TRIALS) + 0.005)
    assert statistics.mean(one.rounds for one in passes[100]) == pytest.approx(rounds, abs=0.08)


def test_slot_times_of_the_reference():
    assert air15693.inventory_request_ns(0) == pytest.approx(1.62 * MS, rel=0.003)
    assert pytest.approx(321e3, rel=0.002) == air15693.T1_NS
    assert pytest.approx(309e3, rel=0.002) == air15693.T2_NS
    assert pytest.approx(3.93 * MS, rel=0.002) == air15693.INVENTORY_REPLY_NS
    assert pytest.approx(4.56 * MS, rel=0.002) == air15693.OCCUPIED_SLOT_NS
    assert air15693.EMPTY_SLOT_NS[100] == pytest.approx(0.47 * MS, rel=0.01)
    assert air15693.EMPTY_SLOT_NS[10] == pytest.approx(4.25 * MS, rel=0.002)


def test_no_collision_probability_exactly():
    """1 - P(two of n share a nibble), the birthday law: the tree's first round must agree."""
    rng = random.Random(3)
    for plates in (2, 4, 6):
        exact = math.prod((16 - i) / 16 for i in range(plates))
        settings = AirSettings(capture_db=math.inf)
        free = sum(walk_tree(answers(rng, plates), settings, rng).rounds == 1 for _ in range(2500)) / 2500
        assert free == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 2500))


def test_without_capture_the_tree_finds_every_chip_once():
    rng = random.Random(4)
    for plates in range(33):
        tray = answers(rng, plates)
        result = walk_tree(tray, AirSettings(capture_db=math.inf), rng)
        assert result.finished
        assert sorted(p.chip.uid for p in result.found) == sorted(a.placed.chip.uid for a in tray)


def pair(strong_db, weak_db):
    """Two chips that answer in the same slot (same low nibble), and differ in the next."""
    strong = Answer(Placed(Chip("e004010000000015"), 0.0), strong_db)
    weak = Answer(Placed(Chip("e004010000000025"), 0.0), weak_db)
    return strong, weak


def test_capture_hides_the_weaker_chip_and_the_pass_looks_complete():
    strong, weak = pair(4.0, -4.0)
    result = walk_tree([weak, strong], AirSettings(capture_db=6.0), random.Random(1))
    assert [p.chip.uid for p in result.found] == [strong.placed.chip.uid]
    assert (result.finished, result.hidden, result.collisions, result.rounds) == (True, 1, 0, 1)


def test_equally_strong_chips_collide_and_are_told_apart_one_round_later():
    result = walk_tree(list(pair(1.0, -1.0)), AirSettings(capture_db=6.0), random.Random(1))
    assert len(result.found) == 2
    assert (result.hidden, result.collisions, result.rounds) == (0, 1, 2)


def test_reader_gives_up_and_says_so():
    rng = random.Random(5)
    tray = answers(rng, 40)
    result = walk_tree(tray, AirSettings(capture_db=math.inf, max_rounds=3), rng)
    assert not result.finished
    assert result.rounds == 3
    assert len(result.found) < 40


def test_spoilt_slots_cost_rounds_but_are_asked_again():
    rng = random.Random(6)
    clean, spoilt = AirSettings(capture_db=math.inf), AirSettings(capture_db=math.inf, slot_error_p=0.2)
    trays = [answers(rng, 5) for _ in range(300)]
    clean_rounds = sum(walk_tree(tray, clean, rng).rounds for tray in trays)
    results = [walk_tree(tray, spoilt, rng) for tray in trays]
    assert all(len(one.found) == 5 and one.finished for one in results)
    assert sum(one.rounds for one in results) > clean_rounds * 1.3


def test_bad_modulation_is_named():
    with pytest.raises(ValueError, match="ISO15693 knows 10 and 100"):
        AirSettings(ask_percent=30)
