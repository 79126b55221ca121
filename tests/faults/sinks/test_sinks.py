"""A slice of the sinks' campaign (``campaign.py``): kills, an outage, clock steps, a dead sink; compared by key."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from edge.bootstrap.debian import command_line

HERE = Path(__file__).parent
#: In the slice: what a server that hangs costs. The long form waits longer (``campaign.TIMEOUT_S``).
HANGS_S = 3
#: The slice's outage; the long form's is three days, and so is one in tests/storage/sinks.
HOURS = 24


@pytest.fixture(scope="module")
def campaign():
    name = "sink_fault_campaign"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / "campaign.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture
def victoria(campaign):
    if campaign.Victoria.PROGRAM is None:
        pytest.skip(f"needs victoria-metrics: {command_line(['victoria-metrics'])}")


def check(told, hours):
    assert told["passed"], told
    assert told["samples"] > hours * 60 * 5
    assert told["sinks"]["dead"]["samples_sent"] == 0
    assert min(told["kills"].values()) >= 2, told["kills"]
    for sink in ("fake", "vm"):
        assert told["sinks"][sink]["quarantined"] == 0
        assert told["sinks"][sink]["rewinds"] >= 1, "a kill must be noticed"


@pytest.mark.timeout(400)
def test_nothing_is_missing_and_nothing_stands_twice(campaign, victoria, tmp_path):
    told = campaign.run(tmp_path, rounds=3, hours=HOURS, series=5, seed=1, victoria=True, timeout_s=HANGS_S)
    check(told, HOURS)


@pytest.mark.full
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(1, 6))
def test_the_long_form(campaign, victoria, tmp_path, seed):
    check(campaign.run(tmp_path, rounds=60, hours=72, series=50, seed=seed, victoria=True), 72)
