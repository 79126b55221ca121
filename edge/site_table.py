"""Reading one TOML table key by key: every key must be asked for, every value is checked, every mistake is collected.

The hard part is to go on after a mistake without inventing follow-up mistakes: a bad value becomes ``None`` (or its
default), which the checks further on skip, and the file as a whole is refused at the end. A user would notice an error
here as one typing slip reported five times, or as a key that is silently ignored.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from edge.domain.words import Text
from edge.site_report import EMPTY, Bag, Place, did_you_mean, one_of, same
from edge.site_toml import Doc, Keys

E = TypeVar("E", bound=StrEnum)

#: Ids of everything: they go into URLs, file names and MQTT topics.
ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,47}")
_YUAN = re.compile(r"(\d{1,5})(?:\.(\d{1,2}))?", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)

ID_FORM = Text("小写字母、数字、- _ .，最多 48 个", "lower-case letters, digits, - _ . (at most 48)")
YUAN_FORM = Text('带引号的元，如 "12.50"', 'yuan in quotes, such as "12.50"')
PERCENT_FORM = Text('带引号的百分数，如 "90"', 'percent in quotes, such as "90"')


class Table:
    """One table of ``doc`` at ``keys``. Ask for each key by the method of its type, then call ``finish``."""

    def __init__(self, doc: Doc, keys: Keys, data: dict[str, Any], bag: Bag) -> None:
        self.doc = doc
        self.keys = keys
        self.bag = bag
        self._data = data
        self._asked: set[str] = set()

    # --- places and mistakes ------------------------------------------------------------------------------------------

    def place(self, *keys: str | int) -> Place:
        return self.doc.place((*self.keys, *keys))

    def mistake(
        self, code: str, key: str, value: object = "", allowed: Text = EMPTY, hint: Text = EMPTY, *, warn: bool = False
    ) -> None:
        place = self.place(key) if key else self.place()
        self.bag.add(code, place, value, allowed, hint, warn=warn)

    def has(self, key: str) -> bool:
        return key in self._data

    def allow(self, *keys: str) -> None:
        """Name keys that are known although nobody reads them here."""
        self._asked.update(keys)

    def finish(self) -> None:
        """Report every key that nobody asked for, with the nearest known one."""
        for key in self._data:
            if key not in self._asked:
                self.mistake("unknown_key", key, key, one_of(self._asked), did_you_mean(key, self._asked))

    def _take(self, key: str, kind: type, allowed: Text, *, required: bool) -> Any:
        """The value of ``key`` if it is of ``kind``; otherwise None and, where due, a mistake."""
        self._asked.add(key)
        if key not in self._data:
            if required:
                near = did_you_mean(key, self._data.keys())
                self.mistake("missing", key, "", allowed, near)
            return None
        value = self._data[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.mistake("wrong_type", key, value, allowed)
            return None
        return value

    # --- scalars ------------------------------------------------------------------------------------------------------

    def string(
        self, key: str, form: re.Pattern[str] | None = None, allowed: Text = EMPTY, *, required: bool = True
    ) -> str:
        """A string; "" when absent or wrong. ``form`` must match it whole."""
        allowed = allowed if allowed != EMPTY else Text("文字", "text in quotes")
        value: str | None = self._take(key, str, allowed, required=required)
        if value is None:
            return ""
        if len(value) > 400 or (form is not None and form.fullmatch(value) is None):
            self.mistake("bad_format", key, value, allowed)
            return ""
        return value

    def ident(self, key: str, *, required: bool = True) -> str:
        return self.string(key, ID, ID_FORM, required=required)

    def integer(self, key: str, low: int, high: int, default: int | None = None, unit: str = "") -> int | None:
        """A whole number in ``low`` .. ``high``; ``default`` when absent (None: it is required)."""
        allowed = same(f"{low}..{high} {unit}".strip())
        value: int | None = self._take(key, int, allowed, required=default is None)
        if value is None:
            return default
        if not low <= value <= high:
            self.mistake("out_of_range", key, value, allowed)
            return default
        return value

    def number(self, key: str, low: float, high: float, default: float) -> float:
        """A number in ``low`` .. ``high``; ``default`` when absent or wrong."""
        self._asked.add(key)
        value = self._data.get(key, default)
        allowed = same(f"{low:g}..{high:g}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.mistake("wrong_type", key, value, allowed)
            return default
        if not low <= value <= high:
            self.mistake("out_of_range", key, value, allowed)
            return default
        return float(value)

    def boolean(self, key: str, *, default: bool | None = None) -> bool | None:
        value: bool | None = self._take(key, bool, same("true, false"), required=False)
        return default if value is None else value

    def choice(self, key: str, kind: type[E], default: E | None = None) -> E | None:
        """A member of the enumeration ``kind``."""
        known = [str(item) for item in kind]
        value: str | None = self._take(key, str, one_of(known), required=default is None)
        if value is None:
            return default
        if value not in known:
            self.mistake("not_allowed", key, value, one_of(known), did_you_mean(value, known))
            return default
        return kind(value)

    def word(self, key: str, known: Collection[str], *, required: bool = True) -> str:
        """One of the words or ids in ``known``; "" when absent or wrong."""
        value: str | None = self._take(key, str, one_of(known), required=required)
        if value is None or value in known:
            return value or ""
        self.mistake("not_allowed", key, value, one_of(known), did_you_mean(value, known))
        return ""

    def day(self, key: str, *, required: bool = True) -> str:
        """A calendar day as ISO text; "" when absent or wrong. In the file: 2025-12-01, with or without quotes."""
        self._asked.add(key)
        value = self._data.get(key)
        allowed = same("2025-12-01")
        if value is None:
            if required:
                self.mistake("missing", key, "", allowed, did_you_mean(key, self._data.keys()))
            return ""
        if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        try:
            return date.fromisoformat(value).isoformat()
        except (TypeError, ValueError):
            self.mistake("bad_format", key, value, allowed)
            return ""

    def clock(self, key: str) -> int | None:
        """A time of day as minutes since midnight; in the file "11:30", at most "24:00"."""
        value = self.string(key, _CLOCK, same('"11:30"'))
        if not value:
            return None
        hours, minutes = value.split(":")
        return int(hours) * 60 + int(minutes)

    def yuan(self, key: str, low_fen: int, high_fen: int, default: int | None = None) -> int | None:
        """Money as integer fen, written as yuan in quotes so that no float ever touches a price."""
        return self._hundredths(key, (low_fen, high_fen), default, _YUAN, YUAN_FORM)

    def percent(self, key: str, low_bp: int, high_bp: int, default: int | None = None) -> int | None:
        """A percentage as basis points, written in quotes."""
        return self._hundredths(key, (low_bp, high_bp), default, _PERCENT, PERCENT_FORM)

    def _hundredths(
        self, key: str, bounds: tuple[int, int], default: int | None, form: re.Pattern[str], allowed: Text
    ) -> int | None:
        if isinstance(self._data.get(key), int | float):
            self._asked.add(key)
            hint = Text("请加引号：钱和比率不用小数运算", "put it in quotes: money and rates never pass through floats")
            self.mistake("wrong_type", key, self._data[key], allowed, hint)
            return default
        value = self.string(key, form, allowed, required=default is None)
        if not value:
            return default
        whole, _, part = value.partition(".")
        hundredths = int(whole) * 100 + int(part.ljust(2, "0") or 0)
        low, high = bounds
        if not low <= hundredths <= high:
            self.mistake("out_of_range", key, value, same(f"{low / 100:.2f}..{high / 100:.2f}"))
            return default
        return hundredths

    # --- compound values ----------------------------------------------------------------------------------------------

    def text(self, key: str) -> Text:
        """Words in both languages: ``{ zh = "...", en = "..." }``."""
        form = Text('{ zh = "…", en = "…" }', '{ zh = "…", en = "…" }')
        value: dict[str, Any] | None = self._take(key, dict, form, required=True)
        if value is None:
            return EMPTY
        table = Table(self.doc, (*self.keys, key), value, self.bag)
        words = Text(table.string("zh"), table.string("en"))
        table.finish()
        return words

    def strings(self, key: str, known: Collection[str] | None = None) -> tuple[str, ...]:
        """A list of different strings, each of ``known`` if that is given; () when absent."""
        allowed = one_of(known) if known is not None else same('["…", "…"]')
        values: list[Any] | None = self._take(key, list, allowed, required=False)
        good: list[str] = []
        for index, value in enumerate(values or ()):
            if not isinstance(value, str):
                self.bag.add("wrong_type", self.place(key, index), value, allowed)
            elif value in good:
                self.bag.add("duplicate", self.place(key, index), value)
            elif known is not None and value not in known:
                self.bag.add("unknown_id", self.place(key, index), value, allowed, did_you_mean(value, known))
            else:
                good.append(value)
        return tuple(good)

    def table(self, key: str, *, required: bool = False) -> Table:
        """The table ``key``; an empty one when absent."""
        value = self._take(key, dict, Text("一节", "a table"), required=required)
        return Table(self.doc, (*self.keys, key), value or {}, self.bag)

    def tables(self, key: str) -> Iterator[Table]:
        """The tables of the list ``key`` (``[[key]]``)."""
        allowed = same(f"[[{key}]]")
        for index, value in enumerate(self._take(key, list, allowed, required=False) or ()):
            if isinstance(value, dict):
                yield Table(self.doc, (*self.keys, key, index), value, self.bag)
            else:
                self.bag.add("wrong_type", self.place(key, index), value, allowed)

    def names(self) -> tuple[str, ...]:
        """All keys that the file gives."""
        return tuple(self._data)

    def items(self) -> Iterator[tuple[str, Any]]:
        """All keys and raw values, for tables whose keys are data; marks them as asked for."""
        self._asked.update(self._data)
        yield from self._data.items()


def open_table(doc: Doc, bag: Bag) -> Table:
    """The whole document as a table. Of a broken document nothing more is reported: the one cause is enough."""
    return Table(doc, (), doc.data, Bag() if doc.broken else bag)


Seen = dict[str, tuple[Table, str]]


def once(seen: Seen, value: str, table: Table, key: str) -> bool:
    """Record that ``value`` stands at ``key`` of ``table``; False (and a mistake naming the first place) when it was
    seen before, False also for "" (a value that was wrong already)."""
    if not value:
        return False
    if value not in seen:
        seen[value] = (table, key)
        return True
    first_table, first_key = seen[value]
    first = first_table.place(first_key)
    where = f"{first.file}:{first.line}" if first.line else f"{first.file} {first.path}"
    table.mistake("duplicate", key, value, EMPTY, Text(f"先前在 {where}", f"first at {where}"))
    return False
