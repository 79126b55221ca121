"""The garage of a site: zones with their detectors, outputs and chargers, and the charging tariff.

The hard part is that a garage may be wrong in two ways. A badly written file is refused like any other. One that is
well written and makes no sense (a sensor in two zones, a zone without a contactor) is loaded and told as a warning: the
garage then refuses to arm. What was in force stays in force; a garage that never had a good description switches
nothing on and says why on its page. A user would notice a mistake here as a detector that cuts the neighbour's
chargers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from edge.domain.field_devices import SignalKind
from edge.domain.garage.arming import misnamed, mistakes
from edge.domain.garage.settings import (
    DoorSettings,
    FullSettings,
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
from edge.site_dishes import digest
from edge.site_doors import check_door, read_credentials, read_door
from edge.site_model import DeviceSettings
from edge.site_places import Range, numbers, place_at, read_escalation, read_place, whole
from edge.site_report import Bag
from edge.site_report import Place as FilePlace
from edge.site_table import Seen, Table, once, open_table
from edge.site_toml import read_toml

_PORT: Mapping[str, Range] = {
    "hold_s": (0, 3600, "s"),
    "warn_w": (1, 20_000, "W"),
    "cut_w": (1, 20_000, "W"),
    "cut_ma": (1, 100_000, "mA"),
    "warn_c": (20, 120, "C"),
    "cut_c": (20, 150, "C"),
    "residual_ma": (1, 1000, "mA"),
    "meter_silent_s": (2, 3600, "s"),
    "session_min": (10, 1440, "min"),
    "session_hard_min": (10, 1440, "min"),
}
_ZONE: Mapping[str, Range] = {
    "limit_w": (100, 1_000_000, "W"),
    "clear_s": (1, 3600, "s"),
    "no_detector_s": (1, 86_400, "s"),
    "prove_s": (1, 60, "s"),
    "prove_hold_s": (0, 60, "s"),
    "proven_ma": (1, 5000, "mA"),
    "proven_w": (1, 1000, "W"),
}
_FULL: Mapping[str, Range] = {
    "mean_s": (10, 3600, "s"),
    "low_share_pct": (1, 90, "%"),
    "low_min_w": (1, 500, "W"),
    "low_max_w": (1, 500, "W"),
    "flat_s": (60, 7200, "s"),
    "hold_s": (60, 14_400, "s"),
    "idle_w": (1, 100, "W"),
    "idle_s": (60, 14_400, "s"),
    "largest_pack_wh": (100, 20_000, "Wh"),
}


def read_garage(table: Table, folder: Path, name: Text, devices: Sequence[DeviceSettings], bag: Bag) -> GarageConfig:
    """Build the configuration from ``[garage]`` of site.toml and the tables in ``folder`` / its ``tables``."""
    tables = table.string("tables", required=False) or "garage"
    offset = table.integer("utc_offset_min", -720, 840, 480, "min")
    zones_file = f"{tables}/zones.toml"
    top = open_table(read_toml(folder / tables / "zones.toml", zones_file, bag), bag)
    reader = _Zones([device.device for device in devices])
    reader.read(top)
    for entry, door in reader.doors:
        check_door(entry, door, reader.outputs, reader.sources)
    config = GarageConfig(
        version="",
        site=name,
        utc_offset_min=480 if offset is None else offset,
        zones=tuple(reader.zones),
        sources=tuple(reader.sources),
        outputs=tuple(reader.outputs),
        ports=tuple(reader.ports),
        tariff=read_charging_tariff(folder / tables / "tariff.toml", f"{tables}/tariff.toml", bag),
        full=FullSettings(**numbers(top.table("full"), FullSettings, _FULL, finish=True)),
        purse_copy_max_age_s=whole(table, "purse_copy_max_age_s", 60, 2_592_000, 86_400),
        offline_limit_fen=whole(table, "offline_limit_fen", 0, 100_000, 1000),
        escalation=read_escalation(table),
        doors=tuple(door for _, door in reader.doors),
        credentials=read_credentials(
            folder / tables / "credentials.csv",
            f"{tables}/credentials.csv",
            [door.door for _, door in reader.doors],
            bag,
        ),
    )
    top.finish()
    # Of a file that was only partly read nothing more can be said for sure than which names are wrong.
    for words in misnamed(config) if len(bag) else mistakes(config):
        bag.add("not_armed", FilePlace(zones_file, None, "zones"), hint=words, warn=True)
    return msgspec.structs.replace(config, version=digest(config))


class _Zones:
    """Collects what the zones file describes, in its order."""

    def __init__(self, devices: Sequence[str]) -> None:
        self.zones: list[ZoneSettings] = []
        self.sources: list[SourceSettings] = []
        self.outputs: list[OutputSettings] = []
        self.ports: list[PortSettings] = []
        self.doors: list[tuple[Table, DoorSettings]] = []
        self._devices = devices
        self._seen: dict[str, Seen] = {"zone": {}, "switch": {}, "door": {}}

    def read(self, top: Table) -> None:
        """All ``[[zones]]``; ``[port_defaults]`` holds numbers for every port that does not give its own."""
        defaults = numbers(top.table("port_defaults"), PortSettings, _PORT, finish=True)
        for entry in top.tables("zones"):
            zone = entry.ident("zone")
            settings = ZoneSettings(
                zone=zone,
                name=entry.text("name"),
                neighbours=entry.strings("neighbours"),
                panels=entry.strings("panels"),
                key_switch=entry.ident("key_switch", required=False),
                contactor_first=entry.boolean("contactor_first", default=False) or False,
                **numbers(entry, ZoneSettings, _ZONE),
            )
            for source in entry.tables("sources"):
                self.sources.append(self._source(source, zone))
            for output in entry.tables("outputs"):
                self.outputs.append(self._output(output, zone))
            for port in entry.tables("ports"):
                self.ports.append(self._port(port, zone, defaults))
            for door in entry.tables("doors"):
                self.doors.append((door, read_door(door, zone, self._reader(door), self._seen["door"])))
            entry.finish()
            if once(self._seen["zone"], zone, entry, "zone"):
                self.zones.append(settings)

    def _source(self, entry: Table, zone: str) -> SourceSettings:
        source = SourceSettings(
            source=entry.ident("source"),
            zone=zone,
            kind=entry.choice("kind", SignalKind) or SignalKind.SMOKE,
            at=self._place(entry),
            name=entry.text("name"),
            unit=entry.ident("unit", required=False),
            supervision_s=whole(entry, "supervision_s", 1, 604_800, 3600),
            known_until=entry.day("known_until", required=False),
        )
        entry.finish()
        return source

    def _output(self, entry: Table, zone: str) -> OutputSettings:
        output = OutputSettings(
            output=entry.ident("output"),
            zone=zone,
            kind=entry.choice("kind", OutputKind) or OutputKind.SIREN,
            at=self._place(entry),
            name=entry.text("name"),
            hold_s=whole(entry, "hold_s", 0, 3600, 0),
            meter=place_at(entry, "meter", self._devices),
            feedback_source=entry.ident("feedback_source", required=False),
            feedback_s=whole(entry, "feedback_s", 1, 3600, 30),
        )
        entry.finish()
        once(self._seen["switch"], output.output, entry, "output")
        return output

    def _port(self, entry: Table, zone: str, defaults: Mapping[str, int]) -> PortSettings:
        port = PortSettings(
            port=entry.ident("port"),
            zone=zone,
            at=self._place(entry),
            name=entry.text("name"),
            meter=place_at(entry, "meter", self._devices),
            **{**defaults, **numbers(entry, PortSettings, _PORT)},
        )
        if port.warn_w > port.cut_w or port.warn_c > port.cut_c or port.session_min > port.session_hard_min:
            hint = Text("预警值不能高于切断值", "a warning must not lie above its cut")
            entry.mistake("contradiction", "port", port.port, hint=hint)
        entry.finish()
        once(self._seen["switch"], port.port, entry, "port")
        return port

    def _reader(self, entry: Table) -> Place:
        return place_at(entry, "reader", self._devices) or read_place(
            entry.table("reader", required=True), self._devices
        )

    def _place(self, entry: Table) -> Place:
        return read_place(entry, self._devices)


def read_charging_tariff(path: Path, file: str, bag: Bag) -> TariffSettings:
    """The charging tariff; its bands must cover the day without gap or overlap."""
    top = open_table(read_toml(path, file, bag), bag)
    bands = []
    for entry in top.tables("bands"):
        start, end = entry.clock("start"), entry.clock("end")
        energy = entry.yuan("energy_yuan_per_kwh", 0, 10_000)
        service = entry.yuan("service_yuan_per_kwh", 0, 10_000, 0)
        entry.finish()
        if start is not None and end is not None:
            band = TariffBand(
                start_min=start, end_min=end, energy_fen_per_kwh=energy or 0, service_fen_per_kwh=service or 0
            )
            bands.append((band, entry))
    _check_day(bands, top)
    tariff = TariffSettings(
        version="",
        bands=tuple(band for band, _ in bands),
        minimum_fen=top.yuan("minimum_yuan", 0, 10_000, 0) or 0,
        deposit_fen=top.yuan("deposit_yuan", 0, 100_000, 200) or 0,
    )
    top.finish()
    return msgspec.structs.replace(tariff, version=digest(tariff))


def _check_day(bands: Sequence[tuple[TariffBand, Table]], top: Table) -> None:
    until = 0
    for band, entry in bands:
        if band.start_min != until or band.end_min <= band.start_min:
            hint = Text("时段要按顺序首尾相接，从 00:00 到 24:00", "bands follow each other from 00:00 to 24:00")
            entry.mistake("contradiction", "start", f"{until // 60:02}:{until % 60:02}", hint=hint)
            return
        until = band.end_min
    if until != 1440:
        top.mistake("missing", "bands", hint=Text("时段要到 24:00", "the bands must reach 24:00"))
