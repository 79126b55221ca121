"""Whether a garage may be armed as it is described: every mistake at once, each with its remedy.

A wrong description is worse than none: a detector that stands in two zones cuts the wrong one, a zone without a
contactor has no answer to a welded outlet. So nothing is armed until all of it makes sense; but where nothing was in
force before, the zones that make sense are heard and cut all the same (``sound_part``). Pure: the site reader calls
it to tell a person, the kernel to refuse. A user would notice a mistake in here as smoke that cut nobody's charger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from edge.domain.field_devices import SignalKind
from edge.domain.garage.settings import GarageConfig, OutputKind, ZoneSettings
from edge.domain.garage.signals import DETECTORS
from edge.domain.places import Place
from edge.domain.words import Text

_FEEDBACK = (SignalKind.FLOW, SignalKind.PRESSURE)
#: Words about a thing whose own name could not be read, or about a file without any zone.
_UNREAD = ("source :", "output :", "port :", ": ", "no zone:")


def mistakes(config: GarageConfig) -> tuple[Text, ...]:
    """All that is wrong, in words; empty when the garage may be armed."""
    return (
        *_names(config),
        *_places(config),
        *_belonging(config),
        *(text for zone in config.zones for text in _zone(config, zone)),
        *_feedback(config),
        *_numbers(config),
    )


def misnamed(config: GarageConfig) -> tuple[Text, ...]:
    """What can be said of a description that was only partly read: names given twice, and names that nothing has."""
    if not all(zone.zone for zone in config.zones):
        return ()
    return tuple(text for text in (*_names(config), *_belonging(config)) if not text.en.startswith(_UNREAD))


def sound_part(config: GarageConfig) -> GarageConfig | None:
    """What of a wrong description makes sense by itself, for hearing and cutting: without the things that are named or
    placed twice, and only the zones that have no mistake then. None when no zone is left."""
    names = Counter(source.source for source in config.sources)
    heads = Counter((source.at, source.kind) for source in config.sources)
    units = {unit for unit in (source.unit for source in config.sources) if len(_zones_of(config, unit)) > 1}
    sources = tuple(
        each for each in config.sources
        if names[each.source] == heads[each.at, each.kind] == 1 and each.unit not in units
    )  # fmt: skip
    switches, spots = Counter(_switch_names(config)), Counter(_spots(config))
    outputs = tuple(each for each in config.outputs if switches[each.output] == spots[each.at] == 1)
    ports = tuple(each for each in config.ports if switches[each.port] == spots[each.at] == 1)
    clean = msgspec.structs.replace(config, sources=sources, outputs=outputs, ports=ports)
    named = Counter(zone.zone for zone in config.zones)
    kept = {name for name, count in named.items() if count == 1 and not mistakes(_only(clean, {name}))}
    return _only(clean, kept) if kept else None


def _spots(config: GarageConfig) -> Iterator[Place]:
    yield from (output.at for output in config.outputs)
    yield from (port.at for port in config.ports)


def _zones_of(config: GarageConfig, unit: str) -> set[str]:
    return {source.zone for source in config.sources if unit and source.unit == unit}


def _only(config: GarageConfig, kept: set[str]) -> GarageConfig:
    """The zones of ``kept`` with what is theirs; neighbours among themselves."""
    zones = tuple(
        msgspec.structs.replace(zone, neighbours=tuple(n for n in zone.neighbours if n in kept and n != zone.zone))
        for zone in config.zones
        if zone.zone in kept
    )
    outputs = tuple(each for each in config.outputs if each.zone in kept)
    releases = {output.output for output in outputs}
    return msgspec.structs.replace(
        config,
        zones=zones,
        sources=tuple(each for each in config.sources if each.zone in kept),
        outputs=outputs,
        ports=tuple(each for each in config.ports if each.zone in kept),
        doors=tuple(each for each in config.doors if each.zone in kept and each.release in releases),
    )


def _twice(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def _names(config: GarageConfig) -> Iterator[Text]:
    if not config.zones:
        yield Text("没有分区：至少写一个 [[zones]]", "no zone: describe at least one [[zones]]")
    for name in _twice(zone.zone for zone in config.zones):
        yield Text(
            f"分区 {name}：名称重复，每个分区要有自己的名称", f"zone {name}: named twice; give each zone its own name"
        )
    zones: dict[str, set[str]] = {}
    for source in config.sources:
        zones.setdefault(source.source, set()).add(source.zone)
    for name in _twice(source.source for source in config.sources):
        if len(zones[name]) > 1:
            both = " and ".join(sorted(zones[name]))
            yield Text(
                f"探测器 {name}：写在两个分区里（{both}）；一个探测器只属于一个分区，另一个用 neighbours",
                f"source {name}: stands in two zones ({both}); a sensor belongs to one, use neighbours for the other",
            )
        else:
            yield Text(
                f"探测器 {name}：名称重复，每个要有自己的名称",
                f"source {name}: named twice; give each source its own name",
            )
    for name in _twice(thing for thing in (*_switch_names(config),)):
        yield Text(
            f"{name}：两个插座或输出同名，每个要有自己的名称",
            f"{name}: two ports or outputs have this name; give each its own",
        )


def _switch_names(config: GarageConfig) -> Iterator[str]:
    yield from (output.output for output in config.outputs)
    yield from (port.port for port in config.ports)


def _places(config: GarageConfig) -> Iterator[Text]:
    sources: dict[tuple[Place, SignalKind], list[str]] = {}
    for source in config.sources:
        sources.setdefault((source.at, source.kind), []).append(source.source)
    for (at, kind), names in sources.items():
        if len(set(names)) > 1:
            listed = " and ".join(dict.fromkeys(names))
            yield Text(
                f"探测器 {listed}：{at.device}/{at.point} 处同一个 {kind.value}；一个探测器只写一次",
                f"sources {listed}: the same {kind.value} at {at.device}/{at.point}; one sensor is one source",
            )
    switched: dict[Place, list[str]] = {}
    for output in config.outputs:
        switched.setdefault(output.at, []).append(output.output)
    for port in config.ports:
        switched.setdefault(port.at, []).append(port.port)
    for at, names in switched.items():
        if len(set(names)) > 1:
            listed = " and ".join(names)
            yield Text(
                f"{listed}：由同一处 {at.device}/{at.point} 开关",
                f"{listed}: switched at the same place {at.device}/{at.point}",
            )
    units: dict[str, set[str]] = {}
    for source in config.sources:
        if source.unit:
            units.setdefault(source.unit, set()).add(source.zone)
    for unit, zones in units.items():
        if len(zones) > 1:
            both = " and ".join(sorted(zones))
            yield Text(
                f"unit {unit}：同一外壳写在两个分区里（{both}）", f"unit {unit}: one housing in two zones ({both})"
            )


def _belonging(config: GarageConfig) -> Iterator[Text]:
    known = {zone.zone for zone in config.zones}
    for source in config.sources:
        if source.zone not in known:
            yield _no_zone("探测器", "source", source.source, source.zone)
    for output in config.outputs:
        if output.zone not in known:
            yield _no_zone("输出", "output", output.output, output.zone)
    for port in config.ports:
        if port.zone not in known:
            yield _no_zone("插座", "port", port.port, port.zone)
    for zone in config.zones:
        for neighbour in zone.neighbours:
            if neighbour not in known:
                yield Text(
                    f"分区 {zone.zone}：相邻分区 {neighbour} 没有描述",
                    f"zone {zone.zone}: neighbour {neighbour} is not described",
                )
            elif neighbour == zone.zone:
                yield Text(f"分区 {zone.zone}：把自己写成了相邻分区", f"zone {zone.zone}: is its own neighbour")


def _no_zone(zh: str, en: str, name: str, zone: str) -> Text:
    return Text(f"{zh} {name}：分区 {zone} 没有描述", f"{en} {name}: zone {zone} is not described")


def _zone(config: GarageConfig, zone: ZoneSettings) -> Iterator[Text]:
    name = zone.zone
    ports = [port for port in config.ports if port.zone == name]
    outputs = [output for output in config.outputs if output.zone == name]
    if ports and not any(output.kind is OutputKind.CONTACTOR for output in outputs):
        yield Text(
            f"分区 {name}：有充电插座却没有接触器；触点粘连时断不了电",
            f"zone {name}: has chargers and no contactor; a welded outlet could not be cut",
        )
    if not any(source.zone == name and source.kind in DETECTORS for source in config.sources):
        yield Text(
            f"分区 {name}：没有探测器（烟感、感温或可燃气体）", f"zone {name}: has no detector (smoke, heat or gas)"
        )
    if not zone.panels and not zone.key_switch:
        yield Text(
            f"分区 {name}：既没有面板也没有钥匙开关，没人能在现场复位",
            f"zone {name}: has neither a panel nor a key switch; nobody could reset it on site",
        )
    if zone.key_switch:
        key = [source for source in config.sources if source.source == zone.key_switch]
        if not key or key[0].kind is not SignalKind.KEY_SWITCH or key[0].zone != name:
            yield Text(
                f"分区 {name}：钥匙开关 {zone.key_switch} 不是本分区里 key_switch 类的探测器",
                f"zone {name}: key switch {zone.key_switch} is not a source of kind key_switch in this zone",
            )


def _feedback(config: GarageConfig) -> Iterator[Text]:
    sources = {source.source: source for source in config.sources}
    for output in config.outputs:
        feedback = sources.get(output.feedback_source)
        if output.kind is OutputKind.WATER and not output.feedback_source:
            yield Text(
                f"输出 {output.output}：喷水没有反馈；请写明水流或压力开关",
                f"output {output.output}: water without a feedback; name its flow or pressure switch",
            )
        elif output.feedback_source and feedback is None:
            yield Text(
                f"输出 {output.output}：反馈 {output.feedback_source} 不是探测器",
                f"output {output.output}: feedback {output.feedback_source} is not a source",
            )
        elif feedback is not None and (feedback.kind not in _FEEDBACK or feedback.zone != output.zone):
            yield Text(
                f"输出 {output.output}：反馈 {feedback.source} 不是本分区的水流或压力开关",
                f"output {output.output}: feedback {feedback.source} is no flow or pressure switch of this zone",
            )


def _numbers(config: GarageConfig) -> Iterator[Text]:
    for zone in config.zones:
        if zone.clear_s < 1 or zone.prove_s < 1 or zone.prove_hold_s < 0 or zone.no_detector_s < 1:
            yield Text(
                f"分区 {zone.zone}：clear_s、prove_s、no_detector_s 至少 1 秒，prove_hold_s 至少 0",
                f"zone {zone.zone}: clear_s, prove_s and no_detector_s are at least 1 s, prove_hold_s at least 0",
            )
        if zone.proven_ma < 1 or zone.proven_w < 1:
            yield Text(
                f"分区 {zone.zone}：proven_ma 和 proven_w 至少 1",
                f"zone {zone.zone}: proven_ma and proven_w are at least 1",
            )
    for source in config.sources:
        if source.supervision_s < 1:
            yield Text(
                f"探测器 {source.source}：supervision_s 至少 1 秒",
                f"source {source.source}: supervision_s is at least 1 s",
            )
    for output in config.outputs:
        if output.hold_s < 0 or output.feedback_s < 1:
            yield Text(
                f"输出 {output.output}：hold_s 至少 0 秒，feedback_s 至少 1 秒",
                f"output {output.output}: hold_s is at least 0 s, feedback_s at least 1 s",
            )
    for port in config.ports:
        if port.hold_s < 0 or port.meter_silent_s < 1:
            yield Text(
                f"插座 {port.port}：hold_s 至少 0 秒，meter_silent_s 至少 1 秒",
                f"port {port.port}: hold_s is at least 0 s, meter_silent_s at least 1 s",
            )
