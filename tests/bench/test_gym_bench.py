"""A slice of ``kangle bench gym``: every word is decided, every tap is answered. No time is asserted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import structlog


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import gym

    yield gym
    structlog.reset_defaults()


def test_a_small_hall_and_a_park_go_the_whole_way(bench, capsys):
    bench.main(["--machines", "12", "--straps", "6", "--points", "40", "--seconds", "2", "--json"])
    found = {each["name"]: each["value"] for each in json.loads(capsys.readouterr().out)["results"]}
    assert found["readings dropped"] == 0
    assert found["views shown per second"] > 0
    assert found["tap to durable answer p50"] > 0
    assert found["taps refused"] == 0, "a refusal costs less than a claim"
    assert found["outdoor points heard"] == 40
    assert found["of them outdoors"] > 0
    assert found["words per second"] > found["of them outdoors"]
