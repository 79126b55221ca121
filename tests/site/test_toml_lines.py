"""Line numbers of TOML keys: right, or not given at all."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from edge.site_report import Bag
from edge.site_toml import Doc, key_lines, read_toml, show_path

TRICKY = '''\ufeff# head [not.a.table]
name = "a # b" # tail
"quoted key" = 'x = "y"'
long = """
[fake]
key = "\\""
"""
raw = \'\'\'
[[fake]]
\'\'\'
list = [ # three
  1, "]", # one
  [2,
   3],
]
inline = { zh = "好", en = "{good}" }
dotted.a.b = 2026-11-22

[table . "x y"]
one = 1

[[dish]]
id = "d1"
[dish.grams]
salt = 1
[[dish]]
id = "d2"
[[dish.step]]
n = 1
[[dish.step]]
n = 2
'''.lstrip("\ufeff")


def test_tricky_constructs() -> None:
    lines = key_lines(TRICKY, tomllib.loads(TRICKY))
    at = {show_path(keys): line for keys, line in lines.items()}
    assert at["name"] == 2
    assert at["quoted key"] == 3
    assert at["long"] == 4
    assert at["raw"] == 8
    assert (at["list"], at["list[0]"], at["list[1]"], at["list[2]"], at["list[2][1]"]) == (11, 12, 12, 13, 14)
    assert at["inline.en"] == 16
    assert at["dotted.a.b"] == 17
    assert at["table.x y.one"] == 20
    assert (at["dish[0].grams.salt"], at["dish[1].id"]) == (25, 27)
    assert (at["dish[1].step[0].n"], at["dish[1].step[1].n"]) == (29, 31)


def test_no_line_when_the_scan_does_not_fit_the_data() -> None:
    assert key_lines("a = 1\n", {"a": 1, "b": 2}) == {}
    assert key_lines("a = 1\nb = 2\n", {"a": 1}) == {}


def test_windows_line_ends() -> None:
    source = "a = 1\r\n\r\n[t]\r\nb = 2\r\n"
    assert key_lines(source, tomllib.loads(source)) == {("a",): 1, ("t",): 3, ("t", "b"): 4}


def test_an_absent_key_gets_the_line_of_its_table() -> None:
    source = "x = 1\n[t]\na = 1\n"
    doc = Doc("f.toml", source, tomllib.loads(source))
    assert doc.place(("t", "missing")).line == 2
    assert doc.place(("missing",)).line is None


KEYS = st.text("abcdefgh_-0123456789", min_size=1, max_size=6)
WORDS = st.text("ab ]}[{,=#\"'\\中文", max_size=8)


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


SCALARS = st.one_of(
    st.integers(-9, 10**6).map(str),
    st.booleans().map(lambda b: str(b).lower()),
    WORDS.map(_quoted),
    st.sampled_from(["2026-11-22", "1e-4", "'lit # eral'", '"""\n]\n"""']),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.lists(inner, max_size=3).map(lambda items: "[ # c ]\n" + "".join(f"  {i}, # ,\n" for i in items) + "]"),
        st.dictionaries(KEYS, inner.filter(lambda v: "\n" not in v), max_size=3).map(
            lambda d: "{ " + ", ".join(f"{k} = {v}" for k, v in d.items()) + " }"
        ),
    ),
    max_leaves=4,
)
TABLES = st.lists(
    st.tuples(st.sampled_from(["[[arr]]", "[[arr.in]]", "[[other . x]]", "[t1]"]), st.dictionaries(KEYS, VALUES)),
    max_size=4,
)


@given(top=st.dictionaries(KEYS, VALUES, max_size=4), tables=TABLES, noise=st.lists(st.booleans(), max_size=30))
@settings(max_examples=30, deadline=None)
def test_lines_are_where_the_text_was_written(
    top: dict[str, str], tables: list[tuple[str, dict[str, str]]], noise: list[bool]
) -> None:
    text, marks = "", []
    for header, pairs in [("", top), *tables]:
        text += f"{header}\n" if header else ""
        for key, value in pairs.items():
            if noise and noise.pop():
                text += '# key = "x"\n\n'
            marks.append((key, text.count("\n") + 1))
            text += f"{key} = {value} # end\n"
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        reject()  # the same table twice
    lines = key_lines(text, data)
    source = text.split("\n")
    for keys, line in lines.items():
        named = [key for key in keys if isinstance(key, str)]
        if named and isinstance(keys[-1], str) and keys[-1] not in {"t1", "x", "arr", "in", "other"}:
            assert keys[-1] in source[line - 1]
    found = sorted(line for keys, line in lines.items() if (keys[-1], line) in marks)
    assert set(found) == {line for _, line in marks}


@pytest.mark.parametrize(
    ("raw", "code"),
    [(b"a = \n", "syntax"), (b"a = '\xff'", "syntax"), (b"a = 1\na = 2", "syntax"), (None, "unreadable")],
)
def test_broken_files_are_told_once(tmp_path, raw, code) -> None:
    path = tmp_path / "x.toml"
    if raw is not None:
        path.write_bytes(raw)
    bag = Bag()
    doc = read_toml(path, "x.toml", bag)
    assert doc.broken
    assert [m.code for m in bag.mistakes()] == [code]


def test_the_syntax_error_names_its_line(tmp_path) -> None:
    (tmp_path / "x.toml").write_text("a = 1\nb = [1,\nc = 2\n")
    bag = Bag()
    read_toml(tmp_path / "x.toml", "x.toml", bag)
    assert bag.mistakes()[0].line == 3
