"""Every mistake of every file at once, each at its own line, with what is allowed and what to do."""

from __future__ import annotations

import json
import shutil
from datetime import date

import pytest

from edge.site import SiteErrors, load_site, mistakes_json, render_mistakes
from edge.site_report import MAX_MISTAKES, WHAT

LANE = '[[canteen.lanes]]\nlane = "1"'

#: (file, what stands there, what is planted instead, lines further down, code, words of the key path, words of the
#: hint)
PLANTED = [
    ("site.toml", "port = 8600", "prot = 8600", 0, "unknown_key", "api.prot", 'did you mean "port"'),
    (
        "canteen/dishes/10_main.toml",
        'price_yuan = "18.00"',
        "price_yuan = 18.0",
        0,
        "wrong_type",
        "price_yuan",
        "quotes",
    ),
    ("canteen/dishes/30_vegetable.toml", "spinach = 1600", "spinech = 1600", 0, "unknown_id", "spinech", '"spinach"'),
    ("canteen/cooking.toml", "meat = 78", "meat = 7800", 0, "out_of_range", "meat", ""),
    ("canteen/menu.toml", '"d001", "d002"', '"d001", "d999"', 0, "unknown_id", "day[0].dishes[1]", ""),
    ("canteen/meals.toml", 'start = "10:30"', 'start = "10:3"', 0, "bad_format", "start", ""),
    ("canteen/tariff.toml", "end = 2025-11-30", "end = 2023-11-30", 0, "contradiction", "end", ""),
    ("canteen/categories.toml", "age = 82", 'age = "82"', 0, "wrong_type", "age", ""),
    ("canteen/references.toml", "energy_kj = 8400", "energy_kcal = 2000", 0, "unknown_key", "energy_kcal", ""),
    (
        "canteen/ingredients.csv",
        "pork_belly,五花肉,pork belly,meat",
        "pork_belly,五花肉,pork belly,maet",
        0,
        "not_allowed",
        "group",
        "",
    ),
    ("canteen/plates.csv", "A002,", "A001,", 0, "duplicate", "label", "line 2"),
    ("canteen/members.csv", "1961-03-14", "1961-02-30", 0, "bad_format", "born", ""),
]


def test_twelve_mistakes_in_twelve_files_at_once(site) -> None:
    lines = [site.swap(file, old, new) + shift for file, old, new, shift, *_ in PLANTED]
    found = site.mistakes()
    for (file, _, _, _, code, path, hint), line in zip(PLANTED, lines, strict=True):
        at = [m for m in found if m.file == file and m.code == code]
        assert [(m.line, path in m.path) for m in at] == [(line, True)], file
        assert hint in at[0].hint.en
        assert at[0].allowed.en or at[0].hint.en
    # The wrong key of references.toml also leaves the right one missing; nothing else follows from anything.
    extra = [m for m in found if (m.file, m.code) == ("canteen/references.toml", "missing")]
    assert len(found) == len(PLANTED) + len(extra) == len(PLANTED) + 1


#: (file, old, new, code, part of the path): one mistake each, and nothing else is reported.
SINGLE = [
    ("site.toml", 'site_id = "kangle-example"', 'site_id = "Kangle!"', "bad_format", "site_id"),
    ("site.toml", 'en = "Kangle Canteen"', 'en = "Kangle Canteen", fr = "Cantine"', "unknown_key", "name.fr"),
    ("site.toml", 'verticals = ["canteen", "garage", "gym"]', 'verticals = ["canten"]', "unknown_id", "verticals[0]"),
    ("site.toml", 'host = "127.0.0.1"', 'host = "0.0.0.0"', "unsafe", "api.host"),
    ("site.toml", 'host = "127.0.0.1"', 'host = "192.168.1.5"', "unsafe", "api.host"),
    ("site.toml", 'host = "127.0.0.1"', 'host = "::"', "unsafe", "api.host"),
    ("site.toml", "usb-1a86_USB_Serial_EXAMPLE2", "usb-FTDI_FT232R_USB_UART_EXAMPLE1", "duplicate", "devices[1].link"),
    ("site.toml", '"127.0.0.1", "localhost"]', '"127.0.0.1", "*"]', "unsafe", "allowed_hosts[1]"),
    ("site.toml", "port = 8600", "port = 0", "out_of_range", "api.port"),
    ("site.toml", "port = 8600", "port = true", "wrong_type", "api.port"),
    ("site.toml", 'protocol = "feig"', 'protocol = "fieg"', "not_allowed", "protocol"),
    ("site.toml", "serial:///dev/serial/by-id/usb-FTDI", "serial://dev/serial/by-id/usb-FTDI", "bad_format", "link"),
    ("site.toml", "parity=E", "parity=X", "bad_format", "link"),
    ("site.toml", "power_cdbm = 1500", "power_cdbm = 9900", "not_allowed", "power_cdbm"),
    ("site.toml", "power_cdbm = 1500", "power_cdbm = 15.0", "wrong_type", "power_cdbm"),
    ("site.toml", "idle_poll_ms = 40", "idle_pol_ms = 40", "not_allowed", "idle_pol_ms"),
    ("site.toml", 'device = "reader-1"\n\n', 'device = "reader-9"\n\n', "unknown_id", "lanes[0].device"),
    ("site.toml", 'lane = "2"', 'lane = "1"', "duplicate", "lanes[1].lane"),
    ("site.toml", "epsilon = 1e-4", "epsilon = 0.5", "out_of_range", "epsilon"),
    ("site.toml", "epsilon = 1e-4", 'epsilon = "1e-4"', "wrong_type", "epsilon"),
    ("site.toml", 'default_category = "guest"', 'default_category = "guset"', "unknown_id", "default_category"),
    ("site.toml", '# run_dir = "/run/kangle"', f'run_dir = "/{"x" * 120}"', "out_of_range", "run_dir"),
    ("canteen/dishes/10_main.toml", 'kind = "main"', 'kind = "mian"', "not_allowed", "kind"),
    ("canteen/dishes/10_main.toml", 'price_yuan = "18.00"', 'price_yuan = "1800.00"', "out_of_range", "price_yuan"),
    ("canteen/dishes/10_main.toml", 'price_yuan = "18.00"', 'price_yuan = "18.005"', "bad_format", "price_yuan"),
    ("canteen/dishes/10_main.toml", 'method = "steam"', 'method = "steem"', "unknown_id", "method"),
    ("canteen/dishes/10_main.toml", "bass = 1800\n", "bass = 1800\nbass_egg = 1\n", "unknown_id", "bass_egg"),
    ("canteen/dishes/10_main.toml", 'fried = ["pork_ribs"]', 'fried = ["pork_rib"]', "unknown_id", "fried[0]"),
    ("canteen/dishes/10_main.toml", 'frying_oil = "soybean_oil"\n', "", "missing", "frying_oil"),
    ("canteen/dishes/10_main.toml", "salt = 30\nginger", "salt = 0\nginger", "out_of_range", "salt"),
    (
        "canteen/dishes/10_main.toml",
        "[dish.eaten_pct]\nsalt = 30",
        "[dish.eaten_pct]\nsault = 30",
        "unknown_id",
        "sault",
    ),
    ("canteen/dishes/20_half_meat.toml", '"gluten", "soy"]', '"gluten", "eggs"]', "contradiction", "free_of"),
    ("canteen/dishes/20_half_meat.toml", 'marks = ["spicy"', 'marks = ["vegetarian"', "contradiction", "marks"),
    ("canteen/dishes/20_half_meat.toml", 'marks = ["spicy"', 'marks = ["low_salt"', "contradiction", "marks"),
    (
        "canteen/dishes/20_half_meat.toml",
        'may_contain = ["peanuts"]',
        'may_contain = ["peanut"]',
        "unknown_id",
        "may_contain[0]",
    ),
    (
        "canteen/dishes/50_staple.toml",
        "water = 1950",
        "water = 1950\n[dish.eaten_pct]\nrice = 0\nwater = 0",
        "implausible",
        "eaten_pct",
    ),
    (
        "canteen/dishes/50_staple.toml",
        'method = "cook_grain"\n',
        'method = "cook_grain"\ncooked_g = 700\n',
        "implausible",
        "grams",
    ),
    (
        "canteen/dishes/70_fruit.toml",
        '"vegetarian", "soft", "low_salt"]',
        '"vegetarian", "low_sugar"]',
        "contradiction",
        "marks",
    ),
    ("canteen/ingredients.csv", "10005,518,", "10005,815,", "energy", "energy_kcal"),
    ("canteen/ingredients.csv", "10005,518,36.74,9.34,", "10005,518,36.74,934,", "out_of_range", "protein_g"),
    ("canteen/ingredients.csv", "10005,518,", "10005,,", "missing", "energy_kcal"),
    ("canteen/ingredients.csv", "10005,518,", "1005,518,", "missing", "ndb_no"),
    ("canteen/ingredients.csv", ",soy gluten,", ",soja gluten,", "not_allowed", "allergens"),
    ("canteen/menu.toml", "closed_weekdays = []", 'closed_weekdays = ["funday"]', "unknown_id", "closed_weekdays[0]"),
    ("canteen/menu.toml", "closed = true\n", "", "contradiction", "exception[0]"),
    ("canteen/menu.toml", "cycle_start = 2026-01-05", "", "missing", "cycle_start"),
    ("canteen/menu.toml", "cycle_start = 2026-01-05", "cycle_start = 2026-01-05T00:00:00", "bad_format", "cycle_start"),
    ("canteen/meals.toml", 'start = "10:30"', 'start = "08:20"', "ambiguous", "start"),
    ("canteen/meals.toml", 'end = "08:30"', 'end = "06:00"', "contradiction", "end"),
    ("canteen/tariff.toml", "start = 2025-12-01", "start = 2025-13-01", "syntax", ""),
    ("canteen/tariff.toml", 'kind = "discount"', 'kind = "discont"', "not_allowed", "kind"),
    ("canteen/tariff.toml", "max_age = 79\npays", "max_age = 85\npays", "ambiguous", "rule[1].id"),
    ("canteen/tariff.toml", "min_age = 80\npays", "min_age = 80\nmax_age = 70\npays", "contradiction", "max_age"),
    ("canteen/tariff.toml", 'pays_percent = "85"', 'pays_percent = "185"', "out_of_range", "pays_percent"),
    ("canteen/tariff.toml", 'pays_percent = "85"', 'pays_percent = "85"\nunit_fen = 10', "contradiction", "unit_fen"),
    ("canteen/tariff.toml", "unit_fen = 10", "unit_fen = 1", "out_of_range", "unit_fen"),
    ("canteen/tariff.toml", 'dishes = ["d032"]', 'dishes = ["d32"]', "unknown_id", "dishes[0]"),
    ("canteen/tariff.toml", 'meals = ["dinner"]', 'meals = ["diner"]', "unknown_id", "meals[0]"),
    ("canteen/tariff.toml", "per_person_per_day = 1", 'daily_yuan = "4.00"', "contradiction", "daily_yuan"),
    ("canteen/tariff.toml", 'id = "putuo-2025-subsidy-c"', 'id = "putuo-2025-subsidy-b"', "duplicate", "id"),
    ("canteen/tariff.toml", 'spend_basis = "list"', 'spend_basis = "lists"', "not_allowed", "spend_basis"),
    ("canteen/categories.toml", 'id = "xuhui-70"', 'id = "xuhui-60"', "duplicate", "category[6].id"),
    ("canteen/references.toml", "sodium_mg = 2000\n", "", "missing", "sodium_mg"),
    ("canteen/plates.csv", "e0040150f3830211", "E0040150F3830211", "bad_format", "uid"),
    ("canteen/plates.csv", "e0040150f3830211", "e004010021da5127", "duplicate", "uid"),
    ("canteen/plates.csv", "bowl-small,166", "bowl-small,1e3", "out_of_range", "tare_g"),
    ("canteen/plates.csv", "bowl-small,166", "bowl-small", "bad_format", ""),
    ("canteen/members.csv", "0927808801", "2992538921", "duplicate", "card"),
    ("canteen/members.csv", "putuo,yes,no", "putuo,ja,no", "not_allowed", "hukou"),
]


@pytest.mark.parametrize(("file", "old", "new", "code", "path"), SINGLE)
def test_one_mistake_is_one_report(site, file, old, new, code, path) -> None:
    line = site.swap(file, old, new)
    found = site.mistakes()
    assert [(m.file, m.code) for m in found] == [(file, code)]
    assert path in found[0].path
    if code != "missing" and "\n" not in old and "\n" not in new and path:
        assert found[0].line == line


def test_a_twice_used_dish_id_names_the_first_place(site) -> None:
    first = site.swap("canteen/dishes/10_main.toml", 'id = "d001"', 'id = "d001"')
    site.swap("canteen/dishes/70_fruit.toml", 'id = "d048"', 'id = "d001"')
    found = site.mistakes()
    assert [(m.file, m.code) for m in found] == [
        ("canteen/dishes/70_fruit.toml", "duplicate"),
        ("canteen/menu.toml", "unknown_id"),
    ]
    assert found[0].hint.en == f"first at canteen/dishes/10_main.toml:{first}"


def test_a_renamed_column_is_told_once_and_no_row_is_blamed(site) -> None:
    site.swap("canteen/ingredients.csv", "food_id,zh", "foodid,zh")
    found = site.mistakes()
    assert [(m.code, m.path, m.line) for m in found] == [("missing", "food_id", 1), ("unknown_key", "foodid", 1)]
    assert 'did you mean "foodid"' in found[0].hint.en


def test_a_column_too_many_at_the_top_does_not_crowd_out_the_other_mistakes(site) -> None:
    site.swap("canteen/plates.csv", "tare_g", "tare_g,note")
    site.swap("canteen/tariff.toml", 'spend_basis = "list"', 'spend_basis = "net"')
    found = site.mistakes()
    assert [m.code for m in found if m.file == "canteen/plates.csv"] == ["unknown_key"] + 5 * ["bad_format"]
    rows = [m for m in found if m.code == "bad_format"]
    assert {(m.value, m.allowed.en) for m in rows} == {("4", "5 fields, as in the first line")}
    assert [bool(m.hint.en) for m in rows] == 4 * [False] + [True]
    assert [m.file for m in found][-1] == "canteen/tariff.toml"
    assert "too_many" not in {m.code for m in found}


def test_members_have_no_names(site) -> None:
    header, *rows = site.read("canteen/members.csv").splitlines()
    site.write("canteen/members.csv", "\n".join([f"{header},name", *(f"{row},王" for row in rows)]))
    assert [(m.code, m.value) for m in site.mistakes()] == [("unknown_key", "name")]


@pytest.mark.parametrize(
    "file",
    ["site.toml", "canteen/menu.toml", "canteen/cooking.toml", "canteen/dishes/10_main.toml", "canteen/meals.toml"],
)
def test_a_broken_file_is_one_mistake_and_blames_no_other(site, file) -> None:
    site.write(file, site.read(file) + "\n= oops\n")
    assert [(m.file, m.code) for m in site.mistakes()] == [(file, "syntax")]


@pytest.mark.parametrize("file", ["ingredients.csv", "plates.csv", "members.csv", "tariff.toml", "references.toml"])
def test_a_missing_file_is_one_mistake(site, file) -> None:
    (site.folder / "canteen" / file).unlink()
    assert [(m.file, m.code) for m in site.mistakes()] == [(f"canteen/{file}", "unreadable")]


def test_a_broken_site_file_does_not_hide_the_tables(site) -> None:
    site.write("site.toml", "site_id = ")
    site.swap("canteen/plates.csv", "e0040150f3830211", "e004")
    assert [(m.file, m.code) for m in site.mistakes()] == [
        ("canteen/plates.csv", "bad_format"),
        ("site.toml", "syntax"),
    ]


def test_no_site_at_all_is_one_mistake(tmp_path) -> None:
    with pytest.raises(SiteErrors) as caught:
        load_site(tmp_path / "nowhere", date(2026, 11, 22))
    assert [(m.file, m.code) for m in caught.value.mistakes] == [("nowhere", "unreadable")]


def test_a_site_without_dishes_is_one_mistake(site) -> None:
    shutil.rmtree(site.folder / "canteen/dishes")
    assert [(m.file, m.code) for m in site.mistakes()] == [("canteen/dishes", "missing")]


def test_a_csv_that_is_not_utf8_names_the_remedy(site) -> None:
    (site.folder / "canteen/members.csv").write_bytes("token,card,born,district\n康乐".encode("gbk"))
    found = site.mistakes()
    assert [(m.file, m.code) for m in found] == [("canteen/members.csv", "syntax")]
    assert "UTF-8" in found[0].hint.en


def test_the_flood_is_bounded_and_counted(site) -> None:
    rows = "".join(f"zz{n},L{n},bowl,200\n" for n in range(MAX_MISTAKES + 7))
    site.write("canteen/plates.csv", "uid,label,kind,tare_g\n" + rows)
    found = site.mistakes()
    assert len(found) == MAX_MISTAKES + 1
    assert (found[-1].code, found[-1].hint.en) == ("too_many", "7")


def test_rendering_in_both_languages_and_as_json(site) -> None:
    line = site.swap("site.toml", "port = 8600", "prot = 8600")
    found = site.mistakes()
    assert render_mistakes(found, "en").splitlines()[0] == f"site.toml:{line}  api.prot  unknown key: prot"
    chinese = render_mistakes(found, "zh")
    assert "不认识这个键：prot" in chinese
    assert "是不是想写“port”？" in chinese
    body = json.loads(mistakes_json(found))
    assert body[0]["line"] == line
    assert body[0]["what"] == {"zh": "不认识这个键", "en": "unknown key"}


def test_control_characters_never_reach_the_terminal(site) -> None:
    site.swap("site.toml", 'device = "reader-1"\nproto', 'device = "\\u001b[31mred"\nproto')
    site.swap("canteen/categories.toml", 'id = "guest"', 'id = "guest"\n"\\u001b[31mred" = 1')
    site.swap("garage/credentials.csv", "card,", "card\x1b[31m,")
    found = site.mistakes()
    assert {m.file for m in found} >= {"site.toml", "canteen/categories.toml", "garage/credentials.csv"}
    assert "\x1b" not in render_mistakes(found, "en")


@pytest.mark.parametrize(
    ("file", "old", "new", "value"),
    [
        ("canteen/menu.toml", "cycle_start = 2026-01-05", "cycle_start = 2026-01-05T06:30:00", "2026-01-05T06:30:00"),
        ("canteen/meals.toml", 'start = "10:30"', "start = 10:30:00", "10:30:00"),
        ("site.toml", "port = 8600", "port = true", "true"),
    ],
)
def test_a_value_is_told_as_it_stands_in_the_file(site, file, old, new, value) -> None:
    site.swap(file, old, new)
    (found,) = site.mistakes()
    assert found.value == value


@pytest.mark.parametrize("planted", ["dishes = []", "#"])
def test_a_special_without_a_dish_is_one_mistake(site, planted) -> None:
    site.swap("canteen/tariff.toml", 'dishes = ["d032"]', planted)
    (found,) = site.mistakes()
    assert (found.code, found.path, found.allowed.en) == ("missing", "rule[7].dishes", "at least one dish")


def test_a_frying_oil_that_is_no_ingredient_names_where_they_stand(site) -> None:
    site.swap("canteen/dishes/10_main.toml", "frying_oil = ", 'frying_oil = "zz" #')
    (found,) = site.mistakes()
    assert (found.value, found.allowed.en) == ("zz", "ids of ingredients.csv")


def test_every_code_has_words_in_both_languages() -> None:
    assert all(text.zh and text.en for text in WHAT.values())


WARNED = [
    ("site.toml", "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_EXAMPLE1-if00-port0", "/dev/ttyUSB0", "contradiction"),
    ("site.toml", LANE + '\nname = { zh = "1 号结算台", en = "Checkout 1" }\ndevice = "reader-1"\n', "", "unused"),
    ("canteen/members.csv", ",xuhui,", ",xuhiu,", "unknown_id"),
    (
        "canteen/dishes/50_staple.toml",
        'method = "cook_grain"\n',
        'method = "cook_grain"\ncooked_g = 1400\n',
        "implausible",
    ),
    ("canteen/menu.toml", '"d001", "d002"', '"d002"', "menu_plan"),
]


@pytest.mark.parametrize(("file", "old", "new", "code"), WARNED)
def test_doubts_are_warnings_and_do_not_stop_the_site(site, file, old, new, code) -> None:
    before = len(site.load().warnings)
    site.swap(file, old, new)
    warnings = site.load().warnings
    assert len(warnings) == before + 1
    assert (file, code) in [(m.file, m.code) for m in warnings]
