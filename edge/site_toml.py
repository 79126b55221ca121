"""TOML files with line numbers: ``tomllib`` reads the values, a light scan finds the line of each key on demand.

The hard part is never to point at a wrong line: the scan runs only after ``tomllib`` has accepted the file, and when
the keys that it found are not exactly those of the parsed data, it gives no line at all. A user would notice a
mistake here as an error message that sends them to an innocent line.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from functools import cached_property
from pathlib import Path
from typing import Any

from edge.site_report import Bag, Place, same

Keys = tuple[str | int, ...]

MAX_FILE_BYTES = 4 << 20

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'([^\'\n]*)\'')
_SCALAR = re.compile(r"[^,\]}#\n]+")
_LONG_BASIC = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""(?:"{0,2})', re.DOTALL)
_LONG_LITERAL = re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL)


class Doc:
    """One TOML file: its parsed ``data`` and the place of any key in it. ``broken``: it could not be read, and that has
    been reported."""

    def __init__(self, file: str, source: str, data: dict[str, Any], *, broken: bool = False) -> None:
        self.file = file
        self.broken = broken
        self.data = data
        self._source = source

    @cached_property
    def _lines(self) -> dict[Keys, int]:
        return key_lines(self._source, self.data)

    def place(self, keys: Keys) -> Place:
        """Where ``keys`` stands; for a key that is absent, the line of the nearest table that holds it."""
        for length in range(len(keys), 0, -1):
            line = self._lines.get(keys[:length])
            if line is not None:
                return Place(self.file, line, show_path(keys))
        return Place(self.file, None, show_path(keys))


def read_toml(path: Path, file: str, bag: Bag) -> Doc:
    """Read ``path`` (shown as ``file``). Unreadable or malformed: a mistake in ``bag`` and an empty document."""
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_FILE_BYTES:
            bag.add("unreadable", Place(file, None, ""), f"{len(raw)} B", same(f"<= {MAX_FILE_BYTES} B"))
            return Doc(file, "", {}, broken=True)
        source = raw.decode("utf-8-sig")
        return Doc(file, source, tomllib.loads(source))
    except OSError as error:
        bag.add("unreadable", Place(file, None, ""), error.strerror or str(error))
    except UnicodeDecodeError as error:
        bag.add("syntax", Place(file, None, ""), f"byte {error.start}", same("UTF-8"))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        bag.add("syntax", Place(file, int(line[1]) if line else None, ""), str(error), same("TOML 1.0"))
    return Doc(file, "", {}, broken=True)


def show_path(keys: Keys) -> str:
    """``("lanes", 0, "device")`` as ``lanes[0].device``."""
    shown = ""
    for key in keys:
        shown += f"[{key}]" if isinstance(key, int) else f".{key}" if shown else key
    return shown


def key_lines(source: str, data: dict[str, Any]) -> dict[Keys, int]:
    """The line (from 1) of every key and array element of a valid TOML ``source``; empty unless the scan found exactly
    the keys of ``data``."""
    scan = _Scan(source)
    try:
        scan.run()
    except (IndexError, ValueError, AttributeError):
        return {}
    return scan.lines if _leaf_keys(data, ()) <= scan.lines.keys() and _all_exist(scan.lines, data) else {}


def _leaf_keys(node: Any, at: Keys) -> set[Keys]:
    if isinstance(node, dict):
        pairs = [((*at, key), value) for key, value in node.items()]
    elif isinstance(node, list):
        pairs = [((*at, index), value) for index, value in enumerate(node)]
    else:
        return {at}
    return set().union(*(_leaf_keys(value, keys) for keys, value in pairs)) if pairs else set()


def _all_exist(lines: dict[Keys, int], data: dict[str, Any]) -> bool:
    for keys in lines:
        node: Any = data
        for key in keys:
            try:
                node = node[key]
            except (KeyError, IndexError, TypeError):
                return False
    return True


class _Scan:
    """Walks a valid TOML text once, noting where keys begin. It reads structure only, never values."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.lines: dict[Keys, int] = {}
        self._pos = 0
        self._breaks = [m.start() for m in re.finditer("\n", self.text)]
        self._arrays: dict[Keys, int] = {}

    def run(self) -> None:
        table: Keys = ()
        self._skip(_BLANK)
        while self._pos < len(self.text):
            if self.text[self._pos] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self._pos)
        if found is None:
            raise ValueError(self._pos)
        self._pos = found.end()
        return found[0]

    def _note(self, keys: Keys, pos: int) -> None:
        self.lines.setdefault(keys, bisect_left(self._breaks, pos) + 1)

    def _header(self) -> Keys:
        start = self._pos
        is_array = self.text.startswith("[[", start)
        self._pos += 2 if is_array else 1
        names = self._dotted()
        self._pos = self.text.index("]", self._pos) + (2 if is_array else 1)
        keys: Keys = ()
        for depth, name in enumerate(names):
            keys = (*keys, name)
            if is_array and depth == len(names) - 1:
                self._arrays[keys] = self._arrays.get(keys, -1) + 1
            self._note(keys, start)
            if keys in self._arrays:
                keys = (*keys, self._arrays[keys])
                self._note(keys, start)
        return keys

    def _dotted(self) -> list[str]:
        names = []
        while True:
            self._skip(_SPACE)
            quoted = _QUOTED.match(self.text, self._pos)
            if quoted is not None:
                self._pos = quoted.end()
                names.append(quoted[1] if quoted[1] is not None else quoted[2])
            else:
                names.append(self._skip(_BARE))
            self._skip(_SPACE)
            if self.text[self._pos] != ".":
                return names
            self._pos += 1

    def _pair(self, table: Keys) -> None:
        start = self._pos
        keys = table
        for name in self._dotted():
            keys = (*keys, name)
            self._note(keys, start)
        self._pos = self.text.index("=", self._pos) + 1
        self._skip(_SPACE)
        self._value(keys)

    def _value(self, keys: Keys) -> None:
        match self.text[self._pos]:
            case "[":
                self._array(keys)
            case "{":
                self._inline(keys)
            case '"' | "'" as quote:
                long = _LONG_BASIC if quote == '"' else _LONG_LITERAL
                self._skip(long if self.text.startswith(quote * 3, self._pos) else _QUOTED)
            case _:
                self._skip(_SCALAR)

    def _array(self, keys: Keys) -> None:
        self._pos += 1
        index = 0
        while True:
            self._skip(_BLANK)
            if self.text[self._pos] == "]":
                self._pos += 1
                return
            if self.text[self._pos] == ",":
                self._pos += 1
                continue
            self._note((*keys, index), self._pos)
            self._value((*keys, index))
            index += 1

    def _inline(self, keys: Keys) -> None:
        self._pos += 1
        while True:
            self._skip(_BLANK)
            if self.text[self._pos] == "}":
                self._pos += 1
                return
            if self.text[self._pos] == ",":
                self._pos += 1
                continue
            self._pair(keys)
