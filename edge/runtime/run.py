"""``kangle run NAME``: builds a daemon of the site and runs it until it is told to stop. The only place that builds.

The hard part is the order of ends: commands are decided and written before the store closes, devices are let go before
the sockets, and a daemon that cannot go on leaves with a status of its own, so that its supervisor starts it anew. A
user would notice a mistake as a payment that was answered "busy" at every restart, or a reader that stays locked.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import uvloop

from drivers.driver import LocalProtocolError, TopicDriver
from drivers.links.opening import opener_of
from drivers.registry import make_driver
from edge import __version__
from edge.domain.devices import DeviceReading
from edge.domain.garage.messages import ChargeDue
from edge.domain.notices import Notify
from edge.log import structlog
from edge.runtime.clock import RealClock, local_today
from edge.runtime.daemon import Daemon
from edge.runtime.device_hub import DeviceHub
from edge.runtime.gathering import Gathering
from edge.runtime.history_watch import HistoryWatch
from edge.runtime.ipc_messages import PROTOCOL_VERSION, PULSE_S, Pulse, Welcome
from edge.runtime.ipc_server import IpcServer
from edge.runtime.kernels import KERNELS, VerticalAdapter
from edge.runtime.lag import LagMeter, settle_memory
from edge.runtime.notify import NoticeSender
from edge.runtime.pump import SILENCE_NEVER_S, SILENCE_S, Pump
from edge.runtime.purses import PurseBridge
from edge.runtime.service import Notifier, set_up_log
from edge.site import Site, SiteErrors, load_site, render_mistakes
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore

EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_CONFIG, EXIT_UNREACHABLE = 0, 1, 2, 3, 4
DAY_NS = 24 * 3_600 * 1_000_000_000
LOG_MAX_BYTES = 2 << 30
PRUNE_EVERY_S = 600

_log = structlog.get_logger("run")


def keep_after_ns(days: int, wall_ns: int, *, trusted: bool) -> int:
    """The wall time (UTC ns) after which something is kept; 0, all of it, while nobody knows the time."""
    return wall_ns - days * DAY_NS if trusted else 0


def _give_way() -> None:
    """Sleep for as little as the system can (some 70 us). The first cut has just woken the broker; the scheduler likes
    to place it behind us, on our processor, and there it would wait until the rest of the zone is decided: 2 to 4 ms,
    measured (decision 0013)."""
    time.sleep(0.000_02)


class Outlets:
    """Where the daemon's effects go: views and answers to the socket, commands to the pumps, notices outside."""

    def __init__(self) -> None:
        self.server: IpcServer | None = None
        self.hub: DeviceHub | None = None
        self.notices: NoticeSender | None = None
        self.purses: PurseBridge | None = None

    def show(self, key: str, view: Any) -> None:
        if self.server is not None:
            self.server.show(key, view)

    def send(self, device: str, command: Any) -> bool:
        if isinstance(command, Notify):
            return self.notices is not None and self.notices.send(command)
        if isinstance(command, ChargeDue):
            return self.purses is not None and self.purses.charge(command)
        return self.hub is not None and self.hub.send(device, command)

    def reply(self, command_id: str, code: str, body: Any, *, replayed: bool = False) -> None:
        if self.server is not None:
            self.server.reply(command_id, code, body, replayed=replayed)
        if self.purses is not None and not replayed:
            self.purses.refused(code)


class Service:
    """One running daemon with its socket and devices."""

    def __init__(self, site: Site, name: str, store: FactsStore) -> None:
        self._store = store
        adapter: VerticalAdapter = KERNELS[name]()
        self._clock = RealClock(newest_wall_ns=store.newest_wall_ns(), build_wall_ns=_build_wall_ns())
        self._lag = LagMeter()
        self._outlets = Outlets()
        gathering = Gathering(adapter.gather_s) if adapter.gather_s else None
        self._hub = DeviceHub(self._clock, self._outlets.show, gathering)
        self._outlets.hub = self._hub
        self._notices = NoticeSender(self._post, site=site.site_id)
        self._outlets.notices = self._notices
        offset = adapter.utc_offset_min(site)
        self._daemon = Daemon(
            adapter, store, self._clock, self._outlets, self._hub,
            utc_offset_min=offset, lag=self._lag, give_way=_give_way,
        )  # fmt: skip
        welcome = Welcome(PROTOCOL_VERSION, name, __version__, self._clock.boot_id)
        self._server = IpcServer(
            site.run_dir / f"{name}.sock", welcome, adapter.command_type, self._daemon.post_command
        )
        self._outlets.server = self._server
        self._purses = self._purse_bridge(site, name)
        self._outlets.purses = self._purses
        self._adapter = adapter
        self._site_dir = site.dir
        self._retention = site.history
        self._configs = adapter.configs(site)
        self._configs_day = ""
        for settings in site.devices.get(name, ()):
            driver = make_driver(settings.protocol, settings.options)
            topics = driver.topics if isinstance(driver, TopicDriver) else None
            opener = opener_of(settings.link, topics or ())
            if gathering is not None and topics is not None:  # the others answer to what they are asked
                opener = gathering.over(opener)
            rng = random.Random()  # noqa: S311 - jitter of the back-off, not secrets
            silence_s = SILENCE_S if topics is None else SILENCE_NEVER_S
            pump = Pump(settings.device, opener, driver, self._post, clock=self._clock, rng=rng, silence_s=silence_s)
            self._hub.add(pump, settings.protocol, settings.link)
        self._history = HistoryWatch(site.data_dir / name, self._post, self._clock.mono_ns)
        self._notifier = Notifier()

    def _purse_bridge(self, site: Site, name: str) -> PurseBridge | None:
        """The garage's line to the purses, where the site has a canteen that keeps them."""
        if name != "garage" or "canteen" not in site.verticals:
            return None
        return PurseBridge(site.run_dir / "canteen.sock", self._daemon.post_command)

    def _post(self, reading: DeviceReading, settled: Callable[[], None] | None = None) -> bool:
        return self._daemon.post_reading(reading, settled)

    async def run(self, stop: asyncio.Event) -> int:
        """Serve until ``stop`` is set or the daemon cannot go on; gives the exit status."""
        self._daemon.start(self._configs)
        self._configs_day = self._daemon.day
        await self._server.start()
        self._hub.start()
        if self._purses is not None:
            await self._purses.start()
        settle_memory()
        self._lag.start()
        self._notifier.tell("READY=1")
        _log.info("ready", boot_id=self._clock.boot_id, seq=self._store.last_seq())
        beat = asyncio.create_task(self._beat(), name="beat")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        ends: list[asyncio.Future[Any]] = [stopped, self._daemon.fatal, beat]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        self._notifier.tell("STOPPING=1")
        failed = self._daemon.fatal.done() or beat.done()
        if self._daemon.fatal.done():
            _log.error("the daemon cannot go on", reason=self._daemon.fatal.result())
        elif beat.done():
            _log.error("the daemon cannot go on", reason="its heartbeat failed", exc_info=beat.exception())
        stopped.cancel()
        beat.cancel()
        return await self._end(failed=failed)

    async def _end(self, *, failed: bool) -> int:
        if self._purses is not None:
            await self._purses.stop()
        await self._hub.stop()
        await self._notices.stop()
        written = await self._daemon.stop()
        await self._server.close("the daemon stops")
        self._lag.stop()
        if not written and not failed:
            _log.error("stopped before all that was decided was on disk")
        return EXIT_OK if written and not failed else EXIT_FAILED

    async def _beat(self) -> None:
        """Once a second: pulse, day, watchdog; now and then the log's retention; once a day the site files."""
        prune_at_s = time.monotonic() + 60
        while True:
            await asyncio.sleep(PULSE_S)
            self._daemon.tick()
            self._hub.tell_time()
            self._history.beat()
            if self._daemon.day != self._configs_day:
                await self.reload()
            counters = {
                **self._daemon.health(),
                **self._hub.counters(),
                **self._server.counters,
                **self._notices.counters,
            }
            self._server.pulse(Pulse(self._clock.mono_ns(), self._lag.take_worst_ms(), counters))
            if self._notifier.watchdog_s is not None:
                self._notifier.tell("WATCHDOG=1")
            if time.monotonic() >= prune_at_s:
                prune_at_s = time.monotonic() + PRUNE_EVERY_S
                self._prune()

    def _prune(self) -> None:
        """Inputs by their days and bytes; the pulse of workouts as long as the samples of machines."""
        wall_ns, trusted = self._clock.wall_ns(), self._clock.wall_trusted()
        self._store.prune(
            keep_after_wall_ns=keep_after_ns(self._retention.log_days, wall_ns, trusted=trusted),
            max_bytes=LOG_MAX_BYTES,
            pulses_after_wall_ns=keep_after_ns(self._retention.chunks_days, wall_ns, trusted=trusted),
        )

    async def reload(self, *, asked: bool = False) -> None:
        """Read the site files again, as of the present day (a site yields the menu of the coming two weeks). Files with
        mistakes change nothing until the next day, or until they are right and asked for again (SIGHUP). What is
        ``asked`` for is handed on also unchanged: the kernel may have refused it the last time (a zone was latched)."""
        self._configs_day = self._daemon.day
        try:
            site = await asyncio.to_thread(load_site, self._site_dir, date.fromisoformat(self._configs_day))
        except (SiteErrors, OSError) as error:
            _log.error("the site files are wrong; what was read last stays in force", remedy="kangle config check")
            sys.stderr.write(render_mistakes(error.mistakes, "en") if isinstance(error, SiteErrors) else f"{error}\n")
            return
        configs = self._adapter.configs(site)
        for item, known in zip(configs, self._configs, strict=True):
            if asked or item != known:
                self._daemon.post_config(item)
        _log.info("site files read again", changed=configs != self._configs)
        self._configs = configs


def _build_wall_ns() -> int:
    """When this build was made, by the newest of its own files: an honest clock is not before that."""
    return max(path.stat().st_mtime_ns for path in (Path(__file__), Path(__file__).parents[1] / "__init__.py"))


async def _serve(site: Site, name: str, store: FactsStore) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    service = Service(site, name, store)
    reloads: set[asyncio.Task[None]] = set()

    def reload_soon() -> None:
        if not reloads:
            task = asyncio.create_task(service.reload(asked=True), name="reload")
            reloads.add(task)
            task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload_soon)
    return await service.run(stop)


def run_daemon(site_dir: Path, name: str) -> int:
    """Run the daemon ``name`` of the site. Gives 0 after a clean stop, 1 when it could not go on, 2 for a name that the
    site has not, 3 for a wrong site file, 4 when store or socket cannot be had. Messages are for people, on stderr."""
    set_up_log()
    try:
        site = load_site(site_dir, local_today())
    except SiteErrors as errors:
        return _say(render_mistakes(errors.mistakes, "en"), EXIT_CONFIG)
    if name not in KERNELS or name not in site.verticals:
        return _say(f"no daemon {name!r} in this site; it has: {', '.join(site.verticals)}", EXIT_USAGE)
    try:
        store = FactsStore.open(
            site.data_dir / name, KERNELS[name]().kernel.row_types, vertical=name, build=__version__
        )
    except (StoreError, OSError) as error:
        return _say(f"kangle run {name}: {error}", EXIT_UNREACHABLE)
    structlog.contextvars.bind_contextvars(daemon=name, pid=os.getpid())
    try:
        return uvloop.run(_serve(site, name, store))
    except LocalProtocolError as error:
        return _say(f"kangle run {name}: {error}", EXIT_CONFIG)
    except StoreError as error:  # a row that is not what was written
        return _say(f"kangle run {name}: {error}", EXIT_UNREACHABLE)
    except OSError as error:
        return _say(f"kangle run {name}: cannot serve on {site.run_dir}: {error}", EXIT_UNREACHABLE)
    finally:
        store.close()


def _say(text: str, status: int) -> int:
    sys.stderr.write(text.rstrip() + "\n")
    return status
