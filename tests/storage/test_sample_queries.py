"""Questions about samples, held against a plain computation over the very list that was written."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from edge.domain.field_devices import MeterReading, SignalKind, SignalReading
from edge.storage.bins import bins_of, pack_bins, unpack_bins
from edge.storage.errors import StoreError
from edge.storage.plotting import curve_of_samples
from edge.storage.sample_queries import SampleQueries
from edge.storage.sample_retention import _Oldest

S = 1_000_000_000
T0 = 1_795_000_000 * S
HOUR = 3600 * S


def written(rng, n):
    """(value, wall_ns, source_wall_ns) of n readings: every few seconds, some late, some said twice."""
    now = T0
    late = []
    for _ in range(n):
        now += rng.choice([0, 1, 5, 5, 5, 60, 900]) * S + rng.randrange(1000) * 1_000_000
        value = round(rng.uniform(-5, 50), rng.choice([0, 1, 3]))
        if rng.random() < 0.15:
            source = now - rng.randrange(2, 40) * HOUR - rng.randrange(3600) * S
            late.append(source)
            yield value, now, source
        elif late and rng.random() < 0.1:
            yield value, now, rng.choice(late)
        else:
            yield value, now, None


def expected_of(said):
    """What a reader must find: by time, a repeat of a source's time replaced."""
    sourced, plain = {}, []
    for number, (value, wall_ns, source) in enumerate(said):
        used = source is not None and 60 * S < wall_ns - source <= 31 * 24 * HOUR
        time_ns = (source if used else wall_ns) // 1_000_000 * 1_000_000
        if used:
            sourced[time_ns] = (time_ns, 1, number, value)
        else:
            plain.append((time_ns, 0, number, value))
    return [(time_ns, value) for time_ns, _, _, value in sorted([*plain, *sourced.values()])]


@pytest.fixture(params=range(4))
def told(request, sample_site, open_history):
    """A history that was sealed and rolled now and then while readings came, and what was said."""
    rng = random.Random(request.param)
    said = list(written(rng, 400))
    history = open_history()
    at = 0
    while at < len(said):
        count = rng.randrange(1, 60)
        batch = [
            (MeterReading(point="p", power_w=value, source_wall_ns=source), wall_ns)
            for value, wall_ns, source in said[at : at + count]
        ]
        sample_site.say(*batch)
        at += count
        while history.step():
            pass
        if rng.random() < 0.4:
            history.seal()
        if rng.random() < 0.5:
            history.tidy()
    if request.param % 2:
        history.seal()
        while history.tidy():
            pass
    queries = SampleQueries(history)
    yield queries, expected_of(said)
    queries.close()


def check_spans(queries, expected):
    """Every sample once and in order."""
    for begin, end in [(0, 2**62), (T0 + HOUR, T0 + 3 * HOUR), (T0, T0), (expected[10][0], expected[200][0] + 1)]:
        for limit in (10_000, 7):
            found, place = [], None
            while True:
                page = queries.samples(1, begin, end, limit, place)
                found += zip(page.raw.time_ns.tolist(), page.raw.value.tolist(), strict=True)
                assert page.raw.time_ns.size <= limit
                place = page.next
                if place is None:
                    break
            assert found == [sample for sample in expected if begin <= sample[0] < end]


def check_windows(queries, expected, width_s, offset_s):
    """Windows are those of the samples."""
    begin, end = expected[0][0], expected[-1][0] + 1
    if width_s == 7:
        begin, end = expected[100][0], expected[100][0] + 20_000 * 6 * S
    groups: dict[int, list[float]] = {}
    for time_ns, value in expected:
        slot = (time_ns + offset_s * S) // (width_s * S)
        if (begin + offset_s * S) // (width_s * S) <= slot <= (end - 1 + offset_s * S) // (width_s * S):
            groups.setdefault(slot, []).append(value)
    bins = queries.windows(1, begin, end, width_s, offset_s)
    assert bins.slot.tolist() == sorted(groups)
    rows = [groups[slot] for slot in sorted(groups)]
    assert bins.n.tolist() == [len(row) for row in rows]
    assert bins.min.tolist() == [min(row) for row in rows]
    assert bins.max.tolist() == [max(row) for row in rows]
    assert bins.first.tolist() == [row[0] for row in rows]
    assert bins.last.tolist() == [row[-1] for row in rows]
    assert bins.sum.tolist() == pytest.approx([math.fsum(row) for row in rows])


def check_plot(queries, expected, pixels):
    """A plot keeps every extreme."""
    begin, end = expected[0][0], expected[-1][0] + 1
    for lo, hi in [(begin, end), (begin, begin + 2 * HOUR)]:
        inside = [value for time_ns, value in expected if lo <= time_ns < hi]
        plot = queries.plot(1, lo, hi, pixels)
        values = plot.curve.value[~np.isnan(plot.curve.value)].tolist()
        assert (min(values), max(values)) == (min(inside), max(inside))
        assert (np.diff(plot.curve.time_ns) >= 0).all()
        assert set(values) <= {value for _, value in expected}
        assert len(values) <= max(4 * (pixels + 2), 4 * 400)


def test_spans_windows_and_plots_are_those_of_what_was_said(told):
    queries, expected = told
    check_spans(queries, expected)
    for width_s, offset_s in [(7, 0), (60, 0), (900, 0), (3600, 0), (86_400, 28_800)]:
        check_windows(queries, expected, width_s, offset_s)
    for pixels in (10, 50, 400):
        check_plot(queries, expected, pixels)


@pytest.mark.parametrize("seals", [3, 40])
def test_spans_over_few_and_many_chunks_in_order(sample_site, open_history, seals):
    """Nothing is late, so nothing is sorted: each span is cut out of the chunks that it touches."""
    history = open_history()
    expected = []
    for number in range(seals):
        said = [(round(21 + (number * 20 + at) % 17 / 10, 1), T0 + (number * 20 + at) * 9 * S) for at in range(20)]
        sample_site.say(*((MeterReading(point="p", power_w=value), wall_ns) for value, wall_ns in said))
        expected += [(wall_ns, value) for value, wall_ns in said]
        while history.step():
            pass
        history.seal()
    queries = SampleQueries(history)
    try:
        for begin, end in [(7, 8), (15, 45), (20, 21), (0, 20 * seals)]:
            inside = expected[begin:end]
            page = queries.samples(1, inside[0][0], inside[-1][0] + 1, 10_000)
            assert page.next is None
            assert list(zip(page.raw.time_ns.tolist(), page.raw.value.tolist(), strict=True)) == inside
        if seals == 40:
            check_spans(queries, expected)
    finally:
        queries.close()


def test_m4_draws_the_columns_of_all_samples():
    rng = np.random.default_rng(3)
    time_ns = np.sort(rng.integers(0, 10**6, 20_000))
    value = np.cumsum(rng.normal(size=20_000))
    value[777] = 1e6
    curve = curve_of_samples(time_ns, value, 0, 10**6, 200)
    assert curve.time_ns.size <= 5 * 201
    for column in range(200):
        inside = (time_ns * 200 // 10**6) == column
        kept = (curve.time_ns * 200 // 10**6) == column
        if inside.any():
            all_of, some = value[inside], curve.value[kept]
            assert (some[0], some[-1]) == (all_of[0], all_of[-1])
            assert (np.nanmin(some), np.nanmax(some)) == (all_of.min(), all_of.max())


def test_a_hole_breaks_the_line():
    time_ns = np.concatenate([np.arange(100), np.arange(500, 600)]) * S
    curve = curve_of_samples(time_ns, np.ones(200), 0, 600 * S, 1000)
    assert np.flatnonzero(np.isnan(curve.value)).tolist() == [100]


@pytest.mark.parametrize("decimals", [1, 12])
def test_packed_bins_come_back(decimals):
    rng = np.random.default_rng(decimals)
    time_ns = np.sort(rng.integers(0, 86_400, 3000)) * S
    bins = bins_of(time_ns, np.round(rng.normal(20, 30, 3000), decimals), 60 * S)
    for column, again in zip(bins, unpack_bins(pack_bins(bins)), strict=True):
        assert column.tolist() == again.tolist()


def test_a_group_adds_the_means(sample_site, open_history):
    for n in range(10):
        sample_site.say(*((MeterReading(point=f"p{k}", power_w=100.0 * k + n), T0 + n * S) for k in range(3)))
    queries = SampleQueries(open_history())
    group = queries.group([1, 2, 3], T0, T0 + 10 * S, 10)
    assert (group.total.tolist(), group.members.tolist(), group.n.tolist()) == ([313.5], [3], [30])
    assert (group.min.tolist(), group.max.tolist()) == ([0.0], [209.0])
    queries.close()


@pytest.mark.parametrize("sealed", [0, 1, 2])
@pytest.mark.parametrize("pixels", [10, 4000])
def test_a_state_holds_until_the_next_one(sample_site, open_history, sealed, pixels):
    """A door that was opened yesterday is open in every span until it is closed, however long nothing was said."""
    said = [(True, T0), (False, T0 + 5 * S), (True, T0 + 26 * HOUR), (False, T0 + 40 * HOUR)]
    history = open_history()
    for number, (active, wall_ns) in enumerate(said):
        sample_site.say((SignalReading(point="s", kind=SignalKind.FLOW, active=active), wall_ns))
        while history.step():
            pass
        if number < sealed:
            history.seal()
    sample_site.say((MeterReading(point="p", power_w=1.0), T0 + 50 * HOUR))
    while history.step():
        pass
    series = next(one.id for one in history.names.all() if one.quantity == "flow")
    words = history.names.words(series)
    queries = SampleQueries(history)

    def states(begin_h, end_h):
        plot = queries.plot(series, int(T0 + begin_h * HOUR), int(T0 + end_h * HOUR), pixels)
        assert not np.isnan(plot.curve.value).any(), "nothing is broken"
        at_h = ((plot.curve.time_ns - T0) / HOUR).tolist()
        return plot.resolution_s, [(hour, words[int(code)]) for hour, code in zip(at_h, plot.curve.value, strict=True)]

    assert states(30, 30.001) == (0, [(30, "true"), (30.001, "true")])
    assert states(20, 21)[1] == [(20, "false"), (21, "false")]
    _, over = states(39, 49)
    assert [word for _, word in over] == ["true", "false", "false"]
    assert over[1][0] == pytest.approx(40, abs=10 / pixels)
    assert states(45, 60)[1] == [(45, "false"), (50, "false")], "no further than the log goes"
    assert states(-10, -5)[1] == []
    _, wide = states(-1, 50)
    assert {word for hour, word in wide if 6 < hour < 25} <= {"false"}
    assert (wide[0][0] > -1, wide[-1]) == (True, (50, "false")), "nothing is known before the first"
    queries.close()


def test_a_state_that_was_told_often_begins_with_its_last_word(sample_site, open_history):
    """A slab may hold many chunks of one series; the newest of them is the one that counts."""
    told = 17 * 4096
    for at in range(0, told, 8192):
        sample_site.say(
            *(
                (SignalReading(point="p", kind=SignalKind.SMOKE, active=n >= told - 5), T0 + n * 5_000_000)
                for n in range(at, min(at + 8192, told))
            )
        )
    history = open_history()
    history.seal()
    sample_site.say((MeterReading(point="m", power_w=1.0), T0 + 3 * HOUR))
    while history.step():
        pass
    queries = SampleQueries(history)
    curve = queries.plot(1, T0 + HOUR, T0 + 2 * HOUR, 100).curve
    queries.close()
    assert {history.names.words(1)[int(code)] for code in curve.value.tolist()} == {"true"}


def test_a_span_whose_samples_are_gone_is_drawn_from_its_minutes(sample_site, open_history):
    """Zoomed in as far as one likes."""
    sample_site.say(*((MeterReading(point="p", power_w=float(n)), T0 + n * 10 * S) for n in range(720)))
    history = open_history()
    history.seal()
    sample_site.say((MeterReading(point="p", power_w=1.0), T0 + 8 * HOUR))
    while history.step():
        pass
    history.seal()
    while history.tidy():
        pass
    queries = SampleQueries(history)
    assert queries.plot(1, T0 + HOUR, T0 + HOUR + 600 * S, 1000).resolution_s == 0
    history._keeper._begin_slab(_Oldest(1, 720, T0, T0 + 7190 * S), T0, T0 + 8 * HOUR, by_bytes=True)
    while history.tidy():
        pass
    near = queries.plot(1, T0 + HOUR, T0 + HOUR + 600 * S, 1000)
    assert near.resolution_s == 60
    assert (near.curve.value.min(), near.curve.value.max()) == (pytest.approx(360, abs=6), pytest.approx(419, abs=6))
    assert queries.plot(1, T0 + 7 * HOUR, T0 + 9 * HOUR, 4000).resolution_s == 0
    queries.close()


def test_a_damaged_chunk_is_a_hole_that_the_plot_tells(sample_site, open_history):
    history = open_history()
    for part in range(3):
        sample_site.say(*((MeterReading(point="p", power_w=1.5), T0 + (part * 60 + n) * S) for n in range(60)))
        while history.step():
            pass
        history.seal()
    queries = SampleQueries(history)
    assert queries.plot(1, T0, T0 + 180 * S, 1000).holes == ()
    with history.db.write() as connection:
        connection.execute("UPDATE chunk SET data = zeroblob(length(data)) WHERE slab = 2")
    plot = queries.plot(1, T0, T0 + 180 * S, 1000)
    assert plot.holes == ((T0 + 60 * S, T0 + 119 * S),)
    seconds = ((plot.curve.time_ns - T0) // S)[~np.isnan(plot.curve.value)].tolist()
    assert seconds == [*range(60), *range(120, 180)]
    assert queries.plot(1, T0, T0 + 50 * S, 1000).holes == (), "only of the span asked for"
    queries.close()


def test_unknown_series_and_too_many_windows_are_refused(sample_site, open_history):
    sample_site.say((MeterReading(point="p", power_w=1.0), T0))
    queries = SampleQueries(open_history())
    for ask, code in [
        (lambda: queries.samples(9, 0, 1, 1), "absent"),
        (lambda: queries.windows(1, 0, 2**60, 1), "slow"),
    ]:
        with pytest.raises(StoreError) as refused:
            ask()
        assert refused.value.code == code
    queries.close()


def test_last_values_outlive_a_restart_and_late_ones_do_not_replace_them(sample_site, open_history):
    sample_site.say((MeterReading(point="p", power_w=1.0), T0 + HOUR), (MeterReading(point="q", power_w=5.5), T0))
    sample_site.say((MeterReading(point="p", power_w=9.0, source_wall_ns=T0 - HOUR), T0 + HOUR))
    history = open_history()
    assert history.last.picture().value[1:3].tolist() == [1.0, 5.5]
    history.seal()
    history.close()
    again = open_history()
    assert again.last.picture().value[1:3].tolist() == [1.0, 5.5]
    assert again.last.picture().time_ns[1:3].tolist() == [T0 + HOUR, T0]


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("sealed_at", [(), (0,), (0, 1), (1,)])
def test_a_clock_that_was_ahead_does_not_hold_the_last_value(sample_site, open_history, trusted, sealed_at):
    """The box woke up a year ahead; once the clock is right, what comes is the last value, also after a start."""
    said = [(3.0, T0), (99.0, T0 + 9000 * HOUR), (4.0, T0 + 10 * S), (5.0, T0 + 20 * S)]
    history = open_history()
    for number, part in enumerate((said[:2], said[2:])):
        sample_site.say(*((MeterReading(point="p", power_w=value), wall_ns, trusted) for value, wall_ns in part))
        while history.step():
            pass
        assert history.last.picture().value[1] == part[-1][0]
        if number in sealed_at:
            history.seal()
    history.close()
    again = open_history()
    assert again.last.picture().value[1] == 5.0
    again.close()
    (sample_site.directory / "samples.db").unlink()  # now all was said within one look at the log
    anew = open_history()
    anew.seal()
    with anew.db.read() as connection:
        assert connection.execute("SELECT last_value FROM series WHERE id = 1").fetchone() == (5.0,)
    assert anew.last.picture().value[1] == 5.0


@pytest.mark.parametrize("level", [60, 3600])
def test_a_damaged_block_of_roll_ups_is_made_of_samples_again(sample_site, open_history, level):
    said = [(MeterReading(point="p", power_w=float(n)), T0 + n * 60 * S) for n in range(300)]
    sample_site.say(*said)
    history = open_history()
    history.seal()
    sample_site.say((MeterReading(point="p", power_w=1.0), T0 + 8 * HOUR))
    while history.step():
        pass
    history.seal()
    while history.tidy():
        pass
    queries = SampleQueries(history)
    before = queries.windows(1, T0, T0 + 5 * HOUR, level)
    with history.db.write() as connection:
        connection.execute("UPDATE rollup SET data = zeroblob(length(data)) WHERE level = ?", (level,))
    for column, again in zip(before, queries.windows(1, T0, T0 + 5 * HOUR, level), strict=True):
        assert column.tolist() == again.tolist()
    with history.db.write() as connection:
        connection.execute("INSERT OR IGNORE INTO due VALUES (?, 1)", (T0 // HOUR,))
    while history.tidy():
        pass
    with history.db.read() as connection:
        assert connection.execute("SELECT count(*) FROM rollup WHERE data = zeroblob(length(data))").fetchone() == (0,)
    for column, again in zip(before, queries.windows(1, T0, T0 + 5 * HOUR, level), strict=True):
        assert column.tolist() == again.tolist()
    queries.close()
