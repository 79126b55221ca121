"""``kangle check`` passes. Under ``kangle test`` the checks run beside the suites; alone, this runs them."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.cli_check import CHECKS, TIMEOUT_S, run_check

pytestmark = pytest.mark.timeout(TIMEOUT_S + 60)

REPORT = os.environ.get("KANGLE_CHECK_REPORT")


@pytest.fixture(scope="module")
def results() -> Iterator[dict[str, Any] | None]:
    """What the checks beside this run found; the folder that they were told to leave it in goes with this module."""
    if REPORT is None:
        yield None
        return
    until_s = time.monotonic() + TIMEOUT_S
    while not Path(REPORT).exists():
        assert time.monotonic() < until_s, "the checks do not come to an end; run: ./kangle check"
        time.sleep(0.1)
    yield {result["name"]: result for result in json.loads(Path(REPORT).read_text(encoding="utf-8"))}
    shutil.rmtree(Path(REPORT).parent)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_check_passes(check, results):
    result = run_check(check)._asdict() if results is None else results[check.name]
    assert result["ok"], f"{check.name}: see above, or run: ./kangle check {check.name}\n{result['output'][-4000:]}"
