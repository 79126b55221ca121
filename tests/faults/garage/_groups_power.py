"""Groups of the fault campaign about what is switched (simulated time): 10 power and reboots, 11 contacts and
meters, 14 the same instant, 15 two fires and one dead box, 16 a month without the cloud, kills at every write
point, and the long run.
"""

from __future__ import annotations

import itertools
from functools import partial

import msgspec
from _box import POINTS
from _case import Case
from _groups_signals import quiet, smoke_must_cut
from _sim import LATCHED, Garage, S

from edge.domain.actors import Role
from edge.domain.garage.messages import ConfigApplied, CutZone, ResetZone

LIFE_S = 2.0


def restart(garage: Garage, down_s: float = LIFE_S) -> None:
    """The box comes back; time and dead-men went on without it."""
    if garage.box.alive:
        garage.box.kill()
    garage.run(down_s)
    garage.box.start()


def power(case: Case) -> None:
    """10: power cut in the middle of a cut; plugs that come back ON after a brown-out while the zone is latched."""
    for number in range(case.pick(3, 300)):
        garage = Garage(case.folder / str(number), case.seed * 1000 + number, case.trace)
        garage.ready()
        garage.box.die_at = POINTS[number % len(POINTS)] if number % 2 else ""
        garage.field.set_smoke("z1-s1", on=True)
        garage.run(case.rng.uniform(0.0, 0.4))
        restart(garage, case.rng.uniform(0.1, 20))
        garage.run(1)
        for _ in range(case.rng.randint(1, 4)):
            plug = garage.field.plugs[case.rng.choice(garage.layout.port_names("z1"))]
            garage.field.reboot(plug, returns_on=True)
            garage.later(6 * S, partial(garage.check_cut, "z1"))
            case.count("reboots_on")
            garage.run(case.rng.uniform(0.5, 8))
        garage.run(8)
        if garage.field.powered("z1"):
            garage.violated("rebooted_plug_stays_on", outlets=garage.field.powered("z1"))
        garage.restore("z1")
        garage.close()


def contacts(case: Case) -> None:
    """11: welded contact, lying status, stuck meter, a dead plug, in every mixture, at outlets and at the contactor."""
    kinds = ("welded", "lying", "stuck", "dead")
    mixtures = list(itertools.product(kinds, ("plug", "contactor", "both")))
    for number in range(case.pick(len(mixtures), 40 * len(mixtures))):
        kind, where = mixtures[number % len(mixtures)]
        garage = Garage(case.folder / str(number), case.seed * 1000 + number, case.trace)
        garage.ready()
        broken = [garage.field.plugs["z1-p1"]] if where != "contactor" else []
        broken += garage.field.contactors("z1") if where != "plug" else []
        for outlet in broken:
            outlet.welded, outlet.lying, outlet.dead = kind == "welded", kind == "lying", kind == "dead"
            outlet.stuck_w = 181.0 if kind == "stuck" else None
        garage.field.set_smoke("z1-s1", on=True)
        garage.run(20)
        feed = garage.field.relays["relay/z1-feed"].told
        alive = garage.field.powered("z1")
        case.trace.event(garage.clock.now_mono_ns, "contacts", kind=kind, where=where, feed=feed, powered=alive)
        if alive and where != "both" and not feed:
            garage.violated("second_layer_missing", kind=kind, where=where, outlets=alive)
        if where == "both" and not feed:
            garage.violated("feed_not_asked", kind=kind, where=where)
        if where == "plug" and kind != "stuck" and alive:
            garage.violated("contactor_not_opened", kind=kind)
        case.count("mixtures")
        garage.close()


def same_instant(case: Case) -> None:
    """14: smoke at the same instant as a reset, a reload, a restart, a hand's cut; in either order."""
    for number in range(case.pick(8, 800)):
        garage = Garage(case.folder / str(number), case.seed * 1000 + number, case.trace)
        garage.ready()
        garage.field.set_smoke("z1-s1", on=True)
        garage.run(8)
        garage.field.set_smoke("z1-s1", on=False)
        garage.run(15)
        if garage.state("z1") != "resettable":
            garage.violated("not_resettable", state=garage.state("z1"))
        smoke_first = number % 2
        what = ("reset", "reload", "restart", "hand")[number // 2 % 4]
        if smoke_first:
            garage.field.set_smoke("z1-s2", on=True)
        if what == "reset":
            latched_ns = garage.latched.pop("z1")
            code = garage.command(ResetZone(zone="z1", panel="panel-z1", person="li"), Role.PANEL)
            if smoke_first:
                garage.latched["z1"] = latched_ns
                if code == "ok":
                    garage.violated("reset_in_smoke")
        elif what == "reload":
            config = msgspec.structs.replace(garage.site.garage, version=f"v{number}")
            garage.box.give(ConfigApplied(config))
            if "zone z1" not in str(garage.box.views["garage"].problems):
                garage.violated("reloaded_while_latched", told=garage.box.views["garage"].problems)
        elif what == "restart":
            restart(garage, 0.01)
        else:
            garage.command(CutZone(zone="z1"))
        if not smoke_first:
            garage.field.set_smoke("z1-s2", on=True)
        garage.run(10)
        if garage.state("z1") not in LATCHED or garage.field.powered("z1"):
            garage.violated("smoke_beside_another_act_lost", act=what, state=garage.state("z1"))
        case.count(what)
        garage.close()


def two_fires(case: Case) -> None:
    """15: two garages, a fire in each, one box down: the other is untouched; the dead one's outlets fall off by
    their own timers, and its fire is cut and latched as soon as it lives."""
    for number in range(case.pick(1, 60)):
        north = Garage(case.folder / f"n{number}", case.seed * 1000 + number, case.trace)
        south = Garage(case.folder / f"s{number}", case.seed * 2000 + number, case.trace)
        for garage in (north, south):
            garage.ready()
        south.box.kill()
        for garage in (north, south):
            garage.field.set_smoke("z1-s1", on=True)
            garage.field.set_smoke("z2-s2", on=True)
        north.run(10)
        south.run(100)
        if any(north.field.powered(zone) for zone in north.zones):
            north.violated("current_after_smoke")
        if any(south.field.powered(zone) for zone in south.zones):
            south.violated("dead_man_did_not_fall", outlets=south.field.powered("z1"))
        south.box.start()
        south.run(10)
        if any(south.state(zone) not in LATCHED for zone in south.zones):
            south.violated("fire_while_down_is_missed")
        case.count("pairs")
        north.close()
        south.close()


def cloud(case: Case) -> None:
    """16: nothing outside answers for 30 days: notices stay bounded, the store stays bounded, smoke still cuts."""
    garage = Garage(case.folder, case.seed, case.trace)
    garage.ready()
    hours = case.pick(1, 720)
    for _ in range(hours):
        garage.run(20)
        garage.clock.advance(3570 * S)
        for head in garage.field.smoke:
            garage.field.tell_head(head)
        garage.run(10)
        case.count("hours")
    quiet(garage, "a month without the cloud")
    size = sum(path.stat().st_size for path in garage.store_dir.rglob("*") if path.is_file())
    case.numbers |= {"notices": len(garage.box.notices), "store_bytes": size}
    smoke_must_cut(case, garage)
    garage.close()


def kills(case: Case) -> None:
    """9 (first half): kill -9 at every write point of every input around a fire, in every order; and random kills."""
    for number in range(case.pick(30, 10_000)):
        garage = Garage(case.folder / str(number % 50), case.seed * 1000 + number, case.trace)
        garage.ready(charging=number % 3 == 0)
        garage.box.die_at = POINTS[number % len(POINTS)]
        source = ("z1-s1", "z1-call")[number // 3 % 2]
        garage.field.set_smoke(source, on=True)
        for _ in range(case.rng.randint(1, 3)):
            garage.run(case.rng.uniform(0.0, 0.5))
            restart(garage, case.rng.uniform(0.05, 3))
            garage.box.die_at = case.rng.choice(("", *POINTS))
            case.count("kills")
        garage.box.die_at = ""
        if not garage.box.alive:
            garage.box.start()
        garage.run(8)
        view = garage.box.views["zone/z1"]
        if view.state not in LATCHED or not any(source in reason for reason in view.reasons):
            garage.violated("alarm_lost", zone="z1", state=str(view.state), reasons=view.reasons, source=source)
        if garage.field.powered("z1"):
            garage.violated("current_after_smoke", outlets=garage.field.powered("z1"))
        if garage.box.raised:
            garage.violated("raised", error=garage.box.raised[0])
        garage.close()
