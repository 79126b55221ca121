"""Columns come back bit by bit, and damage is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.storage.sample_codec import (
    CodecError,
    TimeColumn,
    pack_ints,
    pack_times,
    pack_values,
    unpack_ints,
    unpack_times,
    unpack_values,
)

INT64 = st.integers(-(2**63), 2**63 - 1)
DECIMALS = st.integers(-(10**9), 10**9).flatmap(lambda n: st.integers(0, 6).map(lambda scale: n / 10**scale))
NUMBERS = st.one_of(st.floats(width=64), DECIMALS)


@given(st.lists(INT64, max_size=300))
def test_integers(values):
    array = np.array(values, np.int64)
    assert unpack_ints(pack_ints(array), array.size).tolist() == values


@given(st.lists(NUMBERS, min_size=1, max_size=300), st.integers(0, 9))
def test_values_come_back_bit_by_bit(values, hint):
    array = np.array(values, np.float64)
    data, _ = pack_values(array, hint)
    assert unpack_values(data, array.size).view(np.int64).tolist() == array.view(np.int64).tolist()
    for wanted in {1, (array.size + 1) // 2, array.size}:
        first = unpack_values(data, array.size, wanted)
        assert first.view(np.int64).tolist() == array[:wanted].view(np.int64).tolist()


@pytest.mark.parametrize("others", [[1.0, 2.0], [0.1, 21.4, -0.3], [0.0], [2.0**60]])
def test_a_minus_zero_comes_back_as_one(others):
    array = np.array([others[0], -0.0, *others])
    data, _ = pack_values(array)
    assert unpack_values(data, array.size).view(np.int64).tolist() == array.view(np.int64).tolist()


@given(
    st.lists(st.tuples(st.integers(-(2**50), 2**50), st.integers(0, 255), st.integers(0, 9)), min_size=1, max_size=200)
)
def test_times_flags_and_seqs(samples):
    ticks, flags, steps = zip(*samples, strict=True)
    seqs = np.cumsum(np.array(steps, np.int64)) + 7_000_000_000
    packed = pack_times(TimeColumn(np.array(ticks, np.int64), np.array(flags, np.uint8), seqs))
    found = unpack_times(packed)
    assert (found.ticks.tolist(), found.flags.tolist(), found.seqs.tolist()) == (
        list(ticks),
        list(flags),
        seqs.tolist(),
    )


def test_sensor_data_is_small():
    rng = np.random.default_rng(4)
    n = 600
    temperature = np.round(21 + np.cumsum(rng.choice([-0.1, 0, 0, 0, 0.1], n)), 1)
    counter = np.cumsum(rng.integers(0, 4, n)).astype(float)
    sizes = [len(pack_values(values)[0]) / n for values in (temperature, counter, np.zeros(n))]
    assert sizes[0] < 0.45
    assert sizes[1] < 0.5
    assert sizes[2] < 0.02


@pytest.mark.parametrize("spread", [3, 3000, 10**6])
def test_the_first_of_a_long_column_without_the_rest(spread):
    values = np.cumsum(np.random.default_rng(5).integers(-spread, spread, 4096)) / 10
    data, _ = pack_values(values)
    for wanted in (1, 2, 700, 4095, 4096):
        assert unpack_values(data, 4096, wanted).tolist() == values[:wanted].tolist()
    with pytest.raises(CodecError):
        unpack_values(data[: len(data) // 4], 4096, 4000)


def test_regular_times_cost_nothing():
    times = TimeColumn(np.arange(600) * 1000 + 1_795_000_000_000, np.zeros(600, np.uint8), np.arange(600) * 5 + 9000)
    assert len(pack_times(times)) < 40


@given(st.binary(max_size=200), st.integers(1, 400))
def test_any_bytes_are_read_or_refused(data, count):
    for unpack in (lambda: unpack_values(data, count), lambda: unpack_ints(data, count), lambda: unpack_times(data)):
        try:
            unpack()
        except CodecError:
            continue


def test_a_bomb_is_not_unpacked():
    bomb = pack_ints(np.zeros(1 << 20, np.int64))
    with pytest.raises(CodecError):
        unpack_ints(bomb, 600)
