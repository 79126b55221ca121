"""(Re)build the contents columns of ``ingredients.csv`` from the USDA table; a row's ``ndb_no`` says where it comes
from.

``python -m edge.site_ingredients USDA.csv config/canteen/ingredients.csv`` rewrites the second file in place: rows
whose source is ``usda-sr28`` get the table's values, digit for digit; other rows (a packet's label, the operator's
own copy of another table) are left as they are. To add an ingredient, add a row with its id, names, group and ndb_no,
and run this. The hard part is to copy facts without touching them: values stay text, an empty cell (unknown) stays
empty. A diner would notice a mistake as nutrients of the wrong food.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

SOURCE = "usda-sr28"

#: Columns that come from the table, in its own names and units (per 100 g of the edible part).
CONTENTS = (
    "energy_kcal",
    "water_g",
    "protein_g",
    "fat_g",
    "saturated_fat_g",
    "carbohydrate_g",
    "fibre_g",
    "sugars_g",
    "sodium_mg",
)


class TableError(ValueError):
    """The two files do not fit together; the text names the row and the remedy."""


def rebuild(table: Path, ingredients: Path) -> int:
    """Fill the contents of all ``usda-sr28`` rows of ``ingredients`` from ``table``; returns how many there were."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        known = {row["ndb_no"]: row for row in csv.DictReader(file)}
    with ingredients.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        columns = list(reader.fieldnames or ())
        rows = list(reader)
    if missing := {"ndb_no", "source", *CONTENTS} - set(columns):
        raise TableError(f"{ingredients.name}: no column {', '.join(sorted(missing))}; see config/README.md")
    filled = 0
    for row in rows:
        if row["source"] != SOURCE:
            continue
        facts = known.get(row["ndb_no"])
        if facts is None:
            raise TableError(
                f"{row['food_id']}: no ndb_no {row['ndb_no']!r} in {table.name}; look it up by description"
            )
        row.update({column: facts[column] for column in CONTENTS})
        filled += 1
    fresh = ingredients.with_suffix(".new")
    with fresh.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    fresh.replace(ingredients)
    return filled


def main(arguments: list[str]) -> int:
    """Exit code 0 done, 1 the files do not fit, 2 usage."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m edge.site_ingredients USDA.csv INGREDIENTS.csv\n")
        return 2
    try:
        filled = rebuild(Path(arguments[0]), Path(arguments[1]))
    except (TableError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"{filled} rows filled from {arguments[0]}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
