"""The unit files of docs/systemd: each starts what there is, as a user who may write its data and nothing else."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

import pytest

from edge.cli_commands import COMMANDS
from edge.cli_run import run

UNITS = Path(__file__).parents[2] / "docs" / "systemd"
DAEMONS = sorted(path for path in UNITS.glob("kangle-*.service") if path.stem != "kangle-awake")


def unit(path: Path) -> configparser.RawConfigParser:
    read = configparser.RawConfigParser()
    read.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    read.read_string(path.read_text(encoding="utf-8"))
    return read


def test_every_process_of_a_site_has_a_unit() -> None:
    (name,) = (parameter for parameter in run.params if parameter.name == "name")
    assert [path.stem.removeprefix("kangle-") for path in DAEMONS] == sorted(name.type.choices)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", DAEMONS, ids=lambda path: path.stem)
def test_a_unit_starts_a_daemon_that_tells_it_is_ready_and_writes_only_its_data(path: Path) -> None:
    service = unit(path)["Service"]
    program, command, what, *options = shlex.split(service["ExecStart"])
    assert (program, options) == ("/opt/kangle/kangle", ["--site", "/etc/kangle"])
    assert command in COMMANDS
    assert path.stem == f"kangle-{what}"
    assert service["Type"] == "notify"  # what it says: tests/runtime/test_service.py, tests/api/test_server.py
    assert float(service["WatchdogSec"]) >= 5
    assert (service["User"], service["ProtectSystem"], service["NoNewPrivileges"]) == ("kangle", "strict", "true")
    assert (service["StateDirectory"], service["RuntimeDirectory"]) == ("kangle", "kangle")
    assert (
        service["RuntimeDirectoryPreserve"] == "yes"
    )  # one folder for all: who stops must not take it from the others
    assert service["Restart"] == "always"


def test_only_what_no_lunch_may_delay_runs_before_others() -> None:
    first = {path.stem for path in DAEMONS if unit(path)["Service"].get("CPUSchedulingPolicy") == "rr"}
    assert first == {"kangle-garage"}
    assert unit(UNITS / "mosquitto-first.conf")["Service"]["CPUSchedulingPolicy"] == "rr"
