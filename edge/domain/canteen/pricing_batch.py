"""The price of whole days of trays at once, with numpy: re-pricing under other rules, reports, planning.

The same pipeline as ``pricing`` on arrays, and the same integers: a property test holds them equal tray by tray,
spreading included. Trays are rows of a rectangle padded with zeros. What depends on the order of trays in time (caps
per person and budgets) enters as ``rest_fen``, computed by the caller tray by tray, because it is a running state and
not arithmetic.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
RATE_BASE = 10_000


class SubsidyColumn(NamedTuple):
    """One scheme over all trays: what caps leave (0 = none), the spend needed, and on which basis (True: list)."""

    rest_fen: Ints
    min_spend_fen: Ints
    on_list: NDArray[np.bool_]


class BatchAmounts(NamedTuple):
    """Per tray, int64: as ``pricing.Amounts``; ``subsidies_fen`` has one column per scheme."""

    list_fen: Ints
    special_fen: Ints
    discount_fen: Ints
    subsidies_fen: Ints
    wipe_off_fen: Ints
    payable_fen: Ints


def batch_amounts(
    list_fen: Ints, special_fen: Ints, rate_bp: Ints, subsidies: tuple[SubsidyColumn, ...], unit_fen: Ints
) -> BatchAmounts:
    """Price B trays of at most K plates: ``list_fen``, ``special_fen`` (B, K); ``rate_bp``, ``unit_fen`` (B,)."""
    trays, plates = list_fen.shape
    listed = np.zeros(trays, np.int64)
    special = np.zeros(trays, np.int64)
    for i in range(plates):  # per position: no (B, K) temporaries beyond the inputs
        listed += list_fen[:, i]
        special += special_fen[:, i]
    before = listed + special
    discounted = (before * rate_bp + RATE_BASE // 2) // RATE_BASE
    due = discounted.copy()
    granted = np.zeros((trays, len(subsidies)), np.int64)
    for i, column in enumerate(subsidies):
        spend = np.where(column.on_list, before, discounted)
        fen = np.where(spend >= column.min_spend_fen, np.minimum(column.rest_fen, due), 0)
        granted[:, i] = -fen
        due -= fen
    wiped = due % unit_fen
    return BatchAmounts(listed, special, discounted - before, granted, -wiped, due - wiped)


def batch_spread(total: Ints, weights: Ints) -> Ints:
    """``money.spread`` of ``total`` (B,) over ``weights`` (B, K), row by row: largest remainder, ties to the left.

    Rows whose weights are all zero must have total zero and get zeros.
    """
    whole = weights.sum(axis=1)
    if np.any((whole == 0) & (total != 0)):
        raise ValueError("an amount cannot be spread over lines that are all zero")
    size = np.abs(total)
    scaled = size[:, None] * weights
    divisor = np.where(whole == 0, 1, whole)[:, None]
    shares = scaled // divisor
    rest = size - shares.sum(axis=1)
    order = np.argsort(-(scaled % divisor), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    shares += rank < rest[:, None]
    result: Ints = np.where(total < 0, -1, 1)[:, None] * shares
    return result
