"""What the driver remembers of a board's ports between frames; at most 255 of each, as the wire has no more."""

from __future__ import annotations


class Ports:
    """``orders``: port -> (order digits, command id) of the charge that we started. ``confirmed_off``: ports whose stop
    the board confirmed and that were idle ever since."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[str, str]] = {}
        self.confirmed_off: set[int] = set()
        self._asked: dict[tuple[int, bool], str] = {}

    def asked(self, port: int, command_id: str, *, on: bool) -> None:
        """A start or stop goes out; a newer one of the same kind takes the answer."""
        self._asked[port, on] = command_id
        if on:
            self.confirmed_off.discard(port)

    def answered(self, port: int, *, on: bool) -> str:
        """The id of the command that this answers; "" when nobody asked."""
        return self._asked.pop((port, on), "")

    def unknown(self) -> None:
        """The board is gone: what it said before proves nothing any more."""
        self.confirmed_off.clear()
        self._asked.clear()
