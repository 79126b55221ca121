"""A garage's log, fed to its kernel again, gives every effect again: also what timers did in silence."""

from __future__ import annotations

import random

import msgspec
import pytest

from edge.domain.digest import effects_digest
from edge.domain.garage.kernel import GarageKernel
from edge.domain.garage.messages import RearmPort, StartSession, StopSession, Timer
from edge.domain.garage.world import World

STEPS = 250


class Recorded(GarageKernel):
    """Keeps what the daemon would log: each input with its stamp and the digest of what came of it."""

    def __init__(self):
        self.log = []

    def handle(self, world, item, stamp):
        effects = super().handle(world, item, stamp)
        if effects or self.keeps_timers or not isinstance(item, Timer):
            self.log.append((item, stamp, effects_digest(effects)))
        return effects


def bad_day(garage, rng):
    """Smoke now and then, meters and relays that say anything, people who start, stop, reset and re-arm."""
    names = [port.port for port in garage.config.ports]
    heads = [source.source for source in garage.config.sources]
    acts = [
        lambda: garage.says(rng.choice(heads), rng.random() < 0.03),
        lambda: garage.draws(rng.choice(names), rng.choice([0.0, 150.0, 220.0])),
        lambda: garage.reports(rng.choice(names), rng.random() < 0.5),
        garage.all_clear,
        garage.all_dead,
        lambda: garage.run(rng.choice([0.1, 0.3, 1.0, 3.0])),
        lambda: garage.run(0.2),
        lambda: garage.command(RearmPort(port=rng.choice(names))),
        lambda: garage.command(StartSession(session_id=f"s{garage.seq}", port=rng.choice(names))),
        lambda: garage.command(StopSession(port=rng.choice(names))),
        garage.reset,
    ]
    for _ in range(STEPS):
        rng.choice(acts)()


@pytest.mark.parametrize("seed", range(6))
def test_a_bad_day_is_replayed_to_the_last_effect(garage, seed):
    garage.kernel = Recorded()
    world = msgspec.msgpack.decode(msgspec.msgpack.encode(garage.world), type=World)
    bad_day(garage, random.Random(seed))
    assert sum(isinstance(item, Timer) for item, _, _ in garage.kernel.log) >= 10
    kernel = GarageKernel()
    for item, stamp, digest in garage.kernel.log:
        assert effects_digest(kernel.handle(world, item, stamp)) == digest, (stamp.seq, item)
    assert msgspec.msgpack.encode(world) == msgspec.msgpack.encode(garage.world)
