"""Debian packages that the tests need: seen, installed by root, asked for otherwise."""

from __future__ import annotations

import pytest

from edge.bootstrap import debian
from edge.bootstrap.steps import SetupError


def test_missing_debian_packages_are_the_ones_that_cannot_be_seen(monkeypatch, tmp_path, program):
    table = {
        "there": ("present", "nowhere/*"),
        "gone": ("absent", "nowhere/*"),
        "file": ("", str(tmp_path)[1:] + "/*.ttc"),
    }
    monkeypatch.setenv("PATH", str(program("present", "")))
    assert debian.missing(table) == ["gone", "file"]
    (tmp_path / "font.ttc").touch()
    assert debian.missing(table) == ["gone"]


def test_without_root_the_one_line_is_said(monkeypatch, checkout, steps):
    monkeypatch.setattr(debian, "missing", lambda: ["chromium", "fonts-noto-cjk"])
    monkeypatch.setattr(debian.os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError) as failed:
        debian.install_packages(checkout, steps)
    line = "sudo apt-get update && sudo apt-get install -y --no-install-recommends chromium fonts-noto-cjk"
    assert str(failed.value).endswith(line)
    assert failed.value.status == 4


def test_root_installs_what_is_missing_and_asks_nothing(monkeypatch, checkout, steps, program):
    apt = program("apt-get", f'echo "$DEBIAN_FRONTEND $@" >> {checkout}/apt')
    monkeypatch.setenv("PATH", f"{apt}:/bin:/usr/bin")
    monkeypatch.setattr(debian.os, "geteuid", lambda: 0)
    answers = [["chromium"], []]
    monkeypatch.setattr(debian, "missing", lambda: answers.pop(0))
    debian.install_packages(checkout, steps)
    said = (checkout / "apt").read_text().splitlines()
    assert said == [
        "noninteractive update -q",
        "noninteractive install -y -q --no-install-recommends chromium",
    ]


def test_an_install_that_installed_nothing_is_noticed(monkeypatch, checkout, steps, program):
    monkeypatch.setenv("PATH", f"{program('apt-get', 'exit 0')}:/bin:/usr/bin")
    monkeypatch.setattr(debian.os, "geteuid", lambda: 0)
    monkeypatch.setattr(debian, "missing", lambda: ["chromium"])
    with pytest.raises(SetupError, match="cannot be found"):
        debian.install_packages(checkout, steps)
