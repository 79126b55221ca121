"""Line protocol as InfluxDB v2 reads it, strictly: what is not to the letter is an error, never a guess.

Written from InfluxDB's line protocol reference. Real servers differ in leniency (VictoriaMetrics 1.79 stores a
malformed number as 0), so a test that only asks a lenient one proves nothing.
"""

from __future__ import annotations

import functools
import math
import re
from typing import NamedTuple

_INT64 = range(-(1 << 63), 1 << 63)
_UINT64 = range(1 << 64)
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"([+-]?\d+)i", re.ASCII)
_UNSIGNED = re.compile(r"(\d+)u", re.ASCII)
_TIME = re.compile(r"-?\d+", re.ASCII)
_BOOLEANS = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}
#: A string field's longest value, in bytes.
STRING_BYTES_MAX = 64 << 10

Value = float | int | str | bool
Tags = tuple[tuple[str, str], ...]


class LineSyntaxError(ValueError):
    """The line is not line protocol; the text says where."""


class Point(NamedTuple):
    """One line. ``tags`` are sorted by key."""

    measurement: str
    tags: Tags
    fields: dict[str, Value]
    time_ns: int


def kind_of(value: Value) -> str:
    """The field type that a bucket keeps for a field."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "float"
        case _:
            return "string"


def parse(line: str) -> Point:
    """One line without its newline. Raises LineSyntaxError."""
    if not line or line.startswith("#"):
        raise LineSyntaxError("an empty line or a comment where a point should be")
    series, rest = _cut(line, " ")
    if rest is None:
        raise LineSyntaxError("missing fields")
    fields_text, time_text = _cut_fields(rest)
    measurement, tags = _series(series)
    fields = _fields(fields_text)
    if time_text is None or _TIME.fullmatch(time_text) is None or int(time_text) not in _INT64:
        raise LineSyntaxError(f"bad timestamp {time_text!r}")
    return Point(measurement, tags, fields, int(time_text))


def _cut(text: str, mark: str) -> tuple[str, str | None]:
    """``text`` before and after the first ``mark`` that no backslash escapes."""
    at = -1
    while (at := text.find(mark, at + 1)) >= 0:
        if at == 0 or text[at - 1] != "\\":
            return text[:at], text[at + 1 :]
    return text, None


def _cut_fields(text: str) -> tuple[str, str | None]:
    """The fields and what follows the first blank outside quotes."""
    if '"' not in text and "\\" not in text:
        fields, _, after = text.partition(" ")
        return fields, after if len(fields) < len(text) else None
    quoted, skip = False, False
    for index, char in enumerate(text):
        if skip:
            skip = False
        elif char == "\\":
            skip = True
        elif char == '"':
            quoted = not quoted
        elif char == " " and not quoted:
            return text[:index], text[index + 1 :]
    if quoted:
        raise LineSyntaxError("unbalanced quotes")
    return text, None


@functools.lru_cache(maxsize=4096)
def _series(text: str) -> tuple[str, Tags]:
    """Measurement and tags; a series says the same with every point."""
    measurement, rest = _cut(text, ",")
    if not measurement or measurement.startswith("_"):
        raise LineSyntaxError("missing or reserved measurement")
    tags: dict[str, str] = {}
    while rest is not None:
        pair, rest = _cut(rest, ",")
        key, value = _cut(pair, "=")
        if not key or not value:
            raise LineSyntaxError(f"missing tag key or value in {pair!r}")
        if _cut(value, "=")[1] is not None or value.endswith("\\"):
            raise LineSyntaxError(f"bad tag value {value!r}")
        name = _plain(key)
        if name in tags or name == "time" or name.startswith("_"):
            raise LineSyntaxError(f"duplicate or reserved tag {name!r}")
        tags[name] = _plain(value)
    return _plain(measurement), tuple(sorted(tags.items()))


def _plain(text: str) -> str:
    return re.sub(r"\\([, =])", r"\1", text) if "\\" in text else text


def _fields(text: str) -> dict[str, Value]:
    fields: dict[str, Value] = {}
    rest: str | None = text
    while rest is not None:
        key, after = _cut(rest, "=")
        if not key or not after:
            raise LineSyntaxError(f"missing field key or value at {rest[:40]!r}")
        name = _plain(key)
        if name in fields or name in {"time", "_field", "_measurement"}:
            raise LineSyntaxError(f"duplicate or reserved field {name!r}")
        if after.startswith('"'):
            fields[name], rest = _string(after)
        else:
            word, rest = _cut(after, ",")
            fields[name] = _scalar(word)
    return fields


def _string(text: str) -> tuple[str, str | None]:
    """A quoted value at the beginning of ``text``, and what follows the comma behind it."""
    out: list[str] = []
    index = 1
    while index < len(text) and text[index] != '"':
        if text[index] == "\\" and text[index + 1 : index + 2] in {'"', "\\"}:
            index += 1
        out.append(text[index])
        index += 1
    if index >= len(text):
        raise LineSyntaxError("unbalanced quotes")
    value, rest = "".join(out), text[index + 1 :]
    if len(value.encode()) > STRING_BYTES_MAX:
        raise LineSyntaxError("string field too long")
    if rest and not rest.startswith(","):
        raise LineSyntaxError(f"text behind a string: {rest[:20]!r}")
    return value, rest[1:] if rest else None


def _scalar(word: str) -> Value:
    if word in _BOOLEANS:
        return _BOOLEANS[word]
    if word.endswith("i") and (match := _INTEGER.fullmatch(word)) and int(match[1]) in _INT64:
        return int(match[1])
    if word.endswith("u") and (match := _UNSIGNED.fullmatch(word)) and int(match[1]) in _UINT64:
        return int(match[1])
    if _FLOAT.fullmatch(word) and math.isfinite(number := float(word)):
        return number
    raise LineSyntaxError(f"invalid number {word[:40]!r}")
