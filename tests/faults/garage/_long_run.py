"""The long run: simulated days with one fault a minute and a fire now and then. Zero missed fires; alarms without fire
are counted apart by what they were: junk of one sensor must stay below one FIRE in 10,000 zone-hours.

One case is one simulated hour (short) or day (full); thirty days are thirty seeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from _case import Case
from _groups_signals import JUNK
from _sim import LATCHED, Garage, S

#: Faults last up to 40 s, a head repeats its word every 10 s.
SEEN_NS = 100 * S


class LongRun:
    """One garage under one fault a minute."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.garage = Garage(case.folder, case.seed, case.trace)
        self.rng = case.rng
        self.false_fires = self.false_cuts = 0
        self.faults: tuple[Callable[[], None], ...] = (
            self.junk, self.lost_messages, self.doubled, self.late, self.head_dies, self.head_returns, self.brown_out,
            self.plug_dies, self.plug_returns, self.meter_sticks, self.meter_heals, self.broker_gone, self.kill,
            self.clock_step, self.coordinator, self.stored_words, self.contactor_lies,
        )  # fmt: skip

    def run(self, minutes: int) -> None:
        self.garage.ready()
        for minute in range(minutes):
            fault = self.rng.choice(self.faults)
            self.case.trace.event(self.garage.clock.now_mono_ns, fault.__name__)
            fault()
            self.case.count(fault.__name__)
            if minute % 12 == 7:
                self.fire()
            self.garage.run(60)
            self.look()
            if minute % 12 == 11:
                self.repair()
        self.repair()
        zone_hours = minutes / 60 * len(self.garage.zones)
        self.case.numbers |= {
            "zone_hours": round(zone_hours, 1), "fires": self.garage.fires, "checked": self.garage.checked,
            "false_fires": self.false_fires, "cuts_without_smoke": self.false_cuts,
        }  # fmt: skip
        if self.garage.box.raised:
            self.garage.violated("raised", error=self.garage.box.raised[0])
        if self.false_fires > max(0, int(zone_hours / 10_000)):
            self.garage.violated("false_fires", count=self.false_fires)
        self.garage.close()

    def look(self) -> None:
        """Alarms of zones in which nothing smoked. They are reset by hand, like any."""
        for zone in self.garage.zones:
            if zone not in self.garage.latched and self.garage.state(zone) in LATCHED:
                view = self.garage.box.views[f"zone/{zone}"]
                self.case.trace.event(self.garage.clock.now_mono_ns, "cut_without_smoke", zone=zone, why=view.reasons)
                if any(each.startswith("neighbour") for each in view.reasons):
                    continue
                self.false_cuts += 1
                self.false_fires += view.doors_released

    def fire(self) -> None:
        """Real smoke at a head that lives, its message possibly on a bad minute (the broker down, the box dead)."""
        zone = self.rng.choice(self.garage.zones)
        heads = [head for head in self.garage.layout.head_names(zone) if head not in self.garage.field.dead_heads]
        if heads:
            head = self.rng.choice(heads)
            self.garage.field.set_smoke(head, on=True)
            self.garage.later(SEEN_NS, lambda: self.must_be_seen(head, zone))
            self.case.count("real_fires")
            self.case.trace.event(self.garage.clock.now_mono_ns, "fire", zone=zone)

    def must_be_seen(self, head: str, zone: str) -> None:
        """A head that still smells smoke was heard by now, whatever stood between (box and broker being there)."""
        garage = self.garage
        lives = garage.field.smoke[head] and head not in garage.field.dead_heads
        if lives and garage.box.alive and garage.broker_up and garage.state(zone) not in LATCHED:
            garage.violated("missed_fire", head=head, state=garage.state(zone))

    def repair(self) -> None:
        """People mend everything, clear every smoke and let charge again."""
        garage = self.garage
        garage.broker_up = True
        garage.field.dead_heads.clear()
        for outlet in (*garage.field.plugs.values(), *garage.field.relays.values()):
            outlet.welded = outlet.lying = outlet.dead = False
            outlet.stuck_w = None
        if not garage.box.alive:
            garage.box.start()
        garage.arrive("zigbee2mqtt/bridge/state", '{"state":"online"}')
        garage.run(30)
        for zone in garage.zones:
            garage.restore(zone)

    # --- the faults ---------------------------------------------------------------------------------------------------

    def _plug(self) -> str:
        return self.rng.choice(sorted(self.garage.field.plugs))

    def _head(self) -> str:
        return self.rng.choice([head for head in self.garage.field.smoke if "-s" in head])

    def junk(self) -> None:
        self.garage.arrive(f"zigbee2mqtt/{self._head()}", self.rng.choice(JUNK))
        self.garage.arrive(f"tele/{self._plug()}/SENSOR", self.rng.choice(JUNK))

    def _for_a_while(self, act: Callable[[str, str, bool], bool]) -> None:
        def good(_topic: str, _payload: str, _retain: bool) -> bool:
            return True

        def end() -> None:
            self.garage.between = good

        self.garage.between = act
        self.garage.later(30 * S, end)

    def lost_messages(self) -> None:
        """Telemetry is lost; a head repeats its smoke (and its smoke is not lost for ever: QoS 1)."""
        self._for_a_while(lambda _topic, payload, _retain: "true" in payload or self.rng.random() < 0.7)

    def doubled(self) -> None:
        def twice(topic: str, payload: str, retain: bool) -> bool:
            self.garage.arrive(topic, payload, retain=retain)
            return True

        self._for_a_while(twice)

    def late(self) -> None:
        def slow(topic: str, payload: str, retain: bool) -> bool:
            wait_ns = self.rng.randrange(30 * S)
            self.garage.later(wait_ns, lambda: self.garage.arrive(topic, payload, retain=retain))
            return False

        self._for_a_while(slow)

    def head_dies(self) -> None:
        self.garage.field.dead_heads.add(self._head())

    def head_returns(self) -> None:
        self.garage.field.dead_heads.clear()

    def brown_out(self) -> None:
        self.garage.field.reboot(self.garage.field.plugs[self._plug()], returns_on=self.rng.random() < 0.5)

    def plug_dies(self) -> None:
        self.garage.field.plugs[self._plug()].dead = True

    def plug_returns(self) -> None:
        for plug in self.garage.field.plugs.values():
            plug.dead = False

    def meter_sticks(self) -> None:
        self.garage.field.plugs[self._plug()].stuck_w = self.rng.choice((0.0, 180.0))

    def meter_heals(self) -> None:
        for plug in self.garage.field.plugs.values():
            plug.stuck_w = None

    def broker_gone(self) -> None:
        """The broker dies and is back in a while; heads in smoke repeat it (their heartbeat)."""
        garage = self.garage
        if not garage.broker_up or not garage.box.alive:
            return
        garage.broker_up = False
        garage.box.links(up=False)

        def back() -> None:
            garage.broker_up = True
            if garage.box.alive:
                garage.box.links(up=True)
            for zone in garage.zones:
                garage.later(12 * S, lambda zone=zone: garage.check_cut(zone))  # type: ignore[misc]

        garage.later(self.rng.randrange(1, 40) * S, back)

    def kill(self) -> None:
        garage = self.garage
        if not garage.box.alive:
            return
        garage.box.kill()
        garage.later(self.rng.randrange(1, 8_000) * S // 1000, lambda: None if garage.box.alive else garage.box.start())

    def clock_step(self) -> None:
        self.garage.clock.now_wall_ns += self.rng.choice((-3600, 3600, -1, 1, 86_400, -86_400)) * S
        self.garage.clock.trusted = self.rng.random() < 0.5

    def coordinator(self) -> None:
        self.garage.arrive("zigbee2mqtt/bridge/state", '{"state":"offline"}')
        online = '{"state":"online"}'
        self.garage.later(20 * S, lambda: self.garage.arrive("zigbee2mqtt/bridge/state", online))

    def stored_words(self) -> None:
        """A broker came back with an old set: stored states of heads, a stored command at a plug."""
        head = self._head()
        self.garage.arrive(f"zigbee2mqtt/{head}", json.dumps({"smoke": False, "linkquality": 3}), retain=True)
        self.garage.arrive(f"cmnd/{self._plug()}/POWER", "ON", retain=True)

    def contactor_lies(self) -> None:
        zone = self.rng.choice(self.garage.zones)
        self.garage.field.contactors(zone)[0].lying = True


def long_run(case: Case) -> None:
    LongRun(case).run(case.pick(14, 1440))
