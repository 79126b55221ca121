"""Rounding and spreading: every fen accounted for."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.canteen.money import half_up, spread
from edge.domain.canteen.pricing_batch import batch_spread

weights = st.lists(st.integers(0, 50_000), min_size=1, max_size=9)


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_half_up_is_the_nearest_integer_with_halves_up(numerator, denominator):
    exact = Fraction(numerator, denominator)
    assert half_up(numerator, denominator) == (exact + Fraction(1, 2)).__floor__()


@given(weights, st.integers(0, 100_000))
def test_shares_add_up_and_never_exceed_their_line(lines, discount):
    total = -min(discount, sum(lines))
    shares = spread(total, lines)
    assert sum(shares) == total
    assert all(-line <= share <= 0 for line, share in zip(lines, shares, strict=True))


@given(weights, st.integers(-100_000, 100_000))
def test_shares_are_within_one_fen_of_exact_proportion(lines, total):
    if not sum(lines):
        total = 0
    shares = spread(total, lines)
    whole = sum(lines) or 1
    assert all(abs(share - Fraction(total * w, whole)) < 1 for share, w in zip(shares, lines, strict=True))


@given(st.lists(st.integers(0, 30), min_size=2, max_size=5), st.integers(0, 60))
def test_largest_remainder_minimises_the_total_error(lines, size):
    """Second oracle: of all ways to hand out the rest, none is nearer to exact proportion."""
    whole = sum(lines)
    if not whole:
        return
    floors = [size * w // whole for w in lines]
    rest = size - sum(floors)
    exact = [Fraction(size * w, whole) for w in lines]

    def error(shares):
        return sum((Fraction(s) - e) ** 2 for s, e in zip(shares, exact, strict=True))

    best = min(
        error([f + (i in chosen) for i, f in enumerate(floors)]) for chosen in combinations(range(len(lines)), rest)
    )
    assert error(spread(size, lines)) == best


def test_nothing_cannot_carry_something():
    assert spread(0, [0, 0]) == (0, 0)
    with pytest.raises(ValueError, match="all zero"):
        spread(-1, [0, 0])


@given(st.lists(st.tuples(st.lists(st.integers(0, 9000), min_size=4, max_size=4), st.integers(0, 9000)), min_size=1))
def test_the_batch_spreads_alike(rows):
    matrix = np.array([w for w, _ in rows], dtype=np.int64)
    totals = np.array([-min(d, sum(w)) for w, d in rows], dtype=np.int64)
    expected = [list(spread(int(t), w)) for t, (w, _) in zip(totals, rows, strict=True)]
    assert batch_spread(totals, matrix).tolist() == expected
