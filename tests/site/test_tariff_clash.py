"""Which pairs of rules compete for the same diner, day and meal."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.canteen.settings import Rule, RuleKind, SpendBasis
from edge.domain.words import Text
from edge.site_tariff import _clash


def rule(kind: RuleKind = RuleKind.DISCOUNT, **more: object) -> Rule:
    facts: dict[str, object] = {"start": "2026-01-01", "district": "putuo", "min_age": 60, **more}
    return Rule(rule_id="r", version="1", kind=kind, title=Text("", ""), **facts)


BASE = rule(end="2026-12-31", max_age=79, hukou=True, low_income=False, meals=("lunch",))


@pytest.mark.parametrize(
    ("change", "clash"),
    [
        ({}, True),
        ({"start": "2026-12-31", "end": ""}, True),
        ({"start": "2027-01-01", "end": ""}, False),
        ({"start": "2025-01-01", "end": "2026-01-01"}, True),
        ({"start": "2025-01-01", "end": "2025-12-31"}, False),
        ({"min_age": 79, "max_age": None}, True),
        ({"min_age": 80, "max_age": None}, False),
        ({"min_age": None, "max_age": 60}, True),
        ({"min_age": None, "max_age": 59}, False),
        ({"hukou": None}, True),
        ({"hukou": False}, False),
        ({"low_income": None}, True),
        ({"low_income": True}, False),
        ({"meals": ()}, True),
        ({"meals": ("lunch", "dinner")}, True),
        ({"meals": ("dinner",)}, False),
        ({"district": "xuhui"}, False),
        ({"district": ""}, False),
    ],
)
def test_one_condition_apart(change: dict[str, object], clash: bool) -> None:
    other = msgspec.structs.replace(BASE, **change)
    assert _clash(BASE, other) is clash
    assert _clash(other, BASE) is clash


def test_specials_compete_for_dishes_and_subsidies_within_a_scheme() -> None:
    special = rule(RuleKind.SPECIAL, dishes=("a", "b"))
    assert _clash(special, rule(RuleKind.SPECIAL, dishes=("b",)))
    assert not _clash(special, rule(RuleKind.SPECIAL, dishes=("c",)))
    subsidy = rule(RuleKind.SUBSIDY, scheme="s")
    assert _clash(subsidy, rule(RuleKind.SUBSIDY, scheme="s"))
    assert not _clash(subsidy, rule(RuleKind.SUBSIDY, scheme="t"))


@pytest.mark.parametrize(
    ("everybody", "district", "clash"),
    [
        ((200, 800, "list"), (500, 2000, "list"), True),
        ((200, 800, "list"), (500, 800, "list"), False),
        ((200, 800, "list"), (500, 0, "discounted"), False),
        ((200, 800, "list"), (500, 800, "discounted"), True),
        ((200, 800, "discounted"), (500, 800, "list"), False),
        ((500, 800, "list"), (200, 0, "list"), True),
        ((500, 800, "list"), (500, 900, "list"), True),
        ((500, 800, "list"), (500, 800, "list"), False),
    ],
)
def test_a_greater_subsidy_of_a_district_must_not_hide_the_one_for_everybody(everybody, district, clash) -> None:
    """Pricing takes the greater of one scheme: who spends 10 yuan of the 20 it asks for would get nothing of either."""

    def subsidy(name: str, terms: tuple[int, int, str]) -> Rule:
        amount_fen, min_spend_fen, basis = terms
        return rule(
            RuleKind.SUBSIDY, scheme="s", district=name, amount_fen=amount_fen, min_spend_fen=min_spend_fen,
            spend_basis=SpendBasis(basis),
        )  # fmt: skip

    a, b = subsidy("", everybody), subsidy("putuo", district)
    assert _clash(a, b) is _clash(b, a) is clash
    assert not _clash(subsidy("xuhui", everybody), b)


AGES = st.none() | st.integers(0, 130)
RULES = st.builds(rule, min_age=AGES, max_age=AGES, hukou=st.none() | st.booleans())


@given(a=RULES, b=RULES)
def test_age_and_hukou_by_trying_every_diner(a: Rule, b: Rule) -> None:
    def holds(r: Rule, age: int, hukou: bool) -> bool:
        return (r.min_age or 0) <= age <= (130 if r.max_age is None else r.max_age) and r.hukou in {None, hukou}

    someone = any(holds(a, age, hukou) and holds(b, age, hukou) for age in range(131) for hukou in (False, True))
    if all(r.max_age is None or (r.min_age or 0) <= r.max_age for r in (a, b)):
        assert _clash(a, b) is someone
