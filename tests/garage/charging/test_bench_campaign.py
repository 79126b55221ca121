"""The long form of `kangle bench charging`: pieces that can be run in any order, kept, and gone on with."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import _charging_campaign as campaign
import _charging_score as scoring
from _charging_rules import FIELD_DEFAULT
from _charging_score import OURS, Score, judge_charge
from _charging_table import markdown
from _charging_trace import trace

from firmware_sim.battery_cases import CASES

SOME = [case for case in CASES if case.name in {"nmc", "every_1_s"}]


@pytest.fixture
def ran(monkeypatch):
    """Stands for the sessions themselves: a score that tells its piece; the list of what was really run."""
    pieces = []

    def fake(case, family, sessions, seed, number):
        pieces.append((case.name, number))
        bad = [(number, 0, "full float", 60.0, "board")]
        return {OURS: Score(sessions, false=1, over_s=[float(number)], reasons={"full float": 1}, bad=bad)}

    monkeypatch.setattr(campaign, "run_case", fake)
    return pieces


def test_pieces_cover_each_case_once_and_every_case_early(ran):
    table = campaign.run(SOME, "tuning", 450, 1, 1)
    assert {name: rules[OURS].sessions for name, rules in table.items()} == {"nmc": 450, "every_1_s": 450}
    assert {name for name, number in ran if number == 0} == {name for name, _ in ran[:2]}
    assert len(ran) == len(set(ran)) == 3 + 5, "200 to a piece, 100 where a step is a second"
    assert table["nmc"][OURS].reasons == {"full float": 3}
    assert table["nmc"][OURS].over_s == [0.0, 1.0, 2.0]


def test_what_was_kept_is_not_run_again_and_gives_the_same(ran, tmp_path):
    keep = tmp_path / "kept.jsonl"
    first = campaign.run(SOME, "tuning", 450, 1, 1, keep)
    ran.clear()
    assert campaign.run(SOME, "tuning", 450, 1, 1, keep) == first
    assert ran == []
    campaign.run(SOME, "tuning", 450, 2, 1, keep)
    assert len(ran) == 8, "another seed is another run"


def test_a_broken_off_run_tells_what_it_has(ran, tmp_path):
    keep = tmp_path / "kept.jsonl"
    campaign.run(SOME[:1], "tuning", 200, 1, 1, keep)
    ran.clear()
    table = campaign.kept_so_far(SOME, "tuning", 1000, 1, keep)
    assert (ran, {name: rules[OURS].sessions for name, rules in table.items()}) == ([], {"nmc": 200})


def test_the_tables_name_the_worst_case_first(ran):
    table = campaign.run(SOME, "tuning", 200, 1, 1)
    for rules in table.values():
        rules[FIELD_DEFAULT] = Score(200, over_s=[7200.0])
    table["every_1_s"][OURS].false = 9
    lines = markdown(SOME, table).splitlines()
    assert lines[2].startswith("| every_1_s | 200 | 4.50 / 0.00 |")
    assert lines[3].startswith("| nmc | 200 | 0.50 / 0.00 | 0.00 / 0.00 | 0.0 / 120.0 |")


def test_a_torn_line_is_run_again(ran, tmp_path):
    keep = tmp_path / "kept.jsonl"
    campaign.run(SOME, "tuning", 450, 1, 1, keep)
    keep.write_bytes(keep.read_bytes()[:-40])
    ran.clear()
    campaign.run(SOME, "tuning", 450, 1, 1, keep)
    assert len(ran) == 1
    ran.clear()
    campaign.run(SOME, "tuning", 450, 1, 1, keep)
    assert ran == [], "what follows the torn line was kept"


def test_another_detector_is_scored_anew(ran, tmp_path, monkeypatch):
    keep = tmp_path / "kept.jsonl"
    campaign.run(SOME, "tuning", 200, 1, 1, keep)
    ran.clear()
    monkeypatch.setattr(campaign, "digest", lambda: "of other sources")
    campaign.run(SOME, "tuning", 200, 1, 1, keep)
    assert len(ran) == 3


def test_the_digest_is_of_the_sources(tmp_path, monkeypatch):
    assert campaign.digest() == campaign.digest()
    file = tmp_path / "edge" / "domain" / "garage" / "full.py"
    file.parent.mkdir(parents=True)
    monkeypatch.setattr(campaign, "ROOT", tmp_path)
    found = set()
    for text in ("STAGE_MIN = 180", "STAGE_MIN = 60"):
        file.write_text(text)
        found.add(campaign.digest())
    assert len(found) == 2


def test_a_label_is_a_false_cut_but_no_worse_than_the_field_that_has_no_words():
    case = next(case for case in CASES if case.name == "early_unplug")
    scene, j, readings = next(iter(scoring.sessions_of(case, "tuning", 8, 3, 0)))
    at_s = float(scene.unplugged_at[j]) * case.dt_s + 1200
    assert scene.soc[-1, j] < 0.95
    called_full, unplugged, early = Score(), Score(), Score()
    judge_charge(called_full, case, scene, j, at_s, "full idle", readings)
    judge_charge(unplugged, case, scene, j, at_s, "unplugged idle", readings)
    judge_charge(early, case, scene, j, at_s - 2400, "unplugged idle", readings)
    assert (called_full.false, called_full.mislabelled) == (1, 1)
    assert (unplugged.false, unplugged.mislabelled) == (0, 0)
    assert (early.false, early.mislabelled) == (1, 0)


def test_a_session_can_be_looked_at(capsys):
    assert trace("every_300_s:0:2", "tuning", 8, 5) == 0
    told = capsys.readouterr()
    assert "charge %" in told.out
    assert "judged: right" in told.err
    assert len(told.out.splitlines()) > 20
