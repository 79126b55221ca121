"""A copy of the example site that a test may spoil, and short ways to load it."""

from __future__ import annotations

import functools
import pickle
import shutil
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.site import Site, SiteErrors, SiteMistake, load_site

EXAMPLE = Path(__file__).resolve().parents[2] / "config"
TODAY = date(2026, 11, 22)


class SiteCopy:
    """A site folder under test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, file: str) -> str:
        return (self.folder / file).read_text(encoding="utf-8")

    def write(self, file: str, text: str) -> None:
        (self.folder / file).write_text(text, encoding="utf-8")

    def swap(self, file: str, old: str, new: str) -> int:
        """Replace the first ``old`` by ``new``; the line on which ``new`` then begins."""
        text = self.read(file)
        at = text.index(old)
        self.write(file, text[:at] + new + text[at + len(old) :])
        return text.count("\n", 0, at) + 1

    def load(self, today: date = TODAY) -> Site:
        return load_site(self.folder, today)

    def mistakes(self, today: date = TODAY) -> tuple[SiteMistake, ...]:
        with pytest.raises(SiteErrors) as caught:
            self.load(today)
        return caught.value.mistakes


@pytest.fixture(scope="session", autouse=True)
def parsed_once() -> Iterator[None]:
    """Hundreds of tests read the same twenty files but one: Python's parser, most of what they would take, sees each
    text once. Every reader gets values of its own."""

    @functools.lru_cache(maxsize=256)
    def parsed(source: str) -> bytes:
        return pickle.dumps(tomllib.loads(source))

    stand_in = SimpleNamespace(
        loads=lambda source: pickle.loads(parsed(source)), TOMLDecodeError=tomllib.TOMLDecodeError
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edge.site_toml.tomllib", stand_in)
        yield


@pytest.fixture
def site(tmp_path: Path) -> SiteCopy:
    folder = tmp_path / "site"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("data"))
    return SiteCopy(folder)


@pytest.fixture(scope="session")
def example() -> Site:
    return load_site(EXAMPLE, TODAY)


@pytest.fixture(scope="session")
def load_on() -> Callable[[date], Site]:
    return lambda today: load_site(EXAMPLE, today)
