"""The bounded garages that are explored, each with all that may happen in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from _events import DARK, RESTART, TICK, Event, command, people, switch_words, words

from edge.domain.alarm_commands import AckAlarm, ShelveAlarm
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import PointHealth, SignalKind
from edge.domain.garage.messages import RearmPort, StartSession, StopSession, TestZone
from edge.domain.garage.settings import (
    GarageConfig,
    OutputKind,
    OutputSettings,
    PortSettings,
    SourceSettings,
    TariffBand,
    TariffSettings,
    ZoneSettings,
)
from edge.domain.places import Place
from edge.domain.words import Text

SUPERVISION_S = 3600
NAME = Text(zh="x", en="x")
TARIFF = TariffSettings(
    version="t",
    bands=(TariffBand(start_min=0, end_min=1440, energy_fen_per_kwh=60, service_fen_per_kwh=40),),
)
Model = tuple[GarageConfig, list[Event]]

# --- parts ------------------------------------------------------------------------------------------------------------


def source(name: str, kind: SignalKind, zone: str = "Z", **facts: Any) -> SourceSettings:
    return SourceSettings(source=name, zone=zone, kind=kind, at=Place("f", name), name=NAME,
                          supervision_s=SUPERVISION_S, **facts)  # fmt: skip


def output(name: str, kind: OutputKind, zone: str = "Z", **facts: Any) -> OutputSettings:
    return OutputSettings(output=name, zone=zone, kind=kind, at=Place("b", name), name=NAME, **facts)


def model_zone(zone: str = "Z", **facts: Any) -> ZoneSettings:
    base = {"panels": (f"panel-{zone}",), "clear_s": 2, "prove_s": 2, "prove_hold_s": 1}
    return ZoneSettings(zone=zone, name=NAME, **{**base, **facts})


def model_config(
    zone_list: tuple[ZoneSettings, ...],
    sources: tuple[SourceSettings, ...],
    outputs: tuple[OutputSettings, ...] = (),
    ports: tuple[PortSettings, ...] = (),
) -> GarageConfig:
    return GarageConfig(version="m", site=NAME, utc_offset_min=480, zones=zone_list, sources=sources, outputs=outputs,
                        ports=ports, tariff=TARIFF)  # fmt: skip


def port(name: str, zone: str = "Z", **facts: Any) -> PortSettings:
    return PortSettings(port=name, zone=zone, at=Place("p", name), name=NAME,
                        **{"hold_s": 0, "meter_silent_s": 1, **facts})  # fmt: skip


# --- garages ----------------------------------------------------------------------------------------------------------


def evidence_model() -> Model:
    """Two heads with all that may befall them, call point, panel; siren, door, water. No switches: what is said."""
    sources = (
        source("d1", SignalKind.SMOKE),
        source("d2", SignalKind.SMOKE),
        source("call", SignalKind.CALL_POINT),
        source("panel", SignalKind.PANEL_FIRE),
    )
    outputs = (output("siren", OutputKind.SIREN), output("door", OutputKind.DOOR), output("water", OutputKind.WATER))
    events = [*words(sources[0], rich=True), *words(sources[1], rich=True)]
    events += [*words(sources[2], rich=False), *words(sources[3], rich=False)]
    events += [TICK, DARK, RESTART, *people(), command("test", TestZone(zone="Z", minutes=120))]
    events += [command("ack", AckAlarm(alarm_id="1")), command("shelve", ShelveAlarm(alarm_id="1", minutes=5))]
    return model_config((model_zone(),), sources, outputs), events


_START = [command("start", StartSession(session_id="s", port="p")), command("rearm", RearmPort(port="p"))]


def port_model() -> Model:
    """One head; a charger with all that it and its meter may say, true or not, and a contactor whose meter speaks."""
    sources = (source("d1", SignalKind.SMOKE),)
    outputs = (output("k", OutputKind.CONTACTOR, meter=Place("b", "km")), output("feed", OutputKind.FEED))
    events = [*words(sources[0], rich=False), TICK, RESTART, *people()[:1], *_START]
    events += [*switch_words("p", "p"), *switch_words("k", "b", "km")[:2]]
    events += [
        Event("p rebooted", "switch", "p", DeviceReading("p", 1, PointHealth(point="p", online=True, rebooted=True))),
        command("stop", StopSession(port="p")),
    ]
    return model_config((model_zone(),), sources, outputs, (port("p"),)), events


def contactor_model() -> Model:
    """A contactor with all that it and its meter may say; a charger of which only the meter speaks. One signal
    opens this contactor."""
    sources = (source("d1", SignalKind.SMOKE),)
    outputs = (output("k", OutputKind.CONTACTOR, meter=Place("b", "km")), output("feed", OutputKind.FEED))
    events = [*words(sources[0], rich=False), TICK, RESTART, *people()[:1], *_START]
    events += [*switch_words("k", "b", "km"), *switch_words("p", "p")[:2], command("rearm k", RearmPort(port="k"))]
    zone = model_zone(contactor_first=True)
    return model_config((zone,), sources, outputs, (port("p"),)), events


def combined_model() -> Model:
    """The product of garage-domain.md 7.1: two heads, call point, panel, charger, contactor, door, water, latch, start;
    qualities that lead to the same are one class (``source_key``)."""
    sources = (
        source("d1", SignalKind.SMOKE),
        source("d2", SignalKind.SMOKE),
        source("call", SignalKind.CALL_POINT),
        source("panel", SignalKind.PANEL_FIRE),
    )
    outputs = (
        output("k", OutputKind.CONTACTOR, meter=Place("b", "km")),
        *(output("feed", OutputKind.FEED), output("siren", OutputKind.SIREN), output("door", OutputKind.DOOR)),
        output("water", OutputKind.WATER),
    )
    events = [event for one in sources for event in words(one, rich=False)]
    events += [event for one in sources[:2] for event in words(one, rich=True)[2:3]]
    events += [*switch_words("p", "p")[:2], *switch_words("k", "b", "km")[:2], TICK, RESTART, *people()[:1]]
    events += [command("start", StartSession(session_id="s", port="p")), command("rearm", RearmPort(port="p"))]
    zone = model_zone(clear_s=1, prove_s=1, prove_hold_s=0)
    return model_config((zone,), sources, outputs, (port("p"),)), events


def neighbour_model() -> Model:
    """Two zones that cut each other, one head and one call point each."""
    sources = tuple(
        one for zone in "AB"
        for one in (source(f"{zone}-d", SignalKind.SMOKE, zone), source(f"{zone}-call", SignalKind.CALL_POINT, zone))
    )  # fmt: skip
    outputs = tuple(output(f"{zone}-door", OutputKind.DOOR, zone) for zone in "AB")
    events = [event for one in sources for event in words(one, rich=False)]
    events += [TICK, RESTART, *people("A"), *people("B")]
    zone_list = (model_zone("A", neighbours=("B",), clear_s=1), model_zone("B", neighbours=("A",), clear_s=1))
    return model_config(zone_list, sources, outputs), events


def small_model() -> Model:
    """The evidence model without its rarer words: for planted mistakes."""
    config, events = evidence_model()
    left_out = ("retained", "old", "silent", "offline", "panel", "11 min", "test", "ack", "shelve")
    sources = config.sources[:3]
    kept = [event for event in events if not any(word in event.label for word in left_out)]
    return model_config((model_zone(clear_s=1),), sources, config.outputs), kept


def single_model() -> Model:
    """One head with all that may befall it, and a call point."""
    config, events = evidence_model()
    sources = (config.sources[0], config.sources[2])
    kept = [event for event in events if not event.label.startswith(("d2", "panel"))]
    return model_config((model_zone(clear_s=1),), sources, config.outputs), kept


#: Name -> (model, whether every quality of a silent source is its own class of states).
MODELS: dict[str, tuple[Callable[[], Model], bool]] = {
    "evidence": (evidence_model, True),
    "neighbours": (neighbour_model, True),
    "port": (port_model, True),
    "contactor": (contactor_model, True),
    "combined": (combined_model, False),
    "small": (small_model, False),
    "single": (single_model, True),
}
