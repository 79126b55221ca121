"""A disk that takes no latch down must not leave a cut without its second layer: the real daemon on a bad store."""

from __future__ import annotations

import asyncio

import pytest

from edge.domain.actors import Actor, Role
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import MeterReading, Operate, OutputReading, SignalReading
from edge.domain.garage.messages import Command, ConfigApplied, StartSession
from edge.runtime import daemon as daemon_module
from edge.runtime.clock import ManualClock
from edge.runtime.daemon import Daemon
from edge.runtime.kernels import KERNELS
from edge.storage.errors import StoreError


class BadStore:
    """Takes batches until it is told not to: ``fails`` refuses each commit, ``away`` cannot be opened again either,
    ``hangs`` never answers."""

    degraded = ""

    def __init__(self, rows):
        self._rows, self.fault, self._broken = rows, "", False
        self._last = self._next = 0

    def rows(self):
        return self._rows

    def last_seq(self):
        return self._last

    def submit(self, batch, done):
        if self._broken:
            raise StoreError("storage", "failed before")
        self._next += len(batch.records)
        if self.fault == "hangs":
            return
        if self.fault:
            self._broken = True
            asyncio.get_running_loop().call_soon(done, StoreError("storage", "the test says so"))
            return
        self._last = self._next
        for row in batch.rows:
            self._rows.put(row)
        done(None)

    def reset(self):
        if self.fault == "away":
            raise StoreError("storage", "still away")
        self._broken, self._next = False, self._last


class Told:
    """What the devices are told, and when."""

    def __init__(self, clock):
        self._clock, self.left = clock, []

    def show(self, key, view):
        pass

    def reply(self, command_id, code, body, *, replayed=False):
        pass

    def send(self, device, command):
        if isinstance(command, Operate):
            self.left.append((command.point, command.on, self._clock.mono_ns() / 1e9))
        return True


class NoDevices:
    def resume(self):
        pass

    def passing(self, reading):
        pass

    def hand_in(self):
        pass

    def last_health(self):
        return []


@pytest.mark.parametrize("fault", ["fails", "away", "hangs"])
def test_a_cut_that_fails_escalates_though_no_commit_succeeds(kit, fault, monkeypatch):
    monkeypatch.setattr(daemon_module, "UNCOMMITTED_MAX", 20)

    async def scenario():
        store, clock = BadStore(kit.rows()), ManualClock()
        told = Told(clock)
        daemon = Daemon(KERNELS["garage"](), store, clock, told, NoDevices())

        async def passes(seconds):
            clock.advance(round(seconds * 1e9))
            daemon.tick()
            await asyncio.sleep(0.11)

        def says(body):
            daemon.post_reading(DeviceReading(kit.field, 1, body))

        config = kit.config()
        daemon.start([ConfigApplied(config)])
        await passes(0.1)
        for one in config.sources:
            says(SignalReading(point=one.at.point, kind=one.kind, active=False))
        daemon.post_command(Command("c1", Actor(Role.PANEL, "u"), StartSession(session_id="s1", port="B1-p1")))
        await passes(0.2)
        says(OutputReading(point="B1-p1", on=True))
        says(MeterReading(point="B1-p1", power_w=180.0))
        await passes(0.2)
        assert "B1-p1" in [point for point, on, _ in told.left if on]
        told.left.clear()
        store.fault = fault
        says(SignalReading(point="B1-s1", kind=config.sources[0].kind, active=True))
        begun_s = clock.mono_ns() / 1e9
        for number in range(40):  # the outlet is welded: it goes on drawing
            says(MeterReading(point="B1-p1", power_w=180.0 + number % 9))
            await passes(0.5)
        daemon._recovery.stop()
        first_s = {}
        for point, on, at_s in told.left:
            assert on == (point not in {"B1-p1", "B1-p2", "B1-k"}), "nothing but OFF to what carries current"
            first_s.setdefault(point, at_s - begun_s)
        assert first_s["B1-p1"] < 0.1
        cuts = [at_s for point, _, at_s in told.left if point == "B1-p1"]
        assert len(cuts) > 10, "told again until it is proven"
        assert first_s["B1-k"] < 12
        assert first_s["B1-feed"] < 20

    asyncio.run(scenario())
