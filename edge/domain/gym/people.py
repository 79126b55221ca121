"""People: prescriptions that staff set, cards, and what was measured on arrival.

A person is a token here. The hard part is to forget: what ties a token to a card or a prescription is deleted, the
sums that remain are nobody's. A user would notice a mistake as a card that still opens another's book.
"""

from __future__ import annotations

from edge.domain.actors import Actor
from edge.domain.gym import queue, referrals
from edge.domain.gym.gate import KEPT, MINUTE_NS, Verdict, Vitals, decide
from edge.domain.gym.limits import Prescription
from edge.domain.gym.messages import ForgetPerson, RecordVitals, SetPerson
from edge.domain.gym.rows import PersonRow, VitalsRow
from edge.domain.gym.turn import Turn
from edge.domain.gym.world import World
from edge.domain.kernel import Rows
from edge.domain.outcome import Outcome, refused

#: (lowest, highest) that staff may write down; 0 always means "not set".
_RANGES = {"birth_year": (1900, 2100), "rest_bpm": (30, 130), "ceiling_bpm": (60, 220), "max_bpm": (60, 230)}
_VITAL_RANGES = {"systolic_mmhg": (40, 300), "diastolic_mmhg": (20, 250), "pulse_bpm": (20, 250), "weight_kg": (2, 400)}
MAX_CARDS = 8
#: People whose measurements are in mind; whoever measured longest ago goes first.
MAX_MEASURED = 5000


def load_people(world: World, rows: Rows) -> None:
    """Prescriptions and cards as they are kept, and the readings of the business day."""
    for row in rows.all(PersonRow):
        if row.known:
            _know(world, row)
    for one in rows.since(VitalsRow, "day", world.day):
        add_vitals(world, one.person, Vitals(one.at_ns, one.systolic_mmhg, one.diastolic_mmhg, one.pulse_bpm))
        referrals.load(world, one)


def set_person(turn: Turn, body: SetPerson, actor: Actor) -> Outcome:
    """Write down a prescription."""
    if not body.person:
        return refused("no_person")
    for name, (low, high) in _RANGES.items():
        value = getattr(body, name)
        if value and not low <= value <= high:
            return refused("bad_value", field=name, low=low, high=high)
    if body.ceiling_bpm and body.max_bpm and body.ceiling_bpm > body.max_bpm:
        return refused("bad_value", field="ceiling_bpm", high=body.max_bpm, low=_RANGES["ceiling_bpm"][0])
    if len(body.cards) > MAX_CARDS or any(not card or " " in card for card in body.cards):
        return refused("bad_value", field="cards", low=0, high=MAX_CARDS)
    taken = [card for card in body.cards if turn.world.cards.get(card, body.person) != body.person]
    if taken:
        return refused("card_taken", card=taken[0])
    row = PersonRow(
        person=body.person,
        known=True,
        birth_year=body.birth_year,
        rest_bpm=body.rest_bpm,
        ceiling_bpm=body.ceiling_bpm,
        max_bpm=body.max_bpm,
        beta_blocker=body.beta_blocker,
        cards=" ".join(body.cards),
        set_by=actor.user,
        day=turn.world.day,
    )
    _unknow(turn.world, body.person)
    _know(turn.world, row)
    turn.put(row)
    return Outcome("ok", {"person": body.person})


def forget(turn: Turn, body: ForgetPerson) -> Outcome:
    """Delete the ties of a token: what is left of its workouts bears a token that leads to nobody."""
    if body.person not in turn.world.persons:
        return refused("unknown_person", person=body.person)
    _unknow(turn.world, body.person)
    turn.world.vitals.pop(body.person, None)
    for name, kiosk in turn.world.kiosks.items():
        if kiosk.person == body.person:  # who sits down next is measured for nobody
            kiosk.person, turn.kiosks[name] = "", None
    queue.withdraw(turn, body.person)
    turn.put(
        PersonRow(
            person=body.person, known=False, birth_year=0, rest_bpm=0, ceiling_bpm=0, max_bpm=0, beta_blocker=False,
            cards="", set_by="", day=turn.world.day,
        )
    )  # fmt: skip
    return Outcome("ok", {"person": body.person})


def record(turn: Turn, body: RecordVitals, actor: Actor) -> Outcome:
    """Staff measured by hand."""
    if not body.person:
        return refused("no_person")
    for name, (low, high) in _VITAL_RANGES.items():
        value = getattr(body, name)
        if value is not None and not low <= value <= high:
            return refused("bad_value", field=name, low=low, high=high)
    vitals = Vitals(turn.stamp.wall_ns, body.systolic_mmhg, body.diastolic_mmhg, body.pulse_bpm)
    verdict = keep_vitals(turn, body.person, vitals, by=actor.user, weight_kg=body.weight_kg)
    return Outcome("ok", {"person": body.person, "decision": verdict.decision.value})


def keep_vitals(
    turn: Turn, person: str, vitals: Vitals, *, kiosk: str = "", by: str = "", weight_kg: float | None = None,
    irregular: bool | None = None,
) -> Verdict:  # fmt: skip
    """Keep a measurement of a person; gives what the gate now says."""
    add_vitals(turn.world, person, vitals)
    refers = referrals.note(turn, person, vitals)
    verdict = verdict_of(turn, person)
    turn.put(
        VitalsRow(
            seq=turn.stamp.seq,
            day=turn.world.day,
            person=person,
            kiosk=kiosk,
            by=by,
            systolic_mmhg=vitals.systolic_mmhg,
            diastolic_mmhg=vitals.diastolic_mmhg,
            pulse_bpm=vitals.pulse_bpm,
            weight_kg=weight_kg,
            irregular=irregular,
            decision=referrals.kept_decision(verdict, refers=refers),
            at_ns=vitals.at_wall_ns,
        )
    )
    return verdict


def add_vitals(world: World, person: str, vitals: Vitals) -> None:
    """Add a reading to the last ones of a person; a bare weight is none that the gate could judge."""
    if not person or (vitals.systolic_mmhg is None and vitals.diastolic_mmhg is None and vitals.pulse_bpm is None):
        return
    world.vitals[person] = [*world.vitals.pop(person, []), vitals][-KEPT:]
    while len(world.vitals) > MAX_MEASURED:
        del world.vitals[next(iter(world.vitals))]


def forget_old(turn: Turn) -> None:
    """A new day: measurements that the gate no longer looks at are let go, and so are the referrals of yesterday."""
    turn.world.referred = {}
    oldest_ns = turn.stamp.wall_ns - turn.config.limits.gate_max_age_min * MINUTE_NS
    vitals = turn.world.vitals
    turn.world.vitals = {person: kept for person, kept in vitals.items() if kept[-1].at_wall_ns >= oldest_ns}


def verdict_of(turn: Turn, person: str) -> Verdict:
    """What the gate says of a person now; a referral of today stands."""
    read = decide(turn.world.vitals.get(person, ()), turn.stamp.wall_ns, turn.config.limits)
    return referrals.stand(turn.world, person, read)


def _know(world: World, row: PersonRow) -> None:
    world.persons[row.person] = Prescription(
        birth_year=row.birth_year,
        rest_bpm=row.rest_bpm,
        ceiling_bpm=row.ceiling_bpm,
        max_bpm=row.max_bpm,
        beta_blocker=row.beta_blocker,
        by=row.set_by,
        day=row.day,
    )
    world.cards.update(dict.fromkeys(row.cards.split(), row.person))


def _unknow(world: World, person: str) -> None:
    world.persons.pop(person, None)
    world.cards = {card: owner for card, owner in world.cards.items() if owner != person}
