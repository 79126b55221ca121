"""The garage's configuration as plain values; ``edge.site`` reads and checks the files and builds one ``GarageConfig``.

Every number that a code of practice may one day prescribe is a setting here, with the default of our reference
(``garage-domain.md`` 1.1) and never a constant in the interlock. Times are whole units named in the suffix, money fen.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.alarm_book import Step
from edge.domain.field_devices import SignalKind
from edge.domain.places import Place
from edge.domain.words import Text


class SourceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One detector, call point, panel contact, flow or pressure switch. ``unit`` names the physical head: two sources
    of one unit are one witness ("" = the source itself). ``supervision_s``: a healthy one is heard of at least so often
    (two missed periods make it stale). ``known_until``: to the end of this business day ("2026-12-31") people know that
    it is silent, faulty or low; its own alarm is suppressed by design till then, and nothing else is."""

    source: str
    zone: str
    kind: SignalKind
    at: Place
    name: Text
    unit: str = ""
    supervision_s: int = 3600
    known_until: str = ""


class OutputKind(StrEnum):
    CONTACTOR = "contactor"
    FEED = "feed"
    SIREN = "siren"
    DOOR = "door"
    WATER = "water"


class OutputSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One switched output of a zone. CONTACTOR: on = closed = power flows (power-to-close: loss of power opens). FEED:
    on = "the building is asked to cut the feed". DOOR: on = released (power-to-lock). WATER: on = pre-action valve or
    pump start asked for; ``feedback_source`` (flow or pressure) must go active within ``feedback_s``. ``hold_s`` > 0:
    the device's own dead-man, told again at a third of it. ``meter``: where the current through it is measured."""

    output: str
    zone: str
    kind: OutputKind
    at: Place
    name: Text
    hold_s: int = 0
    meter: Place | None = None
    feedback_source: str = ""
    feedback_s: int = 30


class PortSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One charging outlet. ``meter`` None: measured where it is switched. ``hold_s``: the plug's own timer (60-120 s),
    0 when it has none. ``meter_silent_s``: closed and not measured for so long cuts the port."""

    port: str
    zone: str
    at: Place
    name: Text
    meter: Place | None = None
    hold_s: int = 90
    warn_w: int = 300
    cut_w: int = 600
    cut_ma: int = 5000
    warn_c: int = 55
    cut_c: int = 65
    residual_ma: int = 30
    meter_silent_s: int = 15
    session_min: int = 480
    session_hard_min: int = 600


class ZoneSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One fire zone. ``neighbours`` are cut (PRE_ALARM) when this zone is in FIRE. ``limit_w`` is what all its ports
    together may draw. ``panels`` are the panel terminals that stand in it (a reset is on site only from there);
    ``key_switch`` the source of a key switch, if any. ``contactor_first``: one credible signal opens the zone's
    contactor too, for zones whose chargers hang on a slow bus (without it the contactor opens on FIRE, or when a cut is
    not proven in time)."""

    zone: str
    name: Text
    neighbours: tuple[str, ...] = ()
    limit_w: int = 20_000
    panels: tuple[str, ...] = ()
    key_switch: str = ""
    contactor_first: bool = False
    clear_s: int = 60
    no_detector_s: int = 600
    prove_s: int = 3
    prove_hold_s: int = 2
    proven_ma: int = 50
    proven_w: int = 5


class DoorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One access door. ``reader``: where cards are shown. ``release``: the DOOR output that unlocks it; ``contact``:
    the source (kind ``door_open``) that says whether the leaf stands open, "" none. A card unlocks for ``unlock_s``;
    open for longer than ``held_s`` after that is an alarm, and so is an opening that nobody was granted."""

    door: str
    zone: str
    name: Text
    reader: Place
    release: str
    contact: str = ""
    unlock_s: int = 5
    held_s: int = 30


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A card and what it opens. ``holder`` is a token, never a name; ``doors`` () = all. Days are ISO and inclusive, ""
    = unbounded; minutes of the local day, end exclusive."""

    card: str
    holder: str
    doors: tuple[str, ...] = ()
    valid_from: str = ""
    valid_until: str = ""
    start_min: int = 0
    end_min: int = 1440

    def opens(self, door: str) -> bool:
        """Whether it is meant for this door at all."""
        return not self.doors or door in self.doors


class FullSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The adaptive rule that finds a full battery by its wall power (``garage-domain.md`` 4.2). ``largest_pack_wh`` is
    the largest battery expected here (72 V 32 Ah by default); 1.3 times its energy at the wall ends any charge."""

    mean_s: int = 120
    low_share_pct: int = 25
    low_min_w: int = 8
    low_max_w: int = 45
    flat_s: int = 600
    hold_s: int = 1200
    idle_w: int = 4
    idle_s: int = 1200
    largest_pack_wh: int = 2400


class TariffBand(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of a part of the local day: minutes since midnight, end exclusive. Energy and service fee in fen per
    kWh."""

    start_min: int
    end_min: int
    energy_fen_per_kwh: int
    service_fen_per_kwh: int


class TariffSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The charging tariff. ``bands`` cover the day. ``minimum_fen`` is charged for a session that delivered energy;
    ``deposit_fen`` must be in the (copied) purse to begin one."""

    version: str
    bands: tuple[TariffBand, ...]
    minimum_fen: int = 0
    deposit_fen: int = 200


class GarageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. ``purse_copy_max_age_s``: an older copy of the purses lets only ``offline_limit_fen`` be charged.
    ``escalation``: whom to tell of alarms, and when."""

    version: str
    site: Text
    utc_offset_min: int
    zones: tuple[ZoneSettings, ...]
    sources: tuple[SourceSettings, ...]
    outputs: tuple[OutputSettings, ...]
    ports: tuple[PortSettings, ...]
    tariff: TariffSettings
    full: FullSettings = FullSettings()
    doors: tuple[DoorSettings, ...] = ()
    credentials: tuple[Credential, ...] = ()
    escalation: tuple[Step, ...] = ()
    purse_copy_max_age_s: int = 86_400
    offline_limit_fen: int = 1000
