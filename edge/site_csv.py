"""CSV tables of a site: a header that must be known, rows with their line number, mistakes collected.

Made for spreadsheets: a byte order mark and quoted fields are fine, blank lines and lines that begin with ``#`` are
skipped. The hard part is speed beside exactness: 6,000 plates are read in tens of milliseconds because places are made
only for mistakes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.domain.words import Text
from edge.site_report import EMPTY, Bag, Place, did_you_mean, one_of, same

MAX_FILE_BYTES = 16 << 20
MAX_ROWS = 100_000
#: Rows of a wrong width that are told one by one.
MISFITS_TOLD = 5


class Sheet:
    """A CSV file with the columns ``required`` and, where present, ``optional``. Iterating gives (line, fields) with
    the fields in the order of required + optional ("" where an optional column is absent), stripped."""

    def __init__(self, path: Path, file: str, bag: Bag, required: Sequence[str], optional: Sequence[str] = ()) -> None:
        self.file = file
        self.bag = bag
        self.columns = (*required, *optional)
        self._required = frozenset(required)
        self._source = self._read(path)

    def _read(self, path: Path) -> str:
        try:
            raw = path.read_bytes()
            if len(raw) > MAX_FILE_BYTES:
                self.bag.add("unreadable", Place(self.file, None, ""), f"{len(raw)} B", same(f"<= {MAX_FILE_BYTES} B"))
                return ""
            return raw.decode("utf-8-sig")
        except OSError as error:
            self.bag.add("unreadable", Place(self.file, None, ""), error.strerror or str(error))
        except UnicodeDecodeError as error:
            hint = Text("用“CSV UTF-8”格式另存", "save it as “CSV UTF-8”")
            self.bag.add("syntax", Place(self.file, None, ""), f"byte {error.start}", same("UTF-8"), hint)
        return ""

    def mistake(
        self, code: str, line: int, column: str, value: object = "", allowed: Text = EMPTY, hint: Text = EMPTY
    ) -> None:
        self.bag.add(code, Place(self.file, line, column), value, allowed, hint)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        if not self._source:
            return
        rows = csv.reader(io.StringIO(self._source, newline=""), strict=True)
        order: list[int] = []
        width = misfits = 0
        try:
            for fields in rows:
                if not fields or fields[0].startswith("#") or not any(fields):
                    continue
                if not order:
                    order, width = self._header(rows.line_num, [name.strip() for name in fields]), len(fields)
                    if not order:
                        return
                elif len(fields) != width:
                    misfits += 1
                    self._misfit(misfits, rows.line_num, len(fields), width)
                elif rows.line_num > MAX_ROWS:
                    self.mistake("out_of_range", rows.line_num, "", rows.line_num, same(f"<= {MAX_ROWS}"))
                    return
                else:
                    padded = [*fields, ""]
                    yield rows.line_num, [padded[index].strip() for index in order]
        except csv.Error as error:
            self.mistake("syntax", rows.line_num, "", str(error))

    def _misfit(self, count: int, line: int, fields: int, width: int) -> None:
        """A column that is missing at the top makes every row a misfit: they must not crowd out all other mistakes."""
        wanted = Text(f"{width} 项，与首行相同", f"{width} fields, as in the first line")
        if count < MISFITS_TOLD:
            self.mistake("bad_format", line, "", fields, wanted)
        elif count == MISFITS_TOLD:
            hint = Text(
                "再有这样的行不再列出；首行是否多了或少了一列？",
                "any more such lines are not listed: is there a column too many or too few in the first line?",
            )
            self.mistake("bad_format", line, "", fields, wanted, hint)

    def _header(self, line: int, names: list[str]) -> list[int]:
        """The position of each wanted column (-1: the empty padding); empty when the header is unusable."""
        good = True
        for index, name in enumerate(names):
            if name not in self.columns:
                self.mistake("unknown_key", line, name, name, one_of(self.columns), did_you_mean(name, self.columns))
            elif name in names[:index]:
                self.mistake("duplicate", line, name, name)
        for name in sorted(self._required - set(names)):
            self.mistake("missing", line, name, "", EMPTY, did_you_mean(name, names))
            good = False
        return [names.index(name) if name in names else -1 for name in self.columns] if good else []
