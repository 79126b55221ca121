"""Runs sinks as threads, one each, for the process that owns ``samples.db``.

The hard part is that nothing of one sink may reach another, or whoever feeds them: each has its own thread, connection,
database handle and source, and a worker that dies of something unforeseen is made anew after a pause, alone. A user
would notice a mistake as all dashboards standing still because one of them is switched off.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec

from edge.log import structlog
from edge.storage.errors import StoreError
from edge.storage.sample_model import SampleSource
from edge.storage.sinks.cursors import Cursors
from edge.storage.sinks.line_protocol import LineFormer
from edge.storage.sinks.messages import MessageFormer
from edge.storage.sinks.ports import Times, Transport
from edge.storage.sinks.prepared import Former
from edge.storage.sinks.settings import SinkKind, SinkSettings
from edge.storage.sinks.status import SinkHealth, SinkStatus
from edge.storage.sinks.worker import SinkWorker

#: Between a worker's unforeseen end and the next one.
REMAKE_S = 5.0
#: While the samples cannot be read (the store is being migrated, restored, sealed on a slow disk).
NOT_NOW_S = 2.0

_log = structlog.get_logger("sink")


class RealTimes:
    """The machine's clocks; CLOCK_BOOTTIME also counts a suspended machine."""

    def mono_s(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wall_ns(self) -> int:
        return time.time_ns()


@dataclass(frozen=True, slots=True)
class SinkHome:
    """Whose samples go out. ``open_source`` is called in the thread that uses the source; ``close_source`` ends it
    there (None: nothing to end)."""

    site: str
    vertical: str
    samples_db: Path
    open_source: Callable[[], SampleSource]
    close_source: Callable[[SampleSource], None] | None = None


class SinkRunner:
    """The sinks of one daemon's samples. ``start`` returns at once, with every sink down too."""

    def __init__(
        self, home: SinkHome, sinks: Sequence[SinkSettings], *, times: Times | None = None, seed: int | None = None
    ) -> None:
        self._sinks = [_SinkThread(home, sink, times or RealTimes(), Random(seed)) for sink in sinks]  # noqa: S311 - jitter

    @property
    def names(self) -> frozenset[str]:
        """The sinks by name."""
        return frozenset(sink.status.sink for sink in self._sinks)

    def start(self) -> None:
        for sink in self._sinks:
            sink.thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Ask all to end and wait for them; False when one still hangs in a request. Its thread dies with the process,
        and what it was sending is sent again."""
        for sink in self._sinks:
            sink.stopping.set()
        until_s = time.monotonic() + timeout_s
        for sink in self._sinks:
            if sink.thread.ident is not None:
                sink.thread.join(max(0.0, until_s - time.monotonic()))
        return not any(sink.thread.is_alive() for sink in self._sinks)

    def statuses(self) -> list[SinkStatus]:
        """How each sink is doing, as of its last step."""
        return [msgspec.structs.replace(sink.status) for sink in self._sinks]


class _SinkThread:
    def __init__(self, home: SinkHome, settings: SinkSettings, times: Times, rng: Random) -> None:
        self._home, self._settings, self._times, self._rng = home, settings, times, rng
        self.stopping = threading.Event()
        self.status = SinkStatus(sink=settings.sink, vertical=home.vertical, kind=settings.kind.value)
        self.thread = threading.Thread(target=self._run, name=f"sink {settings.sink}/{home.vertical}", daemon=True)

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._work()
            except Exception as error:  # noqa: BLE001 - a sink must not end for good, whatever happened to it
                self.status.health = SinkHealth.FAILED
                self.status.reason = f"{type(error).__name__}: {error}"[:300]
                _log.exception("a sink's worker failed; it is made anew", sink=self._settings.sink)
                self.stopping.wait(REMAKE_S)

    def _work(self) -> None:
        source = self._home.open_source()
        try:
            worker = self._worker(source)
            self.status = worker.status
            try:
                while not self.stopping.is_set():
                    self.stopping.wait(self._step(worker))
            finally:
                worker.close()
        finally:
            if self._home.close_source is not None:
                self._home.close_source(source)

    def _step(self, worker: SinkWorker) -> float:
        try:
            return worker.step()
        except StoreError as error:
            worker.status.reason = str(error)
            return NOT_NOW_S

    def _worker(self, source: SampleSource) -> SinkWorker:
        settings, home = self._settings, self._home
        former, transport = _parts(settings, home, source)
        return SinkWorker(
            settings,
            home.vertical,
            source=source,
            former=former,
            transport=transport,
            cursors=Cursors(home.samples_db, settings.sink),
            times=self._times,
            rng=self._rng,
        )


def _parts(settings: SinkSettings, home: SinkHome, source: SampleSource) -> tuple[Former, Transport]:
    match settings.kind:
        case SinkKind.INFLUX:
            from edge.storage.sinks.influx import InfluxTransport  # noqa: PLC0415 - half a second that MQTT needs not

            return LineFormer(home.site, source.series), InfluxTransport(settings)
        case SinkKind.MQTT:
            from edge.storage.sinks.mqtt import MqttTransport  # noqa: PLC0415 - only boxes with such a sink need it

            prefix = settings.topic_prefix or home.site
            told = msgspec.structs.replace(settings, client=_client_of(settings, home))
            return MessageFormer(prefix, source.series), MqttTransport(told)


def _client_of(settings: SinkSettings, home: SinkHome) -> str:
    """A broker ends the older of two connections with one name, and each daemon's samples have one of their own: so the
    name tells the daemon, and unless it is given also the site, for several boxes may feed one broker."""
    return f"{settings.client or f'kangle-sink-{home.site}-{settings.sink}'}-{home.vertical}"
