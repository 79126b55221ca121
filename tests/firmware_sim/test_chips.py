"""Fields: who answers a pass, independence of passes, leakage from the neighbour lane."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import pytest

from firmware_sim.chips import MAX_CHIPS, Chip, Field, Leak, captured, draw_read_p

PASSES = 4000


def test_each_chip_answers_with_its_own_probability_anew_in_each_pass():
    field = Field(1)
    wanted = {f"e00401000000000{i}": p for i, p in enumerate((0.11, 0.5, 0.9, 1.0))}
    for uid, p in wanted.items():
        field.place(Chip(uid, read_p=p))
    heard = [{a.placed.chip.uid for a in field.pass_answers()} for _ in range(PASSES)]
    for uid, p in wanted.items():
        rate = sum(uid in one for one in heard) / PASSES
        assert rate == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / PASSES) + 1e-9)
    # Independence: silence in one pass says nothing about the next.
    half = [("e004010000000001" in one) for one in heard]
    after_silence = [b for a, b in itertools.pairwise(half) if not a]
    assert sum(after_silence) / len(after_silence) == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / len(after_silence)))


def test_a_dead_chip_never_answers():
    field = Field(1)
    field.place(Chip("e004010000000001", read_p=1.0, dead=True))
    assert not any(field.pass_answers() for _ in range(200))


def test_read_probabilities_are_beta_45_5():
    rng = random.Random(1)
    draws = [draw_read_p(rng) for _ in range(5000)]
    assert statistics.mean(draws) == pytest.approx(0.9, abs=0.003)
    assert statistics.stdev(draws) == pytest.approx(math.sqrt(0.9 * 0.1 / 51), rel=0.06)


def test_neighbour_plates_leak_rarely_and_19_db_weaker():
    near, far = Field(1), Field(2)
    near.place(Chip("e28000000000000000000001", read_p=1.0))
    far.place(Chip("e28000000000000000000002", read_p=1.0))
    near.leaks.append(Leak(far, probability=0.1))
    own, leaked = [], []
    for _ in range(PASSES):
        for answer in near.pass_answers():
            (leaked if answer.leaked else own).append(answer.strength_db)
    assert len(own) == PASSES
    assert len(leaked) / PASSES == pytest.approx(0.1, abs=0.02)
    near_db, far_db = near.placed["e28000000000000000000001"].gain_db, far.placed["e28000000000000000000002"].gain_db
    assert statistics.mean(own) - near_db == pytest.approx(0.0, abs=0.1)
    assert statistics.mean(leaked) - far_db == pytest.approx(-19.0, abs=0.3)


def test_flags_are_lost_when_a_plate_is_lifted():
    field, chip = Field(1), Chip("e004010000000001", read_p=1.0)
    field.place(chip)
    first = field.placed[chip.uid]
    first.quiet = True
    assert field.remove(chip.uid) is chip
    field.place(chip)
    assert field.placed[chip.uid].stay != first.stay
    assert not field.placed[chip.uid].quiet


def test_power_loss_wakes_quiet_chips():
    field = Field(1)
    field.place(Chip("e004010000000001"))
    placed = field.placed["e004010000000001"]
    placed.quiet, placed.inventoried = True, [5, 6, 7, 8]
    field.power_lost()
    assert not placed.quiet
    assert placed.inventoried == [0, 6, 7, 8]


@pytest.mark.parametrize(
    ("strengths", "margin", "winner"),
    [
        ([0.0], 6.0, 0),
        ([0.0, 6.1], 6.0, 1),
        ([0.0, 5.9], 6.0, None),
        ([8.9, 0.0, 0.0], 6.0, None),  # two weak ones together are 3 dB stronger
        ([9.1, 0.0, 0.0], 6.0, 0),
        ([100.0, 0.0], math.inf, None),
    ],
)
def test_capture_needs_its_margin_over_all_others_together(strengths, margin, winner):
    assert captured(strengths, margin) == winner


def test_mistakes_of_the_caller_are_named():
    field = Field(1)
    field.place(Chip("e004010000000001"))
    with pytest.raises(ValueError, match="lies on this tray already"):
        field.place(Chip("e004010000000001"))
    with pytest.raises(ValueError, match="no probability"):
        Chip("e004010000000002", read_p=1.5)
    for i in range(1, MAX_CHIPS):
        field.place(Chip(f"e0040200{i:08x}"))
    with pytest.raises(ValueError, match="more than"):
        field.place(Chip("e004010000000003"))


def test_only_chips_of_the_lanes_kind_leak():
    own, beside = Field(1), Field(2)
    beside.place(Chip("e004010000000001", read_p=1.0, families=frozenset({"hf"})))
    beside.place(Chip("e28000000000000000000001", read_p=1.0, families=frozenset({"uhf"})))
    beside.place(Chip("e004010000000002", read_p=1.0))
    own.leaks.append(Leak(beside, probability=1.0, family="uhf"))
    assert {a.placed.chip.uid for a in own.pass_answers()} == {"e28000000000000000000001", "e004010000000002"}
