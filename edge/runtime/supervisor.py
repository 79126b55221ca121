"""``kangle up``: runs all processes of a site, starts again what died, ends them cleanly.

The hard part is that nothing may outlive its supervisor, however that ends: the kernel is asked to end each child when
its parent dies (PR_SET_PDEATHSIG), and a child whose parent died before it could ask ends itself. A user would notice a
mistake as a reader that is "in use" after a crash, or as a service that restarts a hundred times a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import uvloop

from edge.log import structlog
from edge.runtime.clock import local_today
from edge.runtime.service import Notifier, set_up_log
from edge.site import Site, SiteErrors, load_site, render_mistakes

PR_SET_PDEATHSIG = 1  # linux/prctl.h
BACKOFF_FIRST_S = 0.5
BACKOFF_MAX_S = 30.0
#: A child that lived so long has earned the shortest back-off again.
STEADY_S = 60.0
STOP_S = 10.0
#: Statuses that a restart cannot cure: wrong usage, wrong site file. They end a site that is being started; later, when
#: a file was edited under it, whoever falls over the mistake waits for its correction, and the others run on.
HOPELESS = frozenset({2, 3})
LINE_MAX = 64 * 1024

_log = structlog.get_logger("up")
_libc = ctypes.CDLL(None, use_errno=True)


def die_with(parent: int) -> Callable[[], None]:
    """What a child runs between fork and exec so that it ends when ``parent`` does. SIGKILL, because nobody is left who
    could insist: what was acknowledged is on disk, and the next start finds it there."""

    def ask() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return ask


class Child:
    """One supervised process; ``restarts`` counts since start."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.command = tuple(command)
        self.restarts = 0
        self.process: asyncio.subprocess.Process | None = None

    async def run(self, say: Callable[[str, str], None]) -> int | None:
        """Start, pass its lines to ``say`` (name, line), and give its exit status; None when it cannot be started."""
        try:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=LINE_MAX,
                start_new_session=True,
                preexec_fn=die_with(os.getpid()),
            )
        except OSError as error:
            say(self.name, f"cannot be started: {error}")
            return None
        assert self.process.stdout is not None
        while line := await _line(self.process.stdout):
            say(self.name, line.decode(errors="replace").rstrip("\n"))
        return await self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if it runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next line, b"" at the end; a line over the limit comes in pieces."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as overrun:
        return await stream.read(overrun.consumed)


class Supervisor:
    """Keeps ``commands`` (name -> command line) running until ``stop``. ``fail_fast`` names children that are started
    again at once (a garage must not wait), the others with growing back-off."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        fail_fast: frozenset[str] = frozenset(),
        say: Callable[[str, str], None] | None = None,
    ) -> None:
        self.children = {name: Child(name, command) for name, command in commands.items()}
        self._fail_fast = fail_fast
        self._say = say or _to_stderr
        self._stop = asyncio.Event()
        self._status = 0

    def stop(self) -> None:
        """End all children; ``run`` returns when they have gone."""
        self._stop.set()

    async def run(self) -> int:
        """Run until ``stop``, or until a child says at its start that a restart cannot help; gives that status, else
        0."""
        keepers = [asyncio.create_task(self._keep(child), name=child.name) for child in self.children.values()]
        await self._stop.wait()
        await self._end(keepers)
        return self._status

    async def _keep(self, child: Child) -> None:
        backoff_s = BACKOFF_FIRST_S
        while not self._stop.is_set():
            begun_s = time.monotonic()
            status = await child.run(self._say)
            if self._stop.is_set():
                return
            lived_s = time.monotonic() - begun_s
            if status in HOPELESS and child.restarts == 0 and lived_s < STEADY_S:
                _log.error("a restart cannot help", child=child.name, status=status)
                self._status = status or 1
                self._stop.set()
                return
            at_once = child.name in self._fail_fast and status not in HOPELESS
            if lived_s >= STEADY_S or at_once:
                backoff_s = BACKOFF_FIRST_S
            child.restarts += 1
            pause_s = 0.0 if at_once else backoff_s
            _log.warning("child ended; starting it again", child=child.name, status=status, pause_s=pause_s)
            backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
            try:
                async with asyncio.timeout(pause_s):
                    await self._stop.wait()
            except TimeoutError:
                continue

    async def _end(self, keepers: Sequence[asyncio.Task[None]]) -> None:
        """SIGTERM in reverse order of start, SIGKILL for whoever is still there after ``STOP_S``."""
        for child in reversed(self.children.values()):
            child.signal(signal.SIGTERM)
        _, late = await asyncio.wait(keepers, timeout=STOP_S)
        if late:
            for child in self.children.values():
                child.signal(signal.SIGKILL)
            await asyncio.wait(late)


def _to_stderr(name: str, line: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody reads any more: no reason to stop a checkout
        sys.stderr.write(f"{name} | {line}\n")
        sys.stderr.flush()


def site_commands(site: Site) -> dict[str, list[str]]:
    """The processes of a site: its daemons, then their history, then the API."""
    return {
        name: [sys.executable, "-m", "edge.cli", "run", name, "--site", str(site.dir)]
        for name in (*site.verticals, "history", "api")
    }


async def _supervise(site: Site) -> int:
    supervisor = Supervisor(site_commands(site), fail_fast=frozenset({"garage"}) & set(site.verticals))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, supervisor.stop)
    Notifier().tell("READY=1")
    return await supervisor.run()


def run_up(site_dir: Path) -> int:
    """Run the whole site until SIGTERM or SIGINT. Gives 0 after a clean stop, 3 for a wrong site file, or the status of
    a child that a restart cannot help."""
    set_up_log()
    try:
        site = load_site(site_dir, local_today())
    except SiteErrors as errors:
        sys.stderr.write(render_mistakes(errors.mistakes, "en") + "\n")
        return 3
    return uvloop.run(_supervise(site))
