"""Setting up: steps, the lock, the environment, Node, pages, Debian packages; on folders that look like a checkout."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from edge.bootstrap import environment, indexes, pages, setup
from edge.bootstrap import steps as steps_module
from edge.bootstrap.indexes import pip_options, uv_environment
from edge.bootstrap.locking import only_one
from edge.bootstrap.steps import SetupError, Steps
from edge.cli_commands import DEV, PAGES, RUNTIME
from edge.cli_setup import compile_modules


def test_a_step_says_nothing_on_stdout_and_one_line_on_stderr(steps, capfd):
    steps.run("Stirring", ["/bin/sh", "-c", "echo loud; echo louder >&2"], cwd=steps.root, remedy="")
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("kangle: Stirring: ")
    assert captured.err.count("\n") == 1
    assert "loud\nlouder\n" in steps.log.read_text()


def test_a_step_that_fails_shows_the_end_of_its_own_output_and_the_remedy(steps):
    steps.run("First", ["/bin/sh", "-c", "echo of another step"], cwd=steps.root, remedy="")
    script = "for i in $(seq 100); do echo line $i; done; exit 3"
    with pytest.raises(SetupError) as failed:
        steps.run("Second", ["/bin/sh", "-c", script], cwd=steps.root, remedy="Stir slower.")
    text = str(failed.value)
    assert "Second failed (exit 3)" in text
    assert "line 100" in text
    assert "line 80" not in text
    assert "another step" not in text
    assert "Stir slower." in text
    assert failed.value.status == 4


@pytest.mark.parametrize(("failures", "goes_on"), [(0, True), (1, True), (2, False)])
def test_what_comes_over_the_network_is_asked_for_twice(steps, capsys, monkeypatch, failures, goes_on):
    monkeypatch.setattr(steps_module, "AGAIN_AFTER_S", 0.0)
    count = steps.root / "count"
    script = f'echo x >> {count}; [ "$(wc -l < {count})" -gt {failures} ] || {{ echo no route; exit 7; }}'
    fetch = partial(steps.fetch, "Fetching", ["/bin/sh", "-c", script], cwd=steps.root, remedy="Mend the network.")
    if goes_on:
        fetch()
    else:
        with pytest.raises(SetupError, match=r"Fetching failed \(exit 7\)(.|\n)*no route\n(.|\n)*Mend the network"):
            fetch()
    assert count.read_text() == "x\n" * (2 if failures else 1)
    told = capsys.readouterr().err
    assert ("no route" in told and "trying once more in 0 s" in told) is bool(failures)


def test_a_step_whose_program_is_missing_says_so(steps):
    with pytest.raises(SetupError, match="cannot start no-such-program"):
        steps.run("Stirring", ["no-such-program"], cwd=steps.root, remedy="Install it.")


def test_a_second_set_up_waits_for_the_first(steps, checkout, capfd):
    order, inside = [], threading.Event()

    def second():
        assert inside.wait(60)
        with only_one(checkout, steps):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with only_one(checkout, steps):
        inside.set()
        said = ""
        while "waiting for it" not in said:
            said += capfd.readouterr().err
            assert thread.is_alive()
            time.sleep(0.01)
        order.append("first")
    thread.join(60)
    assert order == ["first", "second"]


def test_a_folder_of_somebody_else_is_one_line(tmp_path):
    with pytest.raises(SetupError, match="cannot write in"), only_one(tmp_path / "gone", Steps(tmp_path)):
        pass


def test_no_venv_module_gives_the_exact_line(monkeypatch, tmp_path):
    real = environment.importlib.util.find_spec
    missing = {"ensurepip"}
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None if name in missing else real(name))
    with pytest.raises(SetupError, match="sudo apt-get update && sudo apt-get install -y python3-venv"):
        environment.create(tmp_path / "venv", with_pip=True)
    missing.add("venv")
    with pytest.raises(SetupError, match="python3-venv"):
        environment.create(tmp_path / "venv", with_pip=False)


def test_an_environment_is_built_beside_and_renamed_into_place(checkout, steps, monkeypatch):
    seen = {}

    def install(python, lock, _steps, *, uv, title):
        assert (checkout / ".venv" / "old").exists(), "the one in use stays until the new one is whole"
        seen.update(python=python, lock=lock)
        script = python.parent / "tool"
        script.write_text(f"#!{python}\n")

    monkeypatch.setattr(environment, "install", install)
    monkeypatch.setattr(environment, "find_uv", lambda: "uv")
    (checkout / ".venv" / "old").touch()
    (checkout / ".venv.new").mkdir()
    (checkout / ".venv.new" / "half").touch()
    environment.build(checkout, checkout / "requirements.lock", steps)
    venv = checkout / ".venv"
    assert seen["python"] == checkout / ".venv.new" / "bin" / "python"
    assert (venv / "installed.lock").read_text() == "requirements.lock\n"
    assert (venv / "bin" / "tool").read_text() == f"#!{venv}/bin/python\n"
    assert not (venv / "old").exists()
    assert not (venv / "half").exists()
    assert sorted(path.name for path in checkout.glob(".venv*")) == [".venv"]
    ran = subprocess.run(
        [venv / "bin" / "python", "-P", "-c", "import sys; print(sys.path[-1])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == str(checkout), "the checkout is on the path, and not by an absolute name"
    assert str(checkout) not in (environment.site_packages(venv) / "kangle-checkout.pth").read_text()


def test_an_install_that_fails_leaves_the_old_environment(checkout, steps, monkeypatch):
    def install(*_, **__):
        raise SetupError("no network")

    monkeypatch.setattr(environment, "install", install)
    monkeypatch.setattr(environment, "find_uv", lambda: "uv")
    (checkout / ".venv" / "installed.lock").write_text("older\n")
    with pytest.raises(SetupError):
        environment.build(checkout, checkout / "requirements.lock", steps)
    assert (checkout / ".venv" / "installed.lock").read_text() == "older\n"


@pytest.mark.parametrize("uv", [True, False])
def test_packages_come_with_hashes_and_as_wheels_only(checkout, steps, monkeypatch, program, uv):
    folder = program("uv", 'echo "$0 $@" > "$(dirname $0)/said"')
    python = program("python", 'echo "$0 $@" > "$(dirname $0)/said"') / "python"
    found = str(folder / "uv") if uv else None
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda _: None)
    environment.install(python, checkout / "requirements.lock", steps, uv=found, title="Packages")
    said = (folder if uv else python.parent).joinpath("said").read_text()
    assert "--require-hashes --only-binary :all: -r" in said
    assert f"{checkout}/requirements.lock" in said


def test_a_launcher_of_uv_that_does_not_start_is_not_used(monkeypatch, program):
    monkeypatch.setenv("PATH", str(program("uv", "exit 127")))
    assert environment.find_uv() is None


def test_pips_index_settings_hold_for_uv(tmp_path):
    conf = tmp_path / "pip.conf"
    conf.write_text(
        "[global]\nindex-url = https://mirror.example/simple\ntimeout = 9\n[install]\nfind-links = /a\n  /b\n"
    )
    env = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path), "PIP_CONFIG_FILE": str(conf), "PIP_NO_INDEX": "1"}
    uv = uv_environment(env)
    assert uv["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert uv["UV_FIND_LINKS"] == "/a,/b"
    assert uv["UV_NO_INDEX"] == "1"
    assert uv["UV_HTTP_TIMEOUT"] == "9"
    assert "UV_INDEX_STRATEGY" not in uv
    assert uv_environment({**env, "PIP_EXTRA_INDEX_URL": "file:///x"})["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_uvs_own_settings_and_the_environment_win(tmp_path):
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://file.example\n")
    env = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": "", "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    assert pip_options({**env, "PIP_INDEX_URL": "https://env.example"})["index-url"] == "https://env.example"
    assert uv_environment({**env, "UV_DEFAULT_INDEX": "https://uv.example"})["UV_DEFAULT_INDEX"] == "https://uv.example"


def test_an_unreadable_pip_file_stops_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(indexes, "MACHINE_FILE", tmp_path / "none")
    (tmp_path / "pip.conf").write_text("not an ini file")
    env = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": "", "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    assert pip_options(env) == {"config-file": str(tmp_path / "pip.conf")}


def test_prepare_tells_and_returns_the_status(monkeypatch, checkout, capsys):
    def fail(*_):
        raise SetupError("there is no soup", 4)

    monkeypatch.setattr(setup, "put_in_place", fail)
    assert setup.prepare(str(checkout), (RUNTIME,), ["demo"]) == 4
    assert capsys.readouterr().err == "kangle: there is no soup\n"


@pytest.mark.parametrize(
    ("needs", "missing", "writes"),
    [((RUNTIME,), "", False), ((RUNTIME, PAGES), "", False), ((RUNTIME, PAGES), "pages", True), ((DEV,), "", True)],
)
def test_where_nothing_is_missing_nothing_is_written(monkeypatch, checkout, needs, missing, writes):
    """A daemon's user may not write beside the code."""
    (checkout / ".venv" / "installed.lock").write_bytes((checkout / "requirements.lock").read_bytes())
    web = checkout / "edge" / "web"
    (web / "dist").mkdir(parents=True)
    (web / "main.ts").write_text("1")
    if missing != "pages":
        (web / "dist" / pages.STAMP).write_bytes(pages.sources_digest(web))
    tried = []
    monkeypatch.setattr(setup, "put_in_place", lambda *_: tried.append("put in place"))
    assert setup.prepare(str(checkout), needs, ["run"]) == 0
    assert (tried != [], (checkout / ".kangle" / "setup.lock").exists()) == (writes, writes)


def test_what_daemons_import_is_compiled(tmp_path):
    (tmp_path / "edge" / "web" / "node_modules").mkdir(parents=True)
    for name in ("edge/one.py", "edge/web/node_modules/two.py"):
        (tmp_path / name).write_text("x = 1\n")
    compile_modules(tmp_path)
    assert [path.name.partition(".")[0] for path in tmp_path.rglob("*.pyc")] == ["one"]


def test_prepare_can_be_interrupted(monkeypatch, checkout, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "put_in_place", interrupt)
    assert setup.prepare(str(checkout), (RUNTIME,), ["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(("needs", "lock"), [((RUNTIME,), "requirements.lock"), ((DEV,), "requirements-dev.lock")])
def test_each_command_gets_the_lock_it_needs(monkeypatch, checkout, steps, needs, lock):
    built = []
    monkeypatch.setattr(environment, "build", lambda _root, path, _steps: built.append(path.name))
    setup.put_in_place(checkout, needs, steps)
    assert built == [lock]
    (checkout / ".venv" / "installed.lock").write_text(f"{lock}\n")
    setup.put_in_place(checkout, needs, steps)
    assert built == [lock]


def test_the_system_python_is_all_that_setting_up_imports(root):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\nimport edge.bootstrap.setup\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(names - set(sys.stdlib_module_names) - {'edge', '__main__'}))"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(root)], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
    assert Path(sys.executable).exists()
