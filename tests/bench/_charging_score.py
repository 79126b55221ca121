"""Runs sessions of a case through the production detector and the field's rules, and scores both against the truth."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields

import numpy as np
from _charging_rules import REFERENCE, THRESHOLDS, reference_adaptive, threshold
from _report import quantile

from edge.domain.field_devices import MeterReading
from edge.domain.garage import charging
from edge.domain.garage.charging import Charging
from edge.domain.garage.settings import FullSettings, PortSettings
from edge.domain.places import Place
from edge.domain.words import Text
from firmware_sim.battery_cases import CASES, Case
from firmware_sim.battery_meter import KINDS, Readings, read
from firmware_sim.battery_scene import Scene, provable

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
    """Of one rule in one case; times in seconds, shares as counts. ``delays`` of faults: from provable to cut.
    ``false`` has ``mislabelled`` in it: cut at the right time, but called full after an early unplugging. ``bad``:
    piece, session in it, what was wrong, second of the cut, kind of meter."""

    sessions: int = 0
    false: int = 0
    missed: int = 0
    past_cap: int = 0
    capped: int = 0
    over_s: list[float] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    early: int = 0
    uncut: int = 0
    mislabelled: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    bad: list[tuple[int, int, str, float, str]] = field(default_factory=list)

    def add(self, other: Score) -> None:
        """Join what another piece of the same case has counted."""
        for one in fields(self):
            mine, its = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, dict):
                setattr(self, one.name, {key: mine.get(key, 0) + its.get(key, 0) for key in {**mine, **its}})
            else:
                setattr(self, one.name, mine + its)

    def share(self, count: int) -> float:
        return 100.0 * count / max(1, self.sessions)

    def over(self, q: float) -> float:
        return quantile(self.over_s, q) / 60 if self.over_s else math.nan


def readings_of(readings: Readings) -> Iterator[tuple[float, MeterReading]]:
    """(second, what the driver of this kind of meter would hand on)."""
    columns = (readings.at_s, readings.power_w, readings.current_a, readings.voltage_v, readings.energy_wh)
    for at, power, amps, volts, energy in zip(*(column.tolist() for column in columns), strict=True):
        if readings.kind == "fine":
            yield at, MeterReading(point="1", power_w=power, current_a=amps, voltage_v=volts, energy_wh=energy)
        elif readings.kind == "counter":
            yield at, MeterReading(point="1", power_w=power, energy_wh=energy)
        else:
            yield at, MeterReading(point="1", power_w=power)


def run_ours(
    readings: Readings, port: PortSettings, look: Callable[[float, float, Charging], None] | None = None
) -> tuple[float | None, str]:
    """Second and reason of the production detector's cut, with the rule that found it; ``look`` sees (second, watts,
    state) after each reading."""
    state = charging.start("bench", 0)
    observe, last = charging.observe, 0.0
    for at, reading in readings_of(readings):
        now = int(at * 1e9)
        if at - last > port.meter_silent_s:
            due = charging.deadline(state, port) or now
            if due < now and charging.tick(state, port, due).cut:
                return due / 1e9, state.reason
        last = at
        cut = observe(state, port, FULL, reading, now).cut
        if look:
            look(at, reading.power_w or 0.0, state)
        if cut:
            return at, f"{state.reason} {state.how}".strip()
    return None, ""


def run_named(name: str, family: str, sessions: int, seed: int) -> dict[str, Score]:
    """``run_case`` by name."""
    return run_case(next(case for case in CASES if case.name == name), family, sessions, seed)


def sessions_of(case: Case, family: str, sessions: int, seed: int, piece: int) -> Iterator[tuple[Scene, int, Readings]]:
    """The scene and the readings of each session; the stream hangs on the seed, the names and the piece alone."""
    rng = np.random.default_rng([seed, piece, zlib.crc32(f"{family}/{case.name}".encode())])
    scene = case.draw(family, sessions, case.dt_s, rng)
    for j in range(sessions):
        kind = KINDS[int(rng.integers(len(KINDS)))]
        yield scene, j, read(scene, j, case.period_s, kind, rng, case.lose)


def run_case(case: Case, family: str, sessions: int, seed: int, piece: int = 0) -> dict[str, Score]:
    """All rules over ``sessions`` of the case."""
    port = port_for(case.period_s)
    scores = {name: Score() for name in (OURS, *THRESHOLDS, REFERENCE)}
    judge = judge_fault if case.kind == "fault" else judge_charge
    for scene, j, readings in sessions_of(case, family, sessions, seed, piece):
        cut, reason = run_ours(readings, port)
        judge(scores[OURS], case, scene, j, cut, reason, readings)
        for name, (watts, minutes) in THRESHOLDS.items():
            judge(scores[name], case, scene, j, threshold(readings, watts, minutes), "", readings)
        judge(scores[REFERENCE], case, scene, j, reference_adaptive(readings), "", readings)
    for score in scores.values():
        score.bad = [(piece, *item[1:]) for item in score.bad]
    return scores


def judge_charge(
    score: Score, case: Case, scene: Scene, j: int, cut: float | None, reason: str, readings: Readings
) -> None:
    """False: off below 95 % before the charger itself had ended (the hard cap is counted apart), or told "full" when it
    was unplugged below 95 %. Missed: still on 2 h after full (or after it was unplugged)."""
    score.sessions += 1
    score.reasons[reason] = score.reasons.get(reason, 0) + 1
    done = int(scene.done_at[j])
    end_s = scene.power_w.shape[0] * case.dt_s
    at = end_s if cut is None else cut
    step = min(int(at / case.dt_s), scene.power_w.shape[0] - 1)
    short = scene.soc[step, j] < ENOUGH and (done < 0 or step < done)
    told_full = reason.startswith("full") and scene.unplugged_at[j] >= 0 and scene.soc[step, j] < ENOUGH
    if at > 36_001:
        score.past_cap += 1
    if short and reason == "hard_cap":
        score.capped += 1
    elif short or told_full:
        score.false += 1
        score.mislabelled += not short
        score.bad.append((0, j, reason, at, readings.kind))
    elif done >= 0:
        over = max(0.0, at - done * case.dt_s)
        score.over_s.append(over)
        if over > LATE_S:
            score.missed += 1
            score.bad.append((0, j, "missed " + reason, at, readings.kind))


def judge_fault(
    score: Score, case: Case, scene: Scene, j: int, cut: float | None, reason: str, readings: Readings
) -> None:
    """Early: cut below 95 % before the fault even began. A cut between its beginning and the moment it can be proven is
    no error (nothing healthy was ended) and counts as no delay; delays count from that moment."""
    score.sessions += 1
    score.reasons[reason] = score.reasons.get(reason, 0) + 1
    proven, begun = provable_s(case, scene, j, readings), int(scene.fault_from[j])
    end_s = scene.power_w.shape[0] * case.dt_s
    at = end_s if cut is None else cut
    step = min(int(at / case.dt_s), scene.power_w.shape[0] - 1)
    if at > 36_001:
        score.past_cap += 1
    if begun < 0 or step < begun:
        if scene.soc[step, j] < ENOUGH:
            score.early += 1
            score.bad.append((0, j, "early " + reason, at, readings.kind))
    elif proven is not None:
        score.uncut += cut is None
        score.delays_s.append(max(0.0, at - proven))
        if at - proven > 600:
            score.bad.append((0, j, f"late {at - proven:.0f} {reason}", at, readings.kind))


def provable_s(case: Case, scene: Scene, j: int, readings: Readings) -> float | None:
    """When the fault can be proven with this meter. Where samples are minutes apart: by the noise-free power at their
    moments (a peak between two of them is nobody's knowledge), two samples later. A stuck meter: 10 min and 10 samples
    of equal volts; 30 Wh that its counter does not count; without either, two hours and 24 samples (a live flat plateau
    may repeat a whole watt)."""
    fault = int(scene.fault_at[j])
    if case.kind == "fault" and case.period_s > 60:
        stride = round(case.period_s / case.dt_s)
        heard = np.repeat(scene.power_w[::stride, j], stride)
        heard[:stride] = heard[stride]
        fault = provable(heard, case.dt_s)
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
