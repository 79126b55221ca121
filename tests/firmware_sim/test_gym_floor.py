"""The simulated gym in simulated time: visitors who are measured before they train, joggers who pass gates, and a
configuration that tells every mistake."""

from __future__ import annotations

import json

import pytest

from firmware_sim.gym.config import parse
from firmware_sim.gym.hall import build
from firmware_sim.gym.visitors import Visitors
from firmware_sim.jsonconfig import ConfigError

NS_PER_S = 1_000_000_000
#: A post hears a tag so often as it walks by.
SIGHTINGS = 5
KEY = "00112233445566778899aabbccddeeff"


def settings(**changes):
    values = {
        "control": "/tmp/none.sock",
        "mqtt": {"port": 1883},
        "machines": [
            {"asset": "tm-1", "zone": "hall", "kind": "treadmill", "via": "csafe", "place": "console"},
            {"asset": "el-1", "zone": "hall", "kind": "cross_trainer", "via": "ble", "place": "hall/el-1",
             "lies": True},
            {"asset": "etm-1", "zone": "elders", "kind": "treadmill", "via": "ble", "place": "elders/etm-1",
             "straps": ["elders/strap-1"], "reader": "cards", "address": 2},
            {"asset": "circ-1", "zone": "elders", "kind": "circulation", "via": "strength", "place": "elders/circ-1"},
            {"asset": "out-1", "zone": "yard", "kind": "outdoor", "via": "count", "place": "yard/out-1"},
        ],
        "consoles": [{"name": "console", "port": 0}],
        "readers": [{"name": "cards", "port": 0, "baud": 9600, "key": KEY, "addresses": [1, 2]}],
        "desks": [{"desk": "desk", "zone": "elders", "reader": "cards", "address": 1, "cuff": "elders/cuff",
                   "scale": "elders/scale"}],
        "trails": [{"trail": "loop", "length_m": 300, "gates": [{"place": "yard/start", "at_m": 0},
                                                                {"place": "yard/lake", "at_m": 120}]}],
        "persons": [{"person": f"p{n}", "card": f"66:{100 + n}", "ceiling_bpm": 112} for n in range(6)],
        "people": True,
        "per_hour": 240,
        "seed": 5,
    }  # fmt: skip
    return {**values, **changes}


class Hour:
    """What happens in simulated minutes, second by second."""

    def __init__(self, minutes, **changes):
        config = parse(settings(**changes))
        self.now_ns = 1_000 * NS_PER_S
        self.hall = build(config, clock=lambda: self.now_ns, unix_ms=1_795_000_000_000)
        self.visitors = Visitors(config, self.hall)
        self.taps, self.told, self.used, self.peak = [], [], set(), 0
        self.hall.readers["cards"].present = lambda address, bits: self.taps.append((self.now_ns, address, bits))
        for device in self.hall.mqtt:
            device.begin(self.now_ns)
            device.connected(self.now_ns)
        for second in range(minutes * 60):
            self.step(second)

    def step(self, second):
        self.now_ns += NS_PER_S
        self.visitors.step()
        self.hall.step(1.0)
        for device in self.hall.mqtt:
            device.tick(self.now_ns)
            self.told += [(second, one.topic, one.payload) for one in device.take(self.now_ns)]
        for name, station in self.hall.stations.items():
            if station.in_use:
                self.used.add(name)
            self.peak = max(self.peak, station.bpm or 0)


@pytest.fixture(scope="module")
def hour():
    return Hour(60)


def test_everybody_s_machine_is_used_and_left_again(hour):
    assert hour.used == {"tm-1", "el-1", "etm-1", "circ-1"}
    assert all(station.exercise.starts > 812 for station in hour.hall.stations.values() if station.exercise)
    assert hour.peak > 112, "an eager elder comes above the ceiling now and then"
    assert hour.hall.stations["out-1"].body.uses > 20


def test_nobody_taps_at_a_machine_who_was_not_at_the_desk_before(hour):
    at_desk, at_machine = set(), 0
    for _, address, card in hour.taps:
        if address == 1:
            at_desk.add(card)
        else:
            at_machine += 1
            assert card in at_desk
    assert at_machine >= 3


def test_joggers_pass_the_gates_and_now_and_then_leave_one_out(hour):
    seen = [(topic, json.loads(payload)["tag"]) for _, topic, payload in hour.told if topic.endswith("/passage")]
    starts, lakes = (sum(place in topic for topic, _ in seen) / SIGHTINGS for place in ("start", "lake"))
    laps = starts - len({tag for _, tag in seen})
    assert laps > 20
    assert 0.8 * laps <= lakes <= laps + 3, "who comes home passes the start once more; three are out at the end"


def test_the_same_seed_tells_the_same_story_and_another_tells_another():
    assert Hour(8).told == Hour(8).told
    assert Hour(8).taps != Hour(8, seed=6).taps


def test_nobody_comes_before_the_coach_has_written_the_prescriptions_down():
    quiet = Hour(5, token="t", api="http://127.0.0.1:1")
    assert quiet.taps == []
    assert quiet.used == set()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"desks": [{"desk": "d", "zone": "z", "reader": "cards", "address": 9, "cuff": "z/c"}]}, "no reader 9"),
        ({"readers": [{"name": "cards", "port": 0, "key": "00", "addresses": [1, 2]}]}, "32 hex digits"),
        ({"consoles": []}, "console 'console' is none of"),
        ({"persons": [{"person": "a", "card": "1:1"}, {"person": "b", "card": "1:1"}]}, "two have the same name"),
        ({"trails": [{"trail": "t", "length_m": 100, "gates": [{"place": "a/b", "at_m": 200}]}]}, "below length_m"),
        ({"surprise": 1}, "surprise: unknown"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_told(changes, words):
    with pytest.raises(ConfigError) as caught:
        parse(settings(**changes))
    assert words in str(caught.value)
