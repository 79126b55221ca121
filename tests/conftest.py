"""What holds for every suite: the long campaigns on request, no silent skips in CI, and each suite's time against its
budget (docs/testing.md)."""

from __future__ import annotations

import functools
import gc
import os
import re
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parent.parent
TESTS = Path(__file__).parent
ROW = re.compile(r"\| `(?P<suite>[a-z_]+)` \|.*\| (?P<budget>\d+) s \|( (yes|no) \|)?$")

#: Suites whose tests are long and need nothing of each other: each may go to any process. Of all others a file stays
#: together, for what it starts once.
SPREAD = {"bench", "canteen", "cli", "faults", "garage", "recovery"}
#: They only wait for the checks, which run beside the suites.
CHECKS = "tests/architecture/test_checks.py"
#: Folders and files whose tests share one running site; those of the browser share it, its pages and the preview.
SHARED = ("tests/browser", "tests/simulation/garage", "tests/simulation/gym", "tests/cli/test_demo.py")

# Seeded by the test itself: a run is repeatable, and a failure is not gone the next time.
settings.register_profile("change", derandomize=True, deadline=None, database=None, max_examples=50)
settings.register_profile(
    "full", derandomize=False, deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow]
)


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="also run the long campaigns (marker `full`)")


def budgets():
    """Suite -> seconds, from the table of docs/testing.md."""
    lines = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8").splitlines()
    rows = [match for line in lines if (match := ROW.fullmatch(line))]
    return {row["suite"]: int(row["budget"]) for row in rows}


def suite_of(path):
    """The folder under tests/ that a test file or node id belongs to; several may share the name of a suite's row."""
    return _suite_of_file(str(path).partition("::")[0])


@functools.cache
def _suite_of_file(path):
    parts = Path(path).parts
    return parts[parts.index("tests") + 1] if "tests" in parts[:-2] else "tests"


class Together(LoadScopeScheduling):
    """Which tests one process gets as a piece. The marker ``xdist_group`` would do nothing: pytest-xdist 3.8 writes it
    where pytest 9.2 no longer reads it, and every process started a garage of its own."""

    def _split_scope(self, nodeid):
        for shared in SHARED:
            if nodeid.startswith(shared):
                return shared
        return nodeid if suite_of(nodeid) in SPREAD else nodeid.partition("::")[0]


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    config.option.loadscopereorder = False  # the order is that of pytest_collection_modifyitems
    return Together(config, log)


def pytest_configure(config):
    settings.load_profile("full" if config.getoption("--full") else "change")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Six thousand tests are made and none of them goes: looking for garbage among them takes seconds."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(config, items):
    table = budgets()
    # The suites that take longest first: with two workers that ends soonest. The order within a suite stays. That of
    # the browser, one piece, is the longest of all: begun last it would leave the other processes without work.
    # Last of all the checks, which run meanwhile.
    items.sort(key=lambda item: (item.nodeid.startswith(CHECKS), -table.get(suite_of(item.nodeid), 0)))
    if not config.getoption("--full"):
        left_out = [item for item in items if item.get_closest_marker("full")]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if not item.get_closest_marker("full")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not accept: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not accept: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def free_port():
    """Gives a port of 127.0.0.1 on which nobody listens, and which no other test process picks either."""
    from edge.demo_garage import free_ports

    return lambda: free_ports(1)[0]


def pytest_terminal_summary(terminalreporter):
    """Seconds spent in each suite (over all workers) beside its budget. Told, never a failure: machines differ."""
    spent, count = defaultdict(float), defaultdict(int)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                spent[suite_of(report.nodeid)] += report.duration
                count[suite_of(report.nodeid)] += report.when == "call"
    table = budgets()
    terminalreporter.section("seconds by suite, and budget")
    for suite in sorted(spent):
        budget = table.get(suite, 0)
        note = "" if spent[suite] <= budget else "  over" if budget else "  no budget in docs/testing.md"
        terminalreporter.line(f"{suite:<14}{count[suite]:>6} tests{spent[suite]:>8.1f} s of{budget:>5} s{note}")
