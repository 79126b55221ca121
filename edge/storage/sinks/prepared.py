"""What a sink makes of a block of samples: items to send, in order of seq, and those that cannot be sent at all."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from edge.storage.sample_model import SampleBlock
from edge.storage.sinks.keys import TimeKeys

T = TypeVar("T")
#: Measurement and first field of a line; spaces in tags are escaped.
_KIND = re.compile(r"([^,]*).*?(?<!\\) ([^=]*)=")


class Message(NamedTuple):
    """One MQTT message."""

    topic: str
    payload: bytes


Item = str | Message


class Unsendable(NamedTuple):
    """A sample that no request can carry, or (``sent``) a line that the sink refused: kept aside with its reason."""

    seq: int
    text: str
    reason: str
    sent: bool = False


class Prepared(NamedTuple):
    """Items of one block. ``seqs[i]`` and ``times_ns[i]`` are of ``items[i]``, seqs never fall; ``through_seq``: with
    all items sent, everything up to it is."""

    items: Sequence[Item]
    seqs: Sequence[int]
    times_ns: Sequence[int]
    bytes_sum: int
    unsendable: Sequence[Unsendable]
    through_seq: int
    gaps: tuple[tuple[int, int], ...]

    def acked_seq(self, position: int, after_seq: int) -> int:
        """How far the log is sent when the items before ``position`` are: an input counts only whole."""
        if position >= len(self.items):
            return self.through_seq
        return max(after_seq, self.seqs[position] - 1)

    def refused(self, found: Iterable[tuple[int, str]]) -> Iterator[Unsendable]:
        """The items at these positions, each with the reason that the sink gave."""
        return (Unsendable(self.seqs[at], text_of(self.items[at]), reason, sent=True) for at, reason in found)

    def kind_of(self, at: int) -> str:
        """What an item has in common with others that a server refuses for the same reason: a message its topic, a line
        its measurement and field."""
        item = self.items[at]
        if isinstance(item, Message):
            return item.topic
        found = _KIND.match(item)
        return "" if found is None else f"{found[1]} {found[2]}"

    def position_of(self, seq: int) -> int:
        """The first item behind ``seq``."""
        return bisect_left(self.seqs, seq + 1)


def text_of(item: Item) -> str:
    """An item as it is kept in the quarantine: a message as its topic, a space and its payload."""
    return f"{item.topic} {item.payload.decode(errors='replace')}" if isinstance(item, Message) else item


class Former(Protocol):
    """Makes items of samples."""

    def prepare(self, block: SampleBlock, after_seq: int, keys: TimeKeys) -> Prepared: ...


class Row(NamedTuple):
    """One sample, as plain Python values."""

    seq: int
    series_id: int
    time_ns: int
    value: float
    quality: int
    text: str | None


class Columns(NamedTuple):
    """Samples in order of birth, as lists of equal length; ``place`` is where they are in the block."""

    seq: list[int]
    series_id: list[int]
    time_ns: list[int]
    value: list[float]
    quality: list[int]
    place: list[int]


def columns_of(block: SampleBlock, after_seq: int) -> Columns:
    """The samples of ``block`` behind ``after_seq`` and up to its ``through_seq``: what a whole chunk repeats, or
    brings too early, is left out, so that each sample passes exactly once."""
    wanted = (block.seq > after_seq) & (block.seq <= block.through_seq)
    chosen = wanted.nonzero()[0]
    seqs = block.seq[chosen]
    if (seqs[1:] < seqs[:-1]).any():
        chosen = chosen[seqs.argsort(kind="stable")]
    return Columns(
        block.seq[chosen].tolist(),
        block.series_id[chosen].tolist(),
        block.time_ns[chosen].tolist(),
        block.value[chosen].tolist(),
        block.quality[chosen].tolist(),
        chosen.tolist(),
    )


def rows_of(block: SampleBlock, after_seq: int) -> Iterator[Row]:
    """``columns_of`` as rows."""
    texts = block.text
    for seq, series_id, time_ns, value, quality, index in zip(*columns_of(block, after_seq), strict=True):
        yield Row(seq, series_id, time_ns, value, quality, texts[index])
