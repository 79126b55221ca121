"""Warnings of a charger last as long as what they warn of; a trip lasts until somebody re-arms it."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.garage.messages import ConfigApplied, PurseCopy, RearmPort, StartSession, StopSession
from edge.domain.garage.session_rows import SessionRow
from edge.domain.garage.settings import ZoneSettings
from edge.domain.kernel import Put


@pytest.fixture
def charging(garage):
    garage.command(PurseCopy(as_of_wall_ns=garage.wall_ns, purses=(("m1", "c1", 5000),)), role=Role.DEVICE)
    garage.command(StartSession(session_id="s1", port="B1-p1", member="m1"), role=Role.RESIDENT)
    garage.reports("B1-p1", True)
    draw(garage, 200.0)
    return garage


def draw(garage, watts, minutes=2, **facts):
    for k in range(minutes * 12):
        garage.elapse(5)
        garage.meter("B1-p1", watts + 0.1 * (k % 5), **facts)


def standing(garage):
    return {alarm.cause for alarm in garage.world.alarms.alarms.values() if alarm.active}


@pytest.mark.parametrize(
    ("watts", "facts", "cause"), [(400.0, {}, "high_power"), (200.0, {"temperature_c": 58.0}, "warm")]
)
def test_a_warning_stands_while_it_lasts(charging, watts, facts, cause):
    draw(charging, watts, **facts)
    assert standing(charging) == {cause}
    draw(charging, 200.0, **dict.fromkeys(facts, 30.0))
    assert standing(charging) == set()


@pytest.mark.parametrize(("limit", "band", "key"), [(300.0, 15.0, "power_w"), (55.0, 3.0, "temperature_c")])
def test_a_warning_does_not_come_and_go_with_the_ripple(charging, limit, band, key):
    """Around its limit it is told once, and it ends once, a band below."""
    told = []
    for ripple in (0.5, -0.5, 1.0, -band + 0.5, 0.2, -band - 0.5, -1.0, -0.5):
        charging.elapse(5)
        facts = {"power_w": 200.0 + ripple / 10, key: limit + ripple}
        charging.meter("B1-p1", facts.pop("power_w"), **facts)
        charging.elapse(5)
        charging.meter("B1-p1", 200.0, voltage_v=229.0) if key != "power_w" else None
        told.append(bool(standing(charging)))
    assert told == [True] * 5 + [False] * 3


def test_a_warning_goes_with_its_turn(kit):
    """A port that waits draws nothing, and nobody looks at its figures."""
    zone = ZoneSettings(zone="B1", name=kit.text("B1"), panels=("panel-B1",), limit_w=700)
    garage = kit.new(kit.config(zone))
    garage.make_normal()
    for port in ("B1-p1", "B1-p2"):
        garage.command(StartSession(session_id=port, port=port))
        garage.reports(port, True)
    sessions = garage.world.charging.sessions
    for _ in range(12):
        garage.elapse(5)
        for port in sessions:
            garage.draws(port, 0.0 if sessions[port].waiting else 400.0)
    (waiting,) = [port for port, session in sessions.items() if session.waiting]
    (drawing,) = sessions.keys() - {waiting}
    active = {key for key, alarm in garage.world.alarms.alarms.items() if alarm.active}
    assert active == {f"port:{drawing}:high_power"}
    assert sessions[waiting].charging.warnings == ()


def test_a_port_that_a_reload_takes_away_while_it_charges_breaks_no_other(charging):
    charging.command(StartSession(session_id="s2", port="B1-p2"))
    charging.all_clear()
    ports = tuple(port for port in charging.config.ports if port.port != "B1-p1")
    effects = charging.give(ConfigApplied(msgspec.structs.replace(charging.config, version="g2", ports=ports)))
    assert list(charging.world.ports) == ["B1-p2"]
    assert list(charging.world.charging.sessions) == ["B1-p2"], "the other's session has ended, with its price"
    ends = [each.row for each in effects if isinstance(each, Put) and isinstance(each.row, SessionRow)]
    assert [(row.session_id, row.reason) for row in ends if row.ended_ns] == [("s1", "removed")]
    assert [(command.point, command.on) for command, _ in charging.operates("B1-p1", on=False)][-1:] == [
        ("B1-p1", False)
    ]
    assert charging.command(StopSession(port="B1-p2")).code == "ok"
    assert "B1-p2" not in charging.world.charging.sessions


def test_a_warning_goes_with_its_session(charging):
    draw(charging, 400.0)
    charging.command(StopSession(port="B1-p1"))
    assert standing(charging) == set()


@pytest.mark.parametrize("restart", [False, True])
def test_a_trip_stands_until_the_port_is_rearmed(charging, restart):
    """Also over a start: that the zone itself has no such alarm said nothing of the outlet's."""
    charging.meter("B1-p1", 700.0)
    if restart:
        charging.restart()
        charging.all_clear()
    assert standing(charging) == {"overpower"}
    for _ in range(4):
        charging.elapse(1)
        charging.meter("B1-p1", 0.0, current_a=0.0)
    charging.reports("B1-p1", False)
    charging.run(5)
    charging.all_clear()
    assert standing(charging) == {"overpower"}
    assert charging.command(RearmPort(port="B1-p1")).code == "ok"
    assert standing(charging) == set()
