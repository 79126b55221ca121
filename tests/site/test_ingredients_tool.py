"""The tool that copies facts from the USDA table into ingredients.csv."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.site_ingredients import CONTENTS, TableError, main, rebuild

TABLE = (
    "ndb_no,description," + ",".join(CONTENTS) + ",calcium_mg\n"
    '00001,"ONE, RAW",100,50,1.25,2,,3.10,,0.4,7,99\n'
    "00002,TWO,200,40,2,3,1,4,1,1,8,98\n"
)
HEAD = "food_id,zh,source,ndb_no," + ",".join(CONTENTS) + ",note\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    table, ingredients = tmp_path / "usda.csv", tmp_path / "ingredients.csv"
    table.write_text(TABLE, encoding="utf-8")
    ingredients.write_text(
        HEAD + 'one,一,usda-sr28,00001,,,,,,,,,,"keep, this"\n' + "mine,我,label,,1,2,3,4,5,6,7,8,9,\n",
        encoding="utf-8",
    )
    return table, ingredients


def test_facts_are_copied_digit_for_digit_and_unknown_stays_empty(files) -> None:
    table, ingredients = files
    assert rebuild(table, ingredients) == 1
    lines = ingredients.read_text(encoding="utf-8").splitlines()
    assert lines[1] == 'one,一,usda-sr28,00001,100,50,1.25,2,,3.10,,0.4,7,"keep, this"'


def test_rows_of_other_sources_are_left_alone(files) -> None:
    table, ingredients = files
    rebuild(table, ingredients)
    assert ingredients.read_text(encoding="utf-8").splitlines()[2] == "mine,我,label,,1,2,3,4,5,6,7,8,9,"


def test_a_second_run_changes_nothing(files) -> None:
    table, ingredients = files
    rebuild(table, ingredients)
    once = ingredients.read_bytes()
    rebuild(table, ingredients)
    assert ingredients.read_bytes() == once


def test_an_unknown_number_is_refused_and_the_file_kept(files, capsys) -> None:
    table, ingredients = files
    ingredients.write_text(ingredients.read_text().replace("00001", "77777"), encoding="utf-8")
    before = ingredients.read_bytes()
    with pytest.raises(TableError, match="one: no ndb_no '77777'"):
        rebuild(table, ingredients)
    assert ingredients.read_bytes() == before
    assert main([str(table), str(ingredients)]) == 1
    assert "77777" in capsys.readouterr().err


def test_a_file_without_the_columns_is_refused(files) -> None:
    table, ingredients = files
    ingredients.write_text("food_id,source\n", encoding="utf-8")
    with pytest.raises(TableError, match="no column"):
        rebuild(table, ingredients)


def test_usage(capsys) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
