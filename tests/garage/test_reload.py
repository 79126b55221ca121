"""A reload keeps every promise: nothing that it renames, moves or takes away is left on, unpaid, or let loose."""

import msgspec
import pytest

from edge.domain.garage.messages import ConfigApplied, RearmPort, StartSession, StopSession
from edge.domain.garage.session_rows import SessionRow
from edge.domain.garage.settings import ZoneSettings
from edge.domain.garage.zone_rows import SwitchRow
from edge.domain.places import Place


def renamed(config, old, new):
    """The same garage, with a zone of another name."""

    def moved(each):
        return msgspec.structs.replace(each, zone=new) if each.zone == old else each

    parts = {name: tuple(map(moved, getattr(config, name))) for name in ("zones", "sources", "outputs", "ports")}
    return msgspec.structs.replace(config, version="g2", **parts)


@pytest.fixture
def zone(kit):
    """Settings of a zone in which one charger at a time may draw."""
    return lambda name: ZoneSettings(zone=name, name=kit.text(name), panels=("panel-B1",), limit_w=400)


@pytest.fixture
def queueing(kit, zone):
    """Two zones; in B1 one charges and the next waits for it."""
    garage = kit.new(kit.config(zone("B1"), zone("B2")))
    garage.make_normal("B1")
    garage.make_normal("B2")
    for number in (1, 2):
        assert garage.command(StartSession(session_id=f"s{number}", port=f"B1-p{number}")).code == "ok"
    garage.reports("B1-p1", True)
    garage.meter("B1-p1", 100.0)
    assert garage.world.charging.sessions["B1-p2"].waiting
    garage.sent.clear()
    return garage


def standing(garage):
    return {key for key, alarm in garage.world.alarms.alarms.items() if alarm.active}


def ends(garage):
    return sorted((row.session_id, row.reason) for row in garage.rows.all(SessionRow) if row.ended_ns)


@pytest.mark.parametrize("restart", [False, True])
def test_who_waits_in_a_zone_that_gets_another_name_is_sent_home(queueing, restart):
    """Its queue is no more: the next look at the queues found no such zone, and a timer that fails cuts every zone."""
    queueing.config = renamed(queueing.config, "B1", "C1")
    if restart:
        queueing.restart()
    else:
        queueing.give(ConfigApplied(queueing.config))
    assert ends(queueing) == [("s1", "removed"), ("s2", "removed")]
    queueing.run(30)
    assert (queueing.world.charging.sessions, queueing.world.set_aside) == ({}, 0)
    assert queueing.operates("B1-p1", on=False)
    assert not queueing.operates("B1-p2", on=True)


def test_a_zone_is_taken_away_while_somebody_waits_in_it(queueing, kit, zone):
    queueing.give(ConfigApplied(kit.config(zone("B2"), version="g2")))
    assert list(queueing.world.zones) == ["B2"]
    assert ends(queueing) == [("s1", "removed"), ("s2", "removed")]
    assert queueing.operates("B1-p1", on=False)
    assert not queueing.operates("B1-p2", on=True), "nobody gets the turn of a port that goes, to go himself"


def test_no_view_outlives_the_zone_and_the_outlets_that_a_reload_takes_away(queueing, kit, zone):
    """Nobody would show them again: a wall would have the last word of a zone that is no more, quiet, for ever."""
    before = {key for key in queueing.shown if key.startswith(("zone/B1", "port/B1"))}
    queueing.give(ConfigApplied(kit.config(zone("B2"), version="g2")))
    queueing.run(10)
    assert {"zone/B1", "port/B1-p1", "port/B1-p2"} <= before
    assert {key for key, view in queueing.shown.items() if view is None} == before
    queueing.give(ConfigApplied(msgspec.structs.replace(queueing.config, version="g3")))
    assert queueing.shown["zone/B1"].zone == "B1", "and it comes back with the file"


def test_a_turn_that_a_reload_sets_free_goes_to_who_stays(queueing):
    ports = tuple(port for port in queueing.config.ports if port.port != "B1-p1")
    queueing.give(ConfigApplied(msgspec.structs.replace(queueing.config, version="g2", ports=ports)))
    assert ends(queueing) == [("s1", "removed")]
    assert queueing.operates("B1-p2", on=True)
    assert not queueing.world.charging.sessions["B1-p2"].waiting


def test_a_port_that_comes_back_was_told_off_and_is_not_taken_for_on(queueing):
    """Its row said "wanted" for ever: after the next start it would have run without a session, and so without caps."""
    whole = queueing.config
    ports = tuple(port for port in whole.ports if port.port != "B1-p1")
    queueing.give(ConfigApplied(msgspec.structs.replace(whole, version="g2", ports=ports)))
    queueing.give(ConfigApplied(msgspec.structs.replace(whole, version="g3")))
    queueing.config = msgspec.structs.replace(whole, version="g3")
    queueing.restart()
    assert not queueing.world.ports["B1-p1"].wanted


@pytest.fixture
def welded(kit):
    """A normal zone whose contactor stands open because an outlet behind it does not open."""
    garage = kit.new(kit.config())
    garage.make_normal()
    garage.command(StartSession(session_id="s1", port="B1-p1"))
    garage.reports("B1-p1", True)
    garage.draws("B1-p1")
    garage.command(StopSession(port="B1-p1"))
    garage.reports("B1-p1", False)
    for _ in range(20):
        garage.run(1)
        if garage.world.outputs["B1-k"].switch.wanted:
            garage.draws("B1-p1")
        else:
            garage.reports("B1-k", False)
            garage.meter("B1-km", 0.0)
    garage.all_clear()
    switch = garage.world.outputs["B1-k"].switch
    assert (garage.zone().mode, switch.wanted, switch.cut) == ("normal", False, "proven")
    assert garage.world.ports["B1-p1"].bad == "welded"
    garage.sent.clear()
    return garage


def named_anew(config, old, new):
    """The same garage, with a contactor of another name."""
    outputs = tuple(
        msgspec.structs.replace(each, output=new) if each.output == old else each for each in config.outputs
    )
    return msgspec.structs.replace(config, version="g2", outputs=outputs)


@pytest.mark.parametrize(
    ("change", "zone", "contactor"),
    [
        (lambda config: renamed(config, "B1", "C1"), "C1", "B1-k"),
        (lambda config: named_anew(config, "B1-k", "K9"), "B1", "K9"),
    ],
    ids=["zone", "contactor"],
)
@pytest.mark.parametrize("restart", [False, True])
def test_another_name_does_not_close_a_contactor_over_a_welded_outlet(welded, change, zone, contactor, restart):
    """It was taken to be closed, so the next session told it to close, and the welded outlet had current again."""
    welded.config = change(welded.config)
    welded.give(ConfigApplied(welded.config))
    if restart:
        welded.restart()
    for _ in range(4):
        welded.all_clear(zone)
        welded.reports("B1-k", False)
        welded.meter("B1-km", 0.0)
        welded.run(1)
    assert welded.world.zones[zone].mode == "normal"
    assert welded.command(StartSession(session_id="s2", port="B1-p2")).body["problem"] == "contactor_open"
    assert not welded.operates("B1-k", on=True)
    assert (welded.world.ports["B1-p1"].bad, welded.world.outputs[contactor].switch.wanted) == ("welded", False)
    assert welded.command(RearmPort(port="B1-p1")).code == "ok", "somebody has repaired it"
    assert welded.operates("B1-k", on=True)


@pytest.mark.parametrize("restart", [False, True])
def test_an_outlet_that_is_taken_away_and_put_back_is_as_bad_as_before(welded, restart):
    whole = welded.config
    ports = tuple(port for port in whole.ports if port.port != "B1-p1")
    welded.config = msgspec.structs.replace(whole, version="g2", ports=ports)
    welded.give(ConfigApplied(welded.config))
    if restart:
        welded.restart()
        welded.all_clear()
    welded.give(ConfigApplied(msgspec.structs.replace(whole, version="g3")))
    port = welded.world.ports["B1-p1"]
    assert (port.armed, port.bad) == (False, "welded")
    (row,) = [row for row in welded.rows.all(SwitchRow) if row.name == "B1-p1"]
    assert (row.armed, row.bad, row.cut) == (port.armed, port.bad, port.cut), "what a start would find"


def test_no_alarm_outlives_the_outlet_that_it_is_about(garage):
    """Nobody could have ended it: neither a reading nor a re-arming reaches what is not there."""
    garage.command(StartSession(session_id="s2", port="B1-p2"))
    garage.reports("B1-p2", True)
    garage.meter("B1-p2", 700.0)
    garage.reports("B1-p2", False)
    for _ in range(6):
        garage.meter("B1-p2", 0.0)
        garage.run(0.5)
    garage.all_clear()
    assert (standing(garage), garage.zone().mode) == ({"trip:B1-p2"}, "normal")
    ports = tuple(port for port in garage.config.ports if port.port != "B1-p2")
    garage.give(ConfigApplied(msgspec.structs.replace(garage.config, version="g2", ports=ports)))
    assert (list(garage.world.ports), standing(garage)) == (["B1-p1"], set())


def test_an_outlet_in_another_place_is_another_outlet_and_has_not_tripped(garage, kit):
    garage.command(StartSession(session_id="s2", port="B1-p2"))
    garage.reports("B1-p2", True)
    garage.meter("B1-p2", 700.0)
    garage.reports("B1-p2", False)
    for _ in range(6):
        garage.meter("B1-p2", 0.0)
        garage.run(0.5)
    garage.all_clear()
    first, second = garage.config.ports
    moved = msgspec.structs.replace(second, at=Place(kit.field, "another"))
    garage.give(ConfigApplied(msgspec.structs.replace(garage.config, version="g2", ports=(first, moved))))
    assert (garage.world.ports["B1-p2"].armed, standing(garage)) == (True, set())


def test_no_alarm_outlives_its_zone_and_an_outlet_keeps_its_own(welded):
    assert "cut:B1-p1" in standing(welded)
    welded.says("B1-s1", False, battery_low=True)
    assert "battery:B1-s1" in standing(welded)
    welded.give(ConfigApplied(renamed(welded.config, "B1", "C1")))
    assert "battery:B1-s1" not in standing(welded), "nothing was heard of that head since"
    (alarm,) = [alarm for alarm in welded.world.alarms.alarms.values() if alarm.key == "cut:B1-p1" and alarm.active]
    assert alarm.zone == "C1"
