"""Photos of faults and inspections: bounded, erased with their order, there again after a restart."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.digest import effects_digest
from edge.domain.gym import photos
from edge.domain.gym.kernel import GymKernel
from edge.domain.gym.messages import (
    AddInspectionPhoto,
    AddOrderPhoto,
    CloseOrder,
    Command,
    ConfigApplied,
    ErasePhoto,
    GymInput,
    Inspect,
    ReportFault,
    ReturnTest,
)
from edge.domain.gym.photo_rows import INSPECTION, ORDER, PhotoDataRow, PhotoRow
from edge.domain.gym.photos import MAX_STANDING
from edge.domain.gym.wear_rows import OrderStepRow
from edge.domain.gym.world import World
from edge.domain.kernel import Put

SPEC = importlib.util.spec_from_file_location("kangle_jpegs", Path(__file__).with_name("_jpegs.py"))
jpegs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(jpegs)

SMALL, OTHER = jpegs.jpeg(32, 24), jpegs.jpeg(24, 32)


def report(gym, user="member:anna", asset="t1"):
    return gym.command(ReportFault(asset=asset, what="noise"), role=Role.MEMBER, user=user).body["order"]


def add(gym, order, jpeg=SMALL, user="member:anna", role=Role.MEMBER):
    return gym.command(AddOrderPhoto(order_id=order, jpeg=jpeg), role=role, user=user)


def inspect(gym, asset="o1", grade="ok"):
    body = Inspect(asset=asset, items=(("frame", grade), ("bolts", "ok")))
    return gym.command(body, role=Role.MAINTENANCE, user="fitter-1").body["inspection"]


def add_inspected(gym, inspection, jpeg=SMALL, asset="o1"):
    body = AddInspectionPhoto(asset=asset, inspection=inspection, jpeg=jpeg)
    return gym.command(body, role=Role.MAINTENANCE, user="fitter-1")


def pictures(gym):
    return {(row.kind, row.ref): row.jpeg for row in gym.rows.all(PhotoDataRow)}


def facts(gym):
    return {(row.kind, row.ref): row for row in gym.rows.all(PhotoRow)}


def shown(gym, order):
    return next(one.photo for one in gym.shown["maintenance"].orders if one.order_id == order)


def test_a_report_has_its_photo_and_the_list_refers_to_it(gym):
    order = report(gym)
    assert shown(gym, order) is None
    reply = add(gym, order)
    assert (reply.code, reply.body["size_bytes"]) == ("ok", len(SMALL))
    view = shown(gym, order)
    assert (view.width_px, view.height_px, view.by) == (32, 24, "member:anna")
    assert view.digest == photos.digest_of(SMALL)
    assert SMALL not in msgspec.msgpack.encode(gym.shown["maintenance"]), "a view carries a reference"
    assert pictures(gym) == {(ORDER, order): SMALL}
    assert [row.step for row in gym.rows.all(OrderStepRow)] == ["seen", "photo"]


def test_the_world_holds_no_picture(gym):
    order = report(gym)
    add(gym, order)
    assert SMALL not in msgspec.msgpack.encode(gym.world)


def test_a_restart_changes_nothing(gym):
    order, point = report(gym), inspect(gym)
    add(gym, order)
    add_inspected(gym, point, OTHER)
    before = (shown(gym, order), dict(gym.world.photos), pictures(gym))
    gym.restart()
    assert (shown(gym, order), gym.world.photos, pictures(gym)) == before
    assert gym.world.wear["o1"].inspection == point, "the photo of today's inspection can still be renewed"
    assert add_inspected(gym, point, SMALL).code == "ok"


def test_an_order_that_is_closed_keeps_no_photo(gym):
    order = report(gym)
    add(gym, order)
    assert gym.command(ReturnTest(asset="t1", passed=True), role=Role.MAINTENANCE, user="fitter-1").code == "ok"
    assert pictures(gym) == {(ORDER, order): b""}
    row = facts(gym)[ORDER, order]
    assert (row.standing, row.size_bytes, row.digest, row.by) == (False, 0, "", "fitter-1")
    assert gym.world.photos == {}
    assert add(gym, order).code == "unknown_order"
    gym.restart()
    assert gym.world.photos == {}


def test_the_order_of_a_machine_that_is_gone_loses_its_photo_when_it_is_closed(gym):
    order = report(gym)
    add(gym, order)
    fewer = msgspec.structs.replace(gym.config, assets=tuple(one for one in gym.config.assets if one.asset != "t1"))
    gym.give(ConfigApplied(fewer))
    assert pictures(gym) == {(ORDER, order): SMALL}, "the order still stands"
    assert gym.command(CloseOrder(order_id=order, note="sold"), role=Role.MANAGER).code == "ok"
    assert pictures(gym) == {(ORDER, order): b""}


def test_a_machine_that_leaves_the_site_keeps_no_photo_of_its_inspection(gym):
    add_inspected(gym, inspect(gym))
    add_inspected(gym, inspect(gym, "b1"), asset="b1")
    fewer = msgspec.structs.replace(gym.config, assets=tuple(one for one in gym.config.assets if one.asset != "o1"))
    gym.give(ConfigApplied(fewer))
    assert pictures(gym) == {(INSPECTION, "o1"): b"", (INSPECTION, "b1"): SMALL}
    assert [row.ref for row in gym.world.photos.values()] == ["b1"]


def test_an_order_has_one_photo_which_a_stranger_cannot_replace(gym):
    order = report(gym)
    add(gym, order)
    assert add(gym, order, OTHER, user="member:bert").code == "photo_taken"
    assert pictures(gym)[ORDER, order] == SMALL
    assert add(gym, order, OTHER).code == "ok", "its sender"
    assert pictures(gym)[ORDER, order] == OTHER
    assert add(gym, order, SMALL, user="fitter-1", role=Role.MAINTENANCE).code == "ok", "staff"
    assert add(gym, order, OTHER).code == "photo_taken", "now it is maintenance's"


def test_an_inspection_has_the_newest_photo(gym):
    first = inspect(gym)
    assert add_inspected(gym, first).code == "ok"
    second = inspect(gym)
    assert facts(gym)[INSPECTION, "o1"].inspection == first, "a photo stays until there is a newer one"
    refused = add_inspected(gym, first, OTHER)
    assert (refused.code, refused.body["problem"]) == ("not_now", "inspect_first")
    assert add_inspected(gym, second, OTHER).code == "ok"
    assert (facts(gym)[INSPECTION, "o1"].inspection, pictures(gym)) == (second, {(INSPECTION, "o1"): OTHER})


@pytest.mark.parametrize("number", [0, 1, 999])
def test_what_was_never_inspected_has_no_photo(gym, number):
    assert add_inspected(gym, number).body["problem"] == "inspect_first"
    assert add_inspected(gym, inspect(gym), asset="t1").body["problem"] == "inspect_first", "another machine's number"
    assert add_inspected(gym, 1, asset="x9").code == "unknown_asset"
    assert pictures(gym) == {}


@pytest.mark.parametrize("bad", [b"", b"words", jpegs.jpeg()[:-1], jpegs.phone_jpeg(), jpegs.heavy_jpeg(96 * 1024 + 1)])
def test_the_kernel_takes_nothing_but_what_is_clean(gym, bad):
    order = report(gym)
    assert add(gym, order, bad).code == "bad_value"
    assert pictures(gym) == {}


def test_staff_can_take_a_photo_away(gym):
    order, point = report(gym), inspect(gym)
    add(gym, order)
    add_inspected(gym, point)
    assert gym.command(ErasePhoto(order_id=order), role=Role.MEMBER, user="member:anna").code == "forbidden"
    assert gym.command(ErasePhoto(order_id=order)).code == "ok"
    assert gym.command(ErasePhoto(asset="o1")).code == "ok"
    assert set(pictures(gym).values()) == {b""}
    assert shown(gym, order) is None
    assert gym.command(ErasePhoto(order_id=order)).code == "no_photo"
    assert add(gym, order, OTHER).code == "ok", "and another can be taken"
    steps = [row.step for row in gym.rows.all(OrderStepRow) if row.order_id == order]
    assert steps == ["seen", "photo", "photo_erased", "photo"]


def test_as_many_stand_as_are_allowed_and_a_closed_order_makes_room(gym, monkeypatch):
    monkeypatch.setitem(MAX_STANDING, ORDER, 2)
    monkeypatch.setitem(MAX_STANDING, INSPECTION, 1)
    first, second, third = (report(gym, asset=asset) for asset in ("t1", "t2", "t3"))
    assert [add(gym, order).code for order in (first, second, third)] == ["ok", "ok", "photos_full"]
    assert add(gym, second, OTHER).code == "ok", "replacing needs no room"
    assert add_inspected(gym, inspect(gym)).code == "ok", "inspections have room of their own"
    assert add_inspected(gym, inspect(gym, "b1"), asset="b1").body == {"high": 1}
    gym.command(ReturnTest(asset="t1", passed=True), role=Role.MAINTENANCE, user="fitter-1")
    assert add(gym, third).code == "ok"


def test_the_bounds_are_those_of_the_decision():
    assert MAX_STANDING == {ORDER: 64, INSPECTION: 512}


def test_a_repeat_gets_the_same_answer_and_another_picture_under_its_id_is_refused(gym):
    order = report(gym)
    body = AddOrderPhoto(order_id=order, jpeg=SMALL)
    first = gym.command(body, command_id="photo-1")
    again = gym.command(body, command_id="photo-1")
    assert (again.code, again.body, again.replayed) == (first.code, first.body, True)
    assert gym.command(AddOrderPhoto(order_id=order, jpeg=OTHER), command_id="photo-1").code == "id_reused"
    assert pictures(gym)[ORDER, order] == SMALL


def test_a_logged_photo_is_decided_again_bit_for_bit(gym):
    """From the bytes of the log, with a world from its snapshot, as ``replay`` does."""
    order = report(gym)
    snapshot = msgspec.msgpack.encode(gym.world)
    inputs = []
    give = gym.give

    def noted(item):
        stamp_of = gym.stamp
        stamps = []
        gym.stamp = lambda: stamps.append(stamp_of()) or stamps[-1]
        effects = give(item)
        gym.stamp = stamp_of
        inputs.append((msgspec.msgpack.encode(item), stamps[0], effects_digest(effects)))
        return effects

    gym.give = noted
    add(gym, order, jpegs.heavy_jpeg(90_000))
    gym.command(ReturnTest(asset="t1", passed=True), role=Role.MAINTENANCE, user="fitter-1")
    world, kernel = msgspec.msgpack.decode(snapshot, type=World), GymKernel()
    for packed, stamp, digest in inputs:
        item = msgspec.msgpack.decode(packed, type=GymInput)
        assert isinstance(item, Command)
        effects = kernel.handle(world, item, stamp)
        assert effects_digest(effects) == digest
        assert any(isinstance(effect, Put) and isinstance(effect.row, PhotoDataRow) for effect in effects)
