"""Whose batteries come to the garage: draws of packs and chargers for each family and chemistry."""

from __future__ import annotations

import numpy as np

from firmware_sim.battery import LEAD, LFP, NMC, F, Sets

#: (blocks or cells in series, Ah) and how often, by chemistry; held-out fleets differ.
_PACKS = {
    "tuning": {
        LEAD: (((4, 12), 0.25), ((4, 20), 0.3), ((5, 20), 0.2), ((6, 20), 0.2), ((6, 32), 0.05)),
        NMC: (((10, 10), 0.15), ((13, 12), 0.45), ((13, 20), 0.2), ((16, 20), 0.2)),
        LFP: (((15, 10), 0.25), ((16, 20), 0.5), ((20, 24), 0.25)),
    },
    "held_out": {
        LEAD: (((4, 14), 0.3), ((4, 22), 0.2), ((5, 23), 0.25), ((6, 22), 0.2), ((6, 30), 0.05)),
        NMC: (((10, 12), 0.1), ((13, 15), 0.4), ((14, 18), 0.25), ((17, 24), 0.25)),
        LFP: (((16, 12), 0.3), ((16, 24), 0.4), ((20, 20), 0.2), ((24, 25), 0.1)),
    },
}
#: Ranges (low, high) drawn uniformly: CC in C, CV per block or cell, tau of lead in h, r per cell in ohm for 10 Ah,
#: end current in C, efficiency, the charger's own W, float of lead in C, standby of lithium in W.
_BY_CHEMISTRY: dict[str, dict[str, dict[int, tuple[float, float]]]] = {
    "tuning": {
        "cc": {LEAD: (0.12, 0.16), NMC: (0.18, 0.35), LFP: (0.15, 0.3)},
        "cv": {LEAD: (14.4, 14.8), NMC: (4.19, 4.2), LFP: (3.6, 3.65)},
        "end": {LEAD: (0.02, 0.03), NMC: (0.03, 0.1), LFP: (0.03, 0.1)},
    },
    "held_out": {
        "cc": {LEAD: (0.115, 0.17), NMC: (0.16, 0.4), LFP: (0.14, 0.35)},
        "cv": {LEAD: (14.3, 14.75), NMC: (4.18, 4.2), LFP: (3.58, 3.65)},
        "end": {LEAD: (0.018, 0.03), NMC: (0.03, 0.1), LFP: (0.03, 0.1)},
    },
}
_COMMON: dict[str, dict[str, tuple[float, float]]] = {
    "tuning": {
        "tau": (1.0, 1.8),
        "r": (0.02, 0.04),
        "eta": (0.83, 0.92),
        "own": (2.0, 5.0),
        "float": (0.002, 0.008),
        "standby": (0.5, 5.0),
        "soc": (0.1, 0.75),
    },
    "held_out": {
        "tau": (0.9, 2.1),
        "r": (0.016, 0.05),
        "eta": (0.8, 0.93),
        "own": (1.5, 6.5),
        "float": (0.0015, 0.01),
        "standby": (0.5, 5.0),
        "soc": (0.12, 0.8),
    },
}


#: No charger of this garage takes more at the wall: the port's cap (600 W) is not what is tested here.
MOST_W = 530.0


def _between(rng: np.random.Generator, limits: tuple[float, float], n: int) -> F:
    return rng.uniform(limits[0], limits[1], n)


def draw(family: str, chem: int, n: int, rng: np.random.Generator) -> Sets:
    """``n`` healthy sets of one chemistry."""
    packs, ranges, own_ranges = _PACKS[family][chem], _COMMON[family], _BY_CHEMISTRY[family]
    pick = rng.choice(len(packs), n, p=[share for _, share in packs])
    cells = np.array([packs[i][0][0] for i in pick], dtype=float)
    cap = np.array([packs[i][0][1] for i in pick], dtype=float)
    eta, own = _between(rng, ranges["eta"], n), _between(rng, ranges["own"], n)
    cv = _between(rng, own_ranges["cv"][chem], n)
    floats = _between(rng, ranges["float"], n) * cap * cells * 13.7 / eta + own
    zero = np.zeros(n)
    return Sets(
        chem=np.full(n, chem),
        cells=cells,
        cap_ah=cap,
        r_ohm=_between(rng, ranges["r"], n) * 10.0 / cap,
        tau_h=_between(rng, ranges["tau"], n),
        gas_c=rng.uniform(0.002, 0.008, n),
        soc0=_between(rng, ranges["soc"], n),
        cc_a=np.minimum(_between(rng, own_ranges["cc"][chem], n) * cap, np.minimum(5.0, MOST_W * eta / (cv * cells))),
        cv_v=cv,
        eta=eta,
        own_w=own,
        end_c=_between(rng, own_ranges["end"][chem], n),
        float_w=floats if chem == LEAD else _between(rng, ranges["standby"], n),
        stuck=zero,
        growth=zero,
        stage=np.where(rng.random(n) < 0.1, rng.uniform(0.5, 0.7, n), 0.0)
        if chem == LEAD and family == "tuning"
        else np.where(rng.random(n) < 0.15, 0.57, 0.0)
        if chem == LEAD
        else zero,
        pre_s=zero,
        retop_s=zero,
        retop_len_s=zero,
        fan_w=np.where(rng.random(n) < 0.4, rng.uniform(1.0, 3.0, n), 0.0),
        fan_s=rng.uniform(200.0, 900.0, n),
        fan_on_s=rng.uniform(60.0, 180.0, n),
    )


def mixed(family: str, n: int, rng: np.random.Generator, lead_share: float = 0.6) -> Sets:
    """A garage's usual mix: 60 % lead-acid, the rest NMC and LFP in halves."""
    parts = [draw(family, chem, n, rng) for chem in (LEAD, NMC, LFP)]
    pick = rng.choice(3, n, p=[lead_share, (1 - lead_share) / 2, (1 - lead_share) / 2])
    names = list(Sets.__dataclass_fields__)
    return Sets(**{name: np.choose(pick, [getattr(part, name) for part in parts]) for name in names})


def aged(family: str, sets: Sets, rng: np.random.Generator) -> Sets:
    """Old batteries: less capacity, twice the resistance, slower and warmer lead. The charger knows no wear: its
    currents stay what they were in A."""
    n = len(sets.cap_ah)
    worn = rng.uniform(0.6, 0.85, n) if family == "tuning" else rng.uniform(0.55, 0.88, n)
    return sets.having(
        cap_ah=sets.cap_ah * worn,
        end_c=sets.end_c / worn,
        r_ohm=sets.r_ohm * rng.uniform(1.5, 2.5, n),
        tau_h=sets.tau_h * rng.uniform(1.0, 1.3, n),
        gas_c=rng.uniform(0.006, 0.016, n),
        float_w=np.where(sets.chem == LEAD, sets.float_w * rng.uniform(1.2, 2.0, n), sets.float_w),
    )


def cold(family: str, sets: Sets, rng: np.random.Generator) -> Sets:
    """0-10 °C: more resistance, slower lead, a slow start for some."""
    n = len(sets.cap_ah)
    most = 2.5 if family == "tuning" else 2.8
    return sets.having(
        cap_ah=sets.cap_ah * rng.uniform(0.8, 0.92, n),
        r_ohm=sets.r_ohm * rng.uniform(1.5, most, n),
        tau_h=sets.tau_h * rng.uniform(1.1, 1.5, n),
        pre_s=np.where(rng.random(n) < 0.3, rng.uniform(120.0, 1200.0, n), 0.0),
    )
