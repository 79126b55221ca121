"""The floor's configuration: all mistakes at once, each with its place; sensible defaults."""

from __future__ import annotations

import json

import pytest

from firmware_sim.floorconfig import load
from firmware_sim.jsonconfig import ConfigError


def good():
    return {
        "control": "/run/floor.sock",
        "api": "http://127.0.0.1:8000/api/v1/",
        "tokens": {"kitchen": "k", "cashier": "c", "terminal": {"1": "t"}},
        "lanes": [{"lane": "1", "protocol": "feig", "link": "/run/r1"}],
        "dishes": [{"dish_id": "d001"}, {"dish_id": "w001", "weight": True}, {"dish_id": "w002", "weight": 150}],
        "plates": [
            {"uid": "E004010000000001", "label": "A1"},
            {"uid": "e28000000000000000000001", "label": "B1"},
            {"uid": "e004010000000002", "label": "A2", "chips": "both"},
            {"uid": "e28000000000000000000002", "label": "B2", "chips": "both"},
        ],
        "members": [{"token": "m1", "card": "C1", "label": {"zh": "一", "en": "one"}}],
    }


@pytest.fixture
def read(tmp_path):
    def go(value):
        file = tmp_path / "floor.json"
        file.write_text(value if isinstance(value, str) else json.dumps(value))
        return load(file)

    return go


def test_defaults(read):
    config = read(good())
    assert config.api == "http://127.0.0.1:8000"
    assert (config.lanes[0].baud, config.lanes[0].parity, config.lanes[0].family) == (38_400, "E", "hf")
    assert (config.per_minute, config.diners, config.pace) == (6, True, 1.0)
    assert [dish.grams for dish in config.dishes] == [None, 200, 150]
    families = {plate.label: set(plate.families) for plate in config.plates}
    assert families == {"A1": {"hf"}, "B1": {"uhf"}, "A2": {"hf", "uhf"}, "B2": {"uhf"}}
    assert config.plates[0].uid == "e004010000000001"


def test_ten_mistakes_are_told_at_once(read):
    bad = good() | {"per_minute": 99, "colour": "red", "pace": 0, "api": "ftp://x", "seed": "one"}
    bad["lanes"] = [
        {"lane": "1", "protocol": "feig", "link": "/r", "baud": True},
        {"lane": "2", "protocol": "magicrf", "link": "/r"},
        {"lane": "3", "protocol": "carrier pigeon", "link": "/q"},
    ]
    bad["plates"] = [{"uid": "xyz", "label": "A"}, {"uid": "e28000000000000000000001", "label": "B", "chips": "hf"}]
    bad["physics"] = {"dead_p": 2, "ask_percent": 30, "gravity": 9.81}
    with pytest.raises(ConfigError) as caught:
        read(bad)
    told = str(caught.value)
    for words in (
        "per_minute: must be 1..60",
        "file.colour: unknown",
        "pace: must be",
        "give http://host:port",
        "seed: must be int",
        "lanes[0].baud: must be int",
        "two lanes share",
        "lanes[2].protocol: 'carrier pigeon': give one of feig, magicrf",
        "tokens.terminal.2: is missing",
        "plates[0].uid",
        "plates[1].chips",
        "physics.dead_p: 2.0 is no probability",
        "physics.ask_percent: give 10 or 100",
        "physics.gravity: unknown",
    ):
        assert words in told, words
    assert all(line.split(": ")[0].endswith("floor.json") for line in told.splitlines())


def test_a_lane_without_plates_that_it_can_read(read):
    bad = good()
    bad["plates"] = [{"uid": "e28000000000000000000001", "label": "B1"}]
    with pytest.raises(ConfigError, match="lane 1: reads hf chips, no plate has one"):
        read(bad)


@pytest.mark.parametrize(("value", "words"), [("{", "is no JSON"), ("[]", "file: must be an object")])
def test_no_json_object(read, value, words):
    with pytest.raises(ConfigError, match=words):
        read(value)


def test_missing_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nothing.json")


def test_many_mistakes_are_cut_short(read):
    bad = good()
    bad["plates"] = [{"uid": "x", "label": "A"}] * 500
    with pytest.raises(ConfigError) as caught:
        read(bad)
    assert len(str(caught.value).splitlines()) == 41
    assert "and 461 more" in str(caught.value)
