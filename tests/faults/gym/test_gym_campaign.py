"""A slice of every group of the gym's fault campaign (docs/gym.md); ``--full`` plays many afternoons."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _campaign():
    name = "gym_fault_campaign"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / "campaign.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


CAMPAIGN = _campaign()


@pytest.mark.parametrize("group", sorted(CAMPAIGN.GROUPS))
def test_a_slice_of_each_group(group, tmp_path):
    results = CAMPAIGN.Results(tmp_path)
    assert CAMPAIGN.run_case(group, 1, results) == ""
    (told,) = results.known.values()
    assert told["passed"], told
    assert told["numbers"]["visits"] > 0, "an afternoon without people"
    assert told["numbers"]["faults"] > 0, "an afternoon without faults"
    assert list((tmp_path / "traces").iterdir())


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """An elder's visit with a racing heart, as the oracle sees it."""
    from _gym_floor import Floor
    from _gym_truth import Truth
    from _trace import Trace

    folder = tmp_path_factory.mktemp("oracle")
    trace = Trace(folder / "trace.jsonl")
    floor = Floor(folder, 3, trace)
    floor.visit("e1", 110, person="anna", high_s=45)
    floor.run(130)
    floor.close()
    trace.close()
    return Truth(floor, folder)


def test_the_oracle_finds_nothing_where_nothing_is_wrong(judged):
    assert judged.judge() == {"visits": 1, "workouts": 1, "alarms_due": 1, "kills": 0}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda truth: ([], truth._alarms), "a workout is lost"),
        (lambda truth: (truth._workouts * 2, truth._alarms), "doubled"),
        (lambda truth: ([{**truth._workouts[0], "person": "bo"}], truth._alarms), "whose was it"),
        (lambda truth: ([{**truth._workouts[0], "distance_m": 999.0}], truth._alarms), "metres that nobody did"),
        (lambda truth: ([{**truth._workouts[0], "distance_m": 100.0}], truth._alarms), "metres were lost"),
        (lambda truth: ([{**truth._workouts[0], "active_ms": 200_000}], truth._alarms), "time that nobody trained"),
        (lambda truth: ([{**truth._workouts[0], "active_ms": 20_000}], truth._alarms), "time was lost"),
        (lambda truth: ([{**truth._workouts[0], "standing": 1}], truth._alarms), "open for ever"),
        (lambda truth: ([*truth._workouts, {**truth._workouts[0], "workout_id": "x", "asset": "t1"}], truth._alarms),
         "nobody did this"),
        (lambda truth: (truth._workouts, []), "a ceiling was missed"),
        (lambda truth: (truth._workouts, [{**one, "person": "bo"} for one in truth._alarms]), "another's alarm"),
    ],
)  # fmt: skip
def test_the_oracle_finds_what_is_wrong(judged, monkeypatch, change, found):
    workouts, alarms = change(judged)
    monkeypatch.setattr(judged, "_workouts", workouts)
    monkeypatch.setattr(judged, "_alarms", alarms)
    with pytest.raises(AssertionError, match=found):
        judged.judge()


@pytest.mark.full
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(2, 42))
@pytest.mark.parametrize("group", sorted(CAMPAIGN.GROUPS))
def test_the_long_form(group, seed):
    """Resumable: an afternoon that passed is in fault-results/results.jsonl and is not played again."""
    assert CAMPAIGN.run_case(group, seed, CAMPAIGN.Results(Path("fault-results"))) == ""
