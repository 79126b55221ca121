"""A slice of every group of the disk campaign (docs/backup.md); ``--full`` runs the long form.

Without strace, or where ptrace is not permitted, the groups that need it are skipped and say so; under CI a skipped
test is a failed one (tests/conftest.py).
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _campaign():
    name = "disk_fault_campaign"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / "campaign.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


CAMPAIGN = _campaign()


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    from edge.storage import facts

    monkeypatch.setattr(facts, "CHECKPOINT_PAGES", facts.CHECKPOINT_PAGES)  # what a case changes is put back
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def needs(group):
    if group in CAMPAIGN.TRACED and CAMPAIGN.why_not():
        pytest.skip(f"the disk's faults are NOT tested: {CAMPAIGN.why_not()}")


@pytest.mark.parametrize("group", sorted(CAMPAIGN.GROUPS))
def test_a_slice_of_each_group(group, tmp_path):
    needs(group)
    results = CAMPAIGN.Results(tmp_path)
    assert CAMPAIGN.run_case(group, 1, results, full=False) == ""
    (told,) = results.known.values()
    assert told["passed"], told
    assert sum(value for value in told["numbers"].values() if isinstance(value, int)), "a case that did nothing"


@pytest.mark.full
@pytest.mark.timeout(0)
@pytest.mark.parametrize("group", sorted(CAMPAIGN.GROUPS))
def test_the_long_form(group):
    """Resumable: a case that passed is in fault-results/results.jsonl and is not run again."""
    needs(group)
    results = CAMPAIGN.Results(Path("fault-results"))
    assert CAMPAIGN.run_case(group, 1, results, full=True) == ""
