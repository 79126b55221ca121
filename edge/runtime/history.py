"""``kangle run history``: seals the readings of all daemons, keeps and answers their history, feeds the sinks.

A process of its own (decision 0006), so that zlib, numpy and HTTP share no interpreter with the safety loop, and so
that its crash costs curves for a second and nothing else. Each daemon has a thread that follows its log; questions are
answered in two more; every sink has its own. The hard part is that none of them may stop the others. A user would
notice a mistake as curves of the canteen that stand still because the garage's disk file is damaged.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from edge.log import structlog
from edge.runtime.clock import local_today
from edge.runtime.history_answers import Answerer
from edge.runtime.history_messages import SOCKET_NAME, Part, StatusPart, VerticalStatus
from edge.runtime.history_server import HistoryServer
from edge.runtime.history_sinks import SinkDesk
from edge.runtime.history_zones import zones_of
from edge.runtime.lag import settle_memory
from edge.runtime.service import Notifier, set_up_log
from edge.site import Site, SiteErrors, load_site, render_mistakes
from edge.storage.errors import StoreError
from edge.storage.history_health import HistoryHealth, write_health
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_retention import Retention, used_bytes
from edge.storage.seal_mark import SAMPLES_FILE
from edge.storage.sinks.runner import SinkHome, SinkRunner

EXIT_OK, EXIT_FAILED, EXIT_CONFIG, EXIT_UNREACHABLE = 0, 1, 3, 4
FOLLOW_S = 1.0
#: How often the daemon is told that we live.
TELL_S = 10.0
#: After a log that cannot be read (the daemon is being upgraded, the disk is away).
RETRY_S = 5.0
#: A follower that did not come round for so long hangs: the process ends and is started anew.
HANGS_S = 300.0
#: Less weight than any daemon: curves can wait, a payment cannot.
NICE = 5

_log = structlog.get_logger("history")


class Follower:
    """Keeps one history in step with its log, in a thread."""

    def __init__(self, history: SampleHistory) -> None:
        self.history = history
        self.unreadable = ""
        self.came_round_s = time.monotonic()
        self._stopping = threading.Event()
        self._told: tuple[str, str] | None = None
        self._beats = 0
        self._tell_at_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"history-{history.vertical}", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def ask_stop(self) -> None:
        """End after the step under way."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False when it still works."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.came_round_s = time.monotonic()
            self._tell()
            try:
                if self._work():
                    continue
                pause_s = FOLLOW_S
            except (StoreError, sqlite3.Error) as error:
                self._tell_unreadable(str(error))
                pause_s = RETRY_S
            self._stopping.wait(pause_s)

    def _tell(self) -> None:
        """Tell the daemon beside us how we are: on a change, and now and then as a sign of life."""
        alarm, detail = self.alarm, self.detail
        if (alarm, detail) == self._told and time.monotonic() < self._tell_at_s:
            return
        self._told, self._tell_at_s = (alarm, detail), time.monotonic() + TELL_S
        self._beats += 1
        try:
            write_health(self.history.directory, HistoryHealth(os.getpid(), self._beats, alarm, detail))
        except OSError as error:
            _log.warning("cannot tell the daemon how the history is", vertical=self.history.vertical, reason=str(error))

    @property
    def alarm(self) -> str:
        """What a person must know, as a stable code."""
        return self.history.alarm or ("log_unreadable" if self.unreadable else "")

    @property
    def detail(self) -> str:
        """What a technician must know beside ``alarm``."""
        return self.history.remedy or self.unreadable

    def _work(self) -> bool:
        """One step of each kind; new readings go before tidying up."""
        more = self.history.step()
        if self.unreadable:
            _log.info("the log can be read again", vertical=self.history.vertical)
            self.unreadable = ""
        return more or self.history.tidy()

    def _tell_unreadable(self, reason: str) -> None:
        if reason != self.unreadable:
            _log.warning("the log cannot be read now", vertical=self.history.vertical, reason=reason)
        self.unreadable = reason

    def status(self, sinks: SinkRunner | None) -> VerticalStatus:
        """How it is."""
        history = self.history
        with history.db.read() as connection:
            size = used_bytes(connection)
        return VerticalStatus(
            vertical=history.vertical,
            through_seq=history.through_seq,
            sealed_seq=history.sealed_seq,
            tail_samples=history.tail.samples,
            series=len(history.names.all()),
            bytes=size,
            alarm=self.alarm,
            detail=self.detail,
            counts=history.all_counts(),
            sinks=() if sinks is None else tuple(_plain(status) for status in sinks.statuses()),
        )


def _plain(status: msgspec.Struct) -> dict[str, str | int | float | bool | None]:
    """The plain values of a sink's status."""
    values: dict[str, Any] = msgspec.to_builtins(status)
    return {name: value for name, value in values.items() if value is None or isinstance(value, str | int | float)}


class HistoryService:
    """The histories of a site with their followers, sinks and socket."""

    def __init__(self, site: Site) -> None:
        """Raises StoreError when one of the stores cannot be had."""
        self._histories: dict[str, SampleHistory] = {}
        try:
            for name in site.verticals:
                kept = site.history
                retention = Retention(kept.chunks_days, kept.rollups_days, kept.max_bytes)
                self._histories[name] = SampleHistory(site.data_dir / name, name, retention, kept.resolutions)
                others = self._histories[name].names.born_otherwise()
                if others:
                    _log.warning("channels keep the resolution that they were born with", daemon=name, channels=others)
        except BaseException:
            self._close_histories()
            raise
        self._followers = {name: Follower(history) for name, history in self._histories.items()}
        self._sinks = {name: _sinks_of(site, name, history) for name, history in self._histories.items()}
        desk = SinkDesk(self._histories, lambda name: self._sinks[name].names)
        zones = zones_of(site)
        self._server = HistoryServer(
            site.run_dir / SOCKET_NAME, lambda: Answerer(self._histories, desk, zones), self._status
        )
        self._notifier = Notifier()

    def _close_histories(self) -> None:
        for history in self._histories.values():
            history.close()

    def _status(self) -> Part:
        return StatusPart(tuple(self._followers[name].status(self._sinks[name]) for name in self._followers))

    async def run(self, stop: asyncio.Event) -> int:
        """Serve until ``stop``; gives the exit status."""
        await self._server.start()
        for follower in self._followers.values():
            follower.start()
        for sinks in self._sinks.values():
            sinks.start()
        settle_memory()
        self._notifier.tell("READY=1")
        _log.info("ready", verticals=list(self._histories))
        hangs = await self._watch(stop)
        self._notifier.tell("STOPPING=1")
        return await self._end(hangs=hangs)

    async def _watch(self, stop: asyncio.Event) -> str:
        """Until ``stop``, or until a follower hangs or its file is no good; gives its name."""
        while not stop.is_set():
            if self._notifier.watchdog_s is not None:
                self._notifier.tell("WATCHDOG=1")
            for name, follower in self._followers.items():
                if time.monotonic() - follower.came_round_s > HANGS_S:
                    _log.error("a follower hangs; the process is started anew", vertical=name)
                    return name
                if follower.history.broken:
                    _log.error("samples.db is damaged; the process is started anew without it", vertical=name)
                    return name
                if not follower.history.db.in_place():
                    _log.error("samples.db was taken away or replaced; the process is started anew", vertical=name)
                    return name
            try:
                async with asyncio.timeout(1.0):
                    await stop.wait()
            except TimeoutError:
                continue
        return ""

    async def _end(self, *, hangs: str) -> int:
        await self._server.close()
        for follower in self._followers.values():
            follower.ask_stop()
        for sinks in self._sinks.values():
            await asyncio.to_thread(sinks.stop)
        clean = not hangs
        for follower in self._followers.values():
            clean = await asyncio.to_thread(follower.join, 5.0) and clean
        if clean:
            self._close_histories()
        return EXIT_OK if clean else EXIT_FAILED


def _sinks_of(site: Site, name: str, history: SampleHistory) -> SinkRunner:
    home = SinkHome(
        site=site.site_id,
        vertical=name,
        samples_db=site.data_dir / name / SAMPLES_FILE,
        open_source=history.source,
        close_source=lambda source: source.close(),  # type: ignore[attr-defined] # made by history.source
    )
    sinks = [sink for sink in site.sinks if name in sink.verticals]
    if history.db.set_aside is not None:
        # Their cursors were lost with the file: what the log still has goes out again, onto the same keys.
        sinks = [msgspec.structs.replace(sink, history=True) for sink in sinks]
    return SinkRunner(home, sinks)


async def _serve(site: Site) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await HistoryService(site).run(stop)


def run_history(site_dir: Path) -> int:
    """Run the history of the site in ``site_dir``. Gives 0 after a clean stop, 1 when it could not go on, 3 for a wrong
    site file, 4 when a store or the socket cannot be had. Messages are for people, on stderr."""
    set_up_log()
    try:
        site = load_site(site_dir, local_today())
    except SiteErrors as errors:
        return _say(render_mistakes(errors.mistakes, "en"), EXIT_CONFIG)
    structlog.contextvars.bind_contextvars(daemon="history", pid=os.getpid())
    os.nice(NICE)
    try:
        return uvloop.run(_serve(site))
    except (StoreError, OSError, ValueError) as error:
        return _say(f"kangle run history: {error}", EXIT_UNREACHABLE)


def _say(text: str, status: int) -> int:
    sys.stderr.write(text.rstrip() + "\n")
    return status
