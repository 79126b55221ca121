"""The groups of the gym's campaign: each an afternoon of visits with one kind of fault, the last with all of them."""

from __future__ import annotations

import json
from collections.abc import Callable

from _case import Case
from _gym_floor import HELD, MACHINES, PEOPLE, STRENGTH, WIRED, Floor, S, Visit
from _gym_truth import Truth

from firmware_sim.line import LineFaults

#: Between two visits of a machine: a pause ends a workout after 90 s, a loss after 180 s.
APART_S = 200
POINTS = ("before_decision", "after_safety", "after_commit")
Fault = Callable[["Afternoon"], None]


class Afternoon:
    """Rounds of visits to all machines at once, with ``faults`` while they last."""

    def __init__(self, case: Case, number: int) -> None:
        self.case, self.rng = case, case.rng
        self.folder = case.folder / str(number)
        self.folder.mkdir()
        self.floor = Floor(self.folder, case.rng.randrange(1 << 30), case.trace)
        self.now: dict[str, Visit] = {}

    def play(self, rounds: int, faults: list[Fault], machines: tuple[str, ...] = MACHINES) -> None:
        floor, rng = self.floor, self.rng
        for _ in range(rounds):
            people = rng.sample(PEOPLE, len(machines))
            longest = 0.0
            for asset, person in zip(machines, people, strict=True):
                seconds = rng.uniform(95, 150)
                longest = max(longest, seconds)
                high_s = rng.uniform(45, 60) if asset in HELD and rng.random() < 0.7 else 0.0
                seconds += high_s
                longest = max(longest, seconds, floor.strength.session_s)
                known = person if asset in HELD or rng.random() < 0.7 else ""
                effort = rng.uniform(0.3, 0.8)
                self.now[asset] = floor.visit(asset, seconds, person=known, high_s=high_s, effort=effort)
            for fault in faults:
                floor.later(rng.uniform(6, longest - 20), lambda fault=fault: fault(self))
            floor.run(longest + 70)  # a box that was down when somebody came
            floor.run(APART_S)
        floor.close()
        for name, count in Truth(floor, self.folder).judge().items():
            self.case.count(name, count)

    def hide(self, asset: str, seconds: float) -> None:
        """From now on the box may not hear it for ``seconds``."""
        now_ns = self.floor.clock.now_mono_ns
        self.floor.deaf.append((asset, now_ns, now_ns + round(seconds * S)))

    def note(self, fault: str, **facts: object) -> None:
        self.case.count("faults")
        self.case.trace.event(self.floor.clock.now_mono_ns, "fault", fault=fault, **facts)


# --- faults -----------------------------------------------------------------------------------------------------------


def broker_dies(day: Afternoon) -> None:
    """Killed and started again, with a stale retained word of each machine."""
    floor, seconds = day.floor, day.rng.uniform(2, 45)
    if not floor.broker_up:
        return
    day.note("broker", seconds=seconds)
    for asset in (*HELD, STRENGTH):
        day.hide(asset, seconds)
    floor.broker_up = False
    for device in floor.mqtt:
        device.disconnected(floor.clock.now_mono_ns)
    for name in floor.box.wireless():
        floor.box.link(name, up=False)
    floor.later(seconds, lambda: _broker_back(day))


def _broker_back(day: Afternoon) -> None:
    floor = day.floor
    floor.broker_up = True
    for name in floor.box.wireless():
        floor.box.link(name, up=True)
    stale = {"transport": "ble", "char": "2acd", "hex": "0c00e80388130000", "seq": day.rng.randrange(1 << 20)}
    for topic in ("park/hall/b1/raw", "park/elders/e1/raw"):
        floor.box.deliver(topic, json.dumps(stale), retain=True)
    done = {"set": 9, "reps": 40, "minutes": 30, "state": "finished", "finished": True}
    floor.box.deliver(f"park/hall/{STRENGTH}/strength", json.dumps(done), retain=True)
    for device in floor.mqtt:
        device.connected(floor.clock.now_mono_ns)


def gateway_without_power(day: Afternoon) -> None:
    """It remembers nothing of the time."""
    asset, seconds = day.rng.choice(HELD), day.rng.uniform(8, 60)
    gateway = day.floor.gateways[asset]
    if gateway.way.dark:
        return
    day.note("gateway", asset=asset, seconds=seconds)
    day.hide(asset, seconds)
    gateway.way.dark = True

    def back() -> None:
        gateway.plug_in(day.floor.clock.now_mono_ns)
        gateway.unix_ms = day.floor.clock.now_wall_ns // 1_000_000
        gateway._begin_ns = day.floor.clock.now_mono_ns
        gateway.way.dark = False

    day.floor.later(seconds, back)


def flood(day: Afternoon) -> None:
    """Strangers' adverts, unknown points, and each message of our own several times."""
    day.note("flood")
    floor = day.floor
    for number in range(300):
        mac = f"{number:012x}"
        floor.box.deliver(f"home/gw/BTtoMQTT/{mac}", json.dumps({"id": mac, "rssi": -70, "weight": 900}))
        raw = {"transport": "ble", "char": "2a37", "hex": "06be", "seq": number}
        floor.box.deliver(f"park/hall/stranger{number}/raw", json.dumps(raw))
    for gateway in floor.gateways.values():
        gateway.way.duplicate_p = 0.9
    floor.later(30, lambda: _calm(floor))


def _calm(floor: Floor) -> None:
    for gateway in floor.gateways.values():
        gateway.way.duplicate_p = 0.0


def serial(day: Afternoon) -> None:
    """A wire is cut, noisy, loses bytes (half frames), comes in pieces, or hears itself."""
    asset, seconds = day.rng.choice(WIRED), day.rng.uniform(5, 40)
    kind = day.rng.choice(("cut", "noise", "half", "pieces", "echo"))
    floor, device = day.floor, f"console-{asset}"
    wire, now_ns = floor.wires[device], floor.clock.now_mono_ns
    day.note("serial", asset=asset, kind=kind, seconds=seconds)
    if kind != "pieces":
        day.hide(asset, seconds)
    if kind == "cut":
        wire.unplugged(now_ns)
        floor.box.link(device, up=False)
    elif kind == "echo":
        wire.echo = True
    else:
        broken = {"noise": LineFaults(noise=True, noise_p=0.5), "half": LineFaults(drop_p=0.04),
                  "pieces": LineFaults(dribble=True)}  # fmt: skip
        wire.set_faults(broken[kind], now_ns)

    def mend() -> None:
        wire.echo = False
        wire.set_faults("none", floor.clock.now_mono_ns)
        if kind == "cut":
            wire.plugged(floor.clock.now_mono_ns)
            floor.box.link(device, up=True)

    floor.later(seconds, mend)


def reset(day: Afternoon) -> None:
    """A console was switched off and on; the person walks on."""
    asset = day.rng.choice((*WIRED, *HELD))
    visit = day.now.get(asset)
    if visit is None or not day.floor.exercises[asset].moving:
        return
    day.note("reset", asset=asset)
    visit.resets.append(day.floor.clock.now_mono_ns)
    day.floor.exercises[asset].reset(day.floor.clock.now_mono_ns)


def odometer_jump(day: Afternoon) -> None:
    """The distance leaps by 40 km and goes on from there."""
    asset = day.rng.choice((*WIRED, *HELD))
    day.note("jump", asset=asset)
    if asset in day.now:
        day.now[asset].jumps.append(day.floor.clock.now_mono_ns)
    day.floor.exercises[asset].distance_m += 40_000


def strap_of_another(day: Afternoon) -> None:
    """Somebody wears the strap of the machine beside, where nobody trains, and has a racing heart."""
    day.note("strap")
    for asset in HELD:
        if not day.floor.exercises[asset].moving:
            day.floor.straps[asset].worn, day.floor.straps[asset].forced_bpm = True, 175


def kill(day: Afternoon) -> None:
    """kill -9 at the next input, somewhere between decision and commit; it comes back after a while."""
    floor, seconds = day.floor, day.rng.uniform(1, 50)
    if not floor.box.alive:
        return
    day.note("kill", seconds=seconds)
    day.hide("*", seconds)
    floor.kills.append(floor.clock.now_mono_ns)
    floor.box.die_at = day.rng.choice(POINTS)

    def back() -> None:
        if floor.box.alive:
            floor.box.kill()
        floor.box.start()
        for topic, payload in floor.retained.items():
            floor.box.deliver(topic, payload, retain=True)

    floor.later(seconds, back)


# --- groups -----------------------------------------------------------------------------------------------------------


def _group(*faults: Fault, machines: tuple[str, ...] = MACHINES) -> Callable[[Case], None]:
    def play(case: Case) -> None:
        for number in range(case.pick(1, 40)):
            chosen = [*faults] if len(faults) <= 2 else case.rng.choices(faults, k=case.rng.randint(3, 7))
            Afternoon(case, number).play(case.pick(1, 3), chosen, machines)

    return play


def straps(case: Case) -> None:
    """One held machine is used, its neighbour's strap races."""
    for number in range(case.pick(1, 40)):
        used = case.rng.choice(HELD)
        Afternoon(case, number).play(case.pick(1, 3), [strap_of_another] * 2, (used,))


GROUPS: dict[str, Callable[[Case], None]] = {
    "1-broker": _group(broker_dies, machines=(*HELD, STRENGTH)),
    "2-gateway": _group(gateway_without_power, flood, machines=HELD),
    "3-serial": _group(serial, serial, machines=WIRED),
    "4-consoles": _group(reset, odometer_jump, machines=(*WIRED, *HELD)),
    "5-straps": straps,
    "6-kills": _group(kill, kill),
    "7-mixture": _group(broker_dies, gateway_without_power, flood, serial, reset, odometer_jump, kill),
}
