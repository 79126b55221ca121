"""One session of the charging bench, watts and truth beside what the detector made of them."""

from __future__ import annotations

import sys

from _charging_campaign import piece_size
from _charging_score import Score, judge_charge, judge_fault, port_for, run_ours, sessions_of

from edge.domain.garage.charging import Charging
from edge.domain.garage.charging_trend import level
from firmware_sim.battery_cases import CASES

EVERY_S = 300.0


def trace(which: str, family: str, sessions: int, seed: int) -> int:
    """Print session ``CASE:PIECE:SESSION`` of a run with these options, a line every five minutes and at the cut."""
    name, piece, session = which.split(":")
    case = next(case for case in CASES if case.name == name)
    size = piece_size(case)
    count = min(size, sessions - int(piece) * size)
    drawn = list(sessions_of(case, family, count, seed, int(piece)))
    scene, j, readings = drawn[int(session)]
    print(f"{which}: {family}, seed {seed}, meter {readings.kind}; full after {_minutes(scene.done_at[j], case.dt_s)}")
    print(f"{'min':>6}{'watts':>8}{'true':>8}{'charge %':>9}{'level':>8}{'peak':>7}  phase, counters")
    shown = -EVERY_S

    def look(at_s: float, watts: float, state: Charging) -> None:
        nonlocal shown
        if at_s - shown < EVERY_S and not state.reason:
            return
        shown = at_s
        step = min(int(at_s / case.dt_s), len(scene.soc) - 1)
        full = state.full
        counters = f"low {full.low_min} loud {full.loud_min} flat {full.flat_min} since step {full.step_min}"
        print(
            f"{at_s / 60:6.0f}{watts:8.1f}{scene.power_w[step, j]:8.1f}{100 * scene.soc[step, j]:9.1f}"
            f"{level(state.trend.minutes) / 10:8.1f}{state.trend.peak_dw / 10:7.0f}  {state.phase.name} {counters}"
            f" {state.how} {state.reason}"
        )

    cut, reason = run_ours(readings, port_for(case.period_s), look)
    judged = Score()
    (judge_fault if case.kind == "fault" else judge_charge)(judged, case, scene, j, cut, reason, readings)
    print("cut:", reason or "never", "after", _minutes(cut, 1.0), file=sys.stderr)
    print("judged:", "wrong" if judged.bad else "right", file=sys.stderr)
    return 0


def _minutes(steps: float | None, dt_s: float) -> str:
    return "never" if steps is None or steps < 0 else f"{steps * dt_s / 60:.0f} min"
