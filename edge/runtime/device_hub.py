"""All pumps of a daemon, and what people see of the devices: the views ``device/<device>``.

The hard part is age: a view says when the state was last told and since when it holds, so that a page can show an old
state as old. The hub also keeps each device's last word about itself, because a world that is rebuilt from rows has
forgotten it and a healthy device will not repeat it for a minute. A user would notice a mistake as a green reader
that has been unplugged since yesterday.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from edge.domain.devices import DeviceHealth, DeviceIdentity, DeviceReading
from edge.runtime.clock import Clock
from edge.runtime.gathering import Gathering
from edge.runtime.pump import Pump
from edge.runtime.time_teller import TimeTeller

#: Devices that a kernel commands although the site file does not name them; beyond this they are only counted.
UNKNOWN_MAX = 16


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """What ``device/<device>`` shows. ``state``: connecting, ready, fault, lost, or unknown (commanded but not in the
    site file). ``told_wall_ns`` is when the device or its link last spoke of itself (healthy devices do once a
    minute), ``since_wall_ns`` since when the state holds, both UTC; ``epoch`` counts openings of the link; the
    counters are the driver's, since then."""

    device: str
    protocol: str
    link: str
    state: str
    problem: str = ""
    detail: str = ""
    epoch: int = 0
    model: str = ""
    firmware: str = ""
    serial: str | None = None
    frames: int = 0
    refused: int = 0
    noise_bytes: int = 0
    timeouts: int = 0
    told_wall_ns: int
    since_wall_ns: int
    clock_trusted: bool


class Devices(Protocol):
    """What the daemon tells the pumps, and asks of them (a ``DeviceHub``)."""

    def resume(self) -> None: ...

    def hand_in(self) -> None:
        """Post what has come and was held back for a moment (``edge.runtime.gathering``)."""
        ...

    def passing(self, reading: DeviceReading) -> None:
        """A device's word about itself is on its way in."""
        ...

    def last_health(self) -> Iterable[DeviceReading]: ...


class DeviceHub:
    """Owns the pumps. ``show`` publishes a view under a key. ``gathering`` holds words of some of the pumps' links."""

    def __init__(self, clock: Clock, show: Callable[[str, Any], None], gathering: Gathering | None = None) -> None:
        self._clock = clock
        self._show = show
        self._pumps: dict[str, Pump] = {}
        self._views: dict[str, DeviceView] = {}
        self._health: dict[str, DeviceReading] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._time = TimeTeller(clock, self.send)
        self._gathering = gathering

    def add(self, pump: Pump, protocol: str, link: str) -> None:
        """Take over a pump and show its device as connecting."""
        self._pumps[pump.device] = pump
        now_ns = self._clock.wall_ns()
        self._publish(
            DeviceView(
                device=pump.device,
                protocol=protocol,
                link=link,
                state="connecting",
                told_wall_ns=now_ns,
                since_wall_ns=now_ns,
                clock_trusted=self._clock.wall_trusted(),
            )
        )

    def start(self) -> None:
        """Let all pumps run, each in its own task."""
        self._tasks = [asyncio.create_task(pump.run(), name=f"pump {name}") for name, pump in self._pumps.items()]

    async def stop(self) -> None:
        """End all pumps and give their links back. What they have heard is posted before."""
        self.hand_in()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def send(self, device: str, command: Any) -> bool:
        """Give a device a command of the kernel; false (and shown) when there is no such device."""
        pump = self._pumps.get(device)
        if pump is None:
            self._show_unknown(device)
            return False
        self.hand_in()  # a driver hears what was said before it was told something
        pump.send(command)
        return True

    def hand_in(self) -> None:
        """Post what is held back for a moment."""
        if self._gathering is not None:
            self._gathering.hand_in()

    def resume(self) -> None:
        """The daemon's inbox has room again."""
        for pump in self._pumps.values():
            pump.resume()

    def passing(self, reading: DeviceReading) -> None:
        """Look at a reading on its way into the kernel."""
        body = reading.body
        if isinstance(body, DeviceHealth):
            self._health[reading.device] = reading
            self._told(reading.device, reading.epoch, body)
            if reading.device in self._pumps:
                self._time.heard(reading.device, body.state)
        elif isinstance(body, DeviceIdentity) and (view := self._views.get(reading.device)) is not None:
            self._publish(msgspec.structs.replace(view, model=body.model, firmware=body.firmware, serial=body.serial))

    def tell_time(self) -> None:
        """Once a second: devices that need the time are told it (``time_teller``)."""
        self._time.beat()

    def last_health(self) -> Iterable[DeviceReading]:
        """Each device's last word about itself, for a world that has forgotten it."""
        return tuple(self._health.values())

    def counters(self) -> dict[str, int]:
        """Sums over all pumps."""
        pumps = self._pumps.values()
        return {
            "devices": len(self._pumps),
            "devices_open": sum(pump.is_open for pump in pumps),
            "links_opened": sum(pump.counters.opened for pump in pumps),
            "links_lost": sum(pump.counters.lost for pump in pumps),
            "links_failed": sum(pump.counters.open_failed for pump in pumps),
            "silences": sum(pump.counters.silences for pump in pumps),
            "driver_errors": sum(pump.counters.driver_errors for pump in pumps),
            "device_commands_dropped": sum(pump.counters.commands_dropped for pump in pumps),
            "pumps_paused": sum(pump.counters.paused for pump in pumps),
            "bytes_in": sum(pump.counters.bytes_in for pump in pumps),
            "bytes_out": sum(pump.counters.bytes_out for pump in pumps),
            **({} if self._gathering is None else self._gathering.counters),
        }

    def _told(self, device: str, epoch: int, health: DeviceHealth) -> None:
        view = self._views.get(device)
        if view is None:
            return
        now_ns = self._clock.wall_ns()
        same = view.state == health.state.value and view.problem == health.problem
        self._publish(
            msgspec.structs.replace(
                view,
                state=health.state.value,
                problem=health.problem,
                detail=health.detail,
                epoch=epoch,
                frames=health.frames,
                refused=health.refused,
                noise_bytes=health.noise_bytes,
                timeouts=health.timeouts,
                told_wall_ns=now_ns,
                since_wall_ns=view.since_wall_ns if same else now_ns,
                clock_trusted=self._clock.wall_trusted(),
            )
        )

    def _show_unknown(self, device: str) -> None:
        if device in self._views or len(self._views) >= len(self._pumps) + UNKNOWN_MAX:
            return
        now_ns = self._clock.wall_ns()
        self._publish(
            DeviceView(
                device=device,
                protocol="",
                link="",
                state="unknown",
                problem="not_in_site_file",
                detail="the kernel commands this device, but site.toml has no [[devices]] entry for it",
                told_wall_ns=now_ns,
                since_wall_ns=now_ns,
                clock_trusted=self._clock.wall_trusted(),
            )
        )

    def _publish(self, view: DeviceView) -> None:
        self._views[view.device] = view
        self._show(f"device/{view.device}", view)
