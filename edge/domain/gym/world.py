"""The gym's world: all that the kernel knows, snapshotted whole for replay, rebuilt from rows at start."""

from __future__ import annotations

import msgspec

from edge.domain.alarm_book import AlarmBook
from edge.domain.answered import StoredReply
from edge.domain.gym.gate import Vitals
from edge.domain.gym.limits import Prescription, Watch
from edge.domain.gym.photo_rows import PhotoRow
from edge.domain.gym.rows import QueueRow, UseRow, WorkoutRow
from edge.domain.gym.settings import GymConfig, KioskSettings, ZoneSettings
from edge.domain.gym.trail_rows import OutingRow
from edge.domain.gym.trail_state import Trail
from edge.domain.gym.wear_rows import OrderRow
from edge.domain.gym.wear_state import Wear
from edge.domain.gym.workout_state import Asset

#: Ended workouts kept for a late claim; the oldest go first.
MAX_ENDED = 500


class Kiosk(msgspec.Struct, kw_only=True):
    """``person`` showed a card at ``shown_ns`` and is being measured; ``loose`` came before anybody had shown one."""

    settings: KioskSettings
    person: str = ""
    shown_ns: int = 0
    loose: list[tuple[int, Vitals]] = []
    weight_kg: float | None = None


class Recovery(msgspec.Struct, array_like=True):
    """A workout whose pulse is still watched for its first minute of rest."""

    workout_id: str
    stopped_ns: int


class UseHour(msgspec.Struct):
    """The sums of one hour; ``dirty``: not written yet."""

    row: UseRow
    dirty: bool = False


class QueuePlace(msgspec.Struct, kw_only=True):
    """One person's place. ``called_ns`` monotonic, of this boot; ``joined_ns`` 0: before this boot."""

    row: QueueRow
    joined_ns: int
    called_ns: int = 0


class Today(msgspec.Struct):
    """Of the business day."""

    workouts: int = 0
    active_ms: int = 0
    distance_m: float = 0.0


class World(msgspec.Struct, kw_only=True):
    """See the module's head. ``*_at`` give names at a place (``place_key``). ``ended``: workouts that may still be
    claimed, or wait for their recovery. ``board_due_ns``: when the board is shown next, None when nothing changed."""

    config: GymConfig | None = None
    day: str = ""
    zones: dict[str, ZoneSettings] = {}
    assets: dict[str, Asset] = {}
    watches: dict[str, Watch] = {}
    straps: dict[str, int] = {}
    """When a belt (not the grips) was last heard for a machine, monotonic ns."""
    assets_at: dict[str, str] = {}
    readers_at: dict[str, str] = {}
    hearts_at: dict[str, str] = {}
    kiosks_at: dict[str, str] = {}
    kiosks: dict[str, Kiosk] = {}
    persons: dict[str, Prescription] = {}
    cards: dict[str, str] = {}
    vitals: dict[str, list[Vitals]] = {}
    referred: dict[str, int] = {}
    """Who was referred to a doctor today, with the wall time of the last reading that said so (``referrals``)."""
    ended: dict[str, WorkoutRow] = {}
    open_rows: dict[str, WorkoutRow] = {}
    """By machine, between loading and beginning: what was under way when the box stopped."""
    recoveries: dict[str, Recovery] = {}
    orders: dict[str, OrderRow] = {}
    photos: dict[str, PhotoRow] = {}
    """Those that stand, by what they belong to; never a picture."""
    wear: dict[str, Wear] = {}
    queue: list[QueuePlace] = []
    cap_due_ns: int | None = None
    """When it is looked at next who has had a machine for too long, monotonic; None while nobody waits."""
    uses: dict[str, UseHour] = {}
    uses_ns: int = 0
    gates_at: dict[str, tuple[str, int]] = {}
    trails: dict[str, Trail] = {}
    cut_outings: list[OutingRow] = []
    """Between loading and beginning: who was out when the box stopped."""
    today: Today = msgspec.field(default_factory=Today)
    buzzers: dict[str, bool] = {}
    buzzers_ns: dict[str, int] = {}
    """When each was last told, monotonic."""
    board_due_ns: int | None = None
    devices: dict[str, bool] = {}
    taps: dict[str, tuple[str, int]] = {}
    """By reader: the last card and when it was read, monotonic ns."""
    alarms: AlarmBook = msgspec.field(default_factory=AlarmBook)
    replies: dict[str, StoredReply] = {}
    set_aside: int = 0
    clock_trusted: bool = True
