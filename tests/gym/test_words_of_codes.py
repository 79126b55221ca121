"""Every code of the gym that a page shows has words in both languages, and every such word a code."""

from __future__ import annotations

import ast
import functools
import json
from pathlib import Path

import pytest

from edge.domain.gym import codes
from edge.domain.gym.limits import Level
from edge.domain.gym.messages import GRADES, STOP_REASONS
from edge.domain.gym.settings import AssetKind
from edge.domain.gym.view_types import Use
from edge.domain.gym.workout_state import Phase

ROOT = Path(__file__).parents[2]
WORDS = {lang: json.loads((ROOT / f"edge/web/src/i18n/gym.{lang}.json").read_text("utf-8")) for lang in ("zh", "en")}
SAID = {
    "use.": {one.value for one in Use},
    "phase.gym.": {one.value for one in Phase},
    "kind.": {one.value for one in AssetKind},
    "level.": {one.value for one in Level},
    "source.of.": {"personal", "table", "none", "rpe"},
    "lap.": codes.LAP_PROBLEMS,
    "due.": codes.DUE_CODES,
    "order_cause.": codes.ORDER_CAUSES,
    "ended.": codes.END_REASONS,
    "not_now.": codes.NOT_NOW,
    "grade.": set(GRADES),
    "step.": codes.STEPS,
    "order_state.": {"seen", "acknowledged", "ticket", "locked_out", "closed"},
}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("prefix", SAID)
def test_every_code_has_words_and_every_word_a_code(lang, prefix):
    have = {key.removeprefix(prefix) for key in WORDS[lang] if key.startswith(prefix)}
    have = {key for key in have if "." not in key}
    assert set(SAID[prefix]) - have == set(), f"add {prefix}<code> to i18n/{lang}.json"
    assert have - set(SAID[prefix]) == set(), f"words of no code: remove them from i18n/{lang}.json"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_reason_to_stop_can_be_chosen_in_words(lang):
    assert all(WORDS[lang][f"stop.{reason}"] for reason in STOP_REASONS)


@functools.cache
def calls():
    """Every call in the gym's modules, by the name of what is called."""
    found = {}
    for path in (ROOT / "edge/domain/gym").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
                found.setdefault(name, []).append(node)
    return found


def said(function, position):
    """Every literal given to ``function`` at ``position`` (or by that keyword) in the gym's modules."""
    for node in calls().get(function, ()):
        given = {word.arg: word.value for word in node.keywords}.get(str(position))
        if isinstance(position, int) and len(node.args) > position:
            given = node.args[position]
        if isinstance(given, ast.Constant) and isinstance(given.value, str) and given.value:
            yield given.value


def test_no_module_says_a_code_that_is_not_listed():
    found = {
        "alarms": set(said("raise_alarm", "cause")) | set(said("_raise", 3)) | set(said("_level", 3)),
        "orders": set(said("open_order", 2)) | set(said("lock", 2)),
        "ends": set(said("end", 1)),
        "not_now": set(said("refused", "problem")),
        "steps": set(said("_step", 2)) | set(said("_keep", 2)),
    }
    assert all(found.values()), "the scan misses what it looks for"
    assert found["alarms"] <= codes.ALARM_CAUSES
    assert found["orders"] <= codes.ORDER_CAUSES
    assert found["ends"] <= codes.END_REASONS
    assert found["not_now"] <= codes.NOT_NOW
    assert {step.partition(":")[0] for step in found["steps"]} <= codes.STEPS
