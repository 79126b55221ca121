"""The pure decisions of a sink: keys of samples, pieces of a batch, what an answer means, how far back to go."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.storage.sinks.answers import Answer, Backoff, Verdict, remedy_of, retry_after_s, verdict_of
from edge.storage.sinks.delivery import HOPELESS_SINGLES, SPLITS_MAX_PARTLY_STORED, Delivery
from edge.storage.sinks.keys import KeysError, TimeKeys
from edge.storage.sinks.progress import REPEATS_MAX, Mark, Progress
from edge.storage.sinks.status import GAPS_MAX, SinkStatus

MS = 1_000_000

# --- keys -------------------------------------------------------------------------------------------------------------

samples = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=60)


def keyed(keys, births):
    return [keys.key_ns(series, time_ms * MS, seq, MS) for seq, series, time_ms in births]


@given(samples, st.integers(0, 60), st.integers(1, 5))
def test_a_key_is_the_same_from_any_restart_and_no_two_share_one(drawn, cut, per_input):
    """Whatever order times come in (twins, a clock set back): each sample its own key, in its millisecond."""
    births = [(index // per_input + 1, series, time_ms) for index, (series, time_ms) in enumerate(drawn)]
    cut = min(cut // per_input * per_input, len(births))
    whole = keyed(TimeKeys(), births)
    first = TimeKeys()
    keyed(first, births[:cut])
    again = TimeKeys.decode(first.encode())
    assert keyed(again, births[cut:]) == whole[cut:]
    assert len({(series, key) for (_, series, _), key in zip(births, whole, strict=True)}) == len(births)
    assert all(key // MS == time_ms for (_, _, time_ms), key in zip(births, whole, strict=True))


def test_round_times_stay_round():
    keys = TimeKeys()
    assert [keys.key_ns(1, n * 1000 * MS, n, MS) for n in range(5)] == [n * 1000 * MS for n in range(5)]


@pytest.mark.parametrize("text", ["", "~~~", "not base85 \x00", "c-jE"])
def test_a_spoiled_state_of_keys_is_refused(text):
    with pytest.raises(KeysError):
        TimeKeys.decode(text)


# --- pieces -----------------------------------------------------------------------------------------------------------


@given(
    st.integers(0, 200),
    st.integers(1, 60),
    st.sets(st.integers(0, 199), max_size=12),
    st.booleans(),
    st.integers(1, 70),
)
def test_all_good_items_go_through_and_exactly_the_bad_are_set_aside(count, limit, bad, partly, most):
    """Against a server that refuses bad items, stores the rest or nothing, and takes at most ``most`` at once."""
    delivery = Delivery(count, limit)
    stored, requests = set(), 0
    while (piece := delivery.next()) is not None:
        requests += 1
        assert piece.end - piece.start <= delivery.limit
        assert all(
            item in stored or item in {aside.position for aside in delivery.set_aside} for item in range(piece.start)
        )
        items = set(range(piece.start, piece.end))
        if len(items) > most:
            delivery.too_large("413")
        elif items & bad:
            stored |= items - bad if partly else set()
            delivery.refused("bad", partly_stored=partly)
        else:
            stored |= items
            delivery.stored()
        assert requests < 2000
    assert delivery.position is None
    assert stored == set(range(count)) - bad
    assert sorted(aside.position for aside in delivery.set_aside) == sorted(bad & set(range(count)))


def test_a_server_that_refuses_part_of_everything_costs_a_bounded_number_of_requests():
    """A bucket whose retention ended: each line is refused. All are kept aside, and the batch comes to its end."""
    delivery, requests = Delivery(5000, 5000), 0
    while delivery.next() is not None:
        delivery.refused("beyond retention", partly_stored=True)
        requests += 1
    assert requests < SPLITS_MAX_PARTLY_STORED + 30
    assert len({aside.position for aside in delivery.set_aside}) == len(delivery.set_aside) == 5000


@given(st.integers(1, 700), st.integers(0, 3), st.integers(1, 4000), st.integers(0, 3))
def test_a_field_of_the_wrong_type_costs_its_own_lines_alone(limit, first, most, others):
    """One field in ten is refused throughout a backlog, far more lines than may be found one by one; a few others, too
    rare to be known, may take good neighbours along."""
    kinds = [f"field {at % 10}" for at in range(5000)]
    bad = {at for at, kind in enumerate(kinds) if kind == f"field {first}"}
    odd = {1237 * (number + 1) for number in range(others)}
    delivery, stored, requests = Delivery(5000, limit, lambda at: kinds[at]), set(), 0
    while (piece := delivery.next()) is not None:
        items = set(piece.of(range(5000)))
        requests += 1
        assert items
        assert items <= set(range(piece.start, piece.end))
        if len(items) > most:
            delivery.too_large("413")
            continue
        stored |= items - bad - odd
        if items & (bad | odd):
            delivery.refused("type conflict", partly_stored=True)
        else:
            delivery.stored()
    set_aside = [aside.position for aside in delivery.set_aside]
    assert len(set_aside) == len(set(set_aside))
    assert stored == set(range(5000)) - bad - odd
    assert set(set_aside) >= bad | odd
    if not odd:
        assert set(set_aside) == bad
    assert requests < 2 * SPLITS_MAX_PARTLY_STORED + 4 * 5000 / min(limit, most) + 50


def test_refusing_everything_looks_hopeless_and_one_stored_piece_does_not():
    delivery = Delivery(5000, 5000)
    while not delivery.hopeless:
        delivery.next()
        delivery.refused("no", partly_stored=False)
    assert len(delivery.set_aside) == HOPELESS_SINGLES
    delivery.next()
    delivery.stored()
    assert not delivery.hopeless


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *(
            (204, Verdict.STORED),
            (200, Verdict.MISCONFIGURED),
            (202, Verdict.MISCONFIGURED),
            (301, Verdict.MISCONFIGURED),
        ),
        *(
            (400, Verdict.REFUSED),
            (401, Verdict.MISCONFIGURED),
            (403, Verdict.MISCONFIGURED),
            (404, Verdict.MISCONFIGURED),
        ),
        *(
            (408, Verdict.UNREACHABLE),
            (413, Verdict.TOO_LARGE),
            (418, Verdict.MISCONFIGURED),
            (422, Verdict.PARTLY_STORED),
        ),
        *((429, Verdict.BUSY), (500, Verdict.UNREACHABLE), (502, Verdict.UNREACHABLE), (503, Verdict.BUSY)),
    ],
)
def test_what_a_status_means(status, verdict):
    assert verdict_of(status) is verdict
    if verdict is Verdict.MISCONFIGURED:
        assert len(remedy_of(status)) > 30


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        *(
            (None, None),
            ("", None),
            ("7", 7.0),
            (" 7 ", 7.0),
            ("-3", None),
            ("soon", None),
            ("9" * 40, 3600.0),
            ("²", None),
        ),
        *(("Thu, 01 Jan 1970 00:10:00 GMT", 500.0), ("Thu, 01 Jan 1970 00:00:10 GMT", 0.0), ("Thu, 99 Foo", None)),
    ],
)
def test_retry_after(header, wait_s):
    assert retry_after_s(header, 100.0) == wait_s


def test_waits_grow_with_jitter_to_a_limit_and_begin_again():
    backoff = Backoff(Random(1))
    down = Answer(Verdict.UNREACHABLE)
    waits = [backoff.wait_s(down) for _ in range(40)]
    assert all(
        0.5 * least <= wait <= least for wait, least in zip(waits, [min(60.0, 2.0**n) for n in range(40)], strict=True)
    )
    assert len(set(waits)) == 40
    backoff.succeeded()
    assert backoff.wait_s(down) <= 1.0
    assert backoff.wait_s(Answer(Verdict.BUSY, retry_after_s=900.0)) >= 900.0
    assert Backoff(Random(1)).wait_s(Answer(Verdict.MISCONFIGURED)) >= 30.0


# --- how far back -----------------------------------------------------------------------------------------------------


def at(seq):
    return Mark(seq, TimeKeys())


OK = Answer(Verdict.STORED)
FRESH = Answer(Verdict.STORED, fresh=True)


def test_a_position_settles_only_when_the_server_still_answers_a_minute_later():
    progress = Progress(at(0))
    progress.heard(FRESH, 0.0)
    progress.arrived(at(10), 0.0)
    assert progress.settled.seq == 0
    progress.heard(OK, 59.0)
    assert progress.settled.seq == 0
    progress.heard(OK, 61.0)
    assert progress.settled.seq == 10


def test_silence_settles_nothing():
    """Acknowledged, then an hour of nothing, then a new connection: the server may have died in between."""
    progress = Progress(at(0))
    progress.heard(FRESH, 0.0)
    progress.arrived(at(10), 0.0)
    assert progress.heard(FRESH, 3600.0) is True
    assert progress.rewind().seq == 0


def test_a_failure_after_success_is_a_sign_and_one_before_is_not():
    progress = Progress(at(0))
    down = Answer(Verdict.UNREACHABLE)
    assert progress.heard(down, 0.0) is False
    assert progress.heard(FRESH, 1.0) is False
    progress.arrived(at(10), 1.0)
    assert progress.heard(down, 2.0) is False
    assert progress.heard(OK, 3.0) is True


def test_a_proxy_that_answers_for_a_dead_server_settles_no_doubt():
    progress = Progress(at(0))
    progress.heard(FRESH._replace(life="a"), 0.0)
    progress.arrived(at(10), 0.0)
    assert progress.heard(Answer(Verdict.BUSY, "503", fresh=True), 10.0) is False
    assert progress.heard(OK, 12.0) is True


def test_the_same_life_is_believed_once_it_is_old_enough():
    progress = Progress(at(0))
    progress.heard(FRESH._replace(life="a"), 0.0)
    progress.arrived(at(10), 0.0)
    assert progress.heard(FRESH._replace(life="a"), 1.0) is True, "two lives within a second look alike"
    progress.rewind()
    progress.heard(OK._replace(life="a"), 2.0)
    assert progress.heard(FRESH._replace(life="a"), 30.0) is False


def test_signs_without_end_stop_to_send_again_but_a_proven_new_life_never_does():
    progress = Progress(at(0))
    progress.heard(FRESH, 0.0)
    for number in range(10):
        progress.arrived(at(10), float(number))
        if progress.heard(FRESH, float(number)):
            progress.rewind()
            progress.heard(OK, float(number))
    assert progress.rewinds == REPEATS_MAX
    lives = Progress(at(0))
    for number in range(10):
        if lives.heard(FRESH._replace(life=str(number)), float(number)):
            lives.rewind()
            lives.heard(OK._replace(life=str(number)), float(number))
    assert lives.rewinds == 9


def test_gaps_are_counted_once_and_listed_in_bounds():
    status = SinkStatus(sink="s", vertical="v", kind="influx")
    for _ in range(2):
        status.add_gaps(tuple((n * 10, n * 10 + 4) for n in range(1, 41)), 0)
    status.add_gaps(((402, 500),), 0)
    assert status.lost_inputs == 40 * 5 + 96
    assert len(status.gaps) == GAPS_MAX
    assert (status.gaps[-1].seq_first, status.gaps[-1].seq_last) == (405, 500)
