"""Real child processes: restart, hopeless ends, clean and stubborn stops, and nobody left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from edge.runtime import supervisor as supervisor_module
from edge.runtime.supervisor import Supervisor, site_commands

CHILD = [sys.executable, "-S", "-E", "-c"]
SLEEP = [*CHILD, "import time; print('up', flush=True); time.sleep(600)"]


class Said:
    def __init__(self) -> None:
        self.lines = []

    def __call__(self, name, line):
        self.lines.append((name, line))

    def of(self, name):
        return [line for who, line in self.lines if who == name]


@contextlib.asynccontextmanager
async def supervising(commands, **options):
    said = Said()
    supervisor = Supervisor(commands, say=said, **options)
    running = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, said, running
    finally:
        supervisor.stop()
        await asyncio.wait_for(running, 60)


async def until(condition, timeout_s=60):
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(supervisor_module, "BACKOFF_FIRST_S", 0.02)


def test_a_child_that_dies_is_started_again_and_a_stop_ends_all(run):
    async def scenario():
        async with supervising({"one": SLEEP, "two": SLEEP}) as (supervisor, said, running):
            await until(lambda: said.of("one") == ["up"] and said.of("two") == ["up"])
            first = supervisor.children["one"].process.pid
            os.kill(first, signal.SIGKILL)
            await until(lambda: said.of("one") == ["up", "up"])
            assert supervisor.children["one"].restarts == 1
            assert supervisor.children["two"].restarts == 0
            pids = [child.process.pid for child in supervisor.children.values()]
            assert first not in pids
            supervisor.stop()
            assert await asyncio.wait_for(running, 60) == 0
            assert all(gone(pid) for pid in pids)

    run(scenario())


def test_the_back_off_grows_but_not_for_a_child_that_must_not_wait(run):
    async def scenario():
        dies = [*CHILD, "raise SystemExit(1)"]
        async with supervising({"patient": dies, "garage": dies}, fail_fast=frozenset({"garage"})) as (sup, _, _run):
            await until(lambda: sup.children["garage"].restarts >= 12)
            assert sup.children["patient"].restarts < sup.children["garage"].restarts

    run(scenario())


def test_a_status_that_a_restart_cannot_help_ends_the_site_with_it(run):
    async def scenario():
        wrong = [*CHILD, "import sys; print('site.toml:3 unknown key', flush=True); sys.exit(3)"]
        async with supervising({"canteen": SLEEP, "api": wrong}) as (supervisor, said, running):
            assert await asyncio.wait_for(running, 60) == 3
            assert said.of("api") == ["site.toml:3 unknown key"]
            assert supervisor.children["api"].restarts == 0

    run(scenario())


def test_a_file_that_was_spoilt_later_ends_nobody_who_runs(run, tmp_path):
    """Somebody edits the site file, the gym falls over and cannot read it any more: the garage is not stopped."""
    code = f"""if True:
        import pathlib
        lived = pathlib.Path({str(tmp_path / "lived")!r})
        status = 3 if lived.exists() else 1
        lived.touch()
        raise SystemExit(status)"""
    children = {"garage": SLEEP, "gym": [*CHILD, code]}

    async def scenario():
        async with supervising(children, fail_fast=frozenset({"garage"})) as (sup, said, running):
            await until(lambda: said.of("garage") == ["up"] and sup.children["gym"].restarts >= 2)
            assert not running.done()
            assert sup.children["garage"].restarts == 0
            sup.stop()
            assert await asyncio.wait_for(running, 60) == 0

    run(scenario())


def test_a_child_that_does_not_listen_is_killed(run, monkeypatch):
    monkeypatch.setattr(supervisor_module, "STOP_S", 0.2)

    async def scenario():
        deaf = [
            *CHILD,
            "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
        ]
        async with supervising({"deaf": deaf}) as (supervisor, said, running):
            await until(lambda: said.of("deaf") == ["up"])
            pid = supervisor.children["deaf"].process.pid
            supervisor.stop()
            await asyncio.wait_for(running, 60)
            assert gone(pid)

    run(scenario())


def test_lines_are_passed_on_whatever_they_hold(run):
    async def scenario():
        code = """if True:
            import sys, time
            out = sys.stdout.buffer
            out.write(b'a\\xff\\n' + b'x' * 200000 + b'\\nlast')
            out.flush()
            sys.stderr.write('err\\n')
            sys.stderr.flush()
            time.sleep(600)"""
        odd = [*CHILD, code]
        async with supervising({"odd": odd}) as (_, said, _running):
            await until(lambda: any(line.endswith("err") for line in said.of("odd")))
            assert said.of("odd")[0] == "a\ufffd"
            assert sum(line.count("x") for line in said.of("odd")) == 200_000

    run(scenario())


def test_a_command_that_does_not_exist_is_told_and_tried_again(run):
    async def scenario():
        async with supervising({"ghost": ["/nonexistent/program"]}) as (supervisor, said, _running):
            await until(lambda: supervisor.children["ghost"].restarts >= 1)
            assert "cannot be started" in said.of("ghost")[0]

    run(scenario())


def test_children_die_with_a_supervisor_that_is_killed(tmp_path):
    script = (
        "import asyncio, sys\n"
        "from edge.runtime.supervisor import Supervisor\n"
        "sleep = [sys.executable, '-S', '-E', '-c', 'import os, signal, time; "
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(600)']\n"
        "asyncio.run(Supervisor({'one': sleep, 'two': sleep}).run())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True, cwd=Path.cwd())
    try:
        pids = [int(parent.stderr.readline().rpartition("|")[2]) for _ in range(2)]
        assert not any(gone(pid) for pid in pids)
        parent.kill()
        parent.wait(60)
        ends = time.monotonic() + 60
        while time.monotonic() < ends and not all(gone(pid) for pid in pids):
            time.sleep(0.01)
        assert all(gone(pid) for pid in pids)
    finally:
        parent.kill()
        parent.wait(60)
        parent.stderr.close()


def test_a_closed_stderr_does_not_stop_the_site(run, monkeypatch):
    class Closed:
        def write(self, _):
            raise BrokenPipeError

        flush = write

    monkeypatch.setattr(sys, "stderr", Closed())
    supervisor_module._to_stderr("api", "a line")


def test_a_site_is_its_daemons_and_the_api():
    from types import SimpleNamespace

    commands = site_commands(SimpleNamespace(dir=Path("/srv/site"), verticals=("canteen",)))
    assert list(commands) == ["canteen", "history", "api"]
    assert commands["canteen"][1:] == ["-m", "edge.cli", "run", "canteen", "--site", "/srv/site"]
