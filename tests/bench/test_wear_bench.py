"""A slice of ``kangle bench wear``: the rules see wear that is there, before it is grave."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def wear(monkeypatch):
    from pathlib import Path

    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import wear

    return wear


def test_wear_is_seen_and_health_is_not(wear, capsys):
    wear.main(["--fleets", "2", "--json"])
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["results"]}
    for kind in ("belt", "fan", "sensor"):
        assert found[f"{kind}: ours, missed"]["value"] == 0
        assert found[f"{kind}: ours, delay median"]["value"] < found[f"{kind}: plain, delay median"]["value"]
    assert found["healthy: ours, false alarms"]["value"] <= 1
