"""A card or a printed label that changes hands is its new owner's: live, after a start, and in the garage's copy."""

from __future__ import annotations

import itertools

import pytest

from edge.domain.actors import Role
from edge.domain.canteen.messages import BindPlates, ConfigApplied, Identify, KeyPlate, ReadPurses
from edge.domain.canteen.rows import MemberRow
from edge.domain.canteen.settings import MemberEntry, PlateEntry


def member(token, card):
    return MemberEntry(token=token, card=card, born="1950-03-01")


def of_cards(canteen, cards):
    """Who is identified by each card."""
    return {card: (canteen.command(Identify(lane="1", card=card)).body or {}).get("member") for card in cards}


#: Members before and after. Whoever is left out left the file; the canteen keeps them with their purse.
HANDED_ON = {
    "two swap": ({"m-a": "1001", "m-b": "1002"}, {"m-a": "1002", "m-b": "1001"}),
    "one gets the other's, who gets a new one": ({"m-a": "1001", "m-b": "1002"}, {"m-a": "1002", "m-b": "1003"}),
    "three in a ring": (
        {"m-a": "1001", "m-b": "1002", "m-c": "1003"},
        {"m-a": "1002", "m-b": "1003", "m-c": "1001"},
    ),
    "of one who left, to an earlier token": ({"m-z": "1001"}, {"m-a": "1001"}),
    "of one who left, to a later token": ({"m-a": "1001"}, {"m-z": "1001"}),
}


@pytest.mark.parametrize("case", HANDED_ON)
@pytest.mark.parametrize("turned", [False, True], ids=["in order", "turned"])
def test_a_card_is_of_whoever_was_given_it_last(kit, case, turned):
    before, after = HANDED_ON[case]
    canteen = kit.new(kit.config(members=tuple(itertools.starmap(member, before.items()))))
    entries = tuple(itertools.starmap(member, after.items()))
    config = kit.config(members=entries[::-1] if turned else entries, version="c2")
    canteen.give(ConfigApplied(config))
    expected = {card: token for token, card in after.items()}
    assert of_cards(canteen, expected) == expected
    page = canteen.command(ReadPurses(), role=Role.DEVICE).body["purses"]
    assert {card: token for token, card, _ in page if card} == expected
    assert {token for token, _, _ in page} == {*before, *after}
    canteen.restart()
    assert of_cards(canteen, expected) == expected
    canteen.give(ConfigApplied(config))
    assert of_cards(canteen, expected) == expected


def test_a_store_where_two_have_one_card_is_mended_by_the_file(kit):
    canteen = kit.new(kit.config(members=(member("m-a", "1001"),)))
    canteen.rows.put(
        MemberRow(token="m-z", card="1001", born="1940-01-01", district="putuo", hukou=True, low_income=True)
    )
    for _ in range(2):
        canteen.restart()
        canteen.give(ConfigApplied(canteen.config))
        assert of_cards(canteen, ["1001"]) == {"1001": "m-a"}


@pytest.mark.parametrize("new_chip", ["df00000000000100", "f000000000000100"])
def test_a_label_is_of_the_chip_that_was_given_it_last(kit, new_chip):
    canteen = kit.new(kit.config())
    worn, *others = kit.config().plates
    plates = (*others, PlateEntry(new_chip, worn.label, "bowl", 200))
    canteen.give(ConfigApplied(kit.config(plates=plates, version="c2")))
    canteen.command(BindPlates(dish_id="pork", plate_uids=(new_chip, worn.uid, others[0].uid)))
    for _ in range(2):
        view = canteen.settle("1", [others[0].uid])
        keyed = canteen.command(KeyPlate(lane="1", tray_id=view.tray_id, label=worn.label))
        assert (keyed.code, keyed.body["uid"]) == ("ok", new_chip)
        canteen.settle("1", [], passes=30)
        canteen.restart()
        canteen.give(ConfigApplied(kit.config(plates=plates, version="c2")))
    view = canteen.settle("1", [worn.uid])
    assert [plate.label for plate in view.plates] == [worn.uid[-6:]]
