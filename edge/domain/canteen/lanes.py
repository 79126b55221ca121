"""One lane's tray: what each plate is, what the tray costs, what the screen shows.

``refresh`` is called after everything that may have changed a lane and is idempotent: it classifies the plates in the
field, prices them anew when the content changed (a new version), judges the stopping rule and returns the view when it
differs from the last one shown. A price is never guessed: a plate that is not known, bound, on today's menu and unsold
has no price and blocks, and the view says which plate and why.
"""

from __future__ import annotations

import msgspec

from edge.domain.canteen import tray
from edge.domain.canteen.confidence import dead_bound
from edge.domain.canteen.messages import (
    Assurance,
    DinerView,
    LaneView,
    NutrientShare,
    Phase,
    PlateState,
    PlateView,
    StepView,
)
from edge.domain.canteen.nutrition import scaled, shares, total
from edge.domain.canteen.pricing import Diner, Occasion, Step, amounts, compile_plan, explain, line_of
from edge.domain.canteen.quoting import meal_at
from edge.domain.canteen.settings import CanteenConfig, Category, DishCard
from edge.domain.canteen.tray import Belief, Choice, Sureness, Track, choose, residuals_wanted, sureness
from edge.domain.canteen.world import Lane, Plate, Priced, World
from edge.domain.devices import ResidualPass
from edge.domain.kernel import EffectClass, Effects, Send, Show, Stamp
from edge.domain.words import Text

MEMBER_NAME = Text(zh="会员", en="Member")
NS_PER_MIN = 60_000_000_000
MINUTES_PER_DAY = 1440
#: So long a lane waits for the tray of whoever was identified: the next guest must not pay from their purse.
WAIT_NS = 60_000_000_000

#: Which blocking state is spoken of first when several plates block, and its problem code.
PROBLEMS: tuple[tuple[PlateState, str], ...] = (
    (PlateState.SOLD, "plate_sold"),
    (PlateState.UNKNOWN, "plate_unknown"),
    (PlateState.RETIRED, "plate_retired"),
    (PlateState.UNBOUND, "plate_unbound"),
    (PlateState.NOT_TODAY, "plate_not_today"),
    (PlateState.OTHER_LANE, "plate_other_lane"),
    (PlateState.DOUBTFUL, "plate_doubtful"),
)


def local_minute(config: CanteenConfig, wall_ns: int) -> int:
    """Minutes since local midnight."""
    return (wall_ns // NS_PER_MIN + config.utc_offset_min) % MINUTES_PER_DAY


def age_on(born: str, day: str) -> int:
    """Full years between two ISO dates."""
    return int(day[:4]) - int(born[:4]) - (day[5:] < born[5:])


def belief_of(lane: Lane, meal: str) -> Belief:
    mean = lane.mean_plates.get(meal, lane.settings.mean_plates)
    return Belief(lane.beta_a, lane.beta_b, mean, lane.settings.epsilon, lane.settings.hidden_ppm / 1e6)


def tray_uids(plates: tuple[PlateView, ...]) -> frozenset[str]:
    """The chips of the plates that count as lying on the tray: all but those that clearly belong to another lane."""
    return frozenset(p.uid for p in plates if p.state is not PlateState.OTHER_LANE or p.blocks)


# --- who eats ---------------------------------------------------------------------------------------------------------


def category_of(config: CanteenConfig, category_id: str) -> Category:
    wanted = category_id or config.default_category
    for category in config.categories:
        if category.category_id == wanted:
            return category
    return Category(category_id="guest", name=Text(zh="散客", en="Guest"))


def diner_at(world: World, lane: Lane, config: CanteenConfig) -> tuple[Diner, DinerView]:
    """The diner that the lane prices for, and how the screen names them."""
    member = world.members.get(lane.member) if lane.member is not None else None
    if member is None:
        category = category_of(config, lane.category)
        diner = Diner(
            category=category.category_id,
            age=category.age,
            district=category.district,
            hukou=category.hukou,
            low_income=category.low_income,
        )
        return diner, DinerView(category=category.category_id, name=category.name, age=category.age)
    age = age_on(member.born, world.day)
    diner = Diner(
        category="member",
        age=age,
        district=member.district,
        hukou=member.hukou,
        low_income=member.low_income,
        member=member.token,
    )
    balance = world.purses.get(member.token, 0)
    return diner, DinerView(category="member", name=MEMBER_NAME, member=member.token, age=age, balance_fen=balance)


# --- what each plate is -----------------------------------------------------------------------------------------------


def other_claims(world: World, lane: Lane, uid: str) -> tuple[Choice, str] | None:
    """The worst claim that another lane has on a chip of this lane: (choice, that lane's id), None when nobody has."""
    mine = lane.field.tracks[uid]
    worst: tuple[Choice, str] | None = None
    for name in sorted(world.lanes):
        other = world.lanes[name]
        theirs = other.field.tracks.get(uid)
        if other is lane or theirs is None:
            continue
        choice = choose(mine, theirs)
        if choice is Choice.THEIRS:
            return choice, name
        if choice is Choice.UNDECIDED:
            worst = (choice, name)
    return worst


def state_of(world: World, plate: Plate | None) -> PlateState:
    """What a plate is worth today, wherever it lies."""
    if plate is None:
        return PlateState.UNKNOWN
    if plate.retired:
        return PlateState.RETIRED
    if plate.dish_id is None or plate.fill_epoch == 0 or plate.dish_id not in world.dishes:
        return PlateState.UNBOUND
    if plate.sold_epoch >= plate.fill_epoch:
        return PlateState.SOLD
    if plate.dish_id not in world.on_menu or plate.bound_day != world.day:
        return PlateState.NOT_TODAY
    return PlateState.PRICED


def classify(world: World, lane: Lane, track: Track) -> PlateView:
    """What a chip in the lane's field is, without ``seen`` (that is filled in when shown)."""
    plate = world.plates.get(track.uid)
    state = state_of(world, plate)
    claim = other_claims(world, lane, track.uid)
    other = None
    blocks = state is not PlateState.PRICED
    if claim is not None:
        other = claim[1]
        blocks = claim[0] is Choice.UNDECIDED
        state = PlateState.DOUBTFUL if blocks else PlateState.OTHER_LANE
    label = (plate.label if plate is not None else "") or track.uid[-6:]
    card = world.dishes.get(plate.dish_id) if plate is not None and plate.dish_id is not None else None
    if card is None or plate is None or state is PlateState.UNKNOWN:
        return PlateView(uid=track.uid, label=label, state=state, blocks=blocks, other_lane=other)
    grams = plate.grams or card.portion_g
    priced = state is PlateState.PRICED
    return PlateView(
        uid=track.uid,
        label=label,
        state=state,
        blocks=blocks,
        dish_id=card.dish_id,
        name=card.name,
        grams=grams,
        price_fen=None,
        energy_j=scaled(card.nutrients, grams, card.portion_g).energy_j if priced else None,
        marks=card.marks,
        other_lane=other,
    )


# --- what it costs ----------------------------------------------------------------------------------------------------


def _price(world: World, config: CanteenConfig, plates: tuple[PlateView, ...], diner: Diner, meal: str) -> Priced:
    usage = world.usage.get(diner.member, {}) if diner.member is not None else {}
    plan = compile_plan(config.rules, config.version, diner, Occasion(day=world.day, meal=meal), usage, world.spent)
    own = [p for p in plates if p.state is PlateState.PRICED and p.dish_id is not None]
    grams = tuple(p.grams or 0 for p in own)
    lines = [line_of(plan, world.dishes[p.dish_id or ""], g) for p, g in zip(own, grams, strict=True)]
    sums = amounts(plan, lines)
    nutrition = _nutrition(world, [world.dishes[p.dish_id or ""] for p in own], grams)
    return Priced(tuple(p.uid for p in own), plan, sums, explain(plan, lines, sums), grams, nutrition)


def _nutrition(world: World, cards: list[DishCard], grams: tuple[int, ...]) -> tuple[NutrientShare, ...]:
    if not cards or world.reference is None:
        return ()
    parts = [scaled(card.nutrients, g, card.portion_g) for card, g in zip(cards, grams, strict=True)]
    return shares(total(parts), world.reference.daily, sum(grams))


def reprice(world: World, lane: Lane, config: CanteenConfig, stamp: Stamp) -> None:
    """Classify the field and, when anything that the price depends on changed, price anew under the next version."""
    meal = meal_at(config, local_minute(config, stamp.wall_ns))
    tracks = [lane.field.tracks[uid] for uid in lane.field.tracks if uid not in lane.paid_uids]
    plates = tuple(classify(world, lane, track) for track in tracks)
    uids = tray_uids(plates)
    if uids:
        lane.waits_ns = None
    else:
        no_tray(lane, stamp)
    diner, diner_view = diner_at(world, lane, config)
    key = (world.day, meal, config.version, str(world.money_version))
    if plates == lane.content and diner_view == lane.diner and key == lane.price_key:
        return
    lane.price_key = key
    priced = _price(world, config, plates, diner, meal) if uids else None
    if plates == lane.content and diner_view == lane.diner and priced == lane.priced:
        return
    if uids and not lane.tray_id:
        lane.tray_id = f"{lane.settings.lane}-{stamp.seq}"
        lane.tray_version = 0
    if uids != tray_uids(lane.content):
        lane.firm = lane.asked = False
        lane.confirmed = None
    lane.content, lane.diner, lane.priced = plates, diner_view, priced
    lane.tray_version += 1


def no_tray(lane: Lane, stamp: Stamp) -> None:
    """The tray is gone, and with it who stood there."""
    if lane.tray_id or (lane.waits_ns is not None and stamp.mono_ns - lane.waits_ns >= WAIT_NS):
        lane.member, lane.category, lane.waits_ns = None, "", None
    lane.tray_id = ""
    lane.tray_version = 0
    lane.firm = lane.asked = False
    lane.confirmed = None


# --- what the screen shows --------------------------------------------------------------------------------------------


def blocking_problem(lane: Lane) -> str:
    """The code of the worst plate that blocks, "" when none does. A chip heard once is not accused yet."""
    states = {p.state for p in lane.content if p.blocks and _established(lane, p)}
    return next((code for state, code in PROBLEMS if state in states), "")


def _established(lane: Lane, plate: PlateView) -> bool:
    track = lane.field.tracks[plate.uid]
    if plate.state is PlateState.DOUBTFUL:
        return track.passes >= tray.CHOICE_PASSES
    return track.seen >= 2 or track.keyed


def judge(lane: Lane, sure: Sureness, now_ns: int) -> tuple[Phase, str]:
    """Phase and problem code of the lane; latches ``firm`` and ``asked``."""
    if not lane.device_ready:
        return Phase.OFFLINE, "reader_offline"
    if not lane.tray_id:
        return (Phase.PAID, "") if lane.paid_view is not None and lane.paid_uids else (Phase.EMPTY, "")
    problem = blocking_problem(lane)
    if problem:
        return Phase.BLOCKED, problem
    own = len(tray_uids(lane.content))
    if lane.confirmed is not None and lane.confirmed != own:
        return Phase.BLOCKED, "count_differs"
    pending = any(p.blocks for p in lane.content)
    if not pending and (not sure.failing or (lane.confirmed == own and "moving" not in sure.failing)):
        lane.firm = True
    if lane.firm and not pending:
        return Phase.FIRM, ""
    if now_ns - lane.field.changed_ns >= lane.settings.cap_ms * 1_000_000:
        lane.asked = True
    return (Phase.ASK, "cannot_be_sure") if lane.asked else (Phase.READING, "")


def _assurance(lane: Lane, belief: Belief, sure: Sureness) -> Assurance | None:
    if not lane.tray_id:
        return None
    last = lane.shown
    still = last is not None and last.firm and last.tray_id == lane.tray_id and lane.firm
    if still and last is not None and last.assurance is not None and last.assurance.confirmed_plates == lane.confirmed:
        return last.assurance
    return Assurance(
        passes=sure.passes,
        incomplete_passes=lane.field.incomplete,
        singletons=sure.singletons,
        residual_empty=lane.field.residuals > 0,
        miss_bound=sure.miss_bound,
        dead_bound=dead_bound(belief.mean_plates, lane.settings.dead_chip_ppm),
        epsilon=belief.epsilon,
        failing=() if lane.firm else sure.failing,
        confirmed_plates=lane.confirmed,
    )


def step_view(step: Step) -> StepView:
    return StepView(
        kind=step.kind,
        rule_id=step.rule_id,
        rule_version=step.rule_version,
        title=step.title,
        fen=step.fen,
        why=step.why,
        allocation=step.allocation,
    )


def _plates_shown(lane: Lane) -> tuple[PlateView, ...]:
    priced = lane.priced
    prices = dict(zip(priced.uids, priced.steps[0].allocation, strict=True)) if priced is not None else {}
    settled = lane.firm
    return tuple(
        msgspec.structs.replace(
            p,
            price_fen=prices.get(p.uid),
            seen=2 if settled else min(2, lane.field.tracks[p.uid].seen),
        )
        for p in lane.content
    )


def view_of(world: World, lane: Lane, config: CanteenConfig, stamp: Stamp) -> LaneView:
    """The complete state of the lane's screen."""
    meal = meal_at(config, local_minute(config, stamp.wall_ns))
    belief = belief_of(lane, meal)
    own = tray_uids(lane.content)
    sure = sureness(lane.field, own, belief, stamp.mono_ns)
    phase, problem = judge(lane, sure, stamp.mono_ns)
    if phase is Phase.PAID and lane.paid_view is not None:
        return msgspec.structs.replace(lane.paid_view, staff_called=lane.staff_called, at_wall_ns=0)
    priced = lane.priced
    diner = lane.diner or diner_at(world, lane, config)[1]
    return LaneView(
        lane=lane.settings.lane,
        name=lane.settings.name,
        phase=phase,
        problem=lane.device_problem if phase is Phase.OFFLINE else problem,
        tray_id=lane.tray_id,
        tray_version=lane.tray_version,
        plates=_plates_shown(lane),
        steps=tuple(step_view(s) for s in priced.steps) if priced is not None else (),
        list_fen=priced.amounts.list_fen if priced is not None else 0,
        payable_fen=priced.amounts.payable_fen if priced is not None else 0,
        firm=phase is Phase.FIRM,
        nutrition=priced.nutrition if priced is not None else (),
        assurance=_assurance(lane, belief, sure),
        diner=diner,
        paid=None,
        staff_called=lane.staff_called,
        clock_trusted=world.clock_trusted,
        business_day=world.day,
        at_wall_ns=0,
    )


def refresh(world: World, lane: Lane, stamp: Stamp, *, durable: bool = False) -> Effects:
    """Bring the lane up to date with the world and return what its screen and reader should be told."""
    config = world.config
    if config is None:
        return []
    reprice(world, lane, config, stamp)
    view = view_of(world, lane, config, stamp)
    effects: Effects = []
    if view != lane.shown:
        lane.shown = view
        shown = msgspec.structs.replace(view, at_wall_ns=stamp.wall_ns)
        cls = EffectClass.DURABLE if durable else EffectClass.PREVIEW
        effects.append(Show(f"lane/{lane.settings.lane}", shown, cls))
    return effects


def residual_request(world: World, lane: Lane, stamp: Stamp) -> Effects:
    """What the reader should do behind the pass that just came in."""
    config = world.config
    if config is None or not (lane.tray_id or lane.paid_uids) or not lane.device_ready:
        return []
    belief = belief_of(lane, meal_at(config, local_minute(config, stamp.wall_ns)))
    wanted = residuals_wanted(lane.field, belief)
    return [Send(lane.settings.device, ResidualPass(wanted), EffectClass.PREVIEW)] if wanted else []
