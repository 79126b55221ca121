"""The table and sheet readers, value by value."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.site_csv import Sheet
from edge.site_report import MAX_VALUE_CHARS, Bag, Place, one_of
from edge.site_table import Table, open_table
from edge.site_toml import Doc


def table(source: str) -> Table:
    return open_table(Doc("f.toml", source, tomllib.loads(source)), Bag())


def codes(reader: Table) -> list[tuple[str, str]]:
    return [(m.code, m.path) for m in reader.bag.mistakes()]


@pytest.mark.parametrize(
    ("written", "fen"), [("12.50", 1250), ("7.5", 750), ("7", 700), ("0.01", 1), ("0.10", 10), ("200.00", 20000)]
)
def test_yuan_become_fen(written: str, fen: int) -> None:
    assert table(f'p = "{written}"').yuan("p", 0, 20_000) == fen


@given(fen=st.integers(0, 9_999_999))
def test_yuan_are_exact(fen: int) -> None:
    reader = table(f'p = "{Decimal(fen) / 100:.2f}"')
    assert reader.yuan("p", 0, 9_999_999) == fen
    assert len(reader.bag) == 0


@pytest.mark.parametrize("written", ['"12.505"', '"-1"', '"1,5"', '" 1"', '""', '"１２"', "12", "12.5", "true", "[]"])
def test_what_is_not_money_is_refused(written: str) -> None:
    reader = table(f"p = {written}")
    assert reader.yuan("p", 0, 20_000) is None
    assert len(reader.bag) == 1


@pytest.mark.parametrize(("written", "bp"), [("90", 9000), ("85.5", 8550), ("99.99", 9999)])
def test_percent_become_basis_points(written: str, bp: int) -> None:
    assert table(f'p = "{written}"').percent("p", 1_000, 9_999) == bp


@pytest.mark.parametrize(
    ("written", "minutes"), [("00:00", 0), ("6:30", 390), ("06:30", 390), ("24:00", 1440), ("23:59", 1439)]
)
def test_clock(written: str, minutes: int) -> None:
    assert table(f't = "{written}"').clock("t") == minutes


@pytest.mark.parametrize("written", ["24:01", "25:00", "12:60", "12", "noon"])
def test_no_clock(written: str) -> None:
    assert table(f't = "{written}"').clock("t") is None


@pytest.mark.parametrize("written", ["2026-02-28", '"2026-02-28"'])
def test_days_with_and_without_quotes(written: str) -> None:
    assert table(f"d = {written}").day("d") == "2026-02-28"


@pytest.mark.parametrize("written", ["2026-02-28T10:00:00", '"28.2.2026"', '"2026-02-30"', "20260228", "12:00:00"])
def test_no_days(written: str) -> None:
    reader = table(f"d = {written}")
    assert reader.day("d") == ""
    assert codes(reader) == [("bad_format", "d")]


def test_absent_optional_values_are_no_mistake() -> None:
    reader = table("")
    assert reader.integer("n", 0, 9, 5) == 5
    assert reader.number("x", 0, 9, 1.5) == 1.5
    assert reader.boolean("b") is None
    assert reader.strings("s") == ()
    assert reader.day("d", required=False) == ""
    assert reader.yuan("y", 0, 9, 7) == 7
    assert len(reader.bag) == 0


def test_absent_required_values_are_each_a_mistake() -> None:
    class Colour(StrEnum):
        RED = "red"

    reader = table("")
    reader.integer("n", 0, 9)
    reader.string("s")
    reader.day("d")
    reader.yuan("y", 0, 9)
    reader.choice("c", Colour)
    reader.word("w", ["a"])
    reader.text("t")
    assert codes(reader) == [("missing", key) for key in "cdnstwy"]


def test_a_number_may_be_whole_but_not_a_truth_value_or_infinite() -> None:
    assert table("x = 3").number("x", 0, 9, 1.5) == 3.0
    for wrong in ("true", '"3"', "inf", "nan"):
        reader = table(f"x = {wrong}")
        assert reader.number("x", 0, 9, 1.5) == 1.5
        assert len(reader.bag) == 1


def test_keys_that_nobody_asked_for() -> None:
    reader = table("colour = 1\nsize = 2\n")
    reader.integer("size", 0, 9)
    reader.integer("color", 0, 9, 1)
    reader.finish()
    (mistake,) = reader.bag.mistakes()
    assert (mistake.code, mistake.path, mistake.line) == ("unknown_key", "colour", 1)
    assert mistake.hint.en == 'did you mean "color"?'


def test_lists_of_tables_and_of_words() -> None:
    reader = table('t = [{ a = 1 }, 2]\nw = ["x", "x", 3, "z"]\n')
    assert len(list(reader.tables("t"))) == 1
    assert reader.strings("w", ["x", "y"]) == ("x",)
    assert codes(reader) == [
        ("wrong_type", "t[1]"),
        ("duplicate", "w[1]"),
        ("wrong_type", "w[2]"),
        ("unknown_id", "w[3]"),
    ]


def test_long_values_and_lists_are_cut() -> None:
    bag = Bag()
    bag.add("bad_format", Place("f", 1, "x"), "y" * 500)
    assert len(bag.mistakes()[0].value) == MAX_VALUE_CHARS
    assert one_of([f"w{n:02d}" for n in range(48)]).en.endswith("(48 in all)")


def sheet(tmp_path: Path, text: str | bytes) -> tuple[Sheet, Bag]:
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    bag = Bag()
    return Sheet(path, "t.csv", bag, ("a", "b"), ("note",)), bag


def test_a_spreadsheet_file_reads_cleanly(tmp_path: Path) -> None:
    """Byte order mark, Windows line ends, comments, blank lines, quotes, spaces, columns in another order."""
    text = '\ufeff# made by hand\r\nb,a\r\n\r\n 1 ,"x, y"\r\n# off,z\r\n,\r\n2,"two\r\nlines"\r\n'
    rows, bag = sheet(tmp_path, text)
    assert list(rows) == [(4, ["x, y", "1", ""]), (8, ["two\r\nlines", "2", ""])]
    assert len(bag) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2,3\n1,2\n", [("bad_format", 2)]),
        ("a,b,a\n1,2,3\n", [("duplicate", 1)]),
        ("a,c\n1,2\n", [("missing", 1), ("unknown_key", 1)]),
        ('a,b\n1,"2\n', [("syntax", 2)]),
        ('a,b\n1,"2"x\n', [("syntax", 2)]),
        (b"a,b\n\xff,1\n", [("syntax", None)]),
        (b"a,b\n1\x00,2\n3,4\n", []),
    ],
)
def test_a_damaged_sheet_says_where(tmp_path: Path, text: str | bytes, expected: list[tuple[str, int | None]]) -> None:
    rows, bag = sheet(tmp_path, text)
    list(rows)
    assert [(m.code, m.line) for m in bag.mistakes()] == expected


@given(garbage=st.binary(max_size=300))
def test_garbage_never_raises(garbage: bytes) -> None:
    with TemporaryDirectory() as folder:
        rows, bag = sheet(Path(folder), garbage)
    for _, fields in rows:
        assert len(fields) == 3
    assert len(bag) <= 500
