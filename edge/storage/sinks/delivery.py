"""Getting one batch through: pieces in order, halves of what was refused, single bad items set aside with a reason.

Pure: it says which piece to send next and is told what became of it. The hard part is to lose no good line to a bad
neighbour and still to end: a server that refuses everything must not cost a request for each half of each half for
ever. A user would notice a mistake as a batch of 5,000 values that is missing because of one, or as a sink that never
gets past it.

400 stores nothing of a request, 422 stores the rest (InfluxDB's troubleshooting page), 413 means smaller pieces. Sent
again by halves, lines that are stored already only overwrite themselves. After ``SPLITS_MAX`` refused pieces a 422
piece is no longer halved. A server that refuses one line of a kind mostly refuses all of that kind (a field whose type
it knows otherwise), so the kinds that were refused are set aside and the others sent without them; what is refused then
is set aside whole: its good lines are stored already, and all of it stays on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")

#: Refusals within one batch that are still halved. A single bad line among 5,000 takes 13.
SPLITS_MAX_PARTLY_STORED = 256
SPLITS_MAX = 20_000
HOPELESS_SINGLES = 64


class Piece(NamedTuple):
    """Items ``start`` to ``end`` - 1 of the batch, without those at ``left_out``."""

    start: int
    end: int
    left_out: frozenset[int] = frozenset()

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """Its items among all of the batch."""
        if not self.left_out:
            return items[self.start : self.end]
        return [items[at] for at in range(self.start, self.end) if at not in self.left_out]


class SetAside(NamedTuple):
    position: int
    reason: str


class Delivery:
    """The way of one batch of ``count`` items, at most ``limit`` in a piece. ``kind_of``: what the item at a position
    has in common with others that a server may refuse for the same reason."""

    def __init__(self, count: int, limit: int, kind_of: Callable[[int], str] = lambda _at: "") -> None:
        self.limit = max(1, limit)
        self.set_aside: list[SetAside] = []
        self._todo = [Piece(0, count)] if count else []
        self._splits = 0
        self._stored = 0
        self._unstored_singles = 0
        self._kind_of = kind_of
        self._bad_kinds: set[str] = set()

    def next(self) -> Piece | None:
        """The piece to send now; None when the batch is through. Ask again after each answer."""
        while self._todo:
            piece = self._todo[-1]
            if piece.end - piece.start > self.limit:
                middle = piece.start + self.limit
                self._todo[-1] = piece._replace(start=middle)
                self._todo.append(piece._replace(end=middle))
            elif piece.left_out and not piece.of(range(piece.end)):
                self._todo.pop()
            else:
                return piece
        return None

    @property
    def position(self) -> int | None:
        """Everything before it is stored or set aside; None: all is."""
        return self._todo[-1].start if self._todo else None

    def stored(self) -> None:
        """The piece is on the server."""
        self._todo.pop()
        self._stored += 1

    @property
    def hopeless(self) -> bool:
        """The server refused ``HOPELESS_SINGLES`` single items and took nothing at all: it is not they who are bad."""
        return self._stored == 0 and self._unstored_singles >= HOPELESS_SINGLES

    def refused(self, reason: str, *, partly_stored: bool) -> None:
        """The server refuses something in the piece."""
        piece = self._todo.pop()
        self._splits += 1
        many = self._splits > (SPLITS_MAX_PARTLY_STORED if partly_stored else SPLITS_MAX)
        if piece.end - piece.start == 1 or many:
            self._unstored_singles += not partly_stored
            self._give_up(piece, reason)
            return
        middle = (piece.start + piece.end) // 2
        self._todo += [Piece(middle, piece.end), Piece(piece.start, middle)]

    def _give_up(self, piece: Piece, reason: str) -> None:
        """Set aside what of the piece is of a kind that was refused alone; all of it where that tells nothing."""
        positions = [at for at in range(piece.start, piece.end) if at not in piece.left_out]
        if len(positions) == 1:
            self._bad_kinds.add(self._kind_of(positions[0]))
        bad = [at for at in positions if self._kind_of(at) in self._bad_kinds]
        if bad and len(bad) < len(positions) and not piece.left_out:
            self._todo.append(piece._replace(left_out=frozenset(bad)))
            positions = bad
        self.set_aside.extend(SetAside(at, reason) for at in positions)

    def too_large(self, reason: str) -> None:
        """The piece is larger than the server takes: halve the limit; a single item that is too large is set aside."""
        piece = self._todo[-1]
        if piece.end - piece.start == 1:
            self._todo.pop()
            self.set_aside.append(SetAside(piece.start, reason))
            return
        self.limit = max(1, (piece.end - piece.start) // 2)
