"""The pile: where plates are, and that none is ever in two places."""

from __future__ import annotations

import json
import random

import pytest

from firmware_sim.floorconfig import load
from firmware_sim.pile import RESERVE, Pile, Where


@pytest.fixture
def pile(tmp_path):
    plates = [{"uid": f"e0040100{i:08x}", "label": f"A{i}"} for i in range(40)]
    config = {
        "control": "c", "api": "http://h:1", "tokens": {"kitchen": "k", "cashier": "c", "terminal": {"1": "t"}},
        "lanes": [{"lane": "1", "protocol": "feig", "link": "r"}], "dishes": [{"dish_id": "d1"}, {"dish_id": "d2"}],
        "plates": plates, "members": [],
    }  # fmt: skip
    (tmp_path / "f.json").write_text(json.dumps(config))
    return Pile(load(tmp_path / "f.json"))


def test_a_plate_goes_round(pile):
    plates = pile.clean("hf", 3)
    pile.filled(plates, "d1")
    assert pile.on_sale("hf") == ["d1"]
    assert pile.on_sale("uhf") == []
    taken = pile.take("hf", "d1")
    assert len(pile.full("hf", "d1")) == 2
    pile.back(taken, 10.0, sold=False, wash_s=30.0)
    assert len(pile.full("hf", "d1")) == 3
    taken = pile.take("hf", "d1")
    pile.back(taken, 10.0, sold=True, wash_s=30.0)
    pile.wash(39.9)
    assert taken.where is Where.DIRTY
    pile.wash(40.0)
    assert taken.where is Where.CLEAN


def test_some_plates_stay_unbound(pile):
    pile.filled(pile.clean("hf", 100), "d1")
    unbound = [pile.take_unbound("hf") for _ in range(RESERVE + 1)]
    assert unbound[-1] is None
    assert all(plate.dish_id is None for plate in unbound[:-1])
    pile.back(unbound[0], 0.0, sold=True, wash_s=0.0)
    assert pile.take_unbound("hf") is unbound[0]


def test_a_dead_chip_is_replaced_when_the_plate_comes_back(pile):
    pile.filled(pile.clean("hf", 1), "d1")
    plate = pile.take("hf", "d1")
    plate.chip.dead = True
    pile.back(plate, 0.0, sold=True, wash_s=0.0)
    assert not plate.chip.dead


def test_strange_plates_are_in_no_registry_and_fit_the_lane(pile):
    for family, digits in (("hf", 16), ("uhf", 24)):
        plate = pile.strange(family)
        assert len(plate.uid) == digits
        assert plate.uid not in pile.plates
        pile.back(plate, 0.0, sold=False, wash_s=0.0)
        assert plate.where is Where.STRANGE


def test_every_plate_is_always_in_one_place(pile):
    rng, trays, now_s = random.Random(1), [], 0.0
    for _ in range(3000):
        now_s += 1
        match rng.randrange(5):
            case 0:
                pile.filled(pile.clean("hf", rng.randint(1, 4)), rng.choice(("d1", "d2")))
            case 1:
                dish = rng.choice(("d1", "d2"))
                if plate := pile.take("hf", dish):
                    assert plate.dish_id == dish
                    trays.append(plate)
            case 2:
                if plate := pile.take_unbound("hf"):
                    trays.append(plate)
            case 3 if trays:
                pile.back(trays.pop(rng.randrange(len(trays))), now_s, sold=rng.random() < 0.7, wash_s=20.0)
            case 4:
                pile.wash(now_s)
        assert len(set(map(id, trays))) == len(trays)
        assert {plate.uid for plate in pile.plates.values() if plate.where is Where.TRAY} == {p.uid for p in trays}
