"""The gym of a site: rooms, machines with their quirks, trails, limits with their author, maintenance rules.

The hard part is that a number which a doctor, a maker or a standard sets is never hidden in code: what the file does
not say is the reference's default, and limits that nobody has signed are told as a warning. A user would notice a
mistake here as a heart-rate ceiling of which nobody knows who set it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from edge.domain.gym.settings import (
    AssetKind,
    AssetSettings,
    GateSettings,
    GymConfig,
    KioskSettings,
    LimitSettings,
    Motion,
    QuirkSettings,
    SessionSettings,
    TrailSettings,
    WearSettings,
    ZoneSettings,
)
from edge.domain.places import Place
from edge.domain.words import Text
from edge.site_dishes import digest
from edge.site_model import DeviceSettings
from edge.site_places import Range, numbers, place_at, read_escalation, read_place, whole
from edge.site_report import Bag
from edge.site_report import Place as FilePlace
from edge.site_table import Seen, Table, once, open_table
from edge.site_toml import read_toml

_SESSION: Mapping[str, Range] = {
    "motion_s": (1, 60, "s"),
    "pause_s": (2, 600, "s"),
    "end_s": (10, 3600, "s"),
    "lost_s": (2, 600, "s"),
    "lost_end_s": (10, 3600, "s"),
    "rep_s": (2, 120, "s"),
    "arm_s": (10, 3600, "s"),
    "warm_s": (0, 3600, "s"),
    "claim_s": (0, 86_400, "s"),
    "least_s": (0, 3600, "s"),
    "queue_cap_s": (60, 14_400, "s"),
    "grace_s": (10, 3600, "s"),
}
_LIMITS: Mapping[str, Range] = {
    "reserve_pct": (20, 90, "%"),
    "moderate_pct": (40, 80, "%"),
    "vigorous_pct": (50, 95, "%"),
    "rest_bpm": (40, 120, "bpm"),
    "warn_s": (1, 300, "s"),
    "alarm_over_bpm": (1, 50, "bpm"),
    "alarm_s": (1, 600, "s"),
    "max_s": (1, 300, "s"),
    "clear_under_bpm": (1, 50, "bpm"),
    "clear_s": (1, 600, "s"),
    "stale_s": (2, 60, "s"),
    "unknown_s": (3, 300, "s"),
    "jump_bpm_per_s": (5, 100, "bpm/s"),
    "low_bpm": (20, 60, "bpm"),
    "high_bpm": (150, 250, "bpm"),
    "cadence_lock_s": (5, 300, "s"),
    "rise_bpm_per_min": (10, 120, "bpm"),
    "recovery_bpm": (1, 60, "bpm"),
    "gate_max_age_min": (5, 1440, "min"),
    "hold_systolic_mmhg": (120, 260, "mmHg"),
    "hold_diastolic_mmhg": (70, 160, "mmHg"),
    "refer_systolic_mmhg": (140, 300, "mmHg"),
    "refer_diastolic_mmhg": (70, 160, "mmHg"),
    "hold_rest_bpm": (70, 180, "bpm"),
    "rest_again_min": (1, 60, "min"),
}
_WEAR: Mapping[str, Range] = {
    "service_hours": (0, 100_000, "h"),
    "service_days": (0, 3650, "d"),
    "inspect_days": (0, 3650, "d"),
    "silent_days": (0, 3650, "d"),
    "warn_pct": (50, 100, "%"),
    "overdue_pct": (100, 300, "%"),
    "drift_days": (10, 60, "d"),
    "drift_pct_per_30d": (1, 200, "%"),
    "current_max_ma": (0, 100_000, "mA"),
    "temperature_service_c": (20, 120, "C"),
    "temperature_danger_c": (20, 150, "C"),
}
_QUIRKS: Mapping[str, Range] = {
    "motion_w": (1, 1000, "W"),
    "start_w": (1, 1000, "W"),
    "counter_modulus_m": (0, 10_000_000, "m"),
    "max_speed_km_h": (1, 120, "km/h"),
}


def read_gym(table: Table, folder: Path, name: Text, devices: Sequence[DeviceSettings], bag: Bag) -> GymConfig:
    """Build the configuration from ``[gym]`` of site.toml and the tables in ``folder`` / its ``tables``."""
    tables = table.string("tables", required=False) or "gym"
    names = [device.device for device in devices]
    top = open_table(read_toml(folder / tables / "machines.toml", f"{tables}/machines.toml", bag), bag)
    machines = _Machines(names, _quirks(top))
    machines.read(top)
    top.finish()
    rules_file = f"{tables}/rules.toml"
    rules = open_table(read_toml(folder / tables / "rules.toml", rules_file, bag), bag)
    limits = _limits(rules.table("limits"), rules_file, bag)
    config = GymConfig(
        version="",
        site=name,
        utc_offset_min=whole(table, "utc_offset_min", -720, 840, 480),
        zones=tuple(machines.zones),
        assets=tuple(machines.assets),
        trails=tuple(machines.trails),
        session=SessionSettings(**numbers(rules.table("session"), SessionSettings, _SESSION, finish=True)),
        limits=limits,
        wear=tuple(_wear(entry) for entry in rules.tables("wear")),
        kiosks=tuple(machines.kiosks),
        inspection=tuple(_item(entry) for entry in rules.tables("inspection")),
        escalation=read_escalation(table),
    )
    rules.finish()
    return msgspec.structs.replace(config, version=digest(config))


def _limits(table: Table, file: str, bag: Bag) -> LimitSettings:
    author, day = table.string("author", required=False), table.day("date", required=False)
    limits = LimitSettings(author=author, date=day, **numbers(table, LimitSettings, _LIMITS, finish=True))
    if not (author and day):
        hint = Text(
            "心率和血压限值尚未签署：请本站医生确认后填写 author 和 date",
            "nobody has signed the heart-rate and pressure limits: let the site's doctor confirm them, then give author"
            " and date",
        )
        bag.add("contradiction", FilePlace(file, None, "limits"), hint=hint, warn=True)
    return limits


def _wear(entry: Table) -> WearSettings:
    kind = entry.choice("kind", AssetKind) or AssetKind.TREADMILL
    found = numbers(entry, WearSettings, _WEAR)
    entry.finish()
    return WearSettings(kind=kind, **found)


def _item(entry: Table) -> tuple[str, Text]:
    item = (entry.ident("item"), entry.text("name"))
    entry.finish()
    return item


def _quirks(top: Table) -> dict[str, QuirkSettings]:
    """``[[models]]``: what each machine model does differently, by its name."""
    found = {}
    seen: Seen = {}
    for entry in top.tables("models"):
        model = entry.ident("model")
        motion = tuple(Motion(word) for word in entry.strings("motion", [str(one) for one in Motion]))
        quirks = QuirkSettings(
            motion=motion or QuirkSettings().motion,
            speed_from_distance=entry.boolean("speed_from_distance", default=False) or False,
            **numbers(entry, QuirkSettings, _QUIRKS),
        )
        entry.finish()
        if once(seen, model, entry, "model"):
            found[model] = quirks
    return found


class _Machines:
    """Collects what the machines file describes, in its order."""

    def __init__(self, devices: Sequence[str], quirks: Mapping[str, QuirkSettings]) -> None:
        self.zones: list[ZoneSettings] = []
        self.assets: list[AssetSettings] = []
        self.kiosks: list[KioskSettings] = []
        self.trails: list[TrailSettings] = []
        self._devices = devices
        self._quirks = quirks
        self._seen: dict[str, Seen] = {"zone": {}, "asset": {}, "kiosk": {}, "trail": {}, "place": {}}

    def read(self, top: Table) -> None:
        """All ``[[zones]]`` with what stands in them."""
        for entry in top.tables("zones"):
            zone = entry.ident("zone")
            open_min, close_min = (entry.clock(key) if entry.has(key) else None for key in ("open", "close"))
            settings = ZoneSettings(
                zone=zone,
                name=entry.text("name"),
                open_min=360 if open_min is None else open_min,
                close_min=1440 if close_min is None else close_min,
                limits=entry.boolean("limits", default=False) or False,
                queue=entry.boolean("queue", default=False) or False,
                buzzer=place_at(entry, "buzzer", self._devices),
            )
            if settings.open_min >= settings.close_min:
                hint = Text("开门要早于关门", "opening comes before closing")
                entry.mistake("contradiction", "open", hint=hint)
            self.assets += [self._asset(each, zone) for each in entry.tables("machines")]
            self.kiosks += [self._kiosk(each, zone) for each in entry.tables("kiosks")]
            self.trails += [self._trail(each, zone) for each in entry.tables("trails")]
            entry.finish()
            if once(self._seen["zone"], zone, entry, "zone"):
                self.zones.append(settings)

    def _asset(self, entry: Table, zone: str) -> AssetSettings:
        model = entry.ident("model", required=False)
        places = [self._own(read_place(each, self._devices), each) for each in entry.tables("at")]
        hearts = [self._own(read_place(each, self._devices), each) for each in entry.tables("heart")]
        asset = AssetSettings(
            asset=entry.ident("asset"),
            zone=zone,
            kind=entry.choice("kind", AssetKind) or AssetKind.TREADMILL,
            name=entry.text("name"),
            at=tuple(places),
            reader=place_at(entry, "reader", self._devices),
            heart=tuple(hearts),
            model=model,
            maker=entry.string("maker", required=False),
            serial=entry.string("serial", required=False),
            installed=entry.day("installed", required=False),
            life_years=whole(entry, "life_years", 0, 50, 0),
            stop=entry.boolean("stop", default=False) or False,
            quirks=self._quirks.get(model, QuirkSettings()),
        )
        entry.finish()
        once(self._seen["asset"], asset.asset, entry, "asset")
        return asset

    def _own(self, place: Place, entry: Table) -> Place:
        """A place speaks for one machine only."""
        once(self._seen["place"], f"{place.device} / {place.point}", entry, "point")
        entry.finish()
        return place

    def _kiosk(self, entry: Table, zone: str) -> KioskSettings:
        reader, cuff = (place_at(entry, key, self._devices) for key in ("reader", "cuff"))
        for key, place in (("reader", reader), ("cuff", cuff)):
            if place is None:
                entry.mistake("missing", key)
        kiosk = KioskSettings(
            kiosk=entry.ident("kiosk"),
            zone=zone,
            name=entry.text("name"),
            reader=reader or Place("", ""),
            cuff=cuff or Place("", ""),
            scale=place_at(entry, "scale", self._devices),
        )
        entry.finish()
        once(self._seen["kiosk"], kiosk.kiosk, entry, "kiosk")
        return kiosk

    def _trail(self, entry: Table, zone: str) -> TrailSettings:
        gates = []
        for each in entry.tables("gates"):
            at_m = whole(each, "at_m", 0, 100_000, 0)
            gates.append(
                GateSettings(
                    gate=each.ident("gate"), name=each.text("name"), at=read_place(each, self._devices), at_m=at_m
                )
            )
            each.finish()
        trail = TrailSettings(
            trail=entry.ident("trail"),
            zone=zone,
            name=entry.text("name"),
            length_m=whole(entry, "length_m", 50, 100_000, 400),
            gates=tuple(gates),
            fastest_km_h=whole(entry, "fastest_km_h", 5, 60, 25),
            idle_s=whole(entry, "idle_s", 60, 7200, 900),
        )
        entry.finish()
        places = [gate.at_m for gate in gates]
        if not places or places[0] != 0 or places != sorted(set(places)) or places[-1] >= trail.length_m:
            hint = Text("门按 at_m 从 0 递增，且小于 length_m", "gates go from at_m = 0 upwards, all below length_m")
            entry.mistake("contradiction", "gates", hint=hint)
        once(self._seen["trail"], trail.trail, entry, "trail")
        return trail
