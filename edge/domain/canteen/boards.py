"""What many people look at: today's menu board, and the day in a few numbers."""

from __future__ import annotations

from edge.domain.canteen.lanes import local_minute
from edge.domain.canteen.messages import DayView, MenuItemView, MenuView
from edge.domain.canteen.pricing import Diner, Occasion, compile_plan
from edge.domain.canteen.quoting import meal_at, reference_on
from edge.domain.canteen.rows import DayRow
from edge.domain.canteen.settings import CanteenConfig, DishCard
from edge.domain.canteen.world import DishCount, World
from edge.domain.kernel import Stamp


def menu_view(world: World, config: CanteenConfig, stamp: Stamp) -> MenuView:
    """The dishes of the business day in board order. ``special_fen`` is what anybody pays today, None at list price."""
    meal = meal_at(config, local_minute(config, stamp.wall_ns))
    plan = compile_plan(config.rules, config.version, Diner(category=""), Occasion(day=world.day, meal=meal))
    specials = {dish: price for dish, (price, _) in plan.specials.items()}
    return MenuView(
        site=config.site,
        business_day=world.day,
        meal=meal,
        items=tuple(
            _item(world.dishes[dish_id], world.counts.get(dish_id, DishCount()), specials.get(dish_id))
            for dish_id in world.on_menu
        ),
        reference=reference_on(config, world.day).daily,
    )


def _item(card: DishCard, count: DishCount, special_fen: int | None) -> MenuItemView:
    return MenuItemView(
        dish_id=card.dish_id,
        name=card.name,
        kind=card.kind,
        price_fen=card.price_fen,
        special_fen=special_fen if special_fen is not None and special_fen < card.price_fen else None,
        portion_g=card.portion_g,
        priced_by=card.priced_by.value,
        nutrients=card.nutrients,
        marks=card.marks,
        allergens=card.allergens,
        may_contain=card.may_contain,
        bound=count.bound,
        sold=count.sold,
        sold_out=count.bound > 0 and count.sold >= count.bound,
    )


def day_view(world: World) -> DayView:
    """The business day's totals so far."""
    total = world.totals or DayRow(day=world.day)
    return DayView(
        business_day=world.day,
        orders=total.orders,
        paid_fen=total.paid_fen,
        cash_fen=total.cash_fen,
        subsidy_fen=total.subsidy_fen,
        discount_fen=total.discount_fen,
        refunded_fen=total.refunded_fen,
        plates_sold=total.plates_sold,
        set_aside=world.set_aside,
    )
