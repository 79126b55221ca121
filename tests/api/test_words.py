"""Problems in the caller's language."""

from __future__ import annotations

import itertools
import re

import pytest
from starlette.routing import compile_path

from edge.api.problem_texts import TEXTS
from edge.api.problems import ApiProblem, language_of, problem_body

PROTECTED = "/api/v1/users"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr,de", "zh"),
        ("fr;q=1,en;q=0.1", "en"),
        ("zh;q=0.1, en;q=0.2", "en"),
        ("en;q=0,zh;q=0", "zh"),
        ("*;q=0.5", "zh"),
        ("en;q=x", "zh"),
        ("," * 300 + "en", "zh"),
        ("en;q=0.8;x=1", "zh"),
    ],
)
def test_the_language_follows_the_header(header, language):
    assert language_of(header) == language


def test_every_problem_has_words_in_both_languages_that_can_be_filled_in():
    params = {"limit": 1, "seconds": 2, "reason": "r"}
    for code in TEXTS:
        for language in ("zh", "en"):
            body = problem_body(ApiProblem(code, params=params), language, "urn:x")
            assert body["detail"]
            assert "{" not in body["detail"]
            if code != "demo_refused":
                assert bool(re.search("[一-鿿]", body["title"] + body["detail"])) == (language == "zh"), code


def test_answers_say_which_language_they_are_in(api):
    answer = api.get(PROTECTED, headers={"Accept-Language": "en"})
    assert (answer.headers["content-language"], answer.headers["vary"]) == ("en", "Accept-Language")


def test_no_two_routes_share_a_path_and_method(shared_api):
    seen = [(route.method, compile_path(route.path)[0].pattern) for route in shared_api.routes()]
    assert [pair for pair, group in itertools.groupby(sorted(seen)) if len(list(group)) > 1] == []


@pytest.mark.parametrize(
    ("code", "facts", "zh", "en"),
    [
        ("bad_value", {"max_fen": 12_005, "balance_fen": 487_995}, "最多 120.05 元", "At most 120.05 yuan now."),
        ("bad_value", {"max_fen": -3}, "最多 0.00 元", "At most 0.00 yuan now."),
        ("bad_value", {"max_plates": 64}, "1 到 64", "1 to 64"),
        ("bad_value", {"line_nos": [1, 2]}, "行号：1, 2。", "Lines: 1, 2."),
        ("already_refunded", {"line_nos": [2]}, "行号：2。", "Lines: 2."),
        ("bad_value", {"priced_by": "weight", "max_grams": 5000}, "克数，1 到 5000", "the grams, 1 to 5000"),
        ("bad_value", {"priced_by": "portion"}, "按份卖", "by the portion"),
        ("blocked", {"problem": "plate_retired"}, "已停用", "out of use"),
    ],
)
def test_what_the_daemon_told_of_the_limit_is_said_in_words(code, facts, zh, en):
    """Pages show the detail and nothing of the facts: "check the values" alone is no way out."""
    for language, words in (("zh", zh), ("en", en)):
        plain = problem_body(ApiProblem(code), language, "urn:x")["detail"]
        told = problem_body(ApiProblem(code, facts=facts), language, "urn:x")["detail"]
        assert told.startswith(plain)
        assert words in told
    assert problem_body(ApiProblem(code, facts={"lane": "1"}), "en", "urn:x")["detail"].endswith(".")
