"""Groups of the fault campaign about what is heard (simulated time): 3 order and age, 5 junk, 7 clocks, 12
detectors, 13 the coordinator, 17 a wrong description. Each ends with real smoke that must cut: a box that
survived a fault deaf has failed.
"""

from __future__ import annotations

import json

import msgspec
from _case import Case
from _sim import LATCHED, Garage, S

from edge.domain.actors import Role
from edge.domain.garage.messages import ConfigApplied, ResetZone, TestZone
from edge.domain.garage.settings import GarageConfig

YEAR_NS = 365 * 86_400 * S

JUNK = (
    "", "{", "}", "null", "[]", "true", "0", '"smoke"', "{}", '{"smoke":null}', '{"smoke":"maybe"}', '{"smoke":2}',
    '{"smoke":[true]}', '{"smoke":{"a":1}}', '{"smoke":NaN}', '{"smoke":false,"smoke":false}', "\x00\x01", "ÿþ",
    "OFFON",
    '{"battery":1e999}', '{"linkquality":"' + "9" * 4000 + '"}', "[" * 5000, '{"a":' * 2000, '{"state":"\\ud800"}',
    '{"POWER":"MAYBE"}', '{"ENERGY":{"Power":-1e308}}', '{"ENERGY":{"Power":[1,2,{}]}}', '{"ENERGY":7}',
    '{"id":"x","result":{}}', '{"method":"Switch.Set"}', '{"id":0,"output":"yes"}', '{"params":[]}', "ON\nOFF",
    '{"Time":"9999-99-99","ENERGY":{"Power":"many"}}', '{"id":99999999999999999999,"src":3,"result":null}',
    "x" * 65_000,
)  # fmt: skip


def quiet(garage: Garage, what: str) -> None:
    """Nothing that was not smoke has cut."""
    for zone in garage.zones:
        if zone not in garage.latched and garage.state(zone) in LATCHED:
            garage.violated("false_alarm", zone=zone, after=what, state=garage.state(zone))


def smoke_must_cut(case: Case, garage: Garage, zone: str = "z1") -> None:
    """Real smoke at the end of a case."""
    checked = garage.checked
    garage.field.smoke[f"{zone}-s1"] = True
    garage.arrive(f"zigbee2mqtt/{zone}-s1", '{"smoke": true, "linkquality": 90}')
    garage.run(10)
    if garage.checked == checked or garage.state(zone) not in LATCHED:
        garage.violated("missed_fire", zone=zone, state=garage.state(zone))
    case.count("fires")


def order_and_age(case: Case) -> None:
    """3: duplicates, reorder, delays of 30 s, a day-old message replayed, retained copies, in any mixture."""
    for number in range(case.pick(2, 200)):
        garage = Garage(case.folder / str(number), case.seed * 1000 + number, case.trace)
        garage.ready()

        def between(topic: str, payload: str, retain: bool, garage: Garage = garage) -> bool:
            draw = garage.rng.random()
            if draw < 0.1:
                garage.arrive(topic, payload, retain=retain)
            elif draw < 0.15:
                garage.later(garage.rng.randrange(30 * S), lambda: garage.arrive(topic, payload, retain=retain))
                return False
            return draw > 0.2

        garage.between = between
        for _ in range(case.pick(5, 20)):
            zone = garage.rng.choice(garage.zones)
            head = f"{zone}-s{garage.rng.randint(1, 2)}"
            garage.field.set_smoke(head, on=not garage.field.smoke[head])
            stored = json.dumps({"smoke": garage.rng.random() < 0.2, "linkquality": 1})
            if garage.rng.random() < 0.3:
                garage.arrive(f"zigbee2mqtt/{head}", stored, retain=True)
            if garage.rng.random() < 0.3:
                old = '{"smoke": false, "last_seen": "2026-11-21T12:00:00+08:00"}'
                garage.arrive(f"zigbee2mqtt/{head}", old)
            garage.run(garage.rng.uniform(0.05, 20))
            case.count("events")
        garage.between = lambda _topic, _payload, _retain: True
        garage.run(40)
        garage.restore("z1")
        smoke_must_cut(case, garage)
        garage.close()


def junk(case: Case) -> None:
    """5: every payload of the list, and random cuts of good ones, on every topic that is heard."""
    garage = Garage(case.folder, case.seed, case.trace)
    garage.ready()
    topics = [
        "zigbee2mqtt/z1-s1", "zigbee2mqtt/z1-call", "zigbee2mqtt/bridge/state", "zigbee2mqtt/z1-s1/availability",
        "zigbee2mqtt/bridge/devices", "stat/z1-p1/POWER", "tele/z1-p1/SENSOR", "tele/z1-p1/LWT", "stat/z1-p1/RESULT",
        "stat/z1-p1/STATUS8", "tele/z1-p1/INFO3", "relay/z1-k/status/switch:0", "relay/z1-k/events/rpc",
        "relay/z1-k/online", "kangle-sim-relays/rpc", "tele//SENSOR", "stat/" + "x" * 500 + "/POWER",
    ]  # fmt: skip
    good = ('{"smoke":false,"battery":90}', '{"Time":"2026-11-22T12:00:00","ENERGY":{"Power":180,"Voltage":229}}')
    for topic in topics:
        for payload in JUNK:
            garage.arrive(topic, payload, retain=case.rng.random() < 0.1)
            case.count("messages")
    for _ in range(case.pick(500, 100_000)):
        text = case.rng.choice(good)
        cut = case.rng.randrange(len(text))
        text = text[:cut] + case.rng.choice(("", "\x00", "}", "é", "9" * 40)) + text[cut + case.rng.randrange(3) :]
        garage.arrive(case.rng.choice(topics), text)
        case.count("messages")
    garage.run(5)
    if garage.box.raised:
        garage.violated("raised", error=garage.box.raised[0])
    for head in garage.field.smoke:
        garage.field.tell_head(head)
    garage.run(130)
    quiet(garage, "junk")
    smoke_must_cut(case, garage, "z2")
    garage.close()


def clocks(case: Case) -> None:
    """7: steps of an hour and of ten years, back and forth, seconds backwards, a leap second, no time at the start."""
    for number in range(case.pick(2, 60)):
        garage = Garage(case.folder / str(number), case.seed * 1000 + number, case.trace)
        if number % 2:
            garage.box.stop()
            garage.clock.now_wall_ns, garage.clock.trusted = 0, False
            garage.box.start()
        garage.ready()
        steps = (3600 * S, -3600 * S, 10 * YEAR_NS, -10 * YEAR_NS, -S, -S, S, -S // 2)
        for step_ns in case.rng.sample(steps, len(steps)):
            garage.clock.now_wall_ns = max(0, garage.clock.now_wall_ns + step_ns)
            garage.clock.trusted = case.rng.random() < 0.5
            garage.run(case.rng.uniform(1, 40))
            quiet(garage, f"clock step {step_ns / S} s")
            case.count("steps")
        smoke_must_cut(case, garage)
        garage.clock.now_wall_ns += 10 * YEAR_NS
        garage.run(30)
        if case.rng.random() < 0.5:
            garage.box.stop()
            garage.clock.now_wall_ns = max(0, garage.clock.now_wall_ns - 9 * YEAR_NS)
            garage.box.start()
            garage.run(10)
        garage.restore("z1")
        garage.close()


def detectors(case: Case) -> None:
    """12: one head stuck true for a year, one dead, both in a walk test that nobody ended."""
    garage = Garage(case.folder, case.seed, case.trace)
    garage.ready()
    garage.muted.add("z2")
    minutes = case.pick(5, 120)
    garage.command(TestZone(zone="z2", minutes=minutes), Role.MAINTENANCE)
    garage.arrive("zigbee2mqtt/z2-s1", '{"smoke": true}')
    garage.run(60)
    if garage.state("z2") in LATCHED:
        garage.violated("a_walk_test_cut", zone="z2")
    garage.field.dead_heads |= {"z2-s2"}
    garage.arrive("zigbee2mqtt/z2-s1", '{"smoke": true, "linkquality": 9}')
    garage.field.smoke["z2-s1"] = True
    garage.run(minutes * 60 + 30)
    if garage.state("z2") not in LATCHED:
        garage.violated("a_test_that_never_ends", zone="z2", state=garage.state("z2"))
    garage.muted.clear()
    garage.smoke_heard("z2")
    days = case.pick(1, 365)
    for _ in range(case.pick(4, 365)):
        garage.clock.advance((days * 86_400 // case.pick(4, 365)) * S)
        garage.run(5)
        code = garage.command(_reset("z2"), Role.PANEL)
        if code == "ok":
            garage.violated("reset_beside_a_stuck_head", zone="z2")
        case.count("resets_refused")
    case.numbers["days"] = days
    for head in garage.field.smoke:
        garage.field.tell_head(head)
    garage.run(15)
    smoke_must_cut(case, garage)
    garage.close()


def _reset(zone: str) -> ResetZone:
    return ResetZone(zone=zone, panel=f"panel-{zone}", person="li")


def coordinator(case: Case) -> None:
    """13: the coordinator is lost and all heads fall silent at once: one alarm, no fire, no new session; and they
    return."""
    for number in range(case.pick(1, 40)):
        garage = Garage(case.folder / str(number), case.seed * 1000 + number, case.trace)
        garage.ready()
        garage.arrive("zigbee2mqtt/bridge/state", '{"state":"offline"}')
        garage.field.dead_heads |= set(garage.field.smoke)
        garage.run(30)
        quiet(garage, "coordinator lost")
        for zone in garage.zones:
            if garage.state(zone) == "normal":
                garage.violated("blind_and_normal", zone=zone)
        alarms = garage.box.views.get("alarms")
        case.numbers["alarms_shown"] = 0 if alarms is None else len(alarms.alarms)
        garage.run(650)
        if garage.field.powered("z1"):
            garage.violated("charging_without_a_detector", zone="z1")
        garage.arrive("zigbee2mqtt/bridge/state", '{"state":"online"}')
        garage.field.dead_heads.clear()
        garage.run(30)
        case.count("losses")
        smoke_must_cut(case, garage)
        garage.close()


def wrong(config: GarageConfig) -> dict[str, GarageConfig]:
    """What the refusal must say -> the description that it refuses."""
    replace = msgspec.structs.replace
    sources, ports = config.sources, config.ports
    return {
        "stands in two zones": replace(config, sources=(*sources, replace(sources[0], zone=config.zones[1].zone))),
        "contactor": replace(config, outputs=tuple(each for each in config.outputs if each.kind != "contactor")),
        "no zone": replace(config, zones=(), sources=(), outputs=(), ports=()),
        "is not described": replace(config, zones=config.zones[1:]),
        "switched at the same place": replace(config, ports=(ports[0], replace(ports[1], at=ports[0].at), *ports[2:])),
        "two ports or outputs": replace(config, ports=(*ports, ports[0])),
    }


def wrong_description(case: Case) -> None:
    """17: a sensor in two zones, a zone without a contactor, and more: refused with the reason. At the first start
    nothing is armed; later what was in force stays so. And no description is taken while a zone is latched."""
    for number in range(case.pick(6, 60)):
        garage = Garage(case.folder / str(number), case.seed * 1000 + number, case.trace)
        garage.ready()
        words, broken = list(wrong(garage.site.garage).items())[number % 6]
        garage.box.give(ConfigApplied(broken))
        if not any(words in problem for problem in garage.box.views["garage"].problems):
            garage.violated("taken_although_wrong", wanted=words, told=garage.box.views["garage"].problems)
        smoke_must_cut(case, garage)
        other = msgspec.structs.replace(garage.site.garage, version="other")
        garage.box.give(ConfigApplied(other))
        if "zone z1" not in str(garage.box.views["garage"].problems):
            garage.violated("reloaded_while_latched", told=garage.box.views["garage"].problems)
        garage.close()

        def change(config: GarageConfig, number: int = number) -> GarageConfig:
            return list(wrong(config).values())[number % 6]

        fresh = Garage(case.folder / f"fresh{number}", case.seed, case.trace, change=change)
        shown = fresh.box.views["garage"]
        if shown.armed or not any(words in problem for problem in shown.problems):
            fresh.violated("armed_although_wrong", wanted=words, told=shown.problems)
        if fresh.charge("z2-p1") == "ok":
            fresh.violated("charging_although_not_armed")
        fresh.run(1)
        fresh.close()
        case.count("refused", 2)
