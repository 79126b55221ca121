"""Typed values out of a JSON file, every mistake noted with its place instead of raised at the first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
MAX_TOLD = 40


class ConfigError(Exception):
    """All mistakes of a configuration, one a line."""


class ConfigReader:
    """Takes typed values out of the JSON, noting every mistake with its place."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def end(self, where: str) -> None:
        """Raise ``ConfigError`` with all that was noted, the first ``MAX_TOLD`` of it in words."""
        shown = self.mistakes[:MAX_TOLD]
        if len(self.mistakes) > len(shown):
            shown.append(f"and {len(self.mistakes) - len(shown)} more")
        if shown:
            raise ConfigError("\n".join(f"{where}: {mistake}" for mistake in shown))

    def say(self, place: str, wrong: str) -> None:
        self.mistakes.append(f"{place}: {wrong}")

    def table(self, value: object, place: str, known: set[str]) -> dict[str, object]:
        if not isinstance(value, dict):
            self.say(place, "must be an object")
            return {}
        for key in sorted(set(value) - known):
            self.say(f"{place}.{key}", f"unknown; known are {', '.join(sorted(known))}")
        return value

    def rows(self, table: dict[str, object], key: str, known: set[str]) -> list[tuple[str, dict[str, object]]]:
        value = table.get(key)
        if not isinstance(value, list):
            self.say(key, "must be a list")
            return []
        return [(f"{key}[{i}]", self.table(item, f"{key}[{i}]", known)) for i, item in enumerate(value)]

    def get(self, table: dict[str, object], key: str, place: str, kind: type[T], default: T | None = None) -> T:
        value = table.get(key, default)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        wrong = "is missing" if value is None else f"must be {kind.__name__}, not {value!r}"
        self.say(f"{place}.{key}".lstrip("."), wrong)
        return default if default is not None else kind()

    def chance(self, table: dict[str, object], key: str, default: float) -> float:
        value = self.get(table, key, "physics", float, default)
        if not 0.0 <= value <= 1.0:
            self.say(f"physics.{key}", f"{value} is no probability; give 0..1")
        return value


def read_json(path: Path) -> object:
    """What the file holds. Raises ``ConfigError`` when it cannot be read or is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is no JSON: {error}") from error
