"""A restart at any point gives the same decision, and a cut keeps its evidence."""

import msgspec
import pytest

from edge.domain.field_devices import MeterReading
from edge.domain.garage import charging
from edge.domain.garage.charging_samples import MOST, SIZE, push, unpack

COURSE = [(60, 150.0, 160.0), (1.5, 0.0, 0.0), (40, 160.0, 165.0), (50, 165.0, 35.0), (45, 14.0, 14.0)]


def outcome(play_on, restart_every: int | None):
    player, count = play_on(10), 0
    for stretch in COURSE:
        for _ in range(round(stretch[0] * 6)):
            count += 1
            if restart_every and count % restart_every == 0:
                stored = msgspec.msgpack.encode(player.state)
                player.state = msgspec.msgpack.decode(stored, type=charging.Charging)
                charging.resume_after_downtime(player.state, player.port, 0, player.now_s * 10**9)
            player.play([(1 / 6, stretch[1], stretch[1])])
            if player.decision.cut:
                return player.decision.reason, player.now_s, round(player.state.total_wh, 6)
    return player.decision.reason, player.now_s, round(player.state.total_wh, 6)


def test_the_course_without_a_restart_ends_full(play_on):
    assert outcome(play_on, None)[0] == "full"


@pytest.mark.parametrize("every", [7, 100, 601])
def test_restarts_change_neither_reason_nor_time(play_on, every):
    whole, restarted = outcome(play_on, None), outcome(play_on, every)
    assert restarted[0] == whole[0]
    assert abs(restarted[1] - whole[1]) <= 60


def test_a_snapshot_and_reload_changes_nothing_at_all(play_on):
    """Without a resume (replay from a snapshot) the states stay equal byte for byte."""
    one, two = play_on(10), play_on(10)
    for stretch in COURSE:
        for _ in range(round(stretch[0] * 2)):
            one.play([(0.5, stretch[1], stretch[2])])
            two.state = msgspec.msgpack.decode(msgspec.msgpack.encode(two.state), type=charging.Charging)
            two.play([(0.5, stretch[1], stretch[2])])
            assert one.decision == two.decision
    assert msgspec.msgpack.encode(one.state) == msgspec.msgpack.encode(two.state)


def test_the_row_of_a_running_session_carries_no_samples(player):
    player.play([(30, 150, 150)])
    assert len(msgspec.msgpack.encode(charging.without_samples(player.state))) < 1000
    assert len(player.state.samples) > 0


def test_a_cut_keeps_the_last_ten_minutes(player):
    player.play([(60, 150, 160)])
    assert player.reading(700.0).reason == "overpower"
    samples = unpack(player.state.samples)
    assert samples[-1].power_w == 700.0
    assert samples[-1].age_ms == player.now_s * 1000
    assert 590_000 <= samples[-1].age_ms - samples[0].age_ms <= 600_000


def test_the_ring_is_bounded_and_says_what_was_not_said():
    ring = bytearray()
    for k in range(5000):
        push(ring, k * 100, MeterReading(point="1", power_w=0.1 * k, temperature_c=-3.5))
    assert len(ring) == MOST * SIZE
    last = unpack(ring)[-1]
    assert (last.power_w, last.temperature_c, last.current_a, last.voltage_v) == (499.9, -3.5, None, None)
    with pytest.raises(ValueError, match="no whole number"):
        unpack(bytes(ring[:-1]))
