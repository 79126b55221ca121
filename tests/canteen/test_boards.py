"""What the boards show when a meal begins or ends by the clock alone, while nobody buys or fills anything."""

from __future__ import annotations

import msgspec

from edge.domain.canteen.messages import ConfigApplied
from edge.domain.canteen.settings import Rule, RuleKind
from edge.domain.words import Text

MINUTE_NS = 60_000_000_000
LUNCH_PORK = Rule(
    rule_id="lunch-pork", version="1", kind=RuleKind.SPECIAL, title=Text(zh="特价", en="special"), start="2026-01-01",
    meals=("lunch",), dishes=("pork",), price_fen=900,
)  # fmt: skip


def test_the_menu_follows_the_meal_although_nobody_buys(kit):
    canteen = kit.new(kit.config(rules=(LUNCH_PORK,)))

    def board():
        canteen.reads("1", [])
        if (due := canteen.kernel.deadline(canteen.world)) is not None:
            canteen.tick((due - canteen.mono_ns) // 1_000_000 + 1)
        menu = canteen.shown["menu"]
        return menu.meal, menu.items[0].special_fen

    assert board() == ("lunch", 900)
    canteen.elapse(89 * MINUTE_NS)
    assert board() == ("lunch", 900)
    canteen.elapse(MINUTE_NS)
    assert board() == ("", None)
    assert canteen.kernel.deadline(canteen.world) is None
    canteen.restart()
    canteen.elapse(21 * 60 * MINUTE_NS)
    assert board() == ("lunch", 900)


def test_the_view_of_a_lane_goes_with_it(kit):
    """The cashier's desk would show its last tray as of now."""
    canteen = kit.new(kit.config())
    canteen.reads("2", [])
    fewer = msgspec.structs.replace(canteen.config, version="c2", lanes=canteen.config.lanes[:1])
    canteen.give(ConfigApplied(fewer))
    canteen.elapse(60_000_000_000)
    canteen.reads("1", [])
    assert [key for key, view in canteen.shown.items() if view is None] == ["lane/2"]
