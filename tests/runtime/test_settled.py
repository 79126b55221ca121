"""A message is settled when all that came of it is on disk: not before, also not after a failed commit."""

from __future__ import annotations

import pytest

from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState, FieldOn
from edge.domain.field_devices import SignalKind, SignalReading
from edge.runtime.inbox import READINGS_MAX, Entry, EntryKind, Inbox
from edge.runtime.journal import AWAITED_MAX
from edge.runtime.settling import all_of


def reading(point="head"):
    return DeviceReading("z2m", 1, SignalReading(point=point, kind=SignalKind.SMOKE, active=True))


class Settled:
    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_all_of_calls_once_after_the_last(count):
    settled = Settled()
    each = all_of(count, settled)
    for number in range(count):
        assert settled.count == 0, number
        each()
    assert settled.count == 1


def test_on_disk_and_not_before(bench, run):
    async def commit():
        b = await bench().start()
        settled = Settled()
        assert b.daemon.post_reading(reading(), settled)
        await b.settle()
        b.daemon._journal.flush()
        await b.settle()
        assert settled.count == 0
        b.store.commit()
        await b.settle()
        assert settled.count == 1
        await b.daemon.stop(0.1)

    run(commit())


def test_half_a_window_of_waiting_messages_goes_to_the_disk_at_once(bench, run):
    """A broker that sends twenty ahead must not be held up for the second that readings are gathered."""

    async def gather():
        b = await bench().start()
        settled = Settled()
        for _ in range(AWAITED_MAX - 1):
            b.daemon.post_reading(reading(), settled)
        await b.settle()
        assert b.store.waiting == []
        b.daemon.post_reading(reading(), settled)
        await b.settle()
        assert len(b.store.waiting) == 1
        b.store.commit()
        await b.settle()
        assert settled.count == AWAITED_MAX
        await b.daemon.stop(0.1)

    run(gather())


def test_after_a_failed_commit_it_is_decided_again_and_settled_then(bench, run):
    async def fail():
        b = await bench().start()
        settled = Settled()
        b.daemon.post_reading(reading("first"), settled)
        await b.settle()
        b.daemon._journal.flush()
        await b.settle()
        b.store.fail()
        await b.settle()
        assert settled.count == 0
        await b.recovered()
        b.store.commit()
        await b.settle()
        b.daemon._journal.flush()
        await b.settle()
        b.store.commit()
        await b.settle()
        assert settled.count == 1
        assert b.daemon.health()["readings_lost"] == 0
        await b.daemon.stop(0.1)

    run(fail())


def test_a_reading_that_nobody_keeps_is_lost_and_counted_as_before(bench, run):
    async def fail():
        b = await bench().start()
        b.daemon.post_reading(reading())
        await b.settle()
        b.daemon._journal.flush()
        await b.settle()
        b.store.fail()
        await b.recovered()
        assert b.daemon.health()["readings_lost"] == 1
        await b.daemon.stop(0.1)

    run(fail())


def test_a_row_that_breaks_a_rule_is_not_tried_for_ever(bench, run):
    """Several inputs in one batch, one of them at fault, nobody knows which: what may be lost is given up, settled."""

    async def fail():
        b = await bench().start()
        settled = Settled()
        for _ in range(3):
            b.daemon.post_reading(reading(), settled)
        await b.settle()
        b.daemon._journal.flush()
        await b.settle()
        b.store.fail(code="row")
        await b.recovered()
        assert settled.count == 3
        assert b.daemon.health()["readings_lost"] == 3
        await b.daemon.stop(0.1)

    run(fail())


def test_what_gives_way_in_a_flood_is_settled_and_what_must_not_is_kept_by_its_sender():
    inbox, settled = Inbox(), Settled()
    for _ in range(READINGS_MAX + 5):
        inbox.put(Entry(reading(), EntryKind.READING, settled=settled))
    assert (settled.count, inbox.counters["readings_dropped"]) == (5, 5)
    health = DeviceReading("z2m", 1, DeviceHealth(state=DeviceState.READY))
    inbox.put(Entry(health, EntryKind.READING, settled=settled))
    assert settled.count == 6


def test_a_message_that_raises_is_settled_when_it_is_set_aside_on_disk(bench, run, toy):
    async def raise_it():
        b = await bench().start()
        settled = Settled()
        b.daemon._enter(Entry(toy.Smoke("west", boom=True), EntryKind.READING, settled=settled))
        await b.settle()
        b.store.commit()
        await b.recovered_or_draining()
        assert settled.count == 0
        b.store.commit()
        await b.settle()
        b.store.commit()
        await b.settle()
        assert settled.count == 1
        assert len(b.store.set_aside) == 1
        await b.daemon.stop(0.1)

    run(raise_it())


def test_commands_are_none_of_it():
    assert Entry(FieldOn(on=True), EntryKind.COMMAND).settle() is None
