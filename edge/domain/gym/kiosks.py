"""Where people are measured on arrival: a card says who, a cuff says what, and the gate says whether.

The two come in any order and from different devices. The hard part is never to give a reading to the wrong person: a
reading before any card waits a short while for the next card; a card stands for a few minutes and for nobody after the
next one was shown. A user would notice a mistake as a neighbour's blood pressure in one's own book.
"""

from __future__ import annotations

from edge.domain.gym.gate import Vitals
from edge.domain.gym.people import keep_vitals
from edge.domain.gym.turn import Turn
from edge.domain.gym.workout import NS_PER_S
from edge.domain.gym.world import Kiosk
from edge.domain.machine_readings import BloodPressureReading, WeightReading
from edge.domain.places import place_key

#: A card stands for its owner for so long after it was shown, or after his last reading: three readings a minute apart
#: need one card, a second measurement after a rest needs it again.
SHOWN_NS = 300 * NS_PER_S
#: A reading without a card waits so long for one.
LOOSE_NS = 90 * NS_PER_S
MAX_LOOSE = 4


def shown(turn: Turn, kiosk: Kiosk, card: str) -> None:
    """A card is shown: what was just measured without one is its owner's."""
    person = turn.world.cards.get(card, "")
    loose, kiosk.loose = kiosk.loose, []
    if person != current(kiosk, turn.now_ns):
        kiosk.weight_kg = None
    kiosk.person, kiosk.shown_ns = person, turn.now_ns
    for at_ns, vitals in loose:
        if person and turn.now_ns - at_ns <= LOOSE_NS:
            keep_vitals(turn, person, vitals, kiosk=kiosk.settings.kiosk)
    turn.kiosks[kiosk.settings.kiosk] = None


def measured(turn: Turn, device: str, body: BloodPressureReading | WeightReading) -> None:
    """A cuff or scale of a kiosk has spoken."""
    name = turn.world.kiosks_at.get(place_key(device, body.point))
    if name is None:
        return
    kiosk = turn.world.kiosks[name]
    turn.kiosks[name] = None
    person = current(kiosk, turn.now_ns)
    if isinstance(body, WeightReading):
        kiosk.weight_kg = body.weight_kg if person else None
        return
    if not body.plausible or body.systolic_mmhg is None:
        return
    if body.cuff_loose or body.body_movement or body.improper_position:
        return
    vitals = Vitals(turn.stamp.wall_ns, round(body.systolic_mmhg), _whole(body.diastolic_mmhg), _whole(body.pulse_bpm))
    if person:
        kiosk.shown_ns = turn.now_ns
        keep_vitals(turn, person, vitals, kiosk=name, weight_kg=kiosk.weight_kg, irregular=body.irregular_pulse)
        kiosk.weight_kg = None
    else:
        kiosk.loose = [*kiosk.loose, (turn.now_ns, vitals)][-MAX_LOOSE:]


def current(kiosk: Kiosk, now_ns: int) -> str:
    """Who is being measured now, "" nobody."""
    return kiosk.person if kiosk.person and now_ns - kiosk.shown_ns <= SHOWN_NS else ""


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
