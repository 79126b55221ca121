"""The fast reader of payloads never says anything but what a strict one says."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drivers.messages import Message, PayloadError, json_object

_NUMBERS = "0 -0 7 1.5 -0.0 1e5 1e400 9007199254740993 123456789012345678901234567890 NaN Infinity 01 1."
_TEXTS = r'"a" "a:b" "\u003a" "\"b:" "中:" true false null tru'
_WORDS = st.sampled_from([*_NUMBERS.split(), *_TEXTS.split(), '"t\t"'])
_KEYS = st.sampled_from(['"a"', '"b"', '"c:d"', '"smoke"', '"\\u0061"'])
_SPACE = st.sampled_from(["", "", " ", "\n"])


def _pairs(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.builds("{}{}{}:{}{}".format, _SPACE, _KEYS, _SPACE, _SPACE, values)
    return st.lists(pair, max_size=5).map(lambda pairs: "{" + ",".join(pairs) + "}")


_VALUES = st.recursive(
    _WORDS, lambda inner: _pairs(inner) | st.lists(inner, max_size=3).map(lambda each: f"[{','.join(each)}]")
)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("twice")
    return dict(pairs)


def _number(word: str) -> float:
    if not math.isfinite(float(word)):
        raise ValueError(word)
    return float(word)


def _strictly(payload: str) -> str | None:
    try:
        return repr(json.loads(payload, object_pairs_hook=_once, parse_float=_number, parse_constant=_number))
    except ValueError:
        return None


def _told(payload: str) -> str | None:
    try:
        return repr(json_object(Message(topic="t", payload=payload, retain=False)))
    except PayloadError:
        return None


@given(_pairs(_VALUES))
@example('{"a":1,"a":2}')
@example('{"a" :1,"a":":"}')
@example('{"a":":","a":1}')
@example('{"a":{"b":1,"b":2}}')
@example('{"a":[":"],"a":1}')
def test_both_readers_agree(payload):
    assert _told(payload) == _strictly(payload)


@pytest.mark.parametrize(
    ("payload", "kind"),
    [('{"a":1,"a":2}', "bad_payload"), ('{"a":NaN}', "bad_value"), ("[]", "bad_payload"), ("", "bad_payload")],
)
def test_what_is_refused_says_why(payload, kind):
    with pytest.raises(PayloadError) as refused:
        json_object(Message(topic="t", payload=payload, retain=False))
    assert refused.value.problem.kind == kind
