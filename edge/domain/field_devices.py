"""What field devices say and are told: detectors, meters, switches, doors, readers of cards, charging boards.

One link often carries many devices (a Zigbee bridge, a bus of meters, a fire unit), so every value names a ``point``
behind the link; the site file maps (device, point) to what it stands for. The hard part is honesty about age and
absence: ``None`` is "not said", never false or zero; ``retained`` marks stored state that some broker kept, which is
never an event; ``source_wall_ns`` is the device's own word about time and decides nothing by itself. A user would
notice a mistake here as a fire from last week, or as smoke that a missing key had turned into "clear".
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Quality(StrEnum):
    """How far a value may be trusted, as the device itself told it. Age is judged by the kernel."""

    GOOD = "good"
    FAULT = "fault"
    TEST = "test"


class SignalKind(StrEnum):
    SMOKE = "smoke"
    HEAT = "heat"
    GAS = "gas"
    CALL_POINT = "call_point"
    PANEL_FIRE = "panel_fire"
    FLOW = "flow"
    PRESSURE = "pressure"
    DOOR_OPEN = "door_open"
    KEY_SWITCH = "key_switch"
    TAMPER = "tamper"


#: What a device says to be wrong with a switched output of its own (``OutputReading.fault``).
OUTPUT_FAULTS = frozenset({"welded", "overpower", "overheat", "smoke", "reclose_pending", "output_fault", "tripped"})
#: Why a charging board or charger says that its session ended (``SessionReading.end_reason``).
SESSION_ENDS = frozenset(
    {"unplugged", "full", "fault", "overpower", "smoke", "hot", "remote", "local", "limit", "unknown"}
)


class SignalReading(msgspec.Struct, frozen=True, kw_only=True, tag="signal", gc=False):
    """A two-state signal. ``active`` None: the device is heard of but does not tell the value (it proves life and
    carries ``quality``). ``source_wall_ns`` UTC as the device says; ``delay_ms`` how long the message is known to have
    waited on its way (expiry countdown, device sequence), None unknown."""

    point: str
    kind: SignalKind
    active: bool | None
    quality: Quality = Quality.GOOD
    retained: bool = False
    source_wall_ns: int | None = None
    delay_ms: int | None = None
    battery_low: bool | None = None
    detail: str = ""


class MeterReading(msgspec.Struct, frozen=True, kw_only=True, tag="meter", gc=False):
    """What a meter measured at one point; every quantity None unless it was in the message."""

    point: str
    power_w: float | None = None
    current_a: float | None = None
    voltage_v: float | None = None
    energy_wh: float | None = None
    power_factor: float | None = None
    temperature_c: float | None = None
    residual_ma: float | None = None
    retained: bool = False
    source_wall_ns: int | None = None


class OutputReading(msgspec.Struct, frozen=True, kw_only=True, tag="output", gc=False):
    """The state of a switched output as the device reports it: a relay's word is no proof (see ``MeterReading``).
    ``on`` means that the function is active: current flows, the siren sounds, the lock is released, water is asked
    for. ``fault`` is "" or one of ``OUTPUT_FAULTS``.
    ``command_id`` answers a command; ``accepted`` False: the device refused it."""

    point: str
    on: bool | None = None
    fault: str = ""
    retained: bool = False
    command_id: str = ""
    accepted: bool | None = None
    plugged: bool | None = None
    detail: str = ""


#: ``PointHealth.detail``: the point's own availability or last will said it; that counts when it was stored, too.
LAST_WILL = "last_will"


class PointHealth(msgspec.Struct, frozen=True, kw_only=True, tag="point_health"):
    """Whether a point behind the link is there, as the link's master says (availability topic, last will, poll).
    ``online`` True is no proof of life of a detector, False is one of absence. ``rebooted``: the device started anew
    and may have forgotten what it was told (dead-man timers, relay state)."""

    point: str
    online: bool
    rebooted: bool = False
    retained: bool = False
    detail: str = ""


class CardReading(msgspec.Struct, frozen=True, kw_only=True, tag="card"):
    """A card at a reader or charging board. ``card`` is lower-case hex, or "facility:number" for Wiegand 26."""

    point: str
    card: str
    bits: int | None = None


class KeypadReading(msgspec.Struct, frozen=True, kw_only=True, tag="keypad"):
    point: str
    keys: str


class SessionReading(msgspec.Struct, frozen=True, kw_only=True, tag="device_session"):
    """A charging board or charger speaks of a session of its own. ``phase``: started, running, ended. ``end_reason`` is
    one of ``SESSION_ENDS``."""

    point: str
    session: str
    phase: str
    end_reason: str = ""
    energy_wh: float | None = None
    duration_s: int | None = None
    card: str = ""


class PressureReading(msgspec.Struct, frozen=True, kw_only=True, tag="pressure"):
    """Pressure in a pipe (sprinkler main, tank)."""

    point: str
    pressure_kpa: float
    low: bool = False
    high: bool = False
    temperature_c: float | None = None


class PanelReset(msgspec.Struct, frozen=True, kw_only=True, tag="panel_reset"):
    """A fire panel was reset by hand: what it reported active at ``point`` (a system) and at the components behind it
    (``point:...``) is so no longer, until it says so again. Panels send no word for each of them."""

    point: str
    detail: str = ""


FieldReading = (
    SignalReading
    | MeterReading
    | OutputReading
    | PointHealth
    | CardReading
    | KeypadReading
    | SessionReading
    | PressureReading
    | PanelReset
)


class Operate(msgspec.Struct, frozen=True, kw_only=True, tag="operate"):
    """Switch the function of an output on or off. A driver never retains it, gives it the device's own expiry where one
    exists, and drops it when ``expires_mono_ns`` (0: never; only for OFF) has passed before it could be written.
    ``hold_s`` > 0 with ``on``: arm the device's own timer so that it falls off by itself unless told again within that
    time (auto_off, PulseTime, watchdog coil). An OFF jumps every queue. Repeating it is always harmless."""

    point: str
    on: bool
    command_id: str
    expires_mono_ns: int = 0
    hold_s: int = 0


class Poll(msgspec.Struct, frozen=True, tag="poll"):
    """Ask the point for its present state and measurements as soon as the line allows; "" asks all points."""

    point: str = ""


class ReportFire(msgspec.Struct, frozen=True, kw_only=True, tag="report_fire"):
    """Tell a monitoring centre or transmission unit of a state of ours: ``state`` fire, fault, normal, reset."""

    point: str
    state: str
    wall_ns: int
    text: str = ""


class SetClock(msgspec.Struct, frozen=True, tag="set_clock"):
    """The wall time of this moment, UTC ns. Drivers have no clock: what a wire wants to be told of time (login answers,
    the valid-until of a trip) is counted on from the last one. Send it when a device becomes ready, after a clock step
    and hourly; only from a trusted clock."""

    wall_ns: int


FieldCommand = Operate | Poll | ReportFire | SetClock
