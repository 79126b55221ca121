"""The interlock of a zone: one total table, and what each of its modes commands. Nothing else decides.

An added layer beside a certified fire panel, never a replacement for it; nothing here resets, silences or tests that
panel. The table says for every mode and every level of evidence what comes next; ``ORDERS`` says for every mode what is
commanded. Both are plain data: the documents are printed from them and the tests plant their mutants in them. The hard
part is that nothing but a reset may lead from a latched mode to one that lets current flow: not time, not an
acknowledgement, not a lost or repeated message, not a restart. A user would notice a mistake as chargers that come
back by themselves after a fire.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.garage.messages import ZoneState


class Mode(StrEnum):
    """What the zone is in. The modes of ``ZoneState``, with WATCH split by what may still run, and LATCHED and
    RESETTABLE split by what they are the end of."""

    NORMAL = "normal"
    WATCH = "watch"
    BLIND = "blind"
    DARK = "dark"
    PRE_ALARM = "pre_alarm"
    FIRE = "fire"
    LATCHED = "latched"
    LATCHED_FIRE = "latched_fire"
    RESETTABLE = "resettable"
    RESETTABLE_FIRE = "resettable_fire"


class Evidence(StrEnum):
    """What all sources of a zone together say now, the gravest that holds.

    QUIET: all good and clear for the zone's ``clear_s``, every cut proven, no neighbour burns. CLEAR: all good and
    clear, not yet so long. DOUBT: some source is stale, absent, in fault or in test. BLIND: some detector has not given
    a fresh good reading since the start, or none is healthy now. DARK: none is healthy for ``no_detector_s``. ONE: one
    credible signal, a hand, a cut that cannot be confirmed, or a burning neighbour. FIRE: a call point, a panel's fire,
    or two independent signals. RESET: a person on site, or the key switch, resets.
    """

    QUIET = "quiet"
    CLEAR = "clear"
    DOUBT = "doubt"
    BLIND = "blind"
    DARK = "dark"
    ONE = "one"
    FIRE = "fire"
    RESET = "reset"


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What a mode commands. ``start``: a charger may be switched on. ``run``: what charges may go on (dead-man timers
    are told again). ``cut``: every charger is cut, with proof. ``contactor``: the zone's contactor may be closed.
    ``siren``: sounds unless silenced. ``doors``: released. ``latched``: only a reset leads out."""

    start: bool
    run: bool
    cut: bool
    contactor: bool
    siren: bool
    doors: bool
    latched: bool


_N, _W, _B, _D, _P = Mode.NORMAL, Mode.WATCH, Mode.BLIND, Mode.DARK, Mode.PRE_ALARM
_F, _L, _LF, _R, _RF = Mode.FIRE, Mode.LATCHED, Mode.LATCHED_FIRE, Mode.RESETTABLE, Mode.RESETTABLE_FIRE


def _row(*following: Mode) -> dict[Evidence, Mode]:
    return dict(zip(Evidence, following, strict=True))


# fmt: off
#: Mode x evidence -> next mode. Every cell is written out.
TABLE: dict[Mode, dict[Evidence, Mode]] = {
    #           QUIET CLEAR DOUBT BLIND DARK  ONE   FIRE  RESET
    _N:    _row(_N,   _N,   _W,   _B,   _D,   _P,   _F,   _N),
    _W:    _row(_N,   _N,   _W,   _B,   _D,   _P,   _F,   _W),
    _B:    _row(_N,   _N,   _W,   _B,   _D,   _P,   _F,   _B),
    _D:    _row(_N,   _N,   _W,   _B,   _D,   _P,   _F,   _D),
    _P:    _row(_R,   _L,   _L,   _L,   _L,   _P,   _F,   _P),
    _L:    _row(_R,   _L,   _L,   _L,   _L,   _P,   _F,   _L),
    _R:    _row(_R,   _L,   _L,   _L,   _L,   _P,   _F,   _N),
    _F:    _row(_RF,  _LF,  _LF,  _LF,  _LF,  _F,   _F,   _F),
    _LF:   _row(_RF,  _LF,  _LF,  _LF,  _LF,  _F,   _F,   _LF),
    _RF:   _row(_RF,  _LF,  _LF,  _LF,  _LF,  _F,   _F,   _N),
}
# fmt: on

_FREE = Orders(start=True, run=True, cut=False, contactor=True, siren=False, doors=False, latched=False)
_BLIND = Orders(start=False, run=True, cut=False, contactor=True, siren=False, doors=False, latched=False)
_DARK = Orders(start=False, run=False, cut=False, contactor=True, siren=False, doors=False, latched=False)
_CUT = Orders(start=False, run=False, cut=True, contactor=True, siren=True, doors=False, latched=True)
_ALL = Orders(start=False, run=False, cut=True, contactor=False, siren=True, doors=True, latched=True)

#: Mode -> what it commands. A zone with ``contactor_first`` opens its contactor wherever ``cut`` is ordered; an opened
#: contactor stays open until a port is re-armed, whatever the mode allows.
ORDERS: dict[Mode, Orders] = {
    _N: _FREE,
    _W: _FREE,
    _B: _BLIND,
    _D: _DARK,
    _P: _CUT,
    _L: _CUT,
    _R: _CUT,
    _F: _ALL,
    _LF: _ALL,
    _RF: _ALL,
}

#: Mode -> what people are shown.
SHOWN: dict[Mode, ZoneState] = {
    _N: ZoneState.NORMAL,
    _W: ZoneState.WATCH,
    _B: ZoneState.WATCH,
    _D: ZoneState.WATCH,
    _P: ZoneState.PRE_ALARM,
    _L: ZoneState.LATCHED,
    _R: ZoneState.RESETTABLE,
    _F: ZoneState.FIRE,
    _LF: ZoneState.LATCHED,
    _RF: ZoneState.RESETTABLE,
}
