"""Runs sessions of a case through the production detector and the field's rules, and scores both against the truth."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from _charging_rules import REFERENCE, THRESHOLDS, reference_adaptive, threshold
from _report import quantile

from edge.domain.field_devices import MeterReading
from edge.domain.garage import charging
from edge.domain.garage.settings import FullSettings, PortSettings
from edge.domain.places import Place
from edge.domain.words import Text
from firmware_sim.battery_cases import CASES, Case
from firmware_sim.battery_meter import KINDS, Readings, read
from firmware_sim.battery_scene import Scene

OURS = "ours"
ENOUGH = 0.95
#: Two hours, and five minutes so that a rule whose own hold is 120 min is not late by its sampling.
LATE_S = 7500.0
FULL = FullSettings()


def port_for(period_s: float) -> PortSettings:
    """The reference's caps; a meter that reports every 10 s or slower gets six periods of silence."""
    silent = 15 if period_s <= 1 else int(6 * period_s)
    return PortSettings(port="p", zone="z", at=Place("d", "1"), name=Text(zh="口", en="Port"), meter_silent_s=silent)


@dataclass
class Score:
    """Of one rule in one case; times in seconds, shares as counts. ``delays`` of faults: from provable to cut."""

    sessions: int = 0
    false: int = 0
    missed: int = 0
    past_cap: int = 0
    capped: int = 0
    over_s: list[float] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    early: int = 0
    uncut: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[int, str, float, str]] = field(default_factory=list)

    def share(self, count: int) -> float:
        return 100.0 * count / max(1, self.sessions)

    def over(self, q: float) -> float:
        return quantile(self.over_s, q) / 60 if self.over_s else math.nan


def run_ours(readings: Readings, port: PortSettings) -> tuple[float | None, str]:
    """Second and reason of the production detector's cut."""
    state = charging.start("bench", 0)
    observe, last = charging.observe, 0.0
    columns = (readings.at_s, readings.power_w, readings.current_a, readings.voltage_v, readings.energy_wh)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    full_fields, counted = readings.kind == "fine", readings.kind == "counter"
    for at, power, amps, volts, energy in rows:
        now = int(at * 1e9)
        if at - last > port.meter_silent_s:
            due = charging.deadline(state, port) or now
            if due < now and charging.tick(state, port, due).cut:
                return due / 1e9, state.reason
        last = at
        if full_fields:
            reading = MeterReading(point="1", power_w=power, current_a=amps, voltage_v=volts, energy_wh=energy)
        elif counted:
            reading = MeterReading(point="1", power_w=power, energy_wh=energy)
        else:
            reading = MeterReading(point="1", power_w=power)
        if observe(state, port, FULL, reading, now).cut:
            return at, state.reason
    return None, ""


def run_named(name: str, family: str, sessions: int, seed: int) -> dict[str, Score]:
    """``run_case`` by name: what crosses to another process."""
    return run_case(next(case for case in CASES if case.name == name), family, sessions, seed)


def run_case(case: Case, family: str, sessions: int, seed: int) -> dict[str, Score]:
    """All rules over ``sessions`` of the case; the seed is mixed with the names, so cases are independent."""
    rng = np.random.default_rng([seed, zlib.crc32(f"{family}/{case.name}".encode())])
    n = max(8, round(sessions * case.share))
    scene = case.draw(family, n, case.dt_s, rng)
    port = port_for(case.period_s)
    scores = {name: Score() for name in (OURS, *THRESHOLDS, REFERENCE)}
    for j in range(n):
        kind = KINDS[int(rng.integers(len(KINDS)))]
        readings = read(scene, j, case.period_s, kind, rng, case.lose)
        cut, reason = run_ours(readings, port)
        judge = judge_fault if case.kind == "fault" else judge_charge
        judge(scores[OURS], case, scene, j, cut, reason, readings)
        for name, (watts, minutes) in THRESHOLDS.items():
            judge(scores[name], case, scene, j, threshold(readings, watts, minutes), "", readings)
        judge(scores[REFERENCE], case, scene, j, reference_adaptive(readings), "", readings)
    return scores


def judge_charge(
    score: Score, case: Case, scene: Scene, j: int, cut: float | None, reason: str, readings: Readings
) -> None:
    """False: off below 95 % before the charger itself had ended (the hard cap is counted apart), or told "full" when it
    was unplugged below 95 %. Missed: still on 2 h after full (or after it was unplugged)."""
    score.sessions += 1
    score.reasons[reason] += 1
    done = int(scene.done_at[j])
    end_s = scene.power_w.shape[0] * case.dt_s
    at = end_s if cut is None else cut
    step = min(int(at / case.dt_s), scene.power_w.shape[0] - 1)
    short = scene.soc[step, j] < ENOUGH and (done < 0 or step < done)
    told_full = reason == "full" and scene.unplugged_at[j] >= 0 and scene.soc[step, j] < ENOUGH
    if at > 36_001:
        score.past_cap += 1
    if short and reason == "hard_cap":
        score.capped += 1
    elif short or told_full:
        score.false += 1
        score.bad.append((j, reason, at, readings.kind))
    elif done >= 0:
        over = max(0.0, at - done * case.dt_s)
        score.over_s.append(over)
        if over > LATE_S:
            score.missed += 1
            score.bad.append((j, "missed " + reason, at, readings.kind))


def judge_fault(
    score: Score, case: Case, scene: Scene, j: int, cut: float | None, reason: str, readings: Readings
) -> None:
    """Early: cut below 95 % before the fault even began. A cut between its beginning and the moment it can be proven is
    no error (nothing healthy was ended) and counts as no delay; delays count from that moment."""
    score.sessions += 1
    score.reasons[reason] += 1
    proven, begun = provable_s(case, scene, j, readings), int(scene.fault_from[j])
    end_s = scene.power_w.shape[0] * case.dt_s
    at = end_s if cut is None else cut
    step = min(int(at / case.dt_s), scene.power_w.shape[0] - 1)
    if at > 36_001:
        score.past_cap += 1
    if begun < 0 or step < begun:
        if scene.soc[step, j] < ENOUGH:
            score.early += 1
            score.bad.append((j, "early " + reason, at, readings.kind))
    elif proven is not None:
        score.uncut += cut is None
        score.delays_s.append(max(0.0, at - proven))
        if at - proven > 600:
            score.bad.append((j, f"late {at - proven:.0f} {reason}", at, readings.kind))


def provable_s(case: Case, scene: Scene, j: int, readings: Readings) -> float | None:
    """When the fault can be proven with this meter: two samples later where they are minutes apart. A stuck meter: 10
    min and 10 samples of equal volts; 30 Wh that its counter does not count; without either, two hours and 24 samples
    (a live flat plateau may repeat a whole watt)."""
    fault = int(scene.fault_at[j])
    if fault < 0:
        return None
    start = fault * case.dt_s + (2 * case.period_s if case.period_s > 60 else 0)
    if case.name != "stuck_meter":
        return start
    held = float(readings.power_w[np.searchsorted(readings.at_s, start)])
    if held < 20:
        return None
    need = {"fine": 10 * case.period_s, "counter": 30 / held * 3600, "board": max(7200.0, 24 * case.period_s)}
    return start + max(600.0, need[readings.kind])
