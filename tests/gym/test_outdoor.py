"""Outdoor points: counted, and known to be there once they were heard."""

from __future__ import annotations

from edge.domain.devices import DeviceReading
from edge.domain.machine_readings import CountReading


def test_a_point_is_unknown_until_it_was_heard(gym):
    gym.run(31)
    assert {name: use.value for name, use, _ in gym.shown["gym"].assets}["o1"] == "unknown"
    gym.give(DeviceReading("row", 1, CountReading(point="o1", use_count=12)))
    gym.run(1)
    assert (gym.shown["asset/o1"].use.value, gym.shown["asset/o1"].heard_ago_s) == ("free", 0)
    assert {name: use.value for name, use, _ in gym.shown["gym"].assets}["o1"] == "free"


def test_only_what_was_added_since_is_use(gym):
    for count in (412, 412, 419, 3):
        gym.give(DeviceReading("row", 1, CountReading(point="o1", use_count=count)))
    assert gym.world.wear["o1"].day.uses == 10
