"""Categories of diners, members, plates and nutrient references of a site.

Members are tokens, never names: a column that looks like one is refused, because what is in this file ends up in logs
and backups. The hard part is speed: a registry of 6,000 plates is read in tens of milliseconds.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from edge.domain.canteen.settings import Category, MemberEntry, NutrientReference, Nutrients, PlateEntry
from edge.domain.words import Text
from edge.site_csv import Sheet
from edge.site_report import Bag, same
from edge.site_table import ID, ID_FORM, Seen, Table, once, open_table
from edge.site_toml import read_toml

#: ISO 15693 UIDs begin with E0 (8 bytes); EPCs of 96 or 128 bits. Lower-case hex, most significant byte first.
UID = re.compile(r"e0[0-9a-f]{14}|[0-9a-f]{24}|[0-9a-f]{32}")
UID_FORM = Text(
    "16 位十六进制 e0…（HF）或 24/32 位 EPC，小写", "16 hex digits e0… (HF), or 24/32 of an EPC; lower case"
)
LABEL = re.compile(r"[A-Z0-9-]{1,12}")
CARD = re.compile(r"[0-9A-Za-z]{4,32}")
TARE_G = (10, 2_000)
YES_NO = {"yes": True, "no": False, "": False}


def read_categories(path: Path, file: str, bag: Bag) -> tuple[Category, ...]:
    """The kinds of diners in the order of the file."""
    top = open_table(read_toml(path, file, bag), bag)
    found = []
    seen: Seen = {}
    for entry in top.tables("category"):
        age = entry.integer("age", 0, 130, -1)
        category = Category(
            category_id=entry.ident("id"),
            name=entry.text("name"),
            age=None if age is None or age < 0 else age,
            district=entry.ident("district", required=False),
            hukou=entry.boolean("hukou", default=False) or False,
            low_income=entry.boolean("low_income", default=False) or False,
        )
        entry.finish()
        if once(seen, category.category_id, entry, "id"):
            found.append(category)
    top.finish()
    return tuple(found)


def read_references(path: Path, file: str, bag: Bag) -> tuple[NutrientReference, ...]:
    """Daily reference values by start."""
    top = open_table(read_toml(path, file, bag), bag)
    found = []
    seen: Seen = {}
    for entry in top.tables("reference"):
        reference_id = entry.ident("id")
        once(seen, reference_id, entry, "id")
        start = entry.day("start")
        source = entry.string("source")
        daily = _daily(entry.table("daily", required=True))
        entry.finish()
        found.append(NutrientReference(reference_id=reference_id, start=start, source=source, daily=daily))
    if top.has("reference") and not found:
        top.mistake("missing", "reference")
    top.finish()
    return tuple(sorted(found, key=lambda reference: reference.start))


def _daily(table: Table) -> Nutrients:
    def grams(key: str, *, required: bool = False) -> int:
        return (table.integer(key, 1, 1_000, None if required else 0, "g") or 0) * 1_000

    daily = Nutrients(
        energy_j=(table.integer("energy_kj", 1_000, 20_000, unit="kJ") or 0) * 1_000,
        protein_mg=grams("protein_g", required=True),
        fat_mg=grams("fat_g", required=True),
        carbohydrate_mg=grams("carbohydrate_g", required=True),
        sodium_mg=table.integer("sodium_mg", 100, 10_000, unit="mg") or 0,
        saturated_fat_mg=grams("saturated_fat_g") or None,
        sugars_mg=grams("sugars_g") or None,
        fibre_mg=grams("fibre_g") or None,
    )
    table.finish()
    return daily


def read_plates(path: Path, file: str, bag: Bag) -> tuple[PlateEntry, ...]:
    """The plate registry in the order of the file; uids and labels are unique."""
    sheet = Sheet(path, file, bag, ("uid", "label", "kind", "tare_g"))
    plates = []
    uids: dict[str, int] = {}
    labels: dict[str, int] = {}
    uid_ok, label_ok = UID.fullmatch, LABEL.fullmatch
    for line, (uid, label, kind, tare) in sheet:
        if uid_ok(uid) is None:
            sheet.mistake("bad_format", line, "uid", uid, UID_FORM)
        elif uids.setdefault(uid, line) != line:
            sheet.mistake("duplicate", line, "uid", uid, hint=_first(uids[uid]))
        if label_ok(label) is None:
            sheet.mistake("bad_format", line, "label", label, Text("大写字母、数字、-", "A-Z, 0-9, -; at most 12"))
        elif labels.setdefault(label, line) != line:
            sheet.mistake("duplicate", line, "label", label, hint=_first(labels[label]))
        if ID.fullmatch(kind) is None:
            sheet.mistake("bad_format", line, "kind", kind, ID_FORM)
        if not (tare.isascii() and tare.isdigit() and len(tare) < 6 and TARE_G[0] <= int(tare) <= TARE_G[1]):
            sheet.mistake("out_of_range", line, "tare_g", tare, same(f"{TARE_G[0]}..{TARE_G[1]} g"))
        else:
            plates.append(PlateEntry(uid=uid, label=label, kind=kind, tare_g=int(tare)))
    return tuple(plates)


def read_members(path: Path, file: str, today: date, bag: Bag) -> tuple[MemberEntry, ...]:
    """The members in the order of the file; tokens and cards are unique. No names: see the module's head."""
    columns = ("token", "card", "born", "district", "hukou", "low_income")
    sheet = Sheet(path, file, bag, columns)
    members = []
    tokens: dict[str, int] = {}
    cards: dict[str, int] = {}
    for line, (token, card, born, district, hukou, low_income) in sheet:
        before = len(bag)
        if not ID.fullmatch(token):
            sheet.mistake("bad_format", line, "token", token, ID_FORM)
        elif tokens.setdefault(token, line) != line:
            sheet.mistake("duplicate", line, "token", token, hint=_first(tokens[token]))
        if not CARD.fullmatch(card):
            sheet.mistake("bad_format", line, "card", card, Text("4 到 32 位字母或数字", "4 to 32 letters or digits"))
        elif cards.setdefault(card, line) != line:
            sheet.mistake("duplicate", line, "card", card, hint=_first(cards[card]))
        if district and not ID.fullmatch(district):
            sheet.mistake("bad_format", line, "district", district, ID_FORM)
        for column, value in (("hukou", hukou), ("low_income", low_income)):
            if value not in YES_NO:
                sheet.mistake("not_allowed", line, column, value, same("yes, no"))
        if not _born_ok(born, today):
            sheet.mistake("bad_format", line, "born", born, same(f"1900-01-01 .. {today.isoformat()}"))
        if len(bag) == before:
            members.append(
                MemberEntry(
                    token=token,
                    card=card,
                    born=born,
                    district=district,
                    hukou=YES_NO[hukou],
                    low_income=YES_NO[low_income],
                )
            )
    return tuple(members)


def _born_ok(born: str, today: date) -> bool:
    try:
        day = date.fromisoformat(born)
    except ValueError:
        return False
    return date(1900, 1, 1) <= day <= today and day.isoformat() == born


def _first(line: int) -> Text:
    return Text(f"先前在第 {line} 行", f"first on line {line}")
