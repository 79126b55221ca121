"""The table is total, obeys its own shape, and the page prints it as it is."""

from __future__ import annotations

from pathlib import Path

from edge.domain.garage.interlock import ORDERS, SHOWN, TABLE, Evidence, Mode
from edge.domain.garage.printing import BEGIN, END, generated

PAGE = Path(__file__).parents[3] / "docs" / "garage-interlock.md"


def test_every_cell_is_written_and_every_mode_has_orders_and_a_face():
    assert set(TABLE) == set(ORDERS) == set(SHOWN) == set(Mode)
    assert all(set(row) == set(Evidence) for row in TABLE.values())


def test_only_a_reset_leads_from_a_latch_to_a_mode_that_is_none():
    for mode, row in TABLE.items():
        out = {level for level, following in row.items() if ORDERS[mode].latched and not ORDERS[following].latched}
        assert out == ({Evidence.RESET} if mode in {Mode.RESETTABLE, Mode.RESETTABLE_FIRE} else set())


def test_doors_once_released_stay_so_until_a_reset():
    for mode, row in TABLE.items():
        for level, following in row.items():
            assert not ORDERS[mode].doors or ORDERS[following].doors or level is Evidence.RESET


def test_what_is_latched_neither_starts_nor_runs():
    for orders in ORDERS.values():
        assert orders.cut == orders.latched
        assert not (orders.cut and (orders.start or orders.run))
        assert not orders.doors or not orders.contactor


def test_one_credible_word_latches_and_cuts_whatever_the_mode_and_a_fire_from_there_is_a_fire():
    """What ``zones.strike`` does before the other sources are weighed is never taken back, nor does it hide a fire."""
    for row in TABLE.values():
        struck = row[Evidence.ONE]
        assert ORDERS[struck].cut
        assert ORDERS[struck].latched
        for level in (Evidence.ONE, Evidence.FIRE):
            assert TABLE[struck][level] is row[level]


def test_the_page_is_printed_from_the_table():
    page = PAGE.read_text(encoding="utf-8")
    part = page[page.index(BEGIN) : page.index(END) + len(END)]
    assert part == generated(), "run: python -m edge.domain.garage.printing, and put its output into the page"
