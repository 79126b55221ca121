"""A process that is a toy daemon, for tests that kill one: `toy_process.py DIR`.

It reads lines on stdin: ``start POINT COUNT`` forks a daemon (imports are paid once, so that dozens of lives cost
seconds) which kills itself with SIGKILL the COUNT-th time that its store passes POINT ("never" = not by itself). When
DIR/line is a symlink to a serial port, the daemon reads it with a driver that takes every byte for a pass. The
answers are the daemon's pid and, when it has ended, "ended".
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import uvloop

sys.path.insert(0, str(Path(__file__).parent))
import toy

from drivers.driver import Output
from edge.domain.devices import DeviceHealth, DeviceState, PlatePass
from edge.runtime import run
from edge.runtime.kernels import KERNELS
from edge.site_model import DeviceSettings, HistorySettings
from edge.storage.facts import FactsStore


class ByteDriver:
    """Every byte is a pass with that status."""

    protocol = "byte"

    def opened(self, now_ns):
        return Output([DeviceHealth(state=DeviceState.READY)])

    def received(self, data, now_ns):
        passes = [
            PlatePass(
                tags=(),
                complete=True,
                residual=False,
                independent=True,
                status=byte,
                status_name="",
                started_ns=now_ns,
                ended_ns=now_ns,
            )
            for byte in data
        ]
        return Output(list(passes))

    def command(self, command, now_ns):
        return Output()

    def tick(self, now_ns):
        return Output()

    def closed(self, now_ns):
        return Output([DeviceHealth(state=DeviceState.LOST)])

    def deadline(self):
        return None


def serve(directory, point, count):
    run.set_up_log()
    passed = 0

    def on_point(name):
        nonlocal passed
        passed += name == point
        if passed == count:
            os.kill(os.getpid(), signal.SIGKILL)

    devices = ()
    if (directory / "line").is_symlink():
        run.make_driver = lambda protocol, options: ByteDriver()
        devices = (DeviceSettings(device="reader", protocol="byte", link=f"serial://{directory / 'line'}"),)
    names = {"site_id": "toy", "verticals": ("toy",), "history": HistorySettings()}
    site = SimpleNamespace(dir=directory, data_dir=directory, run_dir=directory, devices={"toy": devices}, **names)
    KERNELS["toy"] = toy.adapter
    store = FactsStore.open(
        directory, toy.KERNEL.row_types, schema=toy.schema(), ballast_bytes=1 << 20, on_point=on_point
    )
    try:
        return uvloop.run(run._serve(site, "toy", store))
    finally:
        store.close()


def main():
    directory = Path(sys.argv[1])
    for line in sys.stdin:
        _start, point, count = line.split()
        pid = os.fork()
        if pid == 0:
            os.close(0)
            status = 1
            try:
                status = serve(directory, point, int(count))
            finally:
                sys.stderr.flush()
                os._exit(status)
        print(pid, flush=True)
        os.waitpid(pid, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
