"""``kangle check`` passes. Under ``kangle test`` the checks have run before; alone, this runs them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edge.cli_check import CHECKS, run_check

REPORT = os.environ.get("KANGLE_CHECK_REPORT")


@pytest.fixture(scope="module")
def results():
    if REPORT is None:
        return None
    return {result["name"]: result for result in json.loads(Path(REPORT).read_text(encoding="utf-8"))}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_check_passes(check, results):
    result = run_check(check)._asdict() if results is None else results[check.name]
    assert result["ok"], f"{check.name}: see above, or run: ./kangle check {check.name}\n{result['output'][-4000:]}"
