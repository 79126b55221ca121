"""Reads a driver's options (``dict[str, int | str | bool]``, as the site file gives them) and refuses what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

from drivers.driver import LocalProtocolError

OptionValue = int | str | bool


class OptionReader:
    """Hands out options one by one with their defaults; ``finish`` refuses those that nobody asked for. Each refusal is
    a LocalProtocolError that names the option, the value and what is allowed."""

    def __init__(self, protocol: str, given: Mapping[str, OptionValue]) -> None:
        self._protocol = protocol
        self._given = given
        self._known: list[str] = []

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._refuse(name, value, f"an integer from {low} to {high}")
        return int(value)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._take(name, default)
        if isinstance(value, str) or value not in {0, 1}:
            self._refuse(name, value, "0, 1, false or true")
        return bool(value)

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self._take(name, default)
        if value not in allowed:
            self._refuse(name, value, f"one of {', '.join(allowed)}")
        return str(value)

    def text(self, name: str, default: str, pattern: str, form: str) -> str:
        """A text that matches ``pattern`` as a whole; ``form`` names what is allowed, for people."""
        value = self._take(name, default)
        if not isinstance(value, str) or re.fullmatch(pattern, value) is None:
            self._refuse(name, value, form)
        return str(value)

    def refuse(self, name: str, value: object, allowed: str) -> NoReturn:
        """Refuse a value that only its reader could judge."""
        self._refuse(name, value, allowed)

    def names(self, name: str, default: str = "") -> frozenset[str]:
        """Names separated by commas."""
        value = self._take(name, default)
        if not isinstance(value, str):
            self._refuse(name, value, "names separated by commas")
        return frozenset(part.strip() for part in str(value).split(",") if part.strip())

    def topic(self, name: str, default: str, *, empty: bool = False) -> str:
        """The beginning of MQTT topics: no wildcards, no slash at either end; "" only where ``empty``."""
        value = self._take(name, default)
        wrong = not isinstance(value, str) or {"+", "#", "\0"} & set(value) or value != value.strip("/")
        if wrong or not (value or empty):
            self._refuse(name, value, "a topic without + and #, not ending with /")
        return str(value)

    def finish(self) -> None:
        for name in self._given:
            if name not in self._known:
                known = ", ".join(self._known)
                raise LocalProtocolError(f"{self._protocol}: there is no option {name!r}; known options: {known}")

    def _take(self, name: str, default: OptionValue) -> OptionValue:
        self._known.append(name)
        return self._given.get(name, default)

    def _refuse(self, name: str, value: object, allowed: str) -> NoReturn:
        raise LocalProtocolError(f"{self._protocol}: option {name!r} is {value!r}; allowed: {allowed}")
