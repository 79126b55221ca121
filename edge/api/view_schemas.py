"""msgspec's structs as OpenAPI components, so that one document describes all and the pages' types come from it.

msgspec leaves fields with defaults out of ``required`` although it always writes them; here every field of an answer is
required, so that a page need not test for what is always there. Descriptions and examples come from ``view_docs``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from edge.api import gym_answers, gym_register, gym_sums, history_answers, history_zone_answers
from edge.api.access_books import AccessEventList
from edge.api.garage_books import AlarmEventList, SessionList
from edge.api.hub import GoneData, PulseData
from edge.api.order_answers import ANSWERS
from edge.api.view_docs import ENUMS, field_doc
from edge.domain.alarm_metrics import AlarmKpi
from edge.domain.alarm_views import AlarmsView
from edge.domain.canteen.messages import DayView, LaneView, MenuView, PaidView
from edge.domain.canteen.quoting import Quote
from edge.domain.garage.messages import GarageView, PortView, ZoneView
from edge.domain.gym.view_types import AssetView, GymView, KioskView, MaintenanceView, TrailView
from edge.domain.words import Text
from edge.runtime.device_hub import DeviceView

REF = "#/components/schemas/{name}"


class LaneList(msgspec.Struct, frozen=True):
    """Lanes in the order of the configuration."""

    lanes: tuple[LaneView, ...]


class ZoneList(msgspec.Struct, frozen=True):
    """Zones by name."""

    zones: tuple[ZoneView, ...]


class PortList(msgspec.Struct, frozen=True):
    """Chargers by name."""

    ports: tuple[PortView, ...]


class AssetList(msgspec.Struct, frozen=True):
    """Machines by name."""

    assets: tuple[AssetView, ...]


class ViewEvent(msgspec.Struct, frozen=True):
    """Data of the event ``view``: LaneView for keys ``lane/<lane>``, MenuView for ``menu``, DayView for ``day``,
    DeviceView for ``device/<device>``, GarageView for ``garage``, ZoneView for ``zone/<zone>``, PortView for
    ``port/<port>``, AlarmsView for ``alarms`` and ``gym-alarms``, GymView for ``gym``, AssetView for ``asset/<asset>``,
    KioskView for ``kiosk/<kiosk>``, TrailView for ``trail/<trail>``, MaintenanceView for ``maintenance``."""

    key: str
    version: int
    view: dict[str, Any]


class CommandDone(msgspec.Struct, frozen=True):
    """A command's answer: ``code`` is "ok", and beside it what the daemon tells of the outcome (PaidView for a
    payment)."""

    code: str


class DemoAnswer(msgspec.Struct, frozen=True):
    """The simulator did it; what it tells beside that."""


class DemoPlate(msgspec.Struct, frozen=True):
    """A simulated plate on a reader. ``p`` is the chance that its chip answers one pass."""

    uid: str
    label: str
    dish_id: str | None
    p: float
    dead: bool


class DemoLane(msgspec.Struct, frozen=True):
    """A simulated reader and what lies on it."""

    tray: tuple[DemoPlate, ...]
    link: str
    fault: str
    diner: dict[str, Any] | None


class DemoDiners(msgspec.Struct, frozen=True):
    """Whether simulated diners come by themselves, and how many a minute."""

    on: bool
    per_minute: float


class DemoMember(msgspec.Struct, frozen=True):
    """A simulated member's card."""

    card: str
    label: Text


class DemoState(msgspec.Struct, frozen=True):
    """The simulation as it is now."""

    lanes: dict[str, DemoLane]
    diners: DemoDiners
    members: tuple[DemoMember, ...]


TYPES: tuple[Any, ...] = (
    LaneList,
    MenuView,
    DayView,
    DeviceView,
    ViewEvent,
    GoneData,
    PulseData,
    PaidView,
    Quote,
    CommandDone,
    DemoAnswer,
    DemoState,
    GarageView,
    ZoneList,
    PortList,
    AlarmsView,
    SessionList,
    AlarmEventList,
    AccessEventList,
    AlarmKpi,
    GymView,
    AssetList,
    KioskView,
    TrailView,
    MaintenanceView,
    *gym_answers.ANSWERS,
    *gym_register.ANSWERS,
    *gym_sums.ANSWERS,
    *ANSWERS,
    *history_answers.ANSWERS,
    *history_zone_answers.ANSWERS,
)
#: Answers that may carry more fields than are named.
OPEN = {"CommandDone", "DemoAnswer", "DemoState", "DemoLane", "DemoPlate", "DemoDiners", "DemoMember", "ViewEvent"}
NAMES = {"PulseData": "PulseEvent", "GoneData": "GoneEvent"}


def _tidy(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    out = {key: value for key, value in schema.items() if key != "title"}
    if "description" in out:
        out["description"] = " ".join(out["description"].split())
    if "enum" in out:
        out |= {"type": "string", "description": ENUMS.get(name, "")}
    if out.get("type") == "object":
        properties = {field: _described(name, field, part) for field, part in out.get("properties", {}).items()}
        out |= {"properties": properties, "required": list(properties), "additionalProperties": name in OPEN}
    return out


def _described(name: str, field: str, part: dict[str, Any]) -> dict[str, Any]:
    out = {key: value for key, value in part.items() if key != "default"}
    doc = field_doc(name, field)
    if doc is None:
        return out
    description, example = doc
    return {**out, "description": description, **({} if example is None else {"examples": [example]})}


def _renamed(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _renamed(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_renamed(value) for value in node]
    if isinstance(node, str) and node.startswith("#/components/schemas/"):
        name = node.rpartition("/")[2]
        return REF.format(name=NAMES.get(name, name))
    return node


def view_components() -> dict[str, dict[str, Any]]:
    """Component schemas by name."""
    _, components = msgspec.json.schema_components(TYPES, ref_template=REF)
    return {
        NAMES.get(name, name): _renamed(_tidy(NAMES.get(name, name), schema)) for name, schema in components.items()
    }
