"""The stopping rule's numbers against the reference's check values, and against simulation."""

from __future__ import annotations

import math
import random

import pytest

from edge.domain.canteen.confidence import (
    ReadLedger,
    at_least_one,
    dead_bound,
    missed_mean,
    passes_needed,
    refit,
    silent,
)

CHECK = [  # a, b, epsilon, first k, lambda * T(k) with lambda 3.5
    (45, 5, 1e-3, 4, 8.37e-4),
    (9, 1, 1e-3, 6, 6.99e-4),
    (45, 5, 1e-4, 6, 2.54e-5),
    (9, 1, 1e-4, 9, 7.20e-5),
    (95, 5, 1e-4, 4, 5.54e-5),
    (95, 5, 1e-3, 3, 7.13e-4),
]


@pytest.mark.parametrize(("a", "b", "epsilon", "k", "bound"), CHECK)
def test_first_k_and_bound(a, b, epsilon, k, bound):
    assert passes_needed(epsilon, 3.5, a, b) == k
    assert 3.5 * silent(k, a, b) == pytest.approx(bound, rel=5e-3)
    assert at_least_one(missed_mean(k, 0, 3.5, (a, b), 0.0)) <= 3.5 * silent(k, a, b)


def test_silent_is_the_ratio_of_beta_functions():
    for a, b, k in ((45, 5, 6), (9, 1, 3), (2.5, 0.7, 11)):
        exact = math.exp(math.lgamma(b + k) + math.lgamma(a + b) - math.lgamma(b) - math.lgamma(a + b + k))
        assert silent(k, a, b) == pytest.approx(exact, rel=1e-12)


def test_dead_chips_set_a_floor():
    assert dead_bound(3.5, 1000) == pytest.approx(0.0035, rel=2e-3)


def test_nothing_known_needs_no_end():
    assert passes_needed(1e-4, 3.5, 0.1, 50) == 400


def test_refit_finds_the_true_read_rate_and_keeps_its_head():
    rng = random.Random(7)
    for a, b in ((45, 5), (9, 1), (95, 5)):
        ledger = ReadLedger()
        for _ in range(20_000):
            p = rng.betavariate(a, b)
            ledger.add(sum(rng.random() < p for _ in range(8)), 8)
        new_a, new_b = refit(ledger, 45.0, 5.0)
        assert new_a / (new_a + new_b) == pytest.approx(a / (a + b), abs=0.01)
        assert new_a + new_b == pytest.approx(a + b, rel=0.35)
    small = ReadLedger()
    small.add(1, 8)
    assert refit(small, 45.0, 5.0) == (45.0, 5.0)


def test_a_plate_that_capture_hides_has_only_the_residual_passes():
    prior = (45.0, 5.0)
    assert missed_mean(50, 0, 3.5, prior, 0.05) == pytest.approx(3.5 * 0.05, rel=1e-2)
    assert missed_mean(7, 3, 3.5, prior, 0.05) > 1e-4 > missed_mean(7, 4, 3.5, prior, 0.05)
    assert missed_mean(6, 0, 3.5, prior, 0.0) == pytest.approx(2.54e-5, rel=5e-3)
