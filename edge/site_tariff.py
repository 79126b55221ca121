"""Tariff rules of a site: discounts, subsidies, specials and wipe-off as data, checked against each other.

The hard part is ambiguity: two discounts that could hold for the same diner on the same day would make the price
depend on an accident, so the site is refused until one of them ends or narrows. A diner would notice a mistake here
on the bill.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from pathlib import Path

import msgspec

from edge.domain.canteen.settings import Meal, Rule, RuleKind, SpendBasis
from edge.domain.words import Text
from edge.site_dishes import digest
from edge.site_report import Bag
from edge.site_table import Seen, Table, once, open_table
from edge.site_toml import read_toml

AGE_MAX = 130
FEN_MAX = 10_000_000

#: The keys that only one kind of rule understands; any other kind that has them is refused.
_OWN_KEYS: dict[RuleKind, tuple[str, ...]] = {
    RuleKind.SPECIAL: ("dishes", "price_yuan"),
    RuleKind.DISCOUNT: ("pays_percent",),
    RuleKind.SUBSIDY: (
        "amount_yuan",
        "min_spend_yuan",
        "spend_basis",
        "scheme",
        "per_person_per_day",
        "daily_yuan",
        "meal_yuan",
        "budget_yuan",
    ),
    RuleKind.WIPE_OFF: ("unit_fen",),
}


def read_tariff(
    path: Path, file: str, dishes: Collection[str] | None, meals: Sequence[Meal], bag: Bag
) -> tuple[Rule, ...]:
    """The rules in the order of the file."""
    top = open_table(read_toml(path, file, bag), bag)
    rules: list[tuple[Rule, Table]] = []
    seen: Seen = {}
    for entry in top.tables("rule"):
        rule = _rule(entry, dishes, [meal.meal_id for meal in meals] or None)
        if rule is not None and once(seen, rule.rule_id, entry, "id"):
            rules.append((rule, entry))
    top.finish()
    for (first, _), (second, entry) in combinations(rules, 2):
        if first.kind is second.kind and _clash(first, second):
            hint = Text(f"与 {first.rule_id} 重叠：改日期、年龄、地区或餐次", _overlap_en(first))
            entry.mistake("ambiguous", "id", second.rule_id, hint=hint)
    return tuple(rule for rule, _ in rules)


def _overlap_en(first: Rule) -> str:
    return f"overlaps {first.rule_id}: change dates, ages, district or meals of one of them"


def _rule(entry: Table, dishes: Collection[str] | None, meals: Collection[str] | None) -> Rule | None:
    kind = entry.choice("kind", RuleKind)
    rule_id, version = entry.ident("id"), entry.string("version")
    start, end = entry.day("start"), entry.day("end", required=False)
    if start and end and end < start:
        entry.mistake("contradiction", "end", end, Text(f"不早于 {start}", f"not before {start}"))
    min_age, max_age = _ages(entry)
    rule = Rule(
        rule_id=rule_id,
        version=version,
        kind=kind or RuleKind.SPECIAL,
        title=entry.text("title"),
        start=start,
        end=end,
        district=entry.ident("district", required=False),
        min_age=min_age,
        max_age=max_age,
        hukou=entry.boolean("hukou"),
        low_income=entry.boolean("low_income"),
        meals=entry.strings("meals", meals),
        source=entry.string("source", required=kind in {RuleKind.DISCOUNT, RuleKind.SUBSIDY}),
    )
    if kind is not None:
        rule = _effects(entry, rule, dishes)
    for other, keys in _OWN_KEYS.items():
        for key in keys:
            if other is not kind and entry.has(key):
                entry.allow(key)
                hint = Text(f"只用于 kind = {other}", f"only for kind = {other}")
                if kind is not None:
                    entry.mistake("contradiction", key, key, hint=hint)
    entry.finish()
    if kind is None:
        return None
    return msgspec.structs.replace(rule, version=f"{version}-{digest(rule)[:6]}")


def _ages(entry: Table) -> tuple[int | None, int | None]:
    low = entry.integer("min_age", 0, AGE_MAX, -1)
    high = entry.integer("max_age", 0, AGE_MAX, -1)
    low, high = (None if age is None or age < 0 else age for age in (low, high))
    if low is not None and high is not None and high < low:
        entry.mistake("contradiction", "max_age", str(high), Text(f"不小于 {low}", f"not below {low}"))
    return low, high


def _effects(entry: Table, rule: Rule, dishes: Collection[str] | None) -> Rule:
    """``rule`` with the keys of its kind."""
    match rule.kind:
        case RuleKind.SPECIAL:
            before = len(entry.bag)
            named = entry.strings("dishes", dishes)
            if not named and len(entry.bag) == before:
                entry.mistake("missing", "dishes", "", Text("至少一道菜", "at least one dish"))
            return msgspec.structs.replace(rule, dishes=named, price_fen=entry.yuan("price_yuan", 0, 20_000) or 0)
        case RuleKind.DISCOUNT:
            rate = entry.percent("pays_percent", 1_000, 9_999)
            return msgspec.structs.replace(rule, rate_bp=rate or 10_000)
        case RuleKind.WIPE_OFF:
            return msgspec.structs.replace(rule, unit_fen=entry.integer("unit_fen", 2, 100, unit="fen") or 1)
        case RuleKind.SUBSIDY:
            return _subsidy(entry, rule)


def _subsidy(entry: Table, rule: Rule) -> Rule:
    amount = entry.yuan("amount_yuan", 1, 100_000) or 0
    caps = {name: entry.yuan(f"{name}_yuan", 0, FEN_MAX, 0) or 0 for name in ("daily", "meal", "budget")}
    for name in ("daily", "meal"):
        if 0 < caps[name] < amount:
            hint = Text("上限小于一次补贴：永远拿不满", "the cap is below one grant: nobody ever gets the full amount")
            entry.mistake("contradiction", f"{name}_yuan", f"{caps[name]} fen", hint=hint)
    return msgspec.structs.replace(
        rule,
        amount_fen=amount,
        min_spend_fen=entry.yuan("min_spend_yuan", 0, 100_000, 0) or 0,
        spend_basis=entry.choice("spend_basis", SpendBasis) or SpendBasis.LIST,
        scheme=entry.ident("scheme"),
        per_person_per_day=entry.integer("per_person_per_day", 0, 10, 0) or 0,
        daily_fen=caps["daily"],
        meal_fen=caps["meal"],
        budget_fen=caps["budget"],
    )


def _nested(a: Rule, b: Rule) -> bool:
    """True when whoever spends enough for the smaller subsidy does for the greater one, too."""
    small, great = sorted((a, b), key=lambda rule: rule.amount_fen)
    if small.amount_fen == great.amount_fen:
        return (a.min_spend_fen, a.spend_basis) == (b.min_spend_fen, b.spend_basis)
    counted_alike = small.spend_basis is great.spend_basis or great.spend_basis is SpendBasis.LIST
    return great.min_spend_fen == 0 or (counted_alike and great.min_spend_fen <= small.min_spend_fen)


def _clash(a: Rule, b: Rule) -> bool:
    """True when both rules are of one district (or both of none) and a diner, day and meal exist for which both hold.

    A rule for everybody beside one of a district is no clash: pricing then takes the better one for the diner. Of two
    subsidies that is the greater amount, so the greater one must not ask for more spending: who spends too little for
    it would get nothing, where a stranger gets the smaller one.
    """
    if a.district != b.district and (a.kind is not RuleKind.SUBSIDY or (a.district and b.district) or _nested(a, b)):
        return False
    if a.kind is RuleKind.SPECIAL and not set(a.dishes) & set(b.dishes):
        return False
    if a.kind is RuleKind.SUBSIDY and a.scheme != b.scheme:
        return False
    return (
        a.start <= (b.end or "9999")
        and b.start <= (a.end or "9999")
        and (a.min_age or 0) <= (AGE_MAX if b.max_age is None else b.max_age)
        and (b.min_age or 0) <= (AGE_MAX if a.max_age is None else a.max_age)
        and (a.hukou is None or b.hukou is None or a.hukou == b.hukou)
        and (a.low_income is None or b.low_income is None or a.low_income == b.low_income)
        and (not a.meals or not b.meals or bool(set(a.meals) & set(b.meals)))
    )
