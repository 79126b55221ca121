"""Figures that no meter of a garage can mean: they are "not said", and every effect of them can be written down."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.digest import effects_digest
from edge.domain.field_devices import MeterReading
from edge.domain.garage.hearing import METER_RANGES
from edge.domain.garage.messages import StartSession
from edge.domain.kernel import Show
from edge.domain.number_ranges import within


@pytest.mark.parametrize("field", METER_RANGES)
@pytest.mark.parametrize("figure", [-1e308, 1e308, math.inf, -math.inf, math.nan, 10**400])
def test_a_figure_beyond_belief_was_not_said(field, figure):
    body = MeterReading(point="p", **{field: figure})
    assert getattr(within(body, METER_RANGES), field) is None


@given(st.builds(MeterReading, point=st.just("p"), **dict.fromkeys(METER_RANGES, st.none() | st.floats())))
def test_what_is_left_lies_within_and_what_lies_within_is_left(body):
    kept = within(body, METER_RANGES)
    for field, (low, high) in METER_RANGES.items():
        value = getattr(body, field)
        believed = value is not None and low <= value <= high
        assert getattr(kept, field) == (value if believed else None)


@pytest.mark.parametrize("figure", [-1e308, 1e308])
def test_a_port_whose_meter_says_nonsense_is_as_one_whose_meter_is_silent(kit, figure):
    """What is shown can be replayed; the session ends as with a meter that has gone."""
    seen = []
    for said in (figure, None):
        garage = kit.new(kit.config())
        garage.make_normal()
        assert garage.command(StartSession(session_id="s", port="B1-p1")).code == "ok"
        garage.reports("B1-p1", True)
        garage.draws("B1-p1", 180.0)
        port, rounds, ended = garage.world.ports["B1-p1"], 0, 0
        while rounds < 40 and rounds < ended + 8:  # to its end, and four minutes on
            if said is not None:
                effects_digest(garage.meter("B1-p1", said, energy_wh=said))
            garage.run(30.0)
            rounds += 1
            ended = rounds if port.wanted else ended
        seen.append((port.wanted, port.power_w, ended))
        effects_digest([Show(key, view) for key, view in garage.shown.items()])
    assert seen[0] == seen[1]
    assert seen[0][0] is False, "nothing charges unseen"
