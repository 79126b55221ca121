"""A referral to a doctor stands for its day, until staff lift it; lifting admits nobody by itself."""

from __future__ import annotations

import pytest

from edge.domain.actors import Role
from edge.domain.gym.messages import ClaimAsset, DayOpened, LiftReferral, RecordVitals
from edge.domain.gym.rows import VitalsRow

MINUTE_S = 60


@pytest.fixture
def referred(gym):
    """Anna, 205 mmHg at the door of the elders' gym."""
    gym.person("anna", "c1")
    gym.stand("e1")
    gym.card("k1", "c1")
    gym.cuff(205)
    assert gym.shown["kiosk/k1"].decision == "refer"
    return gym


def measure(gym, systolic, after_min):
    gym.run(after_min * MINUTE_S)
    gym.card("k1", "c1")
    gym.cuff(systolic)
    return gym.shown["kiosk/k1"].decision


def claim(gym):
    reply = gym.command(ClaimAsset(asset="e1", card="c1"))
    return reply.body.get("problem", reply.code)


@pytest.mark.parametrize("restart", [False, True])
def test_no_lower_reading_and_no_restart_undoes_it(referred, restart):
    assert measure(referred, 150, 2) == "refer"
    assert measure(referred, 140, 10) == "refer"
    if restart:
        referred.restart()
        referred.stand("e1")
    assert claim(referred) == "gate_refer"
    assert measure(referred, 130, 10) == "refer"
    referred.elapse(3 * 3600)  # no reading is fresh any more
    assert claim(referred) == "gate_refer"
    kept = [row.decision for row in referred.rows.all(VitalsRow)]
    assert kept == ["refer", "referred", "referred", "referred"]


@pytest.mark.parametrize("restart", [False, True])
def test_lifted_by_name_it_is_judged_by_what_was_read_after_the_rest(referred, restart):
    measure(referred, 150, 2)
    measure(referred, 140, 5)
    assert referred.command(LiftReferral(person="anna"), role=Role.MEMBER, user="anna").code == "forbidden"
    reply = referred.command(LiftReferral(person="anna"), user="coach-7")
    assert (reply.code, reply.body["decision"]) == ("ok", "admit")
    assert referred.shown["kiosk/k1"].systolic_mmhg == 140, "nothing read before the rest counts"
    row = next(row for row in referred.rows.all(VitalsRow) if row.decision == "lifted")
    assert (row.by, row.person) == ("coach-7", "anna")
    if restart:
        referred.restart()
        referred.stand("e1")
    assert claim(referred) == "ok"


def test_lifted_without_a_second_reading_it_asks_for_one(referred):
    assert referred.command(LiftReferral(person="anna")).body["decision"] == "measure"
    assert claim(referred) == "gate_measure"
    assert referred.command(LiftReferral(person="anna")).body["problem"] == "not_referred"
    assert measure(referred, 201, 6) == "refer", "the next one refers anew"


def test_what_staff_measured_by_hand_refers_as_well(gym):
    gym.person("anna", "c1")
    high = RecordVitals(person="anna", systolic_mmhg=210, diastolic_mmhg=90, pulse_bpm=70)
    assert gym.command(high).body["decision"] == "refer"
    low = RecordVitals(person="anna", systolic_mmhg=120, diastolic_mmhg=80, pulse_bpm=70)
    assert gym.command(low).body["decision"] == "refer"


def test_the_next_day_begins_with_the_gate_alone(referred):
    referred.elapse(9 * 3600)
    referred.give(DayOpened("2026-11-23"))
    referred.stand("e1")
    assert claim(referred) == "gate_measure"
    assert measure(referred, 130, 1) == "admit"
