"""The fair queue of a zone: under the limit, nobody starves, nobody unarmed is named."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.garage import load
from edge.domain.garage.load import TURN_NS, Ask, Load, plan

LIMIT = 1000
STEP = 300 * 10**9


def ask(port, power=0, peak=0, expect=300, armed=True):
    return Ask(port=port, armed=armed, power_w=power, peak_w=peak, expect_w=expect)


def test_first_come_first_served_and_the_rest_wait_in_order():
    found = plan(Load(), [ask("c"), ask("a"), ask("b"), ask("d")], LIMIT, 0)
    assert (found.on, found.close, found.places) == (("a", "b", "c"), ("a", "b", "c"), {"d": 1})


def test_a_small_load_does_not_pass_a_large_one_that_waits():
    queue = Load()
    plan(queue, [ask("a", expect=700)], LIMIT, 0)
    found = plan(queue, [ask("a", expect=700), ask("big", expect=600)], LIMIT, 1)
    assert found.places == {"big": 1}
    found = plan(queue, [ask("a", expect=700), ask("big", expect=600), ask("small", expect=100)], LIMIT, 2)
    assert found.places == {"big": 1, "small": 2}


def test_a_turn_ends_only_while_somebody_waits_and_only_if_it_helps():
    queue = Load()
    three = [ask(name) for name in "abc"]
    plan(queue, three, LIMIT, 0)
    assert plan(queue, three, LIMIT, 2 * TURN_NS).open == ()
    found = plan(queue, [*three, ask("d")], LIMIT, 2 * TURN_NS)
    assert (found.open, found.close, found.places) == (("a",), ("d",), {"a": 1})


def test_over_the_limit_the_newest_gives_way_at_once():
    queue = Load()
    plan(queue, [ask("a")], LIMIT, 0)
    plan(queue, [ask("a"), ask("b")], LIMIT, STEP)
    found = plan(queue, [ask("a", power=600), ask("b", power=590)], LIMIT, 2 * STEP)
    assert (found.on, found.open, found.places) == (("a",), ("b",), {"b": 1})


def test_what_draws_more_than_the_whole_limit_gets_no_turn():
    assert plan(Load(), [ask("a", peak=1200), ask("b")], LIMIT, 0).on == ("b",)


def test_after_a_start_those_that_draw_keep_their_turn_and_those_that_drew_are_first_again():
    queue = Load(queue=["x"], granted={"b": 5, "c": 7, "a": 9, "d": 11})
    load.rebase(queue, {"c", "d"})
    assert (queue.queue, list(queue.granted)) == (["b", "a", "x"], ["c", "d"])
    wants = [ask(port, peak=60, power=50) for port in "cd"]
    assert plan(queue, wants, 150, 0).on == ("c", "d"), "counted by their known peaks"
    assert plan(queue, [ask("c", 90, 60), ask("d", 90, 60)], 150, 0).open == ("d",), "the newest gives way"


PORTS = [f"p{k}" for k in range(8)]
ASKS = st.lists(
    st.tuples(st.sampled_from(PORTS), st.booleans(), st.integers(0, 600), st.integers(0, 600), st.integers(50, 600)),
    max_size=8,
    unique_by=lambda one: one[0],
)


@given(st.lists(ASKS, max_size=25))
@settings(max_examples=60, deadline=None)
def test_never_over_the_limit_never_unarmed_every_port_in_one_place(rounds):
    queue, on = Load(), set()
    for k, asks in enumerate(rounds):
        wants = [
            ask(port, power if port in on else 0, peak, expect, armed) for port, armed, power, peak, expect in asks
        ]
        found = plan(queue, wants, LIMIT, k * STEP)
        on = set(found.on)
        by_port = {one.port: one for one in wants}
        assert all(by_port[port].armed for port in on)
        assert sum(by_port[port].power_w for port in on) <= found.reserved_w <= LIMIT
        assert set(found.places) | on == {one.port for one in wants if one.armed}
        assert not set(found.places) & on
        assert sorted(found.places.values()) == list(range(1, len(found.places) + 1))


@given(st.lists(st.integers(50, 600), min_size=2, max_size=12), st.integers(600, 1500))
@settings(max_examples=60, deadline=None)
def test_nobody_starves(expects, limit):
    """Everybody stays for ever: still each gets a turn within a turn for each one before him."""
    queue, served = Load(), set()
    wants = [ask(f"p{k:02}", expect=expect) for k, expect in enumerate(expects)]
    for step in range(len(wants) * 7):
        served |= set(plan(queue, wants, limit, step * STEP).on)
    assert served == {one.port for one in wants}
    waited = {one.port: 0 for one in wants}
    for step in range(len(wants) * 7, len(wants) * 40):
        on = set(plan(queue, wants, limit, step * STEP).on)
        waited = {port: 0 if port in on else ns + STEP for port, ns in waited.items()}
        assert max(waited.values()) <= (len(wants) + 1) * TURN_NS


def test_a_stored_queue_gives_the_same_plan():
    queue = Load(queue=["a"], granted={"b": 3})
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(queue), type=Load)
    wants = [ask("a", expect=900), ask("b", power=400, peak=420)]
    assert plan(queue, wants, LIMIT, TURN_NS * 2) == plan(copy, wants, LIMIT, TURN_NS * 2)
