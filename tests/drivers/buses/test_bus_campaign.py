"""Random commands, faults and re-plugs on whole simulated lines; what must hold is checked at every step and at the
end: nothing is closed that was told to stay open, and every last OFF opens its contact once the line is good again."""

import random

import pytest

from edge.domain.field_devices import Operate, Poll, SetClock
from firmware_sim.dlt645 import Meter, MeterBus
from firmware_sim.modbus import Board, BoardBus

MS = 1_000_000
WALL_NS = 1_767_196_800 * 10**9


class Meters:
    protocol = "dlt645"

    def __init__(self, seed):
        self.meters = {f"m{n}": Meter(f"{n:012d}", load_w=150.0, closed=False) for n in range(1, 6)}
        self.line = MeterBus(self.meters, seed=seed)
        self.options = {"meters": ",".join(f"{name}={meter.address}" for name, meter in self.meters.items())}
        self.points = list(self.meters)

    def is_on(self, point):
        return self.meters[point].closed

    def switches_on(self, frame):
        """The point that ``frame`` switches on, or None."""
        if frame[12:14] != b"\x1c\x10" or frame[22] != 0x1C + 0x33:
            return None
        return f"m{frame[5]}"

    def break_one(self, rng):
        meter = self.meters[rng.choice(self.points)]
        meter.dead, meter.slow_ns = rng.random() < 0.5, rng.choice([0, 400, 3_000]) * MS

    def mend(self):
        for meter in self.meters.values():
            meter.dead, meter.slow_ns = False, 0


class Relays:
    protocol = "modbus"

    def __init__(self, seed):
        self.board = Board(contacts={n: n for n in range(5)})
        self.line = BoardBus({"b": self.board}, seed=seed)
        self.points = [f"k{n}" for n in range(5)]
        self.options = {"map": ";".join(f"k{n} output coil:{n}; k{n} contact discrete:{n}" for n in range(5))}

    def is_on(self, point):
        return self.board.inputs[int(point[1:])]

    def switches_on(self, frame):
        return f"k{frame[3]}" if frame[1] == 5 and frame[4] == 0xFF else None

    def break_one(self, rng):
        self.board.dead, self.board.slow_ns = rng.random() < 0.3, rng.choice([0, 200, 700]) * MS

    def mend(self):
        self.board.dead, self.board.slow_ns = False, 0


def disturb(rng, site, bus):
    match rng.randrange(7):
        case 0:
            site.break_one(rng)
        case 1:
            site.mend()
        case 2:
            site.line.set_faults(rng.choice(["none", "none", "noise", "split", "drop", "flip", "mute"]), bus.now)
        case 3:
            site.line.echo = rng.random() < 0.5 and site.protocol == "dlt645"
        case 4 if rng.random() < 0.3:
            bus.carry(bus.driver.closed(bus.now))
            site.line.restart(bus.now)
            bus.carry(bus.driver.opened(bus.now))
        case 5:
            bus.command(Poll(rng.choice(["", *site.points])))
        case _:
            bus.command(SetClock(WALL_NS + bus.now))


@pytest.mark.parametrize("site_of", [Meters, Relays], ids=["dlt645", "modbus"])
@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_switched_on_unasked_or_late_and_every_last_off_opens(rig, site_of, seed):
    rng = random.Random(f"{site_of.__name__} {seed}")
    site = site_of(seed)
    bus = rig(site.protocol, site.options, site.line)
    bus.command(SetClock(WALL_NS + bus.now))
    good_until_ms = {}  # points whose last command is ON, and how long it holds
    looked = switched_on = 0
    for step in range(400):
        point = rng.choice(site.points)
        roll = rng.random()
        if roll < 0.4:
            life_ms = rng.choice([300, 3_000])
            good_until_ms[point] = bus.now_ms + life_ms
            expires = bus.now + life_ms * MS
            bus.command(Operate(point=point, on=True, command_id=f"on{step}", expires_mono_ns=expires))
        elif roll < 0.6:
            good_until_ms.pop(point, None)
            bus.command(Operate(point=point, on=False, command_id=f"off{step}"))
        else:
            disturb(rng, site, bus)
        bus.run(25 * rng.randint(1, 12))
        for sent_ms, frame in bus.asked[looked:]:
            on_point = site.switches_on(frame)
            if on_point:
                switched_on += 1
                assert sent_ms <= good_until_ms.get(on_point, 0), f"{on_point} was switched on in step {step}"
        looked = len(bus.asked)
    assert switched_on > 6, "the campaign is worth something only if contacts are closed"
    site.mend()
    site.line.set_faults("none", bus.now)
    site.line.echo = False
    bus.run(12_000)
    for again in range(40):
        for point in site.points:
            bus.command(Operate(point=point, on=False, command_id=f"end{again}"))
        bus.run(1_000)
    assert not any(map(site.is_on, site.points))
    bus.run(125_000)
    assert bus.health()[-1][0] == "ready"
