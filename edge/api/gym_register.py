"""The register of the gym's equipment: what a site must be able to show of each piece, above all of those outdoors.

GB 19272-2024 asks for a file of every piece: maker, model, installation, end of life, inspections and their result. The
site file has the first half, the store the second; here they are one list, for the page and for a spreadsheet. The
hard part is that a date nobody wrote down stays empty: it is never today. A user would notice a mistake as a piece
that is safe for eight more years because nobody knows how old it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import msgspec

from edge.api.gym_books import GymBooks
from edge.api.history_csv import safe_cell
from edge.domain.gym.codes import OWED
from edge.domain.gym.photo_rows import INSPECTION, PhotoRow
from edge.domain.gym.settings import AssetKind, AssetSettings, GymConfig
from edge.domain.gym.trail_rows import CountDayRow
from edge.domain.gym.wear_rows import InspectionRow, OrderRow, WearRow
from edge.domain.gym.wear_state import Wear
from edge.domain.words import Text

LOCKED = "locked_out"
_EMPTY = Wear()


class RegisterItem(msgspec.Struct, frozen=True, kw_only=True):
    """One piece; days are ISO, "" unknown or not asked for. See ``view_docs_gym``."""

    asset: str
    zone: str
    kind: str
    name: Text
    maker: str
    model: str
    serial: str
    installed: str
    life_end: str
    hours_h: float | None
    distance_km: float | None
    starts: int | None
    service_day: str
    inspected_day: str
    inspection_grade: str
    inspected_by: str
    inspection_due: str
    inspection_photo: int
    orders: int
    defects: int
    locked_out: bool
    place: Text
    uses_today: int | None
    counter_day: str
    counter_silent: bool
    battery_pct: float | None


class PointUses(msgspec.Struct, frozen=True, kw_only=True):
    """The uses of one outdoor point; see ``view_docs_gym``."""

    asset: str
    zone: str
    uses: int
    hours: list[int]


class UseCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How often each outdoor point was used on a day that is over."""

    day: str
    uses: int
    items: list[PointUses]


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """The register, in the order of the site file."""

    items: list[RegisterItem]


ANSWERS = (Register, UseCounts)
_NAMES = ("place_zh", "place_en", "name_zh", "name_en")
_CSV = ("asset", "zone", "kind", *_NAMES, *(one for one in RegisterItem.__struct_fields__[4:] if one != "place"))


def register_of(config: GymConfig, books: GymBooks, *, outdoor: bool) -> Register:
    """Of every piece, or (``outdoor``) of outdoor equipment alone. Raises ``BooksAway``."""
    inspect_days = {one.kind: one.inspect_days for one in config.wear}
    places = {zone.zone: zone.name for zone in config.zones}
    standing: dict[str, list[OrderRow]] = {}
    cursor: str | None = None
    while True:
        page = books.orders({"standing": 1}, cursor, 500)
        for order in page.rows:
            standing.setdefault(order.asset, []).append(order)
        cursor = page.next_cursor
        if cursor is None:
            break
    items = [
        _item(
            one,
            places[one.zone],
            books.wear(one.asset),
            next(iter(books.inspections(one.asset, None, 1).rows), None),
            books.photo(INSPECTION, one.asset),
            standing.get(one.asset, ()),
            inspect_days.get(one.kind, 0),
        )
        for one in config.assets
        if not outdoor or one.kind is AssetKind.OUTDOOR
    ]
    return Register(items=items)


def _item(
    settings: AssetSettings,
    place: Text,
    row: WearRow | None,
    inspection: InspectionRow | None,
    photo: PhotoRow | None,
    orders: Sequence[OrderRow],
    inspect_days: int,
) -> RegisterItem:
    wear = _EMPTY if row is None else msgspec.msgpack.decode(row.body, type=Wear)
    states = [order.state for order in orders]
    counted = wear.counter is not None
    return RegisterItem(
        asset=settings.asset,
        zone=settings.zone,
        kind=settings.kind.value,
        name=settings.name,
        maker=settings.maker,
        model=settings.model,
        serial=settings.serial,
        installed=settings.installed,
        life_end=life_end(settings.installed, settings.life_years),
        hours_h=None if row is None else row.hours_h,
        distance_km=None if row is None else row.distance_km,
        starts=None if row is None else row.starts,
        service_day="" if row is None else row.service_day,
        inspected_day="" if inspection is None else inspection.day,
        inspection_grade="" if inspection is None else inspection.worst,
        inspected_by="" if inspection is None else inspection.by,
        inspection_due=_later(wear.inspected_day or settings.installed, inspect_days),
        inspection_photo=photo.inspection if photo is not None and photo.standing else 0,
        orders=len(states),
        defects=sum(order.cause not in OWED or order.state == LOCKED for order in orders),
        locked_out=LOCKED in states,
        place=place,
        uses_today=wear.day.uses if counted else None,
        counter_day=wear.heard_day if counted else "",
        counter_silent="counter_silent" in wear.told_dues,
        battery_pct=wear.battery_pct,
    )


def counts_of(config: GymConfig, day: str, rows: Iterable[CountDayRow]) -> UseCounts:
    """The uses of ``day``, in the order of the site file; a point without a row was not heard that day."""
    known = {row.asset: row for row in rows}
    items = [
        PointUses(asset=one.asset, zone=one.zone, uses=row.uses, hours=_hours(row))
        for one in config.assets
        if one.kind is AssetKind.OUTDOOR and (row := known.get(one.asset)) is not None
    ]
    return UseCounts(day=day, uses=sum(one.uses for one in items), items=items)


def _hours(row: CountDayRow) -> list[int]:
    return msgspec.msgpack.decode(row.hours, type=list[int]) if row.hours else []


def life_end(installed: str, years: int) -> str:
    """The day on which the safe-use life ends; "" when either is not known."""
    if not installed or not years:
        return ""
    day = date.fromisoformat(installed)
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + years, day=28 if leap_day else day.day).isoformat()


def _later(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat() if day and days else ""


def register_csv(register: Register) -> bytes:
    """As a sheet: UTF-8 with a byte order mark, CRLF, one line a piece."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_CSV)
    for item in register.items:
        words = (item.place.zh, item.place.en, item.name.zh, item.name.en)
        told = {**msgspec.structs.asdict(item), **dict(zip(_NAMES, words, strict=True))}
        writer.writerow([_cell(told[name]) for name in _CSV])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: object) -> str:
    return "" if value is None else safe_cell(value) if isinstance(value, str) else str(value).lower()
