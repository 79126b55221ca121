"""A site that is changed while people train: what stays, what follows the machine, what ends."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.field_devices import Operate
from edge.domain.gym.messages import ConfigApplied, Timer
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
