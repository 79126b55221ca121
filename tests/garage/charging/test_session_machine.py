"""The machine of one port: what ends a charge, what does not, and why it says so."""

import pytest

from edge.domain.garage import charging
from edge.domain.garage.messages import PortPhase

CC = (240, 180.0, 200.0)
TAPER = (100, 200.0, 38.0)


def test_a_charge_goes_through_its_phases_and_ends_full(player):
    assert player.play([(10, 180, 181)]).phase is PortPhase.CC
    player.play([CC])
    assert player.play([(60, 200, 90)]).phase is PortPhase.TAPER
    player.play([(20, 90, 12)])
    assert player.play([(10, 12, 12)]).phase is PortPhase.FLOAT
    decision = player.play([(60, 12, 12)])
    assert (decision.phase, decision.cut, decision.reason, decision.trip) == (PortPhase.DONE, True, "full", False)


def test_full_is_found_within_half_an_hour_of_the_float(player):
    player.play([CC, TAPER])
    before = player.minutes
    assert player.play([(120, 14, 14)]).reason == "full"
    assert player.minutes - before <= 30


def test_a_gap_is_not_full(player):
    player.play([(120, 180, 190), (12, 0, 0)])
    assert not player.decision.cut
    assert player.play([(5, 190, 190)]).phase is PortPhase.CC


def test_taken_away_while_charging_is_unplugged_not_full(player):
    player.play([(120, 180, 190)])
    decision = player.play([(40, 2.5, 2.5)])
    assert (decision.reason, decision.trip) == ("unplugged", False)


def test_nothing_plugged_in_ends_as_empty(player):
    decision = player.play([(40, 0, 0)])
    assert decision.reason == "empty"
    assert player.minutes == pytest.approx(20, abs=1)


def test_a_confirmed_swap_begins_peak_and_energy_anew(player):
    player.play([(120, 300, 310), (3, 0, 0)])
    had = player.state.pack_wh
    player.play([(5, 200, 200)])
    assert player.state.swaps == 1
    assert player.state.pack_wh < 0.1 * had < player.state.total_wh
    assert player.state.trend.peak_dw == pytest.approx(2000, rel=0.02)


def test_a_short_gap_or_a_low_return_is_no_swap(player):
    player.play([(120, 300, 310), (0.5, 0, 0), (10, 310, 310)])
    assert player.state.swaps == 0
    player.play([(3, 0, 0), (8, 50, 50)])
    assert player.state.swaps == 0
    assert player.state.trend.peak_dw > 3000


def test_a_smaller_battery_is_found_by_its_own_plateau(player):
    player.play([(120, 360, 370), (4, 0, 0), (15, 95, 96)])
    assert player.state.swaps == 1


def test_two_plateaus_are_full_only_when_both_are(player):
    """A splitter: one battery ends (300 W -> 150 W), the other goes on for two hours."""
    player.play([(120, 300, 310), (40, 310, 160), (120, 160, 166)])
    assert not player.decision.cut
    assert player.play([(60, 166, 25), (60, 22, 22)]).reason == "full"


def test_a_hot_float_is_found_by_its_slope(player):
    player.play([(180, 190, 200), (60, 200, 62)])
    assert not player.decision.cut
    before = player.minutes
    assert player.play([(118, 62, 62)]).reason == "full"
    assert player.minutes - before <= 100


def test_a_slow_cold_taper_is_not_a_float(player):
    """A time constant of 2.7 h at 40 W: 8 % in 14 min; the battery still takes a tenth of its charge."""
    player.play([(300, 170, 180)])
    for _ in range(8):
        player.play([(10, 180, 180)])
    player.play([(90, 180, 44), (40, 44, 34)])
    assert not player.decision.cut


def test_power_that_rises_in_cv_trips(player):
    player.play([(180, 190, 200), (60, 200, 120)])
    decision = player.play([(90, 120, 160)])
    assert (decision.reason, decision.trip, decision.phase) == ("no_taper", True, PortPhase.TRIPPED)


def test_steady_power_past_the_expected_time_trips(player):
    decision = player.play([(180, 190, 200), (60, 200, 120), (300, 120, 120)])
    assert decision.reason == "no_taper"
    assert player.minutes == pytest.approx(480, abs=2)


def test_more_energy_than_any_battery_takes_trips(player):
    decision = player.play([(600, 550, 550)])
    assert decision.reason == "energy_limit"
    assert player.state.pack_wh == pytest.approx(2400 * 1.3 / 0.85, rel=0.01)


def test_seven_drops_in_ten_minutes_trip_six_do_not(player):
    player.play([(60, 180, 182)])
    player.play([(0.5, 182, 182), (0.34, 0, 0)] * 6)
    assert not player.decision.cut
    assert player.play([(0.5, 182, 182), (0.34, 0, 0)]).reason == "repeated_drops"


def test_a_second_load_trips_within_minutes(player):
    player.play([(60, 180, 184)])
    before = player.minutes
    assert player.play([(10, 300, 300)]).reason == "second_load"
    assert player.minutes - before <= 3


def test_a_second_load_that_joins_a_reduced_stage_trips_too(player):
    """A two-step charger: 9 min at full power, ten at its reduced stage, then another charger beside it."""
    assert not player.play([(9, 234, 235), (10.5, 134, 134)]).cut
    assert player.play([(4, 362, 365)]).reason == "second_load"
    assert player.minutes < 9 + 10.5 + 3.1


def test_a_charger_that_comes_back_from_its_reduced_stage_is_no_second_load(player):
    assert not player.play([(9, 234, 235), (10.5, 134, 134), (20, 240, 245)]).cut


def test_a_slow_start_is_no_second_load(player):
    assert not player.play([(15, 30, 30), (60, 220, 225)]).cut


def test_a_stuck_meter_trips_and_a_repeat_for_five_minutes_does_not(player):
    player.play([(30, 180, 184)])
    for _ in range(30):
        assert not player.reading(184.0, voltage_v=228.1, current_a=1.6).cut
    player.reading(184.3, voltage_v=228.4, current_a=1.61)
    for _ in range(62):
        player.reading(184.3, voltage_v=228.4, current_a=1.61)
    assert player.decision.reason == "meter_stuck"


def test_a_counter_that_stands_still_proves_a_stuck_meter_and_one_that_runs_does_not(player, play_on):
    player.play([(30, 180, 184)])
    energy = 1000.0
    for k in range(400):
        energy = 1000.0 + 10 * (k // 20)
        assert not player.reading(180.0, energy_wh=energy).cut
    for _ in range(400):
        if player.reading(180.0, energy_wh=energy).cut:
            break
    assert player.decision.reason == "meter_stuck"


@pytest.mark.parametrize("period_s", [1, 10, 300])
def test_telemetry_of_any_period_ends_the_same_charge(play_on, period_s, port):
    import msgspec

    player = play_on(period_s)
    player.port = msgspec.structs.replace(port, meter_silent_s=900)
    player.play([CC, TAPER])
    before = player.minutes
    assert player.play([(120, 14, 14)]).reason == "full"
    assert player.minutes - before <= 45


def test_retained_readings_say_nothing(player):
    player.play([(10, 180, 180)])
    before = player.state.pack_wh, len(player.state.samples)
    player.reading(5000.0, retained=True)
    assert not player.decision.cut
    assert (player.state.pack_wh, len(player.state.samples)) == before


def test_a_machine_that_has_ended_stays_ended(player):
    charging.stop(player.state, "smoke", 5)
    for _ in range(3):
        decision = player.reading(180.0)
        assert (decision.cut, decision.reason) == (True, "smoke")
    assert charging.stop(player.state, "stopped", 9).reason == "smoke"
    assert charging.deadline(player.state, player.port) is None


def test_pauses_of_load_management_are_no_gaps_and_no_time(player):
    player.play([(120, 180, 190)])
    age = player.state.age_ns
    charging.switched(player.state, player.now_s * 10**9, on=False)
    player.now_s += 7200
    assert not charging.tick(player.state, player.port, player.now_s * 10**9).cut
    charging.switched(player.state, player.now_s * 10**9, on=True)
    assert player.state.age_ns == age
    player.play([(30, 190, 191)])
    assert (player.decision.cut, player.state.swaps, player.state.trouble.drops_ns) == (False, 0, [])
