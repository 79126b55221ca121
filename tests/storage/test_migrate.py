"""Schema files are applied once, whole, and from every older version."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from edge.domain.canteen.rows import ROW_TYPES, PurseRow
from edge.domain.kernel import Row
from edge.storage.batch import Batch
from edge.storage.connect import open_writer
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.migrate import Migration, in_order, migrate, packaged, version_of
from edge.storage.tables import table_of

DUMPS = Path(__file__).parent / "dumps"


class PurseRow2(Row, tag="purse"):
    KEY: ClassVar = ("member",)
    member: str
    balance_fen: int
    frozen: bool


#: The next version as it may look one day: a column with a rule of its own, old rows kept.
TOY_V2 = Migration(
    len(packaged()) + 1,
    """
    ALTER TABLE purse RENAME TO purse_old;
    CREATE TABLE purse (
        member TEXT NOT NULL PRIMARY KEY,
        balance_fen INTEGER NOT NULL CHECK (balance_fen >= 0),
        frozen INTEGER NOT NULL CHECK (frozen IN (0, 1))
    ) STRICT, WITHOUT ROWID;
    INSERT INTO purse SELECT member, balance_fen, 0 FROM purse_old;
    DROP TABLE purse_old;
    """,
)


def shape(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    """All of a schema but the white space of its text."""
    rows = connection.execute("SELECT type, name, tbl_name, ifnull(sql, '') FROM sqlite_schema ORDER BY type, name")
    return [tuple(" ".join(str(value).replace('"', "").split()) for value in row) for row in rows]


def restore(dump: Path, path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(dump.read_text(encoding="utf-8"))
    connection.close()


def all_rows(connection: sqlite3.Connection, kinds: tuple[type[Row], ...]) -> list[Row]:
    found: list[Row] = []
    for kind in kinds:
        table = table_of(kind)
        found += [table.row(row) for row in connection.execute(table.select_sql + table.order_sql)]
    return found


def from_every_version(tmp_path: Path, migrations: tuple[Migration, ...], kinds: tuple[type[Row], ...]) -> None:
    """The harness: each kept dump, brought to the newest version, has the shape of a new store and all its rows."""
    fresh = open_writer(tmp_path / "fresh.db")
    migrate(fresh, migrations, "fresh")
    wanted = shape(fresh)
    fresh.close()
    dumps = sorted(DUMPS.glob("v*.sql"))
    assert [dump.stem for dump in dumps] == [f"v{m.version:03}" for m in packaged()], "keep a dump of every version"
    for dump in dumps:
        path = tmp_path / f"{dump.stem}.db"
        restore(dump, path)
        connection = open_writer(path)
        count = connection.execute(
            "SELECT sum(n) FROM (SELECT count(*) n FROM purse UNION ALL SELECT count(*) FROM orders)"
        )
        (before,) = count.fetchone()
        applied = migrate(connection, migrations, str(path))
        assert applied == len(migrations) - int(dump.stem[1:])
        assert shape(connection) == wanted
        for kind in kinds:
            table_of(kind).check(connection)
        rows = all_rows(connection, kinds)
        assert len({type(row) for row in rows}) == len(kinds), "a dump must hold a row of every table"
        (after,) = connection.execute(
            "SELECT sum(n) FROM (SELECT count(*) n FROM purse UNION ALL SELECT count(*) FROM orders)"
        ).fetchone()
        assert before == after > 0
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


def test_every_kept_version_migrates_to_this_release(tmp_path: Path) -> None:
    from_every_version(tmp_path, packaged(), ROW_TYPES)


def test_every_kept_version_migrates_to_a_toy_next_release(tmp_path: Path) -> None:
    kinds = tuple(PurseRow2 if kind is PurseRow else kind for kind in ROW_TYPES)
    from_every_version(tmp_path, (*packaged(), TOY_V2), kinds)


def test_a_store_opened_by_the_next_release_keeps_its_rows(
    open_store: Callable[..., FactsStore],
    record: Callable[..., Any],
    write: Callable[[FactsStore, Batch], StoreError | None],
) -> None:
    store = open_store()
    assert write(store, Batch(records=[record(1)], rows=[PurseRow(member="m", balance_fen=5)])) is None
    store.close()
    store = open_store(row_types=(PurseRow2,), schema=(*packaged(), TOY_V2))
    assert list(store.rows().all(PurseRow2)) == [PurseRow2(member="m", balance_fen=5, frozen=False)]
    assert store.last_seq() == 1


def test_a_newer_file_is_refused_and_named(open_store: Callable[..., FactsStore]) -> None:
    open_store(row_types=(PurseRow2,), schema=(*packaged(), TOY_V2)).close()
    with pytest.raises(
        StoreError, match=r"has schema 2, this release knows up to 1: install the newer release"
    ) as caught:
        open_store()
    assert caught.value.code == "newer"


def test_a_failing_file_leaves_the_version_before_it(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "a.db")
    migrate(connection, packaged(), "a.db")
    before = shape(connection)
    broken = Migration(len(packaged()) + 1, "CREATE TABLE half (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);")
    with pytest.raises(StoreError, match="v002 failed") as caught:
        migrate(connection, (*packaged(), broken), "a.db")
    assert caught.value.code == "schema"
    assert not connection.in_transaction
    assert (shape(connection), version_of(connection)) == (before, len(packaged()))
    connection.close()


def test_a_file_that_is_not_ours_is_left_alone(open_store: Callable[..., FactsStore], tmp_path: Path) -> None:
    directory = tmp_path / "foreign"
    directory.mkdir()
    connection = sqlite3.connect(directory / "facts.db")
    connection.execute("CREATE TABLE theirs (a)")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="not a store of ours"):
        open_store(directory)
    connection = sqlite3.connect(directory / "facts.db")
    assert shape(connection) == [("table", "theirs", "theirs", "CREATE TABLE theirs (a)")]
    connection.close()


@pytest.mark.parametrize("numbers", [(), (2,), (1, 3), (1, 1, 2)])
def test_numbers_with_a_hole_are_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(StoreError, match="without a hole"):
        in_order([Migration(number, "SELECT 1") for number in numbers])


def test_an_open_store_with_tables_missing_says_which(open_store: Callable[..., FactsStore]) -> None:
    class Nowhere(Row, tag="nowhere"):
        KEY: ClassVar = ("a",)
        a: int

    with pytest.raises(StoreError, match="table nowhere does not match Nowhere: the file has no such table"):
        open_store(row_types=(Nowhere,))
