"""A word that changes nothing costs no evaluation, and nobody can tell: effects and world are those of one."""

from __future__ import annotations

import random

import msgspec
import pytest

from edge.domain.digest import effects_digest
from edge.domain.field_devices import PointHealth, Quality
from edge.domain.garage import hearing
from edge.domain.garage.kernel import GarageKernel
from edge.domain.garage.messages import (
    DayOpened,
    RearmPort,
    StartSession,
    StopSession,
    TestZone,
)
from edge.domain.garage.settings import ZoneSettings
from edge.domain.garage.world import World
from edge.storage.snapshots import canonical

STEPS = 500


class Recorded(GarageKernel):
    """Keeps each input with its stamp, the digest of what came of it and the world behind it."""

    def __init__(self):
        self.log = []

    def handle(self, world, item, stamp):
        effects = super().handle(world, item, stamp)
        self.log.append((item, stamp, effects_digest(effects), canonical(world)))
        return effects


def quiet_day(garage, rng):
    """Heads that say "clear" again and again, and now and then everything else that may come between."""
    names = [port.port for port in garage.config.ports]
    heads = [source.source for source in garage.config.sources]
    zones = [zone.zone for zone in garage.config.zones]

    def word(active=False, **facts):
        garage.says(rng.choice(heads), active, **facts)

    def recover():
        for zone in zones:
            garage.all_clear(zone)
            garage.all_dead(zone)
        garage.run(7.0, each=lambda: [garage.all_clear(zone) for zone in zones])
        for zone in zones:
            garage.reset(zone)

    often = [word, word, word, lambda: garage.run(rng.choice([0.02, 0.2, 0.7])), lambda: word(None)]
    seldom = [
        lambda: word(rng.random() < 0.2),
        lambda: word(battery_low=rng.random() < 0.5),
        lambda: word(quality=rng.choice(list(Quality))),
        lambda: word(retained=True),
        lambda: word(delay_ms=rng.choice([5, 60_000])),
        lambda: word(source_wall_ns=garage.stamp().wall_ns - rng.choice([0, 10**9, 10**14])),
        lambda: garage.draws(rng.choice(names), rng.choice([0.0, 150.0, 220.0])),
        lambda: garage.reports(rng.choice(names), rng.random() < 0.5),
        lambda: garage.reports(rng.choice(names), None, fault=rng.choice(["", "overheat"])),
        lambda: garage.health(rng.choice(heads), rng.random() < 0.7),
        lambda: garage.give(garage.reading(rng.choice(names), PointHealth(point=names[0], online=True, rebooted=True))),
        lambda: garage.run(rng.choice([1.0, 3.0, 12.0])),
        lambda: garage.command(RearmPort(port=rng.choice(names))),
        lambda: garage.command(StartSession(session_id=f"s{garage.seq}", port=rng.choice(names))),
        lambda: garage.command(StopSession(port=rng.choice(names))),
        lambda: garage.command(TestZone(zone=rng.choice(zones), minutes=1)),
        lambda: garage.give(DayOpened(day=f"2026-11-{rng.randrange(22, 29)}")),
        *[recover] * 2,
        lambda: [garage.all_dead(zone) for zone in zones],
        lambda: garage.reset(rng.choice(zones)),
    ]
    for zone in zones:
        garage.make_normal(zone)
    for _ in range(STEPS):
        rng.choice(seldom if rng.random() < 0.12 else often)()


@pytest.mark.parametrize("seed", range(6))
def test_nobody_can_tell_that_a_word_was_not_weighed(kit, seed, monkeypatch):
    names = ("B1", "B2")
    zones = [ZoneSettings(zone=name, name=kit.text(name), panels=("panel-B1",), clear_s=5) for name in names]
    garage = kit.new(kit.config(*zones))
    garage.kernel = Recorded()
    world = msgspec.msgpack.decode(msgspec.msgpack.encode(garage.world), type=World)
    with monkeypatch.context() as weighed:
        weighed.setattr(hearing, "may_say_the_same", lambda *_: False)
        quiet_day(garage, random.Random(seed))
    kernel, spared = GarageKernel(), []
    keep_calm = hearing.keep_calm
    monkeypatch.setattr(hearing, "keep_calm", lambda *each: (spared.append(1), keep_calm(*each)))
    for item, stamp, digest, after in garage.kernel.log:
        assert effects_digest(kernel.handle(world, item, stamp)) == digest, (stamp.seq, item)
        assert canonical(world) == after, (stamp.seq, item)
    assert len(spared) >= STEPS // 20
