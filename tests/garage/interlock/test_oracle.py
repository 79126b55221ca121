"""Any sequence of words, repeats, restarts and resets against an oracle of thirty lines that knows no table."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.domain.field_devices import Operate, Quality

DETECTORS = ("B1-s1", "B1-s2")
NAMES = (*DETECTORS, "B1-call", "B1-panel")
RANK = {"pre_alarm": 1, "latched": 1, "resettable": 1, "fire": 2, "latched_fire": 2, "resettable_fire": 2}

WORD = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(
        ["true", "false", "fault", "faulty true", "retained true", "retained false", "old true", "old false"]
    ),
)
STEP = st.one_of(WORD, st.sampled_from(["restart", "2 s", "reset", "silence", "calm"]))
FACTS = {
    "true": (True, {}),
    "false": (False, {}),
    "fault": (None, {"quality": Quality.FAULT}),
    "faulty true": (True, {"quality": Quality.FAULT}),
    "retained true": (True, {"retained": True}),
    "retained false": (False, {"retained": True}),
    "old true": (True, {"delay_ms": 86_400_000}),
    "old false": (False, {"delay_ms": 86_400_000}),
}


class Oracle:
    """How far the zone must be latched, and whether water may have been asked for."""

    def __init__(self) -> None:
        self.weight = dict.fromkeys(NAMES, 0)
        self.witnesses: set[str] = set()
        self.rank, self.water = 0, False

    def word(self, name: str, what: str) -> None:
        if what == "false":
            self.weight[name] = 0
        elif what == "true" or (what == "faulty true" and name not in DETECTORS):
            self.weight[name] = 2
        elif what.endswith("true"):
            self.weight[name] = max(self.weight[name], 1)
        active = {one for one, weight in self.weight.items() if weight}
        full = {one for one, weight in self.weight.items() if weight == 2}
        self.witnesses |= active
        if active:
            fire = full - set(DETECTORS) or (full and len(self.witnesses) > 1)
            self.rank = max(self.rank, 2 if fire else 1)
        sure = what == "true" or (what == "faulty true" and name not in DETECTORS)
        field = full - {"B1-panel"}
        if sure and len(field) > 1 and field & set(DETECTORS):
            self.water = True

    def reset(self) -> None:
        self.witnesses, self.rank, self.water = set(), 0, False


@given(steps=st.lists(STEP, max_size=30))
def test_the_zone_is_latched_exactly_as_far_as_the_oracle_says(kit, steps):
    garage, oracle = kit.new(kit.config()), Oracle()
    garage.all_clear()
    for step in steps:
        if isinstance(step, tuple):
            name, what = step
            active, facts = FACTS[what]
            garage.says(name, active, **facts)
            oracle.word(name, what)
        elif step == "restart":
            garage.restart()
        elif step == "2 s":
            garage.run(2)
        elif step == "calm":
            garage.make_resettable()
            oracle.weight = dict.fromkeys(NAMES, 0)
        elif step == "silence":
            from edge.domain.garage.messages import SilenceZone

            garage.command(SilenceZone(zone="B1"))
        elif garage.reset().code == "ok":
            assert not any(oracle.weight.values())
            oracle.reset()
        assert RANK.get(garage.zone().mode, 0) == oracle.rank, (step, garage.zone().mode)
        assert garage.zone().water_asked == oracle.water, step
        if oracle.rank:
            assert not any(port.wanted for port in garage.world.ports.values())
    ons = [c.point for _, c, _ in garage.sent if isinstance(c, Operate) and c.on]
    assert not {"B1-p1", "B1-p2", "B1-k"} & set(ons), "nobody asked for current"
