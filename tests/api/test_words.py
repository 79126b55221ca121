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
