"""A process that is a daemon with one MQTT link, for tests that kill it: ``guard_process.py DIR URL``.

The toy vertical, with smoke as a safety input that latches. When DIR/armed exists it kills itself with SIGKILL the
moment before the store's next commit: the message is in, decided, its effects have left, and nothing is on disk.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import uvloop

from edge.domain.devices import DeviceReading
from edge.domain.field_devices import SignalReading
from edge.runtime import run
from edge.runtime.kernels import KERNELS
from edge.site_model import DeviceSettings, HistorySettings
from edge.storage.facts import FactsStore

TOY = Path(__file__).parents[1] / "runtime" / "toy.py"


def load_toy():
    spec = importlib.util.spec_from_file_location("kangle_toy", TOY)
    module = importlib.util.module_from_spec(spec)
    sys.modules["kangle_toy"] = module
    spec.loader.exec_module(module)
    return module


def main():
    directory, url = Path(sys.argv[1]), sys.argv[2]
    toy = load_toy()
    kernel = type(toy.KERNEL)
    old_handle, old_is_safety = kernel.handle, kernel.is_safety

    def smoke_in(item):
        return isinstance(item, DeviceReading) and isinstance(item.body, SignalReading) and item.body.active

    def handle(self, world, item, stamp):
        return old_handle(self, world, toy.Smoke(item.body.point) if smoke_in(item) else item, stamp)

    kernel.handle = handle
    kernel.is_safety = lambda self, item: bool(smoke_in(item)) or old_is_safety(self, item)

    def on_point(name):
        if name == "before_commit" and (directory / "armed").exists():
            os.kill(os.getpid(), signal.SIGKILL)

    devices = (DeviceSettings(device="z2m", protocol="zigbee2mqtt", link=url),)
    names = {"site_id": "test", "verticals": ("toy",), "history": HistorySettings()}
    site = SimpleNamespace(dir=directory, data_dir=directory, run_dir=directory, devices={"toy": devices}, **names)
    KERNELS["toy"] = toy.adapter
    run.set_up_log()
    store = FactsStore.open(
        directory, toy.KERNEL.row_types, schema=toy.schema(), ballast_bytes=1 << 20, on_point=on_point
    )
    try:
        return uvloop.run(run._serve(site, "toy", store))
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(main())
