"""Every code by which the box names a cause has words in both languages, and every such word a code that is said.

The codes are the sets of ``edge.domain.*.codes``. That those sets are complete is read from the sources: every literal
that a module gives as a cause or a reason must be in them."""

from __future__ import annotations

import ast
import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.domain.alarm_states import BOOK_CAUSES
from edge.domain.field_devices import OUTPUT_FAULTS, SESSION_ENDS
from edge.domain.garage import codes

ROOT = Path(__file__).parents[2]
I18N = ROOT / "edge/web/src/i18n"
WORDS = {
    lang: json.loads((I18N / f"{lang}.json").read_text("utf-8"))
    | json.loads((I18N / f"gym.{lang}.json").read_text("utf-8"))
    for lang in ("zh", "en")
}
#: A vertical that raises alarms names them in a module ``codes`` of its own, in a set ``ALARM_CAUSES``.
VERTICALS = sorted(path.parent.name for path in (ROOT / "edge/domain").glob("*/codes.py"))
#: Where a call takes a cause or a reason: function -> position, or the name of the argument.
ARGUMENTS: dict[str, tuple[int | str, frozenset[str]]] = {
    "raise_alarm": ("cause", codes.ALARM_CAUSES),
    "Due": (0, codes.ALARM_CAUSES),
    "_alarm": (2, codes.ALARM_CAUSES),
    "impulse": (2, codes.LATCH_CAUSES),
    "_remember": (2, codes.LATCH_CAUSES),
    "cut_port": (2, codes.OFF_REASONS),
    "_end": (3, codes.OFF_REASONS),
    "_decide": (1, codes.OFF_REASONS),
    "order_off": ("reason", codes.OFF_REASONS),
}
#: Functions whose returned words end a session or latch a zone; "judge" gives (holder, why not).
ENDS = ("cap_of_reading", "cap_of_time", "_measure", "_minutes", "told", "_first_cause")


def words(prefix: str, lang: str) -> set[str]:
    return {key.removeprefix(prefix) for key in WORDS[lang] if key.startswith(prefix)}


def alarm_causes() -> set[str]:
    found = set(BOOK_CAUSES)
    for vertical in VERTICALS:
        found |= importlib.import_module(f"edge.domain.{vertical}.codes").ALARM_CAUSES
    return found


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("cause.", alarm_causes() | codes.LATCH_CAUSES),
        ("why_off.", codes.OFF_REASONS),
        ("trouble.", codes.TROUBLES),
        ("card_answer.", codes.CARD_ANSWERS),
        ("access_event.", codes.ACCESS_EVENTS),
    ],
)
def test_every_code_has_words_and_every_word_a_code(lang, prefix, said):
    have = words(prefix, lang)
    assert set(said) - have == set(), f"no {lang} words for these codes: add {prefix}<code> to i18n/{lang}.json"
    assert have - set(said) == set(), f"words that no code of edge.domain.*.codes needs: remove them from {lang}.json"
    assert all(WORDS[lang][prefix + code].strip() for code in said)


def literals(tree: ast.Module) -> Iterator[tuple[str, str, frozenset[str]]]:
    """(where, literal, the set that it must be in) of every cause and reason that is written out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            place, allowed = ARGUMENTS.get(name, ("", frozenset()))
            given = {word.arg: word.value for word in node.keywords}.get(str(place))
            if isinstance(place, int) and len(node.args) > place:
                given = node.args[place]
            for one in [] if given is None else text_of(given):
                yield name, one, allowed
        elif isinstance(node, ast.FunctionDef) and node.name in {*ENDS, "judge"}:
            allowed = codes.CARD_ANSWERS if node.name == "judge" else codes.OFF_REASONS
            for each in ast.walk(node):
                if isinstance(each, ast.Return) and each.value is not None:
                    yield from ((node.name, one, allowed) for one in text_of(each.value))


def text_of(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.Tuple):
        yield from text_of(node.elts[-1])
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from text_of(value)
    elif isinstance(node, ast.IfExp):
        yield from text_of(node.body)
        yield from text_of(node.orelse)


def test_no_module_says_a_code_that_is_not_listed():
    garage, book = (ROOT / "edge/domain/garage").glob("*.py"), (ROOT / "edge/domain").glob("alarm*.py")
    found = [(path.name, *each) for path in garage for each in literals(ast.parse(path.read_text("utf-8")))]
    raised = [(path.name, *each) for path in book for each in literals(ast.parse(path.read_text("utf-8")))]
    found += [each for each in raised if each[1] == "raise_alarm"]
    unlisted = {(file, where, code) for file, where, code, allowed in found if code not in allowed}
    assert unlisted == set(), "list these in edge/domain/garage/codes.py and give them words"
    seen = {where for _, where, _, _ in found}
    assert set(ARGUMENTS) - {"_remember"} <= seen | {"order_off"}, "the scan misses what it looks for"
    said = {code for *_, code, _ in found}
    assert said >= {"hand", "set_aside", "overpower", "stopped", "door_forced", "restart", "expired"}


def test_tables_of_causes_are_listed():
    from edge.domain.garage import charging_alarms, zone_alarms

    assert set(zone_alarms._CUT_CAUSE.values()) | set(zone_alarms._SILENT.values()) <= codes.ALARM_CAUSES
    assert set(zone_alarms._CUT_CAUSE) <= codes.TROUBLES
    assert set(charging_alarms.WARNINGS) <= codes.ALARM_CAUSES


def test_drivers_say_only_listed_faults_and_ends():
    """Literal faults and end reasons of every driver; tables are read by their values."""
    from drivers.dc589 import sessions
    from drivers.dny import driver as dny
    from drivers.ocpp16 import readings
    from drivers.shelly import driver as shelly

    ends = {*sessions._END_REASONS.values(), *dny._REASONS.values(), *readings._END_REASONS.values()}
    assert ends <= SESSION_ENDS
    faults = {*readings._FAULTS.values(), *shelly._FAULTS.values()}
    for path in (ROOT / "drivers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "OutputReading":
                faults |= {one for word in node.keywords if word.arg == "fault" for one in text_of(word.value)}
    assert faults <= OUTPUT_FAULTS


def test_the_doors_write_only_listed_events():
    tree = ast.parse((ROOT / "edge/domain/garage/access.py").read_text("utf-8"))
    said = {
        each.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_note"
        for each in ast.walk(node.args[2])
        if isinstance(each, ast.Constant)
    }
    assert said == codes.ACCESS_EVENTS
