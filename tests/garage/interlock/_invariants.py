"""What must hold for every event from every state (design 6.4, garage-domain.md 7.2), told from the events alone.

``ghosts`` are the explorer's own record of what the sources said; nothing here asks the interlock why it did something,
only whether what it did is allowed.
"""

from __future__ import annotations

from edge.domain.field_devices import Operate, Poll
from edge.domain.garage.cut import NS_PER_S, flows
from edge.domain.garage.interlock import Mode
from edge.domain.kernel import EffectClass, Reply, Send

RANK = {"fire": 2, "latched_fire": 2, "resettable_fire": 2, "pre_alarm": 1, "latched": 1, "resettable": 1}
DETECTORS = ("smoke", "heat", "gas")
CONFIRM = ("call_point", "panel_fire")
RESETTABLE = (Mode.RESETTABLE, Mode.RESETTABLE_FIRE)
FAILED = ("unproven", "welded")
SAFE_ON = ("siren", "door", "feed")
RANKS = {mode: RANK.get(mode.value, 0) for mode in Mode}


def rank(zone):
    return RANKS[zone.mode]


def operates(effects):
    return [(one.command, one.effect_class) for one in effects if type(one) is Send and type(one.command) is Operate]


def reply(effects):
    return next((one for one in effects if isinstance(one, Reply)), None)


def switch(world, name):
    """(role, switch): in the models a switch's point has its name."""
    if name in world.ports:
        return "port", world.ports[name]
    output = world.outputs[name]
    return output.settings.kind, output.switch


def check(explorer, before, event, effects, after):
    """The first broken invariant, or ""."""
    told = operates(effects) if effects else []
    rules = rules_about(before, event, after)
    for rule in rules + RULES_OF_COMMANDS if told else rules:
        broken = rule(before, event, effects, told, after)
        if broken:
            return f"{rule.__name__}: {broken}"
    return ""


def rules_about(before, event, after):
    """The rules that have something to say here, by what each of them begins with. Asked every time, those that look
    only at words or at modes that no zone is in would take as long as the interlock itself."""
    olds = before.world.zones
    about = (
        event.kind if event.value else event.name,
        *[(zone.mode, olds[name].mode, zone.silenced) for name, zone in after.world.zones.items()],
    )
    found = _RULES_ABOUT.get(about)
    if found is None:
        found = _RULES_ABOUT[about] = _rules_about(*about)
    return found


def _rules_about(what, *zones):
    rules = [*ALWAYS, *OF_EVENTS.get(what, ())]
    for mode, old, silenced in zones:
        rules += OF_MODES[mode]
        if RANKS[mode] < RANKS[old]:
            rules.append(only_a_reset_leaves_a_latch)
        if silenced:
            rules.append(pre_alarm_sounds)
    return tuple(dict.fromkeys(rules))


#: What was found once: (event, modes after and before, silenced) -> rules.
_RULES_ABOUT = {}


def credible(state, zone):
    """[(source, ghost)] of the zone's sources whose active word stands; in a walk test, detectors are but tests."""
    sources, ghosts = state.world.sources, state.ghosts
    found = [(sources[name], ghosts[name]) for name in zone.sources if ghosts[name].weight]
    if zone.test_end_ns > state.now_ns:
        return [(one, ghost) for one, ghost in found if one.kind not in DETECTORS]
    return found


def credible_signal_cuts_everything(before, event, effects, told, after):
    spoke = event.kind == "word" and event.value
    if not spoke and event.name != "CutZone":
        return ""
    off = {command.point for command, _ in told if not command.on}
    for name, zone in after.world.zones.items():
        testing = zone.test_end_ns > after.now_ns
        if spoke and event.name in zone.sources:
            detector = after.world.sources[event.name].kind in DETECTORS
            if testing and detector:
                continue
            if not rank(zone):
                return f"{event.name} spoke and {name} is {zone.mode}"
            recent = after.now_ns - before.world.zones[name].struck_ns < NS_PER_S // 4
            missing = [port for port in zone.ports if port not in off]
            if missing and not recent:
                return f"{event.label}: {missing} not told off"
        if event.kind == "command" and event.name == "CutZone" and event.item[1].zone == name and not rank(zone):
            return f"a hand cut {name} and it is {zone.mode}"
    return ""


def latched_means_cut(before, event, effects, told, after):
    for name, zone in after.world.zones.items():
        if not rank(zone):
            continue
        for port_name in zone.ports:
            one = after.world.ports[port_name]
            if one.wanted or one.armed or one.cut == "none":
                return f"{name} is {zone.mode}, {port_name} wanted={one.wanted} armed={one.armed} cut={one.cut}"
            if one.cut != "proven" and after.now_ns - one.told_ns > 10 * NS_PER_S:
                return f"{port_name}: not proven and not told for {(after.now_ns - one.told_ns) / NS_PER_S} s"
    return ""


def only_a_reset_leaves_a_latch(before, event, effects, told, after):
    answered = event.name == "ResetZone" and reply(effects).code == "ok"
    for name, zone in after.world.zones.items():
        old = before.world.zones[name]
        if rank(zone) >= rank(old) and not (answered and event.item[1].zone == name):
            continue
        if event.kind != "command" or event.name != "ResetZone":
            return f"{name} went from {old.mode} to {zone.mode} by {event.label}"
        body = event.item[1]
        if body.zone != name or body.panel not in zone.settings.panels or not body.person:
            return f"{name} was reset by {body}"
        if not answered:
            return f"{name} was reset though the answer is {reply(effects).code}"
        waits = waits_for(before, old)
        if waits:
            return f"{name} was reset though it waits for {waits}"
    return ""


def resettable_means_that_nothing_waits(before, event, effects, told, after):
    for name, zone in after.world.zones.items():
        if zone.mode in RESETTABLE and (waits := waits_for(after, zone)):
            return f"{name} is {zone.mode} and waits for {waits}"
    return ""


def waits_for(state, zone):
    """What forbids a reset: a source that is not good and clear, time, or a cut without proof."""
    world = state.world
    waits = [one for one in zone.sources if world.sources[one].fire and not state.ghosts[one].good]
    if zone.clear_ns is None or state.now_ns - zone.clear_ns < zone.settings.clear_s * NS_PER_S:
        waits.append("time")
    contactors = [world.outputs[one].switch for one in zone.contactors]
    if not (contactors and all(one.cut == "proven" for one in contactors)):
        waits += [one for one in zone.ports if world.ports[one].cut != "proven"]
    return waits


def water_needs_two_devices_and_a_word(before, event, effects, told, after):
    for command, effect_class in told:
        if not command.on or switch(after.world, command.point)[0] != "water":
            continue
        if event.kind != "word" or event.value != 2:
            return f"water by {event.label}"
        if effect_class is not EffectClass.DURABLE:
            return "water before the commit"
        zone = after.world.zones[switch(after.world, command.point)[1].zone]
        sure = [one for one, ghost in credible(after, zone) if ghost.vouches]
        field = [one for one in sure if one.kind in (*DETECTORS, "call_point")]
        if len({one.unit for one in field}) < 2 or not any(one.kind in DETECTORS for one in field):
            return f"water on {[one.source for one in sure]}"
        if before.world.zones[zone.settings.zone].water_asked:
            return "water asked twice"
    return ""


def two_devices_bring_water(before, event, effects, told, after):
    for zone in after.world.zones.values():
        if event.kind != "word" or event.value != 2 or event.name not in zone.sources or not zone.waters:
            continue
        sure = [one for one, ghost in credible(after, zone) if ghost.vouches]
        field = [one for one in sure if one.kind in (*DETECTORS, "call_point")]
        two = len({one.unit for one in field}) > 1 and any(one.kind in DETECTORS for one in field)
        if two and not zone.water_asked:
            return f"no water though {[one.source for one in field]} agree"
    return ""


def fire_is_fire(before, event, effects, told, after):
    """Call point, panel or two independent signals: doors, full alarm, contactor. Nothing less brings them."""
    word, outputs, olds = event.kind == "word" and event.value, after.world.outputs, before.world.zones
    for name, zone in after.world.zones.items():
        now, was = RANKS[zone.mode], RANKS[olds[name].mode]
        spoke = word and event.name in zone.sources
        if spoke or now > was:
            found = credible(after, zone)
            full = [one for one, ghost in found if ghost.weight == 2]
            confirmed = any(one.kind in CONFIRM for one in full)
            two = bool(full) and len({one.unit for one, _ in found}) > 1
            if spoke and (confirmed or two) and now != 2:
                return f"{name}: {[one.source for one, _ in found]} and it is {zone.mode}"
            if now == 2 and was < 2:
                witnesses = {ref.partition(":")[2] for ref in zone.causes} | {one.source for one, _ in found}
                units = {after.world.sources[one].unit for one in witnesses if one in after.world.sources}
                if not confirmed and len(units) < 2:
                    return f"{name} is {zone.mode} on {witnesses}"
        if now == 2:
            shut = [one for one in zone.contactors if outputs[one].switch.wanted]
            locked = [one for one in zone.doors if not outputs[one].switch.wanted]
            mute = [one for one in zone.sirens if not outputs[one].switch.wanted]
            if shut or locked or (mute and not zone.silenced):
                return f"{name} is {zone.mode}: closed {shut}, locked {locked}, mute {mute}"
        elif not now and [one for one in (*zone.doors, *zone.sirens, *zone.waters) if outputs[one].switch.wanted]:
            return f"{name} is {zone.mode} and something still sounds, is released or asks for water"
    return ""


def pre_alarm_sounds(before, event, effects, told, after):
    for name, zone in after.world.zones.items():
        if not zone.silenced:
            mute = [one for one in zone.sirens if not after.world.outputs[one].switch.wanted]
            if mute and rank(zone):
                return f"{name} is {zone.mode} and {mute} is mute"
        elif event.name != "SilenceZone":
            old = before.world.zones[name]
            if not old.silenced:
                return f"{name} was silenced by {event.label}"
            if rank(zone) > rank(old):
                return f"{name} got worse and stays silent"
    return ""


def safety_only_toward_safe(before, event, effects, told, after):
    for one in effects:
        if type(one) is not Send or type(one.command) is Poll:
            continue
        role = switch(after.world, one.command.point)[0]
        toward_safe = one.command.on if role in SAFE_ON else not one.command.on and role in {"port", "contactor"}
        if (one.effect_class is EffectClass.SAFETY) != toward_safe:
            return f"{role} on={one.command.on} as {one.effect_class}"
        if not one.command.command_id or not one.command.expires_mono_ns:
            return f"{role}: a command without id or expiry"
    return ""


def switching_on_is_allowed(before, event, effects, told, after):
    """On is told by a person's act, where every detector was heard good since the start; or again to what is on."""
    for command, _ in told:
        if not command.on:
            continue
        role, one = switch(after.world, command.point)
        if role not in {"port", "contactor"}:
            continue
        zone = after.world.zones[one.zone]
        if rank(zone):
            return f"{command.point} told on while {zone.settings.zone} is {zone.mode}"
        if event.kind == "restart":
            return f"{command.point} told on by a start"
        if event.kind == "command" and event.name in {"StartSession", "RearmPort"} and reply(effects).code == "ok":
            unseen = [
                name for name in zone.sources
                if after.world.sources[name].kind in DETECTORS and not after.ghosts[name].seen
            ]  # fmt: skip
            if unseen:
                return f"{command.point} told on though {unseen} have not spoken since the start"
            if role == "port" and not before.world.ports[one.name].armed:
                return f"{command.point} told on though it is not armed"
            if one.bad:
                return f"{command.point} told on though it is {one.bad}"
            continue
        old = switch(before.world, command.point)[1]
        if not (one.hold_ns and old.wanted and one.wanted and one.live and one.on is not False):
            return f"{command.point} told on by {event.label}"
    return ""


def words_do_not_move(before, event, effects, told, after):
    """Silence, acknowledge and shelve: nothing in the field but the siren, and nothing weaker."""
    if event.kind != "command" or event.name not in {"SilenceZone", "AckAlarm", "ShelveAlarm"}:
        return ""
    for command, _ in told:
        role = switch(after.world, command.point)[0]
        if role == "siren" or (not command.on and role in {"port", "contactor"}) or (command.on and role in SAFE_ON):
            continue
        return f"{event.name} told {command.point} on={command.on}"
    return ""


def every_cut_is_proven_or_escalates(before, event, effects, told, after):
    world, evaluated = after.world, event.kind == "tick"
    for name, zone in world.zones.items():
        ports = [world.ports[one] for one in zone.ports]
        contactors = [world.outputs[one].switch for one in zone.contactors]
        for one in (*ports, *contactors):
            if evaluated and one.cut == "commanded":
                waited = after.now_ns - one.began_ns
                limit_s = zone.settings.prove_s if one.urgent else max(zone.settings.prove_s, one.silent_ns // NS_PER_S)
                if waited >= limit_s * NS_PER_S:
                    return f"{one.name}: neither proven nor failed after {waited / NS_PER_S} s"
            elif one.cut == "proven" and before_cut(before, one) != "proven":
                was = [before.world.outputs[k].switch for k in zone.contactors] if event.name == "RearmPort" else []
                broken = unfounded(one, zone, ports, contactors, was)
                if broken:
                    return f"{one.name} proven {broken}"
        if [one for one in contactors if one.cut in FAILED]:
            feeds = [world.outputs[one].switch.wanted for one in zone.feeds]
            if not zone.feed_asked or not all(feeds) or not rank(zone):
                return f"{name}: the contactor failed, feed asked={zone.feed_asked} {feeds}, {zone.mode}"
        broken = neglected(ports, contactors) if evaluated else ""
        if broken:
            return f"{name}: {broken}"
    return ""


def neglected(ports, contactors):
    """What a zone that was just looked at may not leave as it is."""
    if any(one.cut in FAILED for one in ports) and any(one.wanted for one in contactors):
        return "a cut failed and the contactor stays closed"
    if any(not one.wanted for one in contactors) and any(one.wanted for one in ports):
        return "a port is wanted behind an open contactor"
    for one in ports:
        if not one.wanted and one.cut in ("none", "proven") and one.on is True:
            return f"{one.name} says on, should be off, and nobody cuts it"
    return ""


def unfounded(one, zone, ports, contactors, was):
    """Why a proof is none: by its own meter, or by the contactors above it (``was``: before a re-arm closed them)."""
    if one.told_ns < one.began_ns:
        return "before it was told"
    above = [all(other.cut == "proven" for other in some) for some in (contactors, was) if some]
    if one in ports and any(above):
        since = max(other.began_ns for other in contactors)
        return "while an outlet measures current" if any(
            flows(other, zone.settings) and (other.metered_ns or 0) > since for other in ports
        ) else ""  # fmt: skip
    if one.on is True or one.low_ns is None:
        return f"while on={one.on}, low={one.low_ns}"
    held = one.metered_ns - max(one.low_ns, one.began_ns)
    return "" if held >= zone.settings.prove_hold_s * NS_PER_S else f"after {held / NS_PER_S} s without current"


def before_cut(before, one):
    old = before.world.ports.get(one.name) or before.world.outputs[one.name].switch
    return old.cut


def neighbours_of_a_fire_are_cut(before, event, effects, told, after):
    for name, zone in after.world.zones.items():
        if zone.mode != "fire" or not any(after.ghosts[one].weight for one in zone.sources):
            continue
        for other in zone.settings.neighbours:
            if not rank(after.world.zones[other]):
                return f"{name} burns and its neighbour {other} is {after.world.zones[other].mode}"
    return ""


def blind_is_not_normal(before, event, effects, told, after):
    """A zone is NORMAL only when every source of fire was heard good and clear, and is not silent since."""
    for name, zone in after.world.zones.items():
        if zone.mode != "normal":
            continue
        doubtful = [one for one in zone.sources if after.world.sources[one].fire and not after.ghosts[one].good]
        if doubtful:
            return f"{name} is normal while {doubtful} are not known to be good and clear"
    return ""


#: What holds whatever happens.
ALWAYS = (fire_is_fire, every_cut_is_proven_or_escalates)
#: By the kind of an event that says something, else by its name.
OF_EVENTS = {
    "word": (credible_signal_cuts_everything, two_devices_bring_water),
    "CutZone": (credible_signal_cuts_everything,),
    "ResetZone": (only_a_reset_leaves_a_latch,),
}
#: By the mode that a zone is in afterwards.
OF_MODES = {
    mode: (
        *((latched_means_cut, pre_alarm_sounds) if RANKS[mode] else ()),
        *((resettable_means_that_nothing_waits,) if mode in RESETTABLE else ()),
        *((neighbours_of_a_fire_are_cut,) if mode is Mode.FIRE else ()),
        *((blind_is_not_normal,) if mode is Mode.NORMAL else ()),
    )
    for mode in Mode
}
RULES_OF_COMMANDS = (
    water_needs_two_devices_and_a_word,
    safety_only_toward_safe,
    switching_on_is_allowed,
    words_do_not_move,
)
