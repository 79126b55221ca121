"""A fire panel's reset takes back what it reported active, also after the box was started anew."""

from __future__ import annotations

import pytest

from edge.domain.devices import DeviceReading
from edge.domain.field_devices import PanelReset, SignalKind


def zone_behind_a_panel(kit):
    """Two heads and a call point of the panel's system 1:1, one head of 1:10."""
    points = {"B1-s1": "1:1:3:1", "B1-s2": "1:10:3:1", "B1-call": "1:1:3:2"}
    config = kit.config()
    sources = tuple(
        kit.source(each.source, each.kind, point=points.get(each.source, each.source)) for each in config.sources
    )
    garage = kit.new(kit.config(sources=sources))
    garage.make_normal()
    return garage


def reset(garage, point, device=None):
    return garage.give(DeviceReading(device or garage.config.sources[0].at.device, 1, PanelReset(point=point)))


@pytest.mark.parametrize("restarts", [False, True])
def test_the_panels_reset_takes_back_what_its_components_said_also_before_a_start(kit, restarts):
    garage = zone_behind_a_panel(kit)
    garage.says("B1-s1", True)
    garage.says("B1-call", True)
    if restarts:
        garage.restart()
    assert {name for name, each in garage.world.sources.items() if each.weight} == {"B1-s1", "B1-call"}
    reset(garage, "1:1")
    assert not any(each.weight for each in garage.world.sources.values())
    assert garage.zone().mode != "normal", "the garage's own latch stays until a person on site resets it"
    garage.make_resettable()
    assert garage.reset().code == "ok"


@pytest.mark.parametrize(("point", "device"), [("1:1", None), ("1:10:3:1:7", None), ("1:10", "other")])
def test_a_reset_elsewhere_takes_nothing_back(kit, point, device):
    garage = zone_behind_a_panel(kit)
    garage.says("B1-s2", True)
    reset(garage, point, device)
    assert garage.world.sources["B1-s2"].weight


def test_a_head_that_was_not_active_is_not_vouched_for(kit):
    garage = zone_behind_a_panel(kit)
    garage.restart()
    reset(garage, "1:1")
    assert not any(each.seen for each in garage.world.sources.values() if each.kind is SignalKind.SMOKE)
