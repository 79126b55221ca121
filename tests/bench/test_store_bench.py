"""The store bench at its smallest: every part runs and tells its number. No time is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent / "store.py"


@pytest.mark.timeout(300)
def test_the_quick_bench_runs_every_part_and_tells_all_its_numbers():
    run = subprocess.run(
        [sys.executable, "-P", str(BENCH), "--quick", "--json"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    # 1 is a missed bar: machines differ. Answers that do not come end the bench without results.
    assert run.returncode in {0, 1}, run.stderr[-3000:]
    told = {each["name"]: each for each in json.loads(run.stdout)["results"]}
    for part in ("ours: samples/s, acknowledged", "put beside sealing, p99.9", "whole path: CPU a message"):
        assert told[part]["value"] > 0
    assert told["ours: sealed per sample"]["ok"] is True, "bytes do not depend on how busy the machine is"
    assert told["backlog of 7 days: line text / sealed"]["ok"] is True
    assert "ingest, ours / SQLite rows" in told
