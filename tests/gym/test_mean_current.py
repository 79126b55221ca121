"""The mean of a machine's motor current: of its motion alone, day by day."""

from __future__ import annotations

from edge.domain.gym.messages import DayOpened
from edge.domain.gym.wear_rows import WearDayRow


def test_the_mean_current_of_a_day_is_that_in_motion(gym):
    gym.health("t1", motor_current_a=0.4)  # it stands
    gym.train("t1", 10)
    for current_a in (3.0, 5.0, 4.6):
        gym.walk("t1")
        gym.health("t1", motor_current_a=current_a)
    gym.give(DayOpened("2026-11-23"))
    days = {row.asset: row for row in gym.rows.all(WearDayRow)}
    assert (days["t1"].mean_current_ma, days["t1"].peak_current_ma) == (4200, 5000)
    assert days["t2"].mean_current_ma is None
