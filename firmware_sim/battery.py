"""Batteries and their chargers as a wall meter sees them: equivalent circuits, many sessions at once in numpy arrays.

Two families of models. ``tuning`` is what the detector of the product was tuned on; ``held_out`` is what it is scored
on, and differs in structure, not only in its draws: other open-circuit curves, a two-time-constant acceptance of
lead-acid instead of one, losses that bend with load, chargers that step down after CC, other ranges throughout.
Nothing here is imported by the product and nothing of the product is imported here. Design numbers:
``garage-domain.md`` section 3 (currents in C, voltages, end currents, float and standby at the wall); they are the
shape, not the truth.

Units: V, A, Ah, W, s, state of charge 0..1. Every array has one entry per session.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

F = NDArray[np.float64]
B = NDArray[np.bool_]
LEAD, NMC, LFP = 0, 1, 2
CHEMISTRIES = ("lead_acid", "nmc", "lfp")
FAMILIES = ("tuning", "held_out")

_KNOTS = np.array([0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 1.0])
#: Open-circuit volts per block (lead) or cell at the knots above.
_OCV = {
    "tuning": (
        np.array([11.6, 11.75, 11.85, 12.0, 12.2, 12.4, 12.55, 12.7, 12.8, 12.85, 12.9, 12.95]),
        np.array([3.0, 3.35, 3.45, 3.55, 3.62, 3.70, 3.83, 3.97, 4.07, 4.12, 4.165, 4.205]),
        np.array([2.8, 3.15, 3.20, 3.25, 3.28, 3.30, 3.32, 3.335, 3.345, 3.36, 3.41, 3.66]),
    ),
    "held_out": (
        np.array([11.4, 11.65, 11.8, 12.05, 12.25, 12.35, 12.5, 12.75, 12.85, 12.9, 12.93, 13.0]),
        np.array([2.9, 3.40, 3.52, 3.60, 3.66, 3.74, 3.88, 4.00, 4.08, 4.13, 4.168, 4.205]),
        np.array([2.7, 3.18, 3.22, 3.27, 3.285, 3.29, 3.325, 3.33, 3.35, 3.365, 3.40, 3.66]),
    ),
}
_OVERPOTENTIAL = {"tuning": 0.6, "held_out": 0.85}


@dataclass(frozen=True)
class Sets:
    """N chargers with their batteries. ``cells``: blocks of 12 V or cells in series; ``r_ohm`` per cell; ``tau_h``: how
    lead accepts charge in CV; ``gas_c``: current in C that it turns into heat when full; ``end_c``: current at which
    the charger turns green; ``float_w``: what it draws at the wall from then on; ``stuck``: > 0: current in CV never
    falls below that share of CC, and grows by ``growth`` an hour; ``stage`` > 0: it goes on with that share of CC
    from the end of CC (two-step); ``pre_s``: slow start of a cold or deeply empty battery; ``retop_s`` > 0: it
    tops up for ``retop_len_s`` so often after its end; ``fan_w`` for ``fan_on_s`` of each ``fan_s``."""

    chem: NDArray[np.int64]
    cells: F
    cap_ah: F
    r_ohm: F
    tau_h: F
    gas_c: F
    soc0: F
    cc_a: F
    cv_v: F
    eta: F
    own_w: F
    end_c: F
    float_w: F
    stuck: F
    growth: F
    stage: F
    pre_s: F
    retop_s: F
    retop_len_s: F
    fan_w: F
    fan_s: F
    fan_on_s: F

    def having(self, **changes: F) -> Sets:
        """The same sets with some columns changed."""
        return Sets(**{f.name: changes.get(f.name, getattr(self, f.name)) for f in fields(self)})

    def take(self, mask: B) -> Sets:
        """The sets for which ``mask`` holds."""
        return Sets(**{f.name: getattr(self, f.name)[mask] for f in fields(self)})


@dataclass(frozen=True)
class Course:
    """What happened, true and without noise, per step and session: wall power, state of charge. ``full_at`` is the step
    at which the charger ended or the battery reached 99.5 %, ``cv_at`` the first step in CV, ``stuck_at`` the first at
    which the current should fall and does not; -1 never."""

    power_w: F
    soc: F
    full_at: NDArray[np.int64]
    cv_at: NDArray[np.int64]
    stuck_at: NDArray[np.int64]


def _ocv(family: str, chem: NDArray[np.int64], soc: F) -> F:
    tables = _OCV[family]
    curves = [np.interp(soc, _KNOTS, table) for table in tables]
    return np.choose(chem, curves)


def _acceptance(family: str, s: Sets, soc: F, ocv: F) -> F:
    """The most that the battery takes at CV, in A."""
    rest = 1.0 - soc
    if family == "tuning":
        lead = rest * s.cap_ah / s.tau_h
    else:
        quick = np.maximum(0.0, rest - 0.06) * s.cap_ah / (0.7 * s.tau_h)
        lead = quick + np.minimum(rest, 0.06) * s.cap_ah / (1.15 * s.tau_h)
    lead = lead + s.gas_c * s.cap_ah * np.clip((soc - 0.85) / 0.15, 0.0, 1.0)
    lithium = np.maximum(0.0, s.cv_v - ocv) / s.r_ohm
    return np.where(s.chem == LEAD, lead, lithium)


def _losses(family: str, s: Sets, dc_w: F) -> F:
    """Wall power of a charger that delivers ``dc_w``."""
    if family == "tuning":
        return dc_w / s.eta + s.own_w
    rated = s.cc_a * s.cv_v * s.cells
    return dc_w / s.eta + s.own_w * (0.6 + 0.8 * dc_w / rated)


def simulate(family: str, s: Sets, connected: B, dt_s: float) -> Course:
    """Run N sessions over the steps of ``connected`` (steps, N): while false nothing is drawn and the charger forgets
    its stage. Forward Euler; 10 s steps change no end by more than a step (currents move over minutes)."""
    n = connected.shape[1]
    power, socs = np.zeros(connected.shape), np.zeros(connected.shape)
    full_at, cv_at, stuck_at = np.full(n, -1), np.full(n, -1), np.full(n, -1)
    soc, ended, since = s.soc0.copy(), np.zeros(n, dtype=bool), np.zeros(n)
    cv_s, ended_s = np.zeros(n), np.zeros(n)
    is_lead, bend = s.chem == LEAD, _OVERPOTENTIAL[family]
    for k, on in enumerate(connected):
        since = np.where(on, since + dt_s, 0.0)
        ended &= on
        ocv = _ocv(family, s.chem, soc)
        takes = _acceptance(family, s, soc, ocv)
        floor = s.stuck * s.cc_a * (1.0 + s.growth * cv_s / 3600.0)
        accepts = takes
        takes = np.where((s.stuck > 0) & (cv_s > 0), np.maximum(takes, floor), takes)
        offered = np.where((s.stage > 0) & (cv_s > 0), s.stage * s.cc_a, s.cc_a)
        offered = np.where(since < s.pre_s, 0.15 * s.cc_a, offered)
        amps = np.minimum(offered, takes)
        in_cv = takes <= s.cc_a
        over = (s.cv_v - ocv) * np.clip(s.cc_a / np.maximum(takes, 1e-6), 0.0, 1.0) ** bend
        volts = np.where(is_lead, ocv + over, np.minimum(s.cv_v, ocv + amps * s.r_ohm))
        active = on & ~ended
        stored = np.where(
            is_lead, np.maximum(0.0, amps - s.gas_c * s.cap_ah * np.clip((soc - 0.85) / 0.15, 0, 1)), amps
        )
        soc = np.where(active, np.minimum(1.0, soc + stored * 0.97 * dt_s / 3600.0 / s.cap_ah), soc)
        soc = np.where(ended & on & is_lead, np.minimum(1.0, soc + 0.004 * dt_s / 3600.0), soc)
        cv_s = np.where(active & in_cv, cv_s + dt_s, cv_s)
        ended_s = np.where(ended & on, ended_s + dt_s, 0.0)
        watts = _losses(family, s, volts * s.cells * amps) * np.minimum(1.0, since / 5.0)
        retop = (s.retop_s > 0) & (np.mod(ended_s, np.maximum(s.retop_s, 1.0)) > s.retop_s - s.retop_len_s)
        resting = np.where(retop, 0.35 * s.cc_a * s.cv_v * s.cells / s.eta, s.float_w)
        fan = s.fan_w * (np.mod(k * dt_s, s.fan_s) < s.fan_on_s)
        power[k] = np.where(on, np.where(ended, resting, watts) + np.where(ended & ~is_lead, 0.0, fan), 0.0)
        socs[k] = soc
        cv_at = np.where((cv_at < 0) & active & in_cv, k, cv_at)
        stuck_at = np.where((stuck_at < 0) & active & (takes > accepts), k, stuck_at)
        ended |= active & in_cv & (s.stuck == 0) & (amps < s.end_c * s.cap_ah) & (since > 60)
        full_at = np.where((full_at < 0) & (ended | (soc >= 0.995)), k, full_at)
    return Course(power, socs, full_at, cv_at, stuck_at)
