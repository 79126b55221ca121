"""A site that is changed while people train: what stays, what follows the machine, what ends."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.devices import DeviceReading, DeviceState
from edge.domain.field_devices import Operate
from edge.domain.gym.messages import ClaimAsset, CloseOrder, ConfigApplied, LockOut, ReturnTest, Timer
from edge.domain.gym.settings import AssetKind
from edge.domain.machine_readings import MachineState, StrengthSetReading
from edge.domain.places import Place


def reload(gym, *, restart=False, **changes):
    """The site file says something else now, read at a start or while the box runs."""
    gym.config = msgspec.structs.replace(gym.config, version=f"y-{gym.seq}", **changes)
    if restart:
        gym.restart()
    else:
        gym.give(ConfigApplied(gym.config))


def renamed(gym, names):
    """The machines of the site, some under another name (the places stay)."""
    return tuple(msgspec.structs.replace(one, asset=names.get(one.asset, one.asset)) for one in gym.config.assets)


@pytest.fixture
def loud(gym):
    """Anna trains on e1 with a pulse far above her ceiling; the buzzer of the room sounds."""
    gym.person("anna", "c1", ceiling_bpm=110, max_bpm=150)
    gym.card("k1", "c1")
    gym.cuff(120)
    gym.stand("e1")
    gym.card("e1", "c1")
    gym.train("e1", 40, bpm=100)
    gym.train("e1", 40, bpm=122)
    assert gym.world.buzzers == {"elders": True}
    gym.sent.clear()
    return gym


def told(gym):
    """Which places were told to sound."""
    return {one.command.point for one in gym.sent if isinstance(one.command, Operate) and one.command.on}


@pytest.mark.parametrize("change", ["no buzzer", "no zone"])
def test_a_buzzer_that_is_gone_keeps_no_timer(loud, change):
    hall, elders = loud.config.zones
    if change == "no buzzer":
        reload(loud, zones=(hall, msgspec.structs.replace(elders, buzzer=None)))
    else:
        assets = tuple(msgspec.structs.replace(one, zone="hall") for one in loud.config.assets)
        kiosks = tuple(msgspec.structs.replace(one, zone="hall") for one in loud.config.kiosks)
        reload(loud, zones=(hall,), assets=assets, kiosks=kiosks)
    loud.run(100, each=lambda: loud.walk("e1"))
    loud.give(Timer())
    assert loud.kernel.deadline(loud.world) > loud.mono_ns, "a deadline in the past wakes the box ten times a second"


def test_an_alarm_sounds_in_the_zone_of_another_name(loud):
    hall, elders = loud.config.zones
    assets = tuple(
        msgspec.structs.replace(one, zone="seniors") if one.zone == "elders" else one for one in loud.config.assets
    )
    kiosks = tuple(msgspec.structs.replace(one, zone="seniors") for one in loud.config.kiosks)
    reload(loud, zones=(hall, msgspec.structs.replace(elders, zone="seniors")), assets=assets, kiosks=kiosks)
    loud.run(30, each=lambda: loud.walk("e1"))
    assert told(loud) == {"buzzer"}
    assert next(one.zone for one in loud.shown["gym-alarms"].alarms if one.cause == "heart_alarm") == "seniors"


def test_an_alarm_sounds_at_the_new_place_of_the_buzzer(loud):
    hall, elders = loud.config.zones
    reload(loud, zones=(hall, msgspec.structs.replace(elders, buzzer=Place("io", "horn"))))
    assert told(loud) == {"horn"}


# --- machines under another name, or at another place ---


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("names", [{"t1": "t9"}, {"t1": "t2", "t2": "t1"}, {"t1": "t2", "t2": "t9"}])
def test_another_name_gives_no_locked_machine_back(gym, names, restart):
    """Renamed, exchanged with its neighbour, or all numbers moved up by one: the belt is as torn as it was."""
    gym.command(LockOut(asset="t1", note="belt torn"))
    old = next(iter(gym.world.orders))
    reload(gym, restart=restart, assets=renamed(gym, names))
    name = names["t1"]
    gym.stand("t1")
    assert gym.command(ClaimAsset(asset=name, person="anna")).body["problem"] == "out_of_order"
    gym.command(CloseOrder(order_id=old, note="has another name"), role=Role.MAINTENANCE)
    gym.restart()
    assert gym.asset(name).locked_by, "it needs the test of its own"
    assert gym.command(ReturnTest(asset=name, passed=True), role=Role.MAINTENANCE).code == "ok"
    gym.restart()
    reload(gym)
    assert not gym.asset(name).locked_by


def test_what_was_tested_is_not_locked_again_by_its_former_name(gym):
    gym.command(LockOut(asset="t1"))
    reload(gym, assets=renamed(gym, {"t1": "t9"}))
    gym.command(ReturnTest(asset="t9", passed=True), role=Role.MAINTENANCE)
    reload(gym, assets=gym.config.assets, site=msgspec.structs.replace(gym.config.site, en="hall"))
    assert not gym.asset("t9").locked_by
    assert not any(one.locked_by for one in gym.world.assets.values())


@pytest.mark.parametrize(("serial", "owed_h"), [("", 110.0), ("another", 0.0)])
def test_another_name_is_no_service(gym, serial, owed_h):
    """Unless it is another machine."""
    gym.health("t1", usage_hours_h=10.0)
    gym.elapse(700)
    gym.health("t1", usage_hours_h=120.0)
    assets = renamed(gym, {"t1": "t9"})
    reload(gym, assets=(msgspec.structs.replace(assets[0], serial=serial), *assets[1:]))
    gym.elapse(700)
    gym.health("t1", usage_hours_h=120.0)
    gym.restart()
    wear = gym.world.wear["t9"]
    assert wear.hours_h - wear.service_h == pytest.approx(owed_h)
    orders = {(order.asset, order.cause) for order in gym.world.orders.values()}
    assert (("t9", "hours_due") in orders) == bool(owed_h)


def test_two_machines_that_change_names_mix_no_books(gym):
    """Anna runs under the name t1, somebody else under t2, when the installer sets right which console is which."""
    gym.person("anna", "c1")
    gym.metres["t2"] = 300.0
    gym.stand("t1")
    gym.stand("t2")
    gym.card("t1", "c1")

    def both():
        gym.walk("t1")
        gym.walk("t2", km_h=12.0)

    gym.run(60, each=both)
    reload(gym, assets=renamed(gym, {"t1": "t2", "t2": "t1"}))
    gym.run(60, each=both)
    gym.run(200)
    hers = [row for row in gym.workouts() if row.person == "anna"]
    assert [round(row.distance_m) for row in hers] == [pytest.approx(100, abs=4)]
    others = [row for row in gym.workouts() if not row.person and row.state == "ended"]
    assert sum(row.distance_m for row in others) == pytest.approx(2 * 200 + 100, abs=15)


def test_a_machine_that_is_heard_elsewhere_goes_on(gym):
    """A gateway of another name: nobody else was there before."""
    gym.train("t1", 60)
    assets = tuple(msgspec.structs.replace(one, at=(Place("row-2", one.asset), *one.at)) for one in gym.config.assets)
    reload(gym, assets=assets)
    gym.train("t1", 10)
    assert [row.state for row in gym.workouts()] == ["open"]


def test_a_kiosk_with_other_devices_waits_for_a_card(gym):
    gym.person("anna", "c1")
    gym.card("k1", "c1")
    old = gym.config.kiosks[0]
    reload(gym, kiosks=(msgspec.structs.replace(old, reader=Place("cards", "k2")),))
    gym.cuff(150)
    assert gym.world.vitals == {}


def test_a_pulse_ages_over_a_reload_too(gym, kit):
    """Between two sets nothing else would look at it for a minute and a half."""
    machine = kit.asset("s1", AssetKind.STRENGTH, zone="elders")
    reload(gym, assets=(*gym.config.assets, machine))
    gym.person("anna", "c1", ceiling_bpm=110, max_bpm=150)
    gym.card("k1", "c1")
    gym.cuff(120)
    done = StrengthSetReading(point="s1", set_number=1, rep_count=8, duration_s=20.0, finished=True)
    gym.give(DeviceReading("row", 1, StrengthSetReading(point="s1", set_number=1, state=MachineState.IN_USE)))
    assert gym.card("s1", "c1")
    gym.elapse(25)
    gym.give(DeviceReading("row", 1, done))
    assert gym.asset("s1").phase == "paused"
    gym.beats("s1", 100)
    reload(gym, site=msgspec.structs.replace(gym.config.site, en="another word"))
    gym.run(16)
    assert gym.shown["asset/s1"].heart.level == "unknown"


# --- alarms of what is gone ---


@pytest.mark.parametrize("restart", [False, True])
def test_the_alarm_of_a_device_that_is_gone_goes_with_it(gym, restart):
    """A gateway was replaced by one of another name: nobody will ever hear that the old one is back."""
    gym.link("row", DeviceState.LOST)
    gym.link("gates", DeviceState.LOST)
    assets = tuple(msgspec.structs.replace(one, at=(Place("row-2", one.asset),)) for one in gym.config.assets)
    reload(gym, restart=restart, assets=assets)
    active = {alarm.key for alarm in gym.world.alarms.alarms.values() if alarm.active}
    assert active == {"device:gates"}
