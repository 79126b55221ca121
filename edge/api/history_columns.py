"""The columns of the history process as lists. Without numpy, which an API process of 60 MB need not load."""

from __future__ import annotations

import sys
from array import array

_MS = 1_000_000


def integers(column: bytes) -> list[int]:
    """A column of little-endian i8."""
    return _column("q", column).tolist()


def milliseconds(column: bytes) -> list[int]:
    """A column of ns as ms."""
    return [value // _MS for value in _column("q", column)]


def numbers(column: bytes) -> list[float | None]:
    """A column of little-endian f8; None for what is no number that JSON can hold."""
    values = _column("d", column)
    return [value if value - value == 0.0 else None for value in values]


def _column(code: str, column: bytes) -> array[int]:
    values = array(code)
    values.frombytes(column)
    if sys.byteorder == "big":
        values.byteswap()
    return values
