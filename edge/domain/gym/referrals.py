"""Referrals to a doctor: what the gate referred stands for the business day, until staff lift it by name.

The hard part is a second reading. It is wanted (rest, then repeat), and it often is lower; but a person who was told to
see a doctor is not let in by it, nor by the first reading growing old, nor by a restart. Lifting admits nobody either:
only readings taken after a rest count then, so that a coach who lifts without a second reading is asked for one. A user
would notice a mistake as a person with 205 mmHg on a treadmill after a lucky second try.
"""

from __future__ import annotations

from edge.domain.actors import Actor
from edge.domain.gym.gate import MINUTE_NS, Verdict, Vitals, decide
from edge.domain.gym.messages import LiftReferral
from edge.domain.gym.rows import VitalsRow
from edge.domain.gym.settings import LimitSettings
from edge.domain.gym.turn import Turn
from edge.domain.gym.view_types import GateDecision
from edge.domain.gym.world import World
from edge.domain.outcome import Outcome, refused

#: ``VitalsRow.decision`` of a reading against which an earlier referral stands, and of the lifting itself.
STANDS, LIFTED = "referred", "lifted"


def note(turn: Turn, person: str, latest: Vitals) -> bool:
    """Whether the latest reading, just added, refers: with those of its visit, or alone where a referral stands."""
    world = turn.world
    readings = [latest] if person in world.referred else world.vitals.get(person, ())
    refers = decide(readings, turn.stamp.wall_ns, turn.config.limits).decision is GateDecision.REFER
    if refers:
        world.referred[person] = latest.at_wall_ns
    return refers


def stand(world: World, person: str, read: Verdict) -> Verdict:
    """What the gate says: the referral of today, or what the readings say."""
    return read._replace(decision=GateDecision.REFER, rest_until_ns=0) if person in world.referred else read


def kept_decision(verdict: Verdict, *, refers: bool) -> str:
    """How a reading's row keeps it, so that a start knows which reading referred."""
    return STANDS if verdict.decision is GateDecision.REFER and not refers else verdict.decision.value


def lift(turn: Turn, body: LiftReferral, actor: Actor) -> Outcome:
    """Take a referral back; the row keeps who did."""
    world, person = turn.world, body.person
    if person not in world.referred:
        return refused("not_now", problem="not_referred", person=person)
    _lift(world, person, turn.config.limits)
    verdict = decide(world.vitals.get(person, ()), turn.stamp.wall_ns, turn.config.limits)
    turn.put(
        VitalsRow(
            seq=turn.stamp.seq, day=world.day, person=person, kiosk="", by=actor.user, systolic_mmhg=None,
            diastolic_mmhg=None, pulse_bpm=None, weight_kg=None, irregular=None, decision=LIFTED,
            at_ns=turn.stamp.wall_ns,
        )
    )  # fmt: skip
    for name, kiosk in world.kiosks.items():
        if kiosk.person == person:
            turn.kiosks[name] = None
    return Outcome("ok", {"person": person, "decision": verdict.decision.value})


def load(world: World, row: VitalsRow) -> None:
    """Take up a kept row of the day, in the order of keeping, after its reading was added."""
    if row.decision == GateDecision.REFER.value:
        world.referred[row.person] = row.at_ns
    elif row.decision == LIFTED and row.person in world.referred:
        _lift(world, row.person, LimitSettings() if world.config is None else world.config.limits)


def _lift(world: World, person: str, limits: LimitSettings) -> None:
    """Only readings of a person who has rested since count from now on."""
    from_ns = world.referred.pop(person) + limits.rest_again_min * MINUTE_NS
    kept = [one for one in world.vitals.get(person, ()) if one.at_wall_ns >= from_ns]
    if kept:
        world.vitals[person] = kept
    else:
        world.vitals.pop(person, None)
