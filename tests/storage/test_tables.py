"""The row structs and the schema files say the same, column by column."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.canteen.rows import ROW_TYPES, DayRow, OrderRow, PaymentRow, PlateRow, PurseRow
from edge.domain.kernel import Row
from edge.storage.errors import StoreError
from edge.storage.migrate import migrate, packaged
from edge.storage.tables import table_of


class AllTypesRow(Row, tag="all_types"):
    KEY: ClassVar = ("a", "b")
    b: str
    a: int
    flag: bool
    maybe_flag: bool | None
    ratio: float
    blob: bytes
    word: str | None
    number: int | None


ALL_TYPES_SQL = (
    "CREATE TABLE all_types (b TEXT NOT NULL, a INTEGER NOT NULL, flag INTEGER NOT NULL, maybe_flag INTEGER, "
    "ratio REAL NOT NULL, blob BLOB NOT NULL, word TEXT, number INTEGER, row_check INTEGER, PRIMARY KEY (a, b)) "
    "STRICT, WITHOUT ROWID"
)


@pytest.fixture(scope="module")
def schema() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, packaged(), "memory")
    connection.execute(ALL_TYPES_SQL)
    yield connection
    connection.close()


@pytest.mark.parametrize("kind", ROW_TYPES, ids=lambda kind: kind.__name__)
def test_each_struct_is_its_table(kind: type[Row], schema: sqlite3.Connection) -> None:
    table = table_of(kind)
    table.check(schema)
    columns = schema.execute(f"PRAGMA table_xinfo({table.name})").fetchall()
    assert [column[1] for column in columns] == [*kind.__struct_fields__, "row_check"]
    keys = sorted((column[5], column[1]) for column in columns if column[5])
    assert tuple(name for _, name in keys) == kind.KEY  # type: ignore[attr-defined] - every row struct has one


def test_every_table_but_the_recorders_belongs_to_a_struct(schema: sqlite3.Connection) -> None:
    names = {row[0] for row in schema.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    rows = {table_of(kind).name for kind in ROW_TYPES}
    assert names - rows == {"meta", "log", "snapshot", "set_aside", "all_types"}


def test_every_table_is_strict(schema: sqlite3.Connection) -> None:
    strict = {row[1]: row[5] for row in schema.execute("PRAGMA table_list") if not row[1].startswith("sqlite_")}
    assert all(strict.values()), strict


@pytest.mark.parametrize("kind", ROW_TYPES, ids=lambda kind: kind.__name__)
def test_a_sample_of_each_row_comes_back_as_it_went(
    kind: type[Row], schema: sqlite3.Connection, sample_row: Callable[..., Any]
) -> None:
    table, row = table_of(kind), sample_row(kind)
    schema.execute(table.put_sql, table.values(row))
    back = [table.row(found) for found in schema.execute(table.select_sql)]
    assert back == [row]


int64 = st.integers(-(2**63), 2**63 - 1)
text = st.text(st.characters(codec="utf-8"))


@given(
    st.builds(
        AllTypesRow,
        a=int64,
        b=text,
        flag=st.booleans(),
        maybe_flag=st.none() | st.booleans(),
        ratio=st.floats(allow_nan=False),
        blob=st.binary(),
        word=st.none() | text,
        number=st.none() | int64,
    )
)
def test_any_value_of_any_column_type_comes_back_the_same(row: AllTypesRow) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.execute(ALL_TYPES_SQL)
        table = table_of(AllTypesRow)
        table.check(connection)
        connection.execute(table.put_sql, table.values(row))
        (back,) = [table.row(found) for found in connection.execute(table.select_sql)]
    finally:
        connection.close()
    assert back == row
    assert isinstance(back.flag, bool)
    assert back.maybe_flag is None or isinstance(back.maybe_flag, bool)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("a INTEGER NOT NULL", "b TEXT"),
        ("number INTEGER", "number INTEGER NOT NULL"),
        ("ratio REAL", "ratio INTEGER"),
        ("PRIMARY KEY (a, b)", "PRIMARY KEY (b, a)"),
        ("word TEXT, number INTEGER", "number INTEGER, word TEXT"),
        ("number INTEGER,", "number INTEGER, extra TEXT,"),
    ],
)
def test_a_table_that_differs_in_anything_is_refused(change: str, words: str) -> None:
    sql = ALL_TYPES_SQL.replace("b TEXT NOT NULL, a INTEGER NOT NULL", "a INTEGER NOT NULL, b TEXT NOT NULL")
    sql = sql if change == "a INTEGER NOT NULL" else ALL_TYPES_SQL.replace(change, words)
    assert sql != ALL_TYPES_SQL
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(sql)
    with pytest.raises(StoreError, match="all_types does not match AllTypesRow") as caught:
        table_of(AllTypesRow).check(connection)
    connection.close()
    assert caught.value.code == "schema"


def test_a_struct_that_cannot_be_a_table_says_why() -> None:
    class NoTag(Row):
        KEY: ClassVar = ("a",)
        a: int

    class BadType(Row, tag="bad_type"):
        KEY: ClassVar = ("a",)
        a: list[int]

    class BadKey(Row, tag="bad_key"):
        KEY: ClassVar = ("b",)
        a: int

    for kind, words in ((NoTag, "no tag"), (BadType, r"BadType\.a"), (BadKey, "KEY")):
        with pytest.raises(TypeError, match=words):
            table_of(kind)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (PurseRow, {"balance_fen": -1}),
        (PlateRow, {"sold_epoch": 3, "fill_epoch": 2}),
        (OrderRow, {"refunded_fen": 8}),
        (OrderRow, {"payable_fen": 6}),
        (OrderRow, {"status": "maybe"}),
        (OrderRow, {"assurance_json": "{"}),
        (OrderRow, {"business_day": ""}),
        (PaymentRow, {"method": "cash", "fen": 7, "tendered_fen": 10, "change_fen": 2}),
        (DayRow, {"orders": -1}),
        (PurseRow, {"balance_fen": "7"}),
        (PlateRow, {"retired": 2}),
    ],
)
def test_the_schema_refuses_what_must_not_be(
    kind: type[Row], fields: dict[str, Any], schema: sqlite3.Connection, sample_row: Callable[..., Any]
) -> None:
    table = table_of(kind)
    values = table.values(sample_row(kind, **fields))
    if fields == {"balance_fen": "7"}:
        values = tuple("seven" if value == "7" else value for value in values)
    with pytest.raises(sqlite3.IntegrityError):
        schema.execute(table.put_sql, values)


@given(place=st.integers(0, 7), bit=st.integers(0, 7), number=st.integers(1, 2**40))
def test_a_bit_that_flips_inside_a_value_is_an_error_and_never_another_value(place: int, bit: int, number: int) -> None:
    with sqlite3.connect(":memory:") as connection:
        connection.execute(ALL_TYPES_SQL)
        table = table_of(AllTypesRow)
        row = AllTypesRow("key", 7, True, None, 0.5, b"\x00\xff", "word", number)
        connection.execute(table.put_sql, table.values(row))
        changes = (
            "b = 'kez'", "a = a + 1", "flag = 0", "maybe_flag = 1", "ratio = ratio * 2", "blob = x'00fe'",
            "word = 'work'", f"number = number + {1 << bit}",
        )  # fmt: skip
        connection.execute(f"UPDATE all_types SET {changes[place]}")
        with pytest.raises(StoreError, match="store verify") as damaged:
            [table.row(found) for found in connection.execute(table.select_sql)]
        assert damaged.value.code == "damaged"
        connection.execute("UPDATE all_types SET row_check = NULL")
        assert [table.row(found) for found in connection.execute(table.select_sql)], "rows of an older release are read"
    connection.close()
