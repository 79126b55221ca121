"""A slice of every group of the garage's fault campaign (docs/fault-campaign.md); ``--full`` runs the long form."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _campaign():
    name = "garage_fault_campaign"
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
    assert CAMPAIGN.run_case(group, 1, results, full=False) == ""
    (told,) = results.known.values()
    assert told["passed"], told
    assert sum(value for value in told["numbers"].values() if isinstance(value, int)), "a case that did nothing"
    assert list((tmp_path / "traces").iterdir())


@pytest.mark.full
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(1, 31))
@pytest.mark.parametrize("group", sorted(CAMPAIGN.GROUPS))
def test_the_long_form(group, seed):
    """Resumable: a case that passed is in fault-results/results.jsonl and is not run again. Thirty seeds of 30-days are
    the thirty days; the other groups are done with the first."""
    if seed == 1 or group == "30-days":
        results = CAMPAIGN.Results(Path("fault-results"))
        assert CAMPAIGN.run_case(group, seed, results, full=True) == ""


def test_a_case_that_passed_is_not_run_again_and_one_that_failed_is(tmp_path, monkeypatch):
    runs = []

    def play(case):
        runs.append(case.seed)
        assert len(runs) > 1, "the first time it fails"

    monkeypatch.setitem(CAMPAIGN.GROUPS, "x", play)
    assert "first time" in CAMPAIGN.run_case("x", 1, CAMPAIGN.Results(tmp_path), full=False)
    assert CAMPAIGN.run_case("x", 1, CAMPAIGN.Results(tmp_path), full=False) == ""
    assert CAMPAIGN.run_case("x", 1, CAMPAIGN.Results(tmp_path), full=False) == ""
    assert runs == [1, 1]
