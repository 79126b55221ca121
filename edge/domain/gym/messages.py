"""What goes into the gym kernel: inputs and commands. What it shows is in ``view_types``, rows are in ``rows``.

People are tokens, never names.
"""

from __future__ import annotations

import msgspec

from edge.domain.actors import Actor, Role
from edge.domain.alarm_commands import AckAlarm, AlarmCommand, AlarmShown, ResetAlarm, ServiceAlarm, ShelveAlarm
from edge.domain.devices import DeviceReading
from edge.domain.gym.settings import AssetKind, GymConfig

# --- commands: people -------------------------------------------------------------------------------------------------


class SetPerson(msgspec.Struct, frozen=True, kw_only=True, tag="set_person"):
    """Staff write down a person's prescription and cards; replaces the former one. 0 = not set."""

    person: str
    birth_year: int = 0
    rest_bpm: int = 0
    ceiling_bpm: int = 0
    max_bpm: int = 0
    beta_blocker: bool = False
    cards: tuple[str, ...] = ()


class ForgetPerson(msgspec.Struct, frozen=True, kw_only=True, tag="forget_person"):
    """Delete what ties a token to a card or a prescription: what is left of its workouts leads to nobody."""

    person: str


class RecordVitals(msgspec.Struct, frozen=True, kw_only=True, tag="record_vitals"):
    """Staff measured by hand. None = not measured."""

    person: str
    systolic_mmhg: int | None = None
    diastolic_mmhg: int | None = None
    pulse_bpm: int | None = None
    weight_kg: float | None = None


class LiftReferral(msgspec.Struct, frozen=True, kw_only=True, tag="lift_referral"):
    """Staff take a referral of today back: whoever gives the command is its author. It admits nobody: the gate judges
    anew, by readings that were taken after a rest."""

    person: str


# --- commands: machines and workouts ----------------------------------------------------------------------------------


class ClaimAsset(msgspec.Struct, frozen=True, kw_only=True, tag="claim_asset"):
    """Take a machine (QR code of its page, or a card). The same person again: done with it."""

    asset: str
    person: str = ""
    card: str = ""


class LeaveAsset(msgspec.Struct, frozen=True, kw_only=True, tag="leave_asset"):
    """Done: ends the workout under way."""

    asset: str


class ClaimWorkout(msgspec.Struct, frozen=True, kw_only=True, tag="claim_workout"):
    """An anonymous workout was mine: while it runs, or within the settings' time after it."""

    workout_id: str
    person: str


class GiveStopReason(msgspec.Struct, frozen=True, kw_only=True, tag="give_stop_reason"):
    """Why I stopped: finished, tired, breathless, dizzy, chest_pain, leg_pain. The last four call the coach."""

    workout_id: str
    reason: str


class StopAsset(msgspec.Struct, frozen=True, kw_only=True, tag="stop_asset"):
    """A coach stops a machine from afar (soft stop). Refused where the site has not allowed it for this machine."""

    asset: str


class JoinQueue(msgspec.Struct, frozen=True, kw_only=True, tag="join_queue"):
    """Wait for the next free machine of a kind in a zone. One place a person."""

    zone: str
    kind: AssetKind
    person: str


class LeaveQueue(msgspec.Struct, frozen=True, kw_only=True, tag="leave_queue"):
    person: str


# --- commands: maintenance --------------------------------------------------------------------------------------------


class ReportFault(msgspec.Struct, frozen=True, kw_only=True, tag="report_fault"):
    """Somebody saw something wrong: opens a work order."""

    asset: str
    what: str
    note: str = ""


class AckOrder(msgspec.Struct, frozen=True, kw_only=True, tag="ack_order"):
    order_id: str


class TicketOrder(msgspec.Struct, frozen=True, kw_only=True, tag="ticket_order"):
    """Given to a workshop: ``ticket`` is its number there."""

    order_id: str
    ticket: str


class LockOut(msgspec.Struct, frozen=True, kw_only=True, tag="lock_out"):
    """Out of use until a return test. Opens a work order if there is none."""

    asset: str
    note: str = ""


class ReturnTest(msgspec.Struct, frozen=True, kw_only=True, tag="return_test"):
    """Tested after repair: ``passed`` gives the machine back and closes its orders; otherwise it stays locked out."""

    asset: str
    passed: bool
    note: str = ""


class CloseOrder(msgspec.Struct, frozen=True, kw_only=True, tag="close_order"):
    """Close an order without a return test, with the reason: only of a machine that the site no longer has."""

    order_id: str
    note: str


class ServiceDone(msgspec.Struct, frozen=True, kw_only=True, tag="service_done"):
    """The service that was due has been done: its hours and days begin anew."""

    asset: str
    note: str = ""


class Inspect(msgspec.Struct, frozen=True, kw_only=True, tag="inspect"):
    """An inspection by checklist: (item, grade), grade ok, minor, major or danger. Danger locks out."""

    asset: str
    items: tuple[tuple[str, str], ...]
    note: str = ""


class AddOrderPhoto(msgspec.Struct, frozen=True, kw_only=True, tag="add_order_photo"):
    """A photo of what was reported; ``jpeg`` as ``jpeg.clean`` gives it. Whose report it is, the API checks."""

    order_id: str
    jpeg: bytes


class AddInspectionPhoto(msgspec.Struct, frozen=True, kw_only=True, tag="add_inspection_photo"):
    """A photo of a machine's last inspection, whose number ``Inspect`` answered."""

    asset: str
    inspection: int
    jpeg: bytes


class ErasePhoto(msgspec.Struct, frozen=True, kw_only=True, tag="erase_photo"):
    """Take away the photo of an order, or of a machine's inspection (``order_id`` "")."""

    order_id: str = ""
    asset: str = ""


PersonCommand = SetPerson | ForgetPerson | RecordVitals | LiftReferral
UseCommand = ClaimAsset | LeaveAsset | ClaimWorkout | GiveStopReason | StopAsset
QueueCommand = JoinQueue | LeaveQueue
OrderCommand = ReportFault | AckOrder | TicketOrder | LockOut | ReturnTest | CloseOrder | ServiceDone | Inspect
PhotoCommand = AddOrderPhoto | AddInspectionPhoto | ErasePhoto
CommandBody = PersonCommand | UseCommand | QueueCommand | OrderCommand | PhotoCommand | AlarmCommand

_STAFF = frozenset({Role.COACH, Role.MANAGER, Role.ADMIN})
_REPAIR = frozenset({Role.MAINTENANCE, Role.MANAGER, Role.ADMIN})
_VISITORS = frozenset({Role.MEMBER, Role.RESIDENT, Role.PANEL}) | _STAFF
_WATCH = _STAFF | _REPAIR | {Role.PANEL}
#: Who may give which command. The API checks the same table (and whose token it is); the daemon checks again.
COMMAND_ROLES: dict[type, frozenset[Role]] = {
    SetPerson: _STAFF,
    ForgetPerson: frozenset({Role.MANAGER, Role.ADMIN}),
    RecordVitals: _STAFF,
    LiftReferral: _STAFF,
    ClaimAsset: _VISITORS,
    LeaveAsset: _VISITORS,
    ClaimWorkout: _VISITORS,
    GiveStopReason: _VISITORS,
    StopAsset: _STAFF,
    JoinQueue: _VISITORS,
    LeaveQueue: _VISITORS,
    **dict.fromkeys((ReportFault, AddOrderPhoto), _VISITORS | _REPAIR),
    **dict.fromkeys((AckOrder, TicketOrder, LockOut, ServiceDone, Inspect), _STAFF | _REPAIR),
    **dict.fromkeys((AddInspectionPhoto, ErasePhoto), _STAFF | _REPAIR),
    ReturnTest: _REPAIR,
    CloseOrder: _REPAIR,
    **dict.fromkeys((AckAlarm, ShelveAlarm, ResetAlarm, AlarmShown), _WATCH),
    ServiceAlarm: _REPAIR,
}

STOP_REASONS = ("finished", "tired", "breathless", "dizzy", "chest_pain", "leg_pain")
#: Reasons that call a coach.
GRAVE_REASONS = frozenset({"breathless", "dizzy", "chest_pain", "leg_pain"})
GRADES = ("ok", "minor", "major", "danger")


# --- inputs -----------------------------------------------------------------------------------------------------------


class Command(msgspec.Struct, frozen=True, tag="command"):
    """A person's or terminal's wish. Same ``command_id`` and content: same answer; other content: refused."""

    command_id: str
    actor: Actor
    body: CommandBody


class ConfigApplied(msgspec.Struct, frozen=True, tag="config"):
    config: GymConfig


class DayOpened(msgspec.Struct, frozen=True, tag="day"):
    day: str


class Timer(msgspec.Struct, frozen=True, tag="timer"):
    """The kernel's deadline came."""


GymInput = DeviceReading | Command | ConfigApplied | DayOpened | Timer
