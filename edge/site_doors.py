"""The access doors of a garage and the cards that open them.

Doors stand in ``zones.toml`` with their zone (``[[zones.doors]]``); cards in ``credentials.csv``, which staff keep in a
spreadsheet. The hard part is a slip that opens too much: a door that is misspelt in a card's row is refused, never
read as "all doors". A user would notice a mistake here as a neighbour in the charging room.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from pathlib import Path

from edge.domain.garage.settings import Credential, DoorSettings, OutputSettings, SourceSettings
from edge.domain.places import Place
from edge.domain.words import Text
from edge.site_csv import Sheet
from edge.site_report import Bag, did_you_mean, one_of, same
from edge.site_table import ID, ID_FORM, Seen, Table, once

#: A card as drivers name it: lower-case hex, or "facility:number" of a 26-bit Wiegand card.
CARD = re.compile(r"[0-9a-f]{4,32}|[0-9]{1,3}:[0-9]{1,5}", re.ASCII)
CARD_FORM = Text("小写十六进制，或“设施号:卡号”", 'lower-case hex, or "facility:number"')
ALL_DOORS = "all"
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)


def read_door(entry: Table, zone: str, reader: Place, seen: Seen) -> DoorSettings:
    """One ``[[zones.doors]]``; ``reader`` has been read by the caller (it knows the devices)."""
    unlock_s, held_s = entry.integer("unlock_s", 1, 60, 5, "s"), entry.integer("held_s", 1, 3600, 30, "s")
    door = DoorSettings(
        door=entry.ident("door"),
        zone=zone,
        name=entry.text("name"),
        reader=reader,
        release=entry.ident("release"),
        contact=entry.ident("contact", required=False),
        unlock_s=unlock_s or 5,
        held_s=held_s or 30,
    )
    entry.finish()
    once(seen, door.door, entry, "door")
    return door


def check_door(
    entry: Table, door: DoorSettings, outputs: Collection[OutputSettings], sources: Collection[SourceSettings]
) -> None:
    """What a door names must exist: a lock that is a door output, a contact that is a door contact."""
    locks = [each.output for each in outputs if each.kind.value == "door"]
    if door.release and door.release not in locks:
        entry.mistake("unknown_id", "release", door.release, one_of(locks), did_you_mean(door.release, locks))
    contacts = [each.source for each in sources if each.kind.value == "door_open"]
    if door.contact and door.contact not in contacts:
        entry.mistake("unknown_id", "contact", door.contact, one_of(contacts), did_you_mean(door.contact, contacts))


def read_credentials(path: Path, file: str, doors: Collection[str], bag: Bag) -> tuple[Credential, ...]:
    """The cards in the order of the file. Columns: card, holder (a token), doors (ids with spaces between, or "all"),
    valid_from, valid_until (ISO days, may be empty), hours ("07:00-21:30", may be empty). No file: no cards."""
    if not path.exists():
        return ()
    sheet = Sheet(path, file, bag, ("card", "holder", "doors"), ("valid_from", "valid_until", "hours"))
    found = []
    for line, (card, holder, names, valid_from, valid_until, hours) in sheet:
        before = len(bag)
        if not CARD.fullmatch(card):
            sheet.mistake("bad_format", line, "card", card, CARD_FORM)
        if not ID.fullmatch(holder):
            sheet.mistake("bad_format", line, "holder", holder, ID_FORM)
        opened = _doors(sheet, line, names, doors)
        for column, value in (("valid_from", valid_from), ("valid_until", valid_until)):
            if value and not _is_day(value):
                sheet.mistake("bad_format", line, column, value, same("2026-12-31"))
        start_min, end_min = _hours(sheet, line, hours)
        if len(bag) == before:
            found.append(
                Credential(
                    card=card,
                    holder=holder,
                    doors=opened,
                    valid_from=valid_from,
                    valid_until=valid_until,
                    start_min=start_min,
                    end_min=end_min,
                )
            )
    return tuple(found)


def _doors(sheet: Sheet, line: int, names: str, known: Collection[str]) -> tuple[str, ...]:
    """() means all doors, and only the word "all" says so."""
    if names == ALL_DOORS:
        return ()
    if not names:
        sheet.mistake("missing", line, "doors", "", one_of((*known, ALL_DOORS)))
    for name in names.split():
        if name not in known:
            sheet.mistake("unknown_id", line, "doors", name, one_of((*known, ALL_DOORS)), did_you_mean(name, known))
    return tuple(dict.fromkeys(names.split()))


def _hours(sheet: Sheet, line: int, hours: str) -> tuple[int, int]:
    if not hours:
        return 0, 1440
    match = _HOURS.fullmatch(hours)
    if match is None:
        sheet.mistake("bad_format", line, "hours", hours, same("07:00-21:30"))
        return 0, 1440
    start_min = int(match[1]) * 60 + int(match[2])
    end_min = int(match[3]) * 60 + int(match[4]) if match[3] else 1440
    if end_min <= start_min:
        hint = Text("跨夜要写成两行", "write hours over midnight as two rows")
        sheet.mistake("out_of_range", line, "hours", hours, hint=hint)
    return start_min, end_min


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
