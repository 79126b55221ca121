"""A small slice of `kangle bench charging`: its judges can fail a rule, and ours passes where the field's do not."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from _charging_rules import FIELD_DEFAULT
from _charging_score import OURS, run_named


@pytest.mark.parametrize("case", ["lfp", "loose_plug"])
def test_a_slice_of_a_charge_case(case):
    scores = run_named(case, "tuning", 8, 5)
    ours, short = scores[OURS], scores["< 5 W 2 min"]
    assert (ours.sessions, ours.false, ours.missed, ours.past_cap) == (8, 0, 0, 0)
    assert ours.over(0.5) <= 30
    assert ours.over(0.5) < scores[FIELD_DEFAULT].over(0.5)
    assert case == "lfp" or short.false + short.missed >= 4, "the judge must be able to fail a rule"


def test_a_slice_of_a_fault_case():
    scores = run_named("second_load", "tuning", 8, 5)
    assert max(scores[OURS].delays_s) <= 600
    assert min(scores[FIELD_DEFAULT].delays_s) > 600


def test_the_seed_decides_all():
    one, two = run_named("nmc", "held_out", 8, 9)[OURS], run_named("nmc", "held_out", 8, 9)[OURS]
    assert one.over_s == two.over_s
    assert one.over_s != run_named("nmc", "held_out", 8, 10)[OURS].over_s
