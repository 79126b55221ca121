"""Coarser times keep every reading: two in one unit are two samples, in their order, today and from a chunk."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.devices import DeviceReading
from edge.domain.field_devices import MeterReading
from edge.domain.kernel import Stamp
from edge.storage.log import LogEntry, LogRecord
from edge.storage.sample_batch import BatchWriter
from edge.storage.sample_extract import Extractor
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_names import SeriesNames
from edge.storage.sample_resolution import ChannelResolution, Resolution, Resolutions
from edge.storage.sinks.keys import TimeKeys

S = 1_000_000_000
MS = 1_000_000
T0 = 1_795_000_000 * S
SLOW = Resolutions(Resolution.MS, (ChannelResolution("canteen/d/*/power_w", Resolution.SECOND_10),))


@pytest.fixture
def open_slow(sample_site):
    opened = []

    def open_it(resolutions=SLOW):
        history = SampleHistory(sample_site.directory, "canteen", resolutions=resolutions)
        opened.append(history)
        while history.step():
            pass
        return history

    yield open_it
    for history in opened:
        history.close()


def samples(history, read_all, channel):
    return [(time_ns, value) for name, time_ns, value, _ in read_all(history.source()) if name == channel]


def power(value, **facts):
    return MeterReading(point="p", power_w=value, voltage_v=230.0, **facts)


def test_only_the_channel_that_was_named_is_coarser(sample_site, open_slow, read_all):
    sample_site.say((power(1.0), T0 + 12_345 * MS), (power(2.0), T0 + 12_346 * MS))
    history = open_slow()
    for _ in range(2):  # from the log, then from a chunk
        assert samples(history, read_all, "d/p/power_w") == [(T0 + 10 * S, 1.0), (T0 + 10 * S, 2.0)]
        assert [time_ns for time_ns, _ in samples(history, read_all, "d/p/voltage_v")] == [
            T0 + 12_345 * MS,
            T0 + 12_346 * MS,
        ]
        history.seal()


def test_a_channel_keeps_what_it_was_born_with(sample_site, open_slow, read_all):
    sample_site.say((power(1.0), T0 + 1_234 * MS))
    history = open_slow()
    history.seal()
    history.close()
    sample_site.say((power(2.0), T0 + 12_345 * MS))
    again = open_slow(Resolutions(Resolution.MINUTE))
    assert again.names.born_otherwise() == 2
    assert samples(again, read_all, "d/p/power_w") == [(T0, 1.0), (T0 + 10 * S, 2.0)]
    assert samples(again, read_all, "d/p/voltage_v")[-1][0] == T0 + 12_345 * MS


def test_what_was_filled_in_afterwards_keeps_the_source_s_time(sample_site, open_slow, read_all):
    """Or the second of two in one unit would take the first one's place."""
    late = [T0 - 3600 * S + each * 100 * MS for each in range(3)]
    sample_site.say(*((power(float(number), source_wall_ns=at), T0) for number, at in enumerate(late)))
    history = open_slow()
    for _ in range(2):
        assert samples(history, read_all, "d/p/power_w") == [(at, float(number)) for number, at in enumerate(late)]
        history.seal()


def test_arrays_are_cut_like_readings(sample_site, open_slow, read_all):
    writer = BatchWriter([("d", "p", "power_w"), ("d", "p", "voltage_v")])
    records = []
    for number in range(3):
        sample_site.seq += 1
        stamp = Stamp(sample_site.seq, "boot", T0 + number * 1500 * MS, T0 + number * 1500 * MS, True)
        records.append(LogRecord(stamp, writer.input(np.array([float(number), 230.0]))))
    sample_site.write(records)
    history = open_slow()
    assert samples(history, read_all, "d/p/power_w") == [(T0, 0.0), (T0, 1.0), (T0, 2.0)]
    assert [at for at, _ in samples(history, read_all, "d/p/voltage_v")] == [T0 + each * 1500 * MS for each in range(3)]


@settings(max_examples=60, deadline=None)
@given(
    resolution=st.sampled_from(list(Resolution)),
    steps_ms=st.lists(st.integers(0, 5000), min_size=1, max_size=60),
)
def test_every_reading_is_a_sample_with_a_key_of_its_own(resolution, steps_ms):
    names = SeriesNames("canteen", Resolutions(resolution))
    moments = [T0 + int(at) * MS for at in np.cumsum(steps_ms)]
    entries = [
        LogEntry(seq, at, True, msgspec.msgpack.encode(DeviceReading("d", 1, MeterReading(point="p", power_w=seq))))
        for seq, at in enumerate(moments, 1)
    ]
    found = Extractor(names).extract(entries)
    assert found.value.tolist() == [float(seq) for seq in range(1, len(moments) + 1)]
    assert found.time_ns.tolist() == [at - at % resolution.ns for at in moments]
    assert all(at // (60 * S) == own // (60 * S) for at, own in zip(found.time_ns.tolist(), moments, strict=True))
    keys = TimeKeys()
    series = names.series(int(found.series[0]))
    given_out = [
        keys.key_ns(series.id, at, seq, series.resolution_ns)
        for at, seq in zip(found.time_ns.tolist(), found.seq.tolist(), strict=True)
    ]
    assert len(set(given_out)) == len(given_out)


def test_the_first_that_matches_counts():
    chosen = Resolutions(
        Resolution.SECOND,
        (
            ChannelResolution("garage/zb/plug-?/power_w", Resolution.MS),
            ChannelResolution("garage/*", Resolution.MINUTE),
        ),
    )
    assert chosen.of("garage", "zb", "plug-1", "power_w") == MS
    assert chosen.of("garage", "zb", "plug-12", "power_w") == 60 * S
    assert chosen.of("garage", "zb", "", "state") == 60 * S
    assert chosen.of("gym", "row", "1", "power_w") == S
