"""Exploring the interlock: ``_models`` are explored by ``_explorer``, judged by ``_invariants``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from _explorer import Explorer, Found
from _invariants import check
from _models import MODELS
from _worlds import quiet


@pytest.fixture
def explore(monkeypatch: Any) -> Any:
    """``explore(name, **limits)`` -> Found, with views and alarms off."""
    quiet(monkeypatch)

    def run(name: str, **limits: Any) -> Found:
        model, fine = MODELS[name]
        config, events = model()
        return Explorer(config, events, check, fine=fine).run(**limits)

    return run
