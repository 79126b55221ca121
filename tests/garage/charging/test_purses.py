"""Who may charge from an aged copy, and a charge that is booked once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.garage import purses
from edge.domain.garage.messages import PurseCopy
from edge.domain.garage.purses import Purses, authorise, settle, take_copy

SECOND = 10**9
COPY = PurseCopy(as_of_wall_ns=100 * SECOND, purses=(("m1", "c1", 3000), ("m2", "", 150), ("m3", "c3", 0)))
RULES = {"limit_fen": 0, "deposit_fen": 200, "offline_fen": 1000}


@pytest.fixture
def book():
    made = Purses()
    assert take_copy(made, COPY)
    return made


@pytest.mark.parametrize(
    ("member", "card", "old", "code", "limit"),
    [
        ("m1", "", False, "ok", 3000),
        ("", "c1", False, "ok", 3000),
        ("m1", "c3", False, "ok", 3000),
        ("m1", "", True, "ok", 1000),
        ("m2", "", False, "purse_short", 0),
        ("", "c9", False, "unknown_card", 0),
        ("m9", "", False, "no_member", 0),
        ("", "", False, "no_member", 0),
    ],
)
def test_who_may_charge(book, member, card, old, code, limit):
    allowed = authorise(book, member, card, old=old, **RULES)
    assert (allowed.code, allowed.limit_fen) == (code, limit)


def test_promises_count_against_the_purse_and_the_offline_limit(book):
    first = authorise(book, "m1", "", old=False, limit_fen=2900, deposit_fen=200, offline_fen=1000)
    purses.reserve(book, "s1", first)
    assert authorise(book, "m1", "", old=False, **RULES).code == "purse_short"
    settle(book, "s1", "m1", 900, 1)
    assert purses.available_fen(book, "m1") == 2100
    assert authorise(book, "m1", "", old=True, **RULES).code == "offline_limit"


def test_an_older_copy_changes_nothing_and_a_newer_one_forgets_what_it_contains(book):
    row = settle(book, "s1", "m1", 900, 1)
    row = purses.answered(book, row, "ok", 150 * SECOND)
    assert not take_copy(book, PurseCopy(as_of_wall_ns=99 * SECOND, purses=()))
    assert purses.available_fen(book, "m1") == 2100
    take_copy(book, PurseCopy(as_of_wall_ns=149 * SECOND, purses=COPY.purses))
    assert purses.available_fen(book, "m1") == 2100, "the copy is from before the charge"
    take_copy(book, PurseCopy(as_of_wall_ns=151 * SECOND, purses=(("m1", "c1", 2100),)))
    assert purses.available_fen(book, "m1") == 2100


def test_an_unpaid_charge_outlives_every_copy(book):
    settle(book, "s1", "m1", 900, 1)
    take_copy(book, PurseCopy(as_of_wall_ns=999 * SECOND, purses=COPY.purses))
    assert purses.available_fen(book, "m1") == 2100


def test_a_session_is_settled_once(book):
    row = settle(book, "s1", "m1", 900, 1)
    assert (row.state, row.fen, row.member) == ("pending", 900, "m1")
    assert settle(book, "s1", "m1", 900, 2) is None
    assert settle(book, "s2", "m1", 0, 2) is None
    assert settle(book, "s3", "", 50, 2) is None


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        (["busy", "storage", "ok"], "paid"),
        (["purse_short"], "owed"),
        (["purse_short", "ok"], "paid"),
        (["ok", "purse_short"], "paid"),
        (["internal"], "pending"),
    ],
)
def test_answers_of_the_canteen(book, codes, state):
    row = settle(book, "s1", "m1", 900, 1)
    for code in codes:
        row = purses.answered(book, purses.tried(row), code, 200 * SECOND)
    assert (row.state, row.fen) == (state, 900)


@pytest.mark.parametrize(
    ("wall_s", "trusted", "old"), [(150, True, False), (201, True, True), (99, True, True), (150, False, True)]
)
def test_the_age_of_the_copy(book, wall_s, trusted, old):
    assert purses.is_old(book, wall_s * SECOND, 100, trusted=trusted) is old


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4000), st.integers(0, 3000)), max_size=30))
def test_promises_never_pass_the_copied_balance(sessions):
    book = Purses()
    take_copy(book, PurseCopy(as_of_wall_ns=1, purses=(("a", "", 5000), ("b", "", 900), ("c", "", 0))))
    for k, (member, limit, cost) in enumerate(sessions):
        allowed = authorise(book, member, "", limit_fen=limit, deposit_fen=100, offline_fen=500, old=k % 3 == 0)
        if allowed.code != "ok":
            continue
        purses.reserve(book, f"s{k}", allowed)
        if k % 2:
            settle(book, f"s{k}", member, min(cost, allowed.limit_fen), k)
        assert purses.available_fen(book, member) >= 0
