"""The names of the series of one ``samples.db``: number for name, name for number, and the words of states.

Numbers are given out in memory and written with the next transaction; nothing on disk refers to a number that is not on
disk. The hard part is the bound: a device that invents names must cost a counter, not the box's memory. A user would
notice a mistake as two devices whose curves have changed places.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence

from edge.storage.sample_model import Series, SeriesKind
from edge.storage.sample_resolution import Resolutions

MAX_SERIES = 50_000
#: Distinct words of one state series; what comes after them is counted as ``OTHER_WORD``.
MAX_WORDS = 64
OTHER_WORD = "(other)"
#: Layouts of batches that are remembered; one more is known as long as the process lives from its key records.
MAX_LAYOUTS = 64
_LAYOUT = "layout."
DEFAULT_RESOLUTION_NS = 1_000_000

_READ = "SELECT id, device, point, quantity, unit, kind, resolution_ns FROM series ORDER BY id"
_WRITE = (
    "INSERT OR IGNORE INTO series (id, device, point, quantity, unit, kind, resolution_ns) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_WRITE_WORD = "INSERT OR IGNORE INTO word (series, code, text) VALUES (?, ?, ?)"


class SeriesNames:
    """Shared by threads. ``counts`` tells series and words that were refused because of the bounds."""

    def __init__(self, vertical: str, resolutions: Resolutions | None = None) -> None:
        """``resolutions`` is for series that are new; those on disk have theirs."""
        self._vertical = vertical
        self._resolutions = resolutions or Resolutions()
        self._mutex = threading.Lock()
        self._series: dict[int, Series] = {}
        self._ids: dict[tuple[str, str, str], int] = {}
        self._next = 1
        self._words: dict[int, list[str]] = {}
        self._codes: dict[int, dict[str, int]] = {}
        self._new_series: list[int] = []
        self._new_words: list[tuple[int, int, str]] = []
        self._layouts: dict[int, tuple[int, ...]] = {}
        self._new_layouts: list[int] = []
        self.counts = {"series_refused": 0, "words_refused": 0}

    def load(self, connection: sqlite3.Connection) -> None:
        """Take over what is on disk."""
        with self._mutex:
            for number, device, point, quantity, unit, kind, resolution_ns in connection.execute(_READ):
                self._put(
                    Series(
                        id=number,
                        vertical=self._vertical,
                        device=device,
                        point=point,
                        quantity=quantity,
                        unit=unit,
                        kind=SeriesKind(kind),
                        resolution_ns=resolution_ns,
                    )
                )
            for number, code, text in connection.execute("SELECT series, code, text FROM word ORDER BY series, code"):
                self._words.setdefault(number, []).append(text)
                self._codes.setdefault(number, {})[text] = code

            for key, value in connection.execute("SELECT key, value FROM meta WHERE key GLOB ?", (_LAYOUT + "*",)):
                numbers = tuple(int(number) for number in value.split(","))
                self._layouts[int(key.removeprefix(_LAYOUT))] = numbers

    def anew(self) -> SeriesNames:
        """For a file that was begun anew."""
        return SeriesNames(self._vertical, self._resolutions)

    def born_otherwise(self) -> int:
        """How many series were born with another resolution than they would be now."""
        of = self._resolutions.of
        return sum(
            each.resolution_ns != of(each.vertical, each.device, each.point, each.quantity) for each in self.all()
        )

    def layout(self, digest: int) -> tuple[int, ...] | None:
        """The series of a layout of batches (``edge.storage.sample_batch``), 0 for a refused one; None: not met yet."""
        return self._layouts.get(digest)

    def put_layout(self, digest: int, series: tuple[int, ...]) -> None:
        """Remember a layout, also over a restart: its next key record may be far."""
        with self._mutex:
            if digest not in self._layouts and len(self._layouts) < MAX_LAYOUTS:
                self._layouts[digest] = series
                self._new_layouts.append(digest)

    def _put(self, series: Series) -> None:
        self._series[series.id] = series
        self._ids[series.device, series.point, series.quantity] = series.id
        self._next = max(self._next, series.id + 1)

    def series_id(self, device: str, point: str, quantity: str, unit: str, kind: SeriesKind) -> int | None:
        """The number of a series, a new one for a new name; None when there are too many already."""
        with self._mutex:
            known = self._ids.get((device, point, quantity))
            if known is not None:
                return known
            if len(self._series) >= MAX_SERIES:
                self.counts["series_refused"] += 1
                return None
            number = self._next
            series = Series(
                id=number,
                vertical=self._vertical,
                device=_storable(device),
                point=_storable(point),
                quantity=_storable(quantity),
                unit=unit,
                kind=kind,
                resolution_ns=self._resolutions.of(self._vertical, device, point, quantity),
            )
            self._put(series)
            self._ids[device, point, quantity] = number
            self._new_series.append(number)
            return number

    def word_code(self, series: int, text: str) -> int:
        """The code of a word, a new one for a new word."""
        text = _storable(text)
        with self._mutex:
            codes = self._codes.setdefault(series, {})
            words = self._words.setdefault(series, [])
            if text not in codes and len(words) >= MAX_WORDS - 1:
                self.counts["words_refused"] += text != OTHER_WORD
                text = OTHER_WORD
            if text not in codes:
                codes[text] = len(words)
                words.append(text)
                self._new_words.append((series, codes[text], text))
            return codes[text]

    def series(self, number: int) -> Series:
        """The series with this number. Raises KeyError."""
        return self._series[number]

    def all(self) -> list[Series]:
        """Every series, by number."""
        with self._mutex:
            return list(self._series.values())

    def words(self, series: int) -> Sequence[str]:
        """The words of a state series by code."""
        return self._words.get(series, ())

    def word(self, series: int, code: float) -> str | None:
        """One word; None for a number's series and for a code that nobody gave out."""
        words = self._words.get(series)
        return words[int(code)] if words is not None and 0 <= code < len(words) else None

    def write(self, connection: sqlite3.Connection) -> tuple[int, int, int]:
        """Write what is new within the open transaction; pass the result to ``written`` when it is committed."""
        with self._mutex:
            fresh, words, layouts = list(self._new_series), list(self._new_words), list(self._new_layouts)
        rows = [self._series[number] for number in fresh]
        connection.executemany(
            _WRITE, [(s.id, s.device, s.point, s.quantity, s.unit, s.kind, s.resolution_ns) for s in rows]
        )
        connection.executemany(_WRITE_WORD, words)
        for digest in layouts:
            value = ",".join(map(str, self._layouts[digest]))
            connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (f"{_LAYOUT}{digest}", value))
        return len(fresh), len(words), len(layouts)

    def written(self, counts: tuple[int, int, int]) -> None:
        """What ``write`` wrote is on disk."""
        with self._mutex:
            del self._new_series[: counts[0]]
            del self._new_words[: counts[1]]
            del self._new_layouts[: counts[2]]


def _storable(text: str) -> str:
    """Without lone surrogates, which no UTF-8 can hold."""
    return text.encode("utf-8", "backslashreplace").decode()
