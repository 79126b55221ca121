"""What the gym's devices say and are told: training machines, straps, cuffs, scales, trail gates, outdoor points.

One link often carries many machines (a row of consoles behind a BLE gateway), so every value names a ``point`` behind
the link; the site file maps (device, point) to a machine or a person's strap. The hard part is what is not said: each
quantity is None unless it was in the message, never zero, and what a machine says of itself may lie (a speed of 0 on a
moving elliptical), so nothing here is judged, only told. A user would notice a mistake as a workout of 0 km, or as a
heart that stood still because a strap was off.

Rules for all: quantities carry their unit as suffix and are the machine's own word, in the units of the decode
contract. Counters (``distance_m``, ``energy_kcal``, ``elapsed_s``, ``*_count``) are unwrapped at the width of their
wire by the driver: a value below the one before means that the machine began anew. They count from wherever the
machine, or the driver's first hearing of it, began: only differences mean anything. ``source_wall_ns`` is the UTC
time that the device or its gateway gave, ``delay_ms`` how long the message is known to have waited (None unknown),
``source_seq`` the gateway's own count of messages; ``retained`` marks stored state that some broker kept.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class MachineKind(StrEnum):
    TREADMILL = "treadmill"
    CROSS_TRAINER = "cross_trainer"
    STEP_CLIMBER = "step_climber"
    STAIR_CLIMBER = "stair_climber"
    ROWER = "rower"
    BIKE = "bike"
    SKIER = "skier"
    STRENGTH = "strength"
    CIRCULATION = "circulation"
    """Vibration and pneumatic machines (micro-circulation)."""
    OTHER = "other"


class MachineState(StrEnum):
    """What the machine's own console says. READY: somebody has identified himself or chosen a programme."""

    IDLE = "idle"
    READY = "ready"
    IN_USE = "in_use"
    PAUSED = "paused"
    FINISHED = "finished"
    MANUAL = "manual"
    FAULT = "fault"
    OFFLINE = "offline"


class PointMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What every message of a point has; see above. ``raw_hex`` is the message as received, where the driver keeps it
    (its option ``keep_raw``; always for what a machine says of its wear, and for records of a person's body): with it
    a mended decoder can read old records again."""

    point: str
    retained: bool = False
    source_wall_ns: int | None = None
    delay_ms: int | None = None
    source_seq: int | None = None
    raw_hex: str = ""


class MachineReading(PointMessage, frozen=True, kw_only=True, tag="machine"):
    """What a training machine says of the workout under way. ``speed_km_h`` is as sent and may lie; its
    ``heart_rate_bpm`` is that of its hand grips. ``resistance_level`` is the machine's own scale as sent.
    ``safety_key_pulled`` True: stopped by its safety key; False: said to be running since; None: not said."""

    kind: MachineKind | None = None
    state: MachineState | None = None
    elapsed_s: float | None = None
    remaining_s: float | None = None
    distance_m: float | None = None
    speed_km_h: float | None = None
    pace_s_per_500m: float | None = None
    cadence_rpm: float | None = None
    stroke_rate_spm: float | None = None
    step_rate_spm: float | None = None
    stroke_count: float | None = None
    stride_count: float | None = None
    step_count: float | None = None
    floor_count: float | None = None
    elevation_gain_m: float | None = None
    power_w: float | None = None
    energy_kcal: float | None = None
    met: float | None = None
    heart_rate_bpm: int | None = None
    incline_pct: float | None = None
    resistance_level: float | None = None
    safety_key_pulled: bool | None = None


class MachineEvent(PointMessage, frozen=True, kw_only=True, tag="machine_event"):
    """Something happened at the machine. ``event`` is a name of the decode contract (ftms 2ada): ``reset``,
    ``stopped_or_paused_by_user``, ``stopped_by_safety_key``, ``started_or_resumed_by_user``, ``target_speed_changed``
    .., or ``lap``. ``param`` is ``stop`` or ``pause`` where told; targets are those just set at the machine."""

    event: str
    param: str = ""
    target_speed_km_h: float | None = None
    target_incline_pct: float | None = None
    target_resistance_level: float | None = None
    target_power_w: float | None = None
    target_heart_rate_bpm: int | None = None


class MachineHealthReading(PointMessage, frozen=True, kw_only=True, tag="machine_health"):
    """What a machine says of its own wear: life-time counters, motor current, codes. ``error_code`` and
    ``service_code`` 0 mean "none". ``doubtful`` names the fields whose value is not believable (an odometer that no
    byte order makes plausible against the hours); those are None here."""

    usage_hours_h: float | None = None
    odometer_km: float | None = None
    motor_current_a: float | None = None
    motor_temperature_c: float | None = None
    error_code: int | None = None
    service_code: int | None = None
    start_count: int | None = None
    doubtful: tuple[str, ...] = ()


class MachineInfo(msgspec.Struct, frozen=True, kw_only=True, tag="machine_info"):
    """Who a machine behind a shared link says it is; "" where not said. Told once after it is (again) heard of."""

    point: str
    maker: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""


class HeartContact(StrEnum):
    NOT_SUPPORTED = "not_supported"
    NOT_DETECTED = "not_detected"
    DETECTED = "detected"


class HeartRateReading(PointMessage, frozen=True, kw_only=True, tag="heart_rate"):
    """A strap's or watch's beat. ``heart_rate_bpm`` None: acquiring or strap off, never bradycardia; the value is as
    sent, the gate of 30 to 230 is the kernel's. ``rr_intervals_ms`` are oldest first."""

    heart_rate_bpm: int | None = None
    contact: HeartContact = HeartContact.NOT_SUPPORTED
    rr_intervals_ms: tuple[float, ...] = ()
    energy_kj: int | None = None


class BloodPressureReading(PointMessage, frozen=True, kw_only=True, tag="blood_pressure"):
    """One measurement of a cuff, in mmHg whatever its unit was. A flag is None where the cuff does not tell.
    ``plausible`` False: outside 40 to 300 mmHg. ``device_time`` is the cuff's own clock, ISO without zone, "" unknown:
    cuffs are often years off, so the time of arrival counts."""

    systolic_mmhg: float | None = None
    diastolic_mmhg: float | None = None
    mean_arterial_mmhg: float | None = None
    pulse_bpm: float | None = None
    user_id: int | None = None
    body_movement: bool | None = None
    cuff_loose: bool | None = None
    irregular_pulse: bool | None = None
    improper_position: bool | None = None
    plausible: bool = True
    device_time: str = ""


class WeightReading(PointMessage, frozen=True, kw_only=True, tag="weight"):
    """One measurement of a scale, in kg whatever its unit was; ``weight_kg`` None: the measurement failed."""

    weight_kg: float | None = None
    bmi: float | None = None
    height_m: float | None = None
    impedance_ohm: float | None = None
    user_id: int | None = None
    device_time: str = ""


class BodySide(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


class RepReading(PointMessage, frozen=True, kw_only=True, tag="rep"):
    """One finished repetition at a strength machine. ``rep`` counts from 1 within ``set_number``, sets from 1 within
    the machine's session."""

    set_number: int
    rep: int
    peak_torque_nm: float | None = None
    range_deg: float | None = None
    speed_deg_s: float | None = None
    work_j: float | None = None
    side: BodySide | None = None
    programme: str = ""


class StrengthSetReading(PointMessage, frozen=True, kw_only=True, tag="strength_set"):
    """A set at a strength machine or a course at a micro-circulation machine, as far as it has come. ``finished``
    False: still under way. ``duration_s`` is its length so far; ``intensity_pct`` that of the chosen programme."""

    set_number: int
    rep_count: int | None = None
    peak_torque_nm: float | None = None
    range_deg: float | None = None
    side: BodySide | None = None
    programme: str = ""
    duration_s: float | None = None
    intensity_pct: float | None = None
    state: MachineState | None = None
    finished: bool = False


class GateReading(PointMessage, frozen=True, kw_only=True, tag="gate"):
    """A tag or beacon passed a trail gate. ``tag`` is a token, never a name. ``rssi_dbm`` is the strongest of the
    passage. ``source_wall_ns`` is when the gate saw it, which is what lap times are made of."""

    tag: str
    rssi_dbm: int | None = None


class CountReading(PointMessage, frozen=True, kw_only=True, tag="usage_count"):
    """How often an outdoor point was used: ``use_count`` since its counter began (unwrapped as all counters),
    ``battery_pct`` of its sensor."""

    use_count: int | None = None
    battery_pct: float | None = None


class StopOutcome(msgspec.Struct, frozen=True, kw_only=True, tag="stop_outcome"):
    """The answer to a StopMachine. ``accepted`` False with ``detail``: ``not_allowed`` (the driver's option
    ``allow_stop`` is off, the default), ``not_supported``, ``expired``, ``no_answer``, or the machine's own refusal."""

    point: str
    command_id: str
    accepted: bool
    detail: str = ""


MachineMessage = (
    MachineReading
    | MachineEvent
    | MachineHealthReading
    | MachineInfo
    | HeartRateReading
    | BloodPressureReading
    | WeightReading
    | RepReading
    | StrengthSetReading
    | GateReading
    | CountReading
    | StopOutcome
)


class StopMachine(msgspec.Struct, frozen=True, kw_only=True, tag="stop_machine"):
    """Bring a machine to a soft stop (``pause`` True: only pause). The only thing that is ever written to a machine by
    itself, refused unless the driver's option ``allow_stop`` is set. Dropped once ``expires_mono_ns`` (0: never) has
    passed before it could be written. Repeating it is harmless. Answered by StopOutcome."""

    point: str
    command_id: str
    pause: bool = False
    expires_mono_ns: int = 0


MachineCommand = StopMachine
