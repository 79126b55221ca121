"""Made-up lanes and orders for ``edge.api.preview`` and for the API's own tests: plain data, no daemon.

Nothing here prices or decides: numbers are fixed and add up by construction.
"""

from __future__ import annotations

from edge.api.preview_menu import AT_NS, CARDS, CONFIG, DAILY, DAY, MENU, SITE
from edge.domain.canteen import rows
from edge.domain.canteen.messages import (
    Assurance,
    DayView,
    DinerView,
    LaneView,
    NutrientShare,
    PaidView,
    Phase,
    PlateState,
    PlateView,
    StepView,
)
from edge.domain.words import Text

__all__ = ["AT_NS", "CARDS", "CONFIG", "DAY", "DAY_VIEW", "ELDER", "GUEST", "MENU", "SITE", "lane_view", "order_row"]

DAY_VIEW = DayView(
    business_day=DAY,
    orders=186,
    paid_fen=243_260,
    cash_fen=31_500,
    subsidy_fen=38_400,
    discount_fen=27_010,
    refunded_fen=1_200,
    plates_sold=611,
    set_aside=0,
)

ELDER = DinerView(category="elder", name=Text("72 岁会员", "Member, 72"), member="m001", age=72, balance_fen=8_450)
GUEST = DinerView(category="guest", name=Text("散客", "Guest"))

#: Problem of a blocked, asking or offline lane -> state of the plate that causes it.
BLOCKING = {
    "plate_unknown": PlateState.UNKNOWN,
    "plate_unbound": PlateState.UNBOUND,
    "plate_not_today": PlateState.NOT_TODAY,
    "plate_sold": PlateState.SOLD,
    "plate_doubtful": PlateState.DOUBTFUL,
    "plate_other_lane": PlateState.OTHER_LANE,
    "plate_retired": PlateState.RETIRED,
}
PROBLEMS = {Phase.OFFLINE: "reader_offline", Phase.BLOCKED: "plate_unbound", Phase.ASK: "cannot_be_sure"}


def _plate(i: int) -> PlateView:
    card = CARDS[i]
    return PlateView(
        uid=f"e00401508d1ef2{i:02x}",
        label=f"A-{i + 1:03}",
        state=PlateState.PRICED,
        blocks=False,
        dish_id=card.dish_id,
        name=card.name,
        grams=card.portion_g,
        price_fen=card.price_fen,
        energy_j=card.nutrients.energy_j,
        marks=card.marks,
        seen=4,
    )


def _bad_plate(problem: str) -> PlateView:
    state = BLOCKING[problem]
    known = state is not PlateState.UNKNOWN
    return PlateView(
        uid="e00401508d1eff00",
        label="B-044" if known else "",
        state=state,
        blocks=True,
        dish_id="d010" if known and state is not PlateState.UNBOUND else None,
        name=CARDS[9].name if known and state is not PlateState.UNBOUND else None,
        other_lane="2" if state is PlateState.OTHER_LANE else None,
        seen=3,
    )


def _steps(plates: tuple[PlateView, ...], diner: DinerView) -> tuple[StepView, ...]:
    fens = tuple(plate.price_fen or 0 for plate in plates if plate.price_fen is not None)
    steps = [
        StepView(
            kind="list",
            rule_id="list",
            rule_version="1",
            title=Text("标价", "List price"),
            fen=sum(fens),
            why={"plates": len(fens)},
            allocation=fens,
        )
    ]
    if diner.age is not None:
        cuts = tuple(-fen * 15 // 100 for fen in fens)
        steps.append(
            StepView(
                kind="discount",
                rule_id="xuhui-70",
                rule_version="a1b2",
                fen=sum(cuts),
                title=Text("敬老优惠", "Elder discount"),
                why={"rate_bp": 8500, "age": diner.age},
                allocation=cuts,
            )
        )
    return tuple(steps)


def _nutrition(plates: tuple[PlateView, ...]) -> tuple[NutrientShare, ...]:
    eaten = [card.nutrients for card in CARDS for plate in plates if plate.dish_id == card.dish_id and plate.price_fen]
    shares = []
    for field, level in (
        ("energy_j", ""),
        ("protein_mg", ""),
        ("fat_mg", "medium"),
        ("carbohydrate_mg", ""),
        ("sodium_mg", "high"),
    ):
        amount = sum(getattr(part, field) for part in eaten)
        shares.append(
            NutrientShare(
                nutrient=field.rpartition("_")[0],
                amount=amount,
                share_pct=round(100 * amount / getattr(DAILY, field)),
                level=level,
            )
        )
    return tuple(shares)


def _assurance(*, firm: bool, confirmed: int | None = None) -> Assurance:
    return Assurance(
        passes=6 if firm else 2,
        incomplete_passes=0,
        singletons=0 if firm else 1,
        residual_empty=firm,
        miss_bound=2.5e-5 if firm else 8e-3,
        dead_bound=3.5e-3,
        epsilon=1e-4,
        failing=() if firm else ("passes", "singletons", "residual"),
        confirmed_plates=confirmed,
    )


def _paid(payable_fen: int, diner: DinerView) -> PaidView:
    return PaidView(
        order_id="o-7f3a",
        method="purse",
        paid_fen=payable_fen,
        tendered_fen=payable_fen,
        change_fen=0,
        balance_fen=(diner.balance_fen or 0) - payable_fen,
        at_wall_ns=AT_NS,
    )


def lane_view(lane: str, phase: Phase, problem: str = "", version: int = 1, diner: DinerView = ELDER) -> LaneView:
    """What lane ``lane`` shows in ``phase``; ``problem`` picks one of several causes."""
    problem = problem or PROBLEMS.get(phase, "")
    plates: tuple[PlateView, ...] = tuple(_plate(i) for i in (0, 1, 2))
    if phase is Phase.READING:
        plates = plates[:2]
    if phase in {Phase.EMPTY, Phase.OFFLINE}:
        plates = ()
    if problem in BLOCKING:
        plates = (*plates, _bad_plate(problem))
    steps = _steps(plates, diner) if plates else ()
    payable = sum(step.fen for step in steps)
    firm = phase in {Phase.FIRM, Phase.PAID, Phase.BLOCKED}
    confirmed = 4 if problem == "count_differs" else None
    return LaneView(
        lane=lane,
        name=Text(f"{lane} 号台", f"Lane {lane}"),
        phase=phase,
        problem=problem,
        tray_id="" if not plates else f"t-{lane}",
        tray_version=version,
        plates=plates,
        steps=steps,
        list_fen=steps[0].fen if steps else 0,
        payable_fen=payable,
        firm=firm,
        nutrition=_nutrition(plates) if plates else (),
        assurance=_assurance(firm=firm, confirmed=confirmed) if plates else None,
        diner=diner if plates else GUEST,
        paid=_paid(payable, diner) if phase is Phase.PAID else None,
        staff_called=False,
        clock_trusted=True,
        business_day=DAY,
        at_wall_ns=AT_NS,
    )


def order_row(i: int, member: str | None = "m001", lane: str = "1") -> rows.OrderRow:
    """A stored sale."""
    return rows.OrderRow(
        order_id=f"o-{i:04}",
        seq=i,
        business_day=DAY,
        meal="lunch",
        lane=lane,
        tray_id=f"t-{i}",
        member=member,
        category="elder" if member else "guest",
        status="paid",
        list_fen=1800,
        discount_fen=-270,
        subsidy_fen=0,
        rounding_fen=0,
        payable_fen=1530,
        refunded_fen=0,
        config_version="preview",
        assurance_json="null",
        at_ns=AT_NS + i,
        at_trusted=True,
    )
