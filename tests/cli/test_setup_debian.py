"""Debian packages that the tests need: seen, installed by root, asked for otherwise."""

from __future__ import annotations

import pytest

from edge.bootstrap import debian
from edge.bootstrap.steps import SetupError

PATIENTLY = "-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300"


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
    answers = [["mosquitto"], []]
    monkeypatch.setattr(debian, "missing", lambda: answers.pop(0))
    debian.install_packages(checkout, steps)
    said = (checkout / "apt").read_text().splitlines()
    assert said == [
        f"noninteractive update -q {PATIENTLY}",
        f"noninteractive install -y -q {PATIENTLY} --no-install-recommends mosquitto",
    ]


@pytest.fixture
def apt(monkeypatch, checkout, program):
    """``apt(known, installs)``: what apt knows of Chromium's shell; root, and nothing else is missing."""

    def make(*, known, installs=True, missing=()):
        answers = [list(missing), []]
        monkeypatch.setattr(debian, "missing", lambda: answers.pop(0))
        monkeypatch.setattr(debian.os, "geteuid", lambda: 0)
        monkeypatch.setattr(debian, "SHELL_PATH", "nowhere/at/all")
        cache = program("apt-cache", f"exit {0 if known else 100}")
        get = program("apt-get", f'echo "$@" >> {checkout}/apt; exit {0 if installs else 100}')
        monkeypatch.setenv("PATH", f"{cache}:{get}:/bin:/usr/bin")
        return lambda: (checkout / "apt").read_text().splitlines() if (checkout / "apt").exists() else []

    return make


@pytest.mark.parametrize(("known", "package"), [(True, "chromium-headless-shell"), (False, "chromium")])
def test_chromium_without_windows_is_taken_where_apt_has_it(apt, checkout, steps, known, package):
    said = apt(known=known, missing=["chromium", "strace"])
    debian.install_packages(checkout, steps)
    assert said() == [f"update -q {PATIENTLY}", f"install -y -q {PATIENTLY} --no-install-recommends {package} strace"]


@pytest.mark.parametrize(("known", "tries"), [(True, 1), (False, 0)])
@pytest.mark.parametrize("installs", [True, False])
def test_beside_a_chromium_with_windows_it_is_a_wish(apt, checkout, steps, capsys, known, tries, installs):
    said = apt(known=known, installs=installs)
    debian.install_packages(checkout, steps)
    assert said() == [f"install -y -q {PATIENTLY} --no-install-recommends chromium-headless-shell"] * tries
    assert ("going on with chromium" in capsys.readouterr().err) == (known and not installs)


def test_an_install_that_installed_nothing_is_noticed(monkeypatch, checkout, steps, program):
    monkeypatch.setenv("PATH", f"{program('apt-get', 'exit 0')}:/bin:/usr/bin")
    monkeypatch.setattr(debian.os, "geteuid", lambda: 0)
    monkeypatch.setattr(debian, "missing", lambda: ["mosquitto"])
    with pytest.raises(SetupError, match="cannot be found"):
        debian.install_packages(checkout, steps)
