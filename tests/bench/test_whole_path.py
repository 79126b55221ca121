"""The whole-path bench at its smallest: all that is said is decided and written. No time is asserted."""

from __future__ import annotations

import pytest

from edge.bench.whole_field import Field, garage, is_charging
from edge.bench.whole_path import whole_path
from edge.domain.garage.arming import mistakes


def test_a_small_garage_goes_the_whole_way(tmp_path):
    told = whole_path(tmp_path / "store", devices=60, rate_hz=5.0, seconds=1.0)
    assert told.messages == 300
    assert told.dropped == 0
    assert told.inputs >= 300, "each message is an input, those of plugs are two"
    assert told.commits >= 1
    assert told.cpu_us_per_message > 0
    assert told.core_share == pytest.approx(told.cpu_us_per_message * 300 / 1e6)


def test_the_played_garage_may_be_armed():
    assert mistakes(garage(2000)) == mistakes(garage(21)) == ()


def test_the_play_is_the_same_each_time():
    first, second = Field(40), Field(40)
    first.charging = second.charging = True
    assert [first.message(number) for number in range(40)] == [second.message(number) for number in range(40)]
    assert any(is_charging(number) for number in range(40))
