"""Energy by band and its price: every fen and every mWh is accounted for."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.garage import tariff
from edge.domain.garage.settings import TariffBand, TariffSettings

MINUTE = 60 * 10**9
NIGHT_DAY = (
    TariffSettings(
        version="t1",
        bands=(TariffBand(0, 360, 30, 20), TariffBand(360, 1320, 62, 25), TariffBand(1320, 1440, 30, 20)),
        minimum_fen=10,
    )
    if False
    else TariffSettings(
        version="t1",
        bands=(
            TariffBand(start_min=0, end_min=360, energy_fen_per_kwh=30, service_fen_per_kwh=20),
            TariffBand(start_min=360, end_min=1320, energy_fen_per_kwh=62, service_fen_per_kwh=25),
            TariffBand(start_min=1320, end_min=1440, energy_fen_per_kwh=30, service_fen_per_kwh=20),
        ),
        minimum_fen=10,
    )
)
INTERVALS = st.lists(st.tuples(st.integers(0, 200_000), st.integers(1, 3000)), max_size=40)


def booked(intervals, wall_ns=0, trusted=True):
    bill = tariff.open_bill(NIGHT_DAY, 480)
    for energy, minutes in intervals:
        wall_ns += minutes * MINUTE
        tariff.add(bill, energy, wall_ns, minutes * MINUTE, trusted=trusted)
    return bill


@given(INTERVALS, st.integers(0, 3 * 1440))
def test_bands_add_up_to_the_energy_and_parts_to_the_price(intervals, start_min):
    bill = booked(intervals, start_min * MINUTE)
    assert tariff.total_mwh(bill) == sum(energy for energy, _ in intervals)
    fen, parts = tariff.price(bill)
    assert fen == sum(part.fen for part in parts)
    assert (fen == 0) == (tariff.total_mwh(bill) == 0)
    assert fen == 0 or fen >= NIGHT_DAY.minimum_fen
    exact = sum(p.energy_mwh * p.fen_per_kwh for p in parts) / 1e6
    assert fen <= max(NIGHT_DAY.minimum_fen, exact + 0.5 * len(parts))
    assert fen >= exact - 0.5 * len(parts)


@given(INTERVALS, st.integers(0, 100_000), st.integers(1, 100))
def test_more_energy_never_costs_less(intervals, energy, minutes):
    assert tariff.price(booked(intervals))[0] <= tariff.price(booked([*intervals, (energy, minutes)]))[0]


def test_an_interval_across_a_border_is_split_by_time():
    bill = tariff.open_bill(NIGHT_DAY, 0)
    tariff.add(bill, 30_000, 370 * MINUTE, 30 * MINUTE, trusted=True)
    assert bill.by_band_mwh == [20_000, 10_000, 0]


def test_a_day_long_interval_touches_every_band_in_proportion():
    bill = tariff.open_bill(NIGHT_DAY, 0)
    tariff.add(bill, 2_880_000, 2 * 1440 * MINUTE, 2 * 1440 * MINUTE, trusted=True)
    assert bill.by_band_mwh == [720_000, 1_920_000, 240_000]


def test_local_time_counts():
    bill = tariff.open_bill(NIGHT_DAY, 480)
    tariff.add(bill, 1000, 20 * 60 * MINUTE, MINUTE, trusted=True)  # 20:00 UTC = 04:00 in Shanghai
    assert bill.by_band_mwh == [1000, 0, 0]


def test_a_doubtful_clock_bills_the_cheapest_band():
    assert booked([(5000, 60)], 600 * MINUTE, trusted=False).by_band_mwh == [5000, 0, 0]


def test_the_explained_price_of_one_kwh_by_day():
    bill = tariff.open_bill(NIGHT_DAY, 0)
    tariff.add(bill, 1_000_000, 600 * MINUTE, 60 * MINUTE, trusted=True)
    fen, parts = tariff.price(bill)
    assert fen == 87
    assert [(p.kind, p.fen, p.start_min, p.end_min) for p in parts] == [
        ("energy", 62, 360, 1320),
        ("service", 25, 360, 1320),
    ]


def test_the_minimum_is_a_part_of_its_own():
    fen, parts = tariff.price(booked([(1000, 1)]))
    assert (fen, parts[-1].kind) == (10, "minimum")


@pytest.mark.parametrize("edges", [[(0, 700)], [(0, 700), (690, 1440)], [(0, 700), (710, 1440)], []])
def test_bands_that_do_not_cover_the_day_are_refused(edges):
    bands = tuple(TariffBand(start_min=a, end_min=b, energy_fen_per_kwh=1, service_fen_per_kwh=0) for a, b in edges)
    with pytest.raises(ValueError, match="exactly once"):
        tariff.open_bill(msgspec.structs.replace(NIGHT_DAY, bands=bands), 0)


@given(
    st.lists(st.tuples(st.integers(50, 600), st.integers(1, 300)), min_size=5, max_size=120),
    st.sampled_from([1.0, 10.0]),
    st.integers(0, 10**6),
)
def test_a_counters_energy_is_billed_whatever_its_step(course, step_wh, start_wh):
    """(W, s) stretches read by a counter of ``step_wh``: never more than one step and the slack off the truth."""
    bill, true, billed = tariff.open_bill(NIGHT_DAY, 0), 0.0, 0
    for watts, seconds in course:
        before = true
        true += watts * seconds / 3600
        counter = start_wh + true // step_wh * step_wh
        billed += tariff.interval_mwh(bill, round((true - before) * 1000), counter)
    assert abs(billed - true * 1000) <= (step_wh + 1) * 1000 + len(course)


def test_a_reset_a_wrap_and_a_jump_are_not_believed():
    bill = tariff.open_bill(NIGHT_DAY, 0)
    assert tariff.interval_mwh(bill, 1000, 999_999.0) == 1000
    for counter in (0.0, 1.0, 500_000.0, 500_001.0, 3.0):
        assert tariff.interval_mwh(bill, 1000, counter) <= 1000
    assert bill.disbelieved == 3


def test_a_meter_whose_power_is_wrong_is_corrected_by_its_counter():
    bill = tariff.open_bill(NIGHT_DAY, 0)
    tariff.interval_mwh(bill, 0, 100.0)
    assert tariff.interval_mwh(bill, 1000, 101.1) == 1100
