"""What a reset forgets: figures of plugs that lost their mains with the contactor (issue 3.1, garage-domain.md 6)."""

from __future__ import annotations

import pytest

from edge.domain.garage.messages import CutState, RearmPort, StartSession

DARK_S = 70
PLUGS = ("B1-p1", "B1-p2")


@pytest.fixture
def burnt(garage):
    """A fire in mid-charge: both plugs measured their cut (1.5 W are left of the first), then the contactor took their
    mains and they have said nothing since; all is clear again."""
    assert garage.command(StartSession(session_id="s1", port="B1-p1")).code == "ok"
    garage.reports("B1-p1", True)
    garage.meter("B1-p1", 180.0, current_a=0.8)
    garage.says("B1-s1", True)
    garage.says("B1-s2", True)
    for _ in range(4):
        for name, watts in zip(PLUGS, (1.5, 0.0), strict=True):
            garage.reports(name, False)
            garage.meter(name, watts, current_a=watts / 230)
        garage.meter("B1-km", 0.0, current_a=0.0)
        garage.reports("B1-k", False)
        garage.run(1)
    garage.all_clear()
    for _ in range(DARK_S):
        garage.meter("B1-km", 0.0, current_a=0.0)
        garage.run(1)
    garage.all_clear()
    return garage


def test_what_dark_plugs_said_last_is_forgotten_by_the_reset(burnt):
    ports = [burnt.world.ports[name] for name in PLUGS]
    assert [port.power_w for port in ports] == [1.5, 0.0], "their last word before the dark"
    assert burnt.reset().code == "ok"
    assert [(port.power_w, port.current_a) for port in ports] == [(None, None)] * 2
    assert [burnt.shown[f"port/{name}"].power_w for name in PLUGS] == [None, None], "unknown, not 0 W"


def test_nothing_is_cut_anew_by_words_from_before(burnt):
    assert burnt.reset().code == "ok"
    burnt.sent.clear()
    burnt.run(30)
    assert {burnt.world.ports[name].cut for name in PLUGS} == {CutState.NONE}
    assert not [name for name in (*PLUGS, "B1-k") if burnt.operates(name)]
    assert burnt.zone().mode == "normal"


def test_a_fresh_word_after_the_reset_counts_again(burnt):
    assert burnt.reset().code == "ok"
    assert burnt.command(RearmPort(port="B1-p1")).code == "ok"
    burnt.sent.clear()
    burnt.meter("B1-p1", 180.0, current_a=0.8)
    burnt.run(1)
    assert burnt.operates("B1-p1", on=False), "current through a port that nobody switched on"
