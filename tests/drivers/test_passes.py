import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.engine import NS_PER_MS
from drivers.passes import PassLog, PassReporter


def one(at_ms, *uids, complete=True, residual=False, independent=True):
    log = PassLog(at_ms * NS_PER_MS)
    for uid in uids:
        log.seen(uid)
    log.frame(b"frame")
    log.end(0, "ok", complete=complete)
    return log.close((at_ms + 10) * NS_PER_MS, residual=residual, independent=independent)


STEP = st.tuples(st.sampled_from(["empty", "tags", "incomplete", "residual", "dependent"]), st.integers(1, 400))


@given(st.lists(STEP, max_size=120))
def test_nothing_is_lost_or_reordered_and_only_idle_trials_are_summed(steps):
    reporter, told, given_in, at_ms = PassReporter(), [], [], 0
    for kind, pause_ms in steps:
        at_ms += pause_ms + 10
        done = one(
            at_ms,
            *(["a"] if kind == "tags" else []),
            complete=kind != "incomplete",
            residual=kind == "residual",
            independent=kind not in {"residual", "dependent"},
        )
        given_in.append((kind, done))
        told += reporter.report(done)
    told += reporter.flush()
    expanded = []
    for item in told:
        expanded += [item] * max(1, item.empty_passes)
    assert len(expanded) == len(given_in)
    for item, (kind, done) in zip(expanded, given_in, strict=True):
        assert item.started_ns <= done.started_ns <= done.ended_ns <= item.ended_ns
        assert (item.tags, item.complete, item.residual, item.independent) == (
            done.tags,
            done.complete,
            done.residual,
            done.independent,
        )
        assert kind == "empty" or item == done
    assert reporter.flush() == []


def test_the_first_three_empty_passes_are_told_one_by_one():
    reporter = PassReporter()
    assert [len(reporter.report(one(ms))) for ms in (0, 20, 40, 60, 80)] == [1, 1, 1, 0, 0]
    assert reporter.idle
    (held, seen) = reporter.report(one(100, "a"))
    assert held.empty_passes == 2
    assert seen.tags
    assert not reporter.idle
    assert len(reporter.report(one(120))) == 1


@pytest.mark.parametrize(("signals", "strongest"), [([-60, -40, -50], -40), ([None, -50], -50), ([-50, None], -50)])
def test_the_strongest_signal_is_kept(signals, strongest):
    log = PassLog(0)
    for rssi in signals:
        log.seen("a", rssi)
    assert log.close(1, residual=False, independent=True).tags[0].rssi_dbm == strongest
