"""Integer money: rounding and spreading. Every fen that is rounded away or spread passes through these two
functions.
"""

from __future__ import annotations

from collections.abc import Sequence


def half_up(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` rounded to the nearest integer, halves up (toward +infinity); denominator > 0."""
    return (2 * numerator + denominator) // (2 * denominator)


def spread(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split ``total`` over lines in proportion to ``weights`` (>= 0) by largest remainder, ties to the earlier line.

    The shares add up to ``total`` exactly. When ``0 <= -total <= sum(weights)`` no share takes more than its line's
    weight, so a discount never makes a line negative. All weights zero requires ``total`` zero.
    """
    whole = sum(weights)
    if whole == 0:
        if total:
            raise ValueError("an amount cannot be spread over lines that are all zero")
        return (0,) * len(weights)
    sign, size = (-1, -total) if total < 0 else (1, total)
    shares = [size * weight // whole for weight in weights]
    rest = size - sum(shares)
    if rest:
        order = sorted(range(len(weights)), key=lambda i: (-(size * weights[i] % whole), i))
        for i in order[:rest]:
            shares[i] += 1
    return tuple(sign * share for share in shares)
