"""What every simulated place (canteen floor, garage, gym) does as a program: read its file, open wires and the control
socket, let time pass, until it is told to stop.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from firmware_sim.canteenapi import say
from firmware_sim.control import ControlError, Json, Operation, serve
from firmware_sim.jsonconfig import ConfigError
from firmware_sim.program import run

STEP_S = 0.1

C = TypeVar("C")


class Wire(Protocol):
    """A TCP port with devices behind it."""

    @property
    def port(self) -> int: ...

    async def open(self) -> None: ...

    def close(self) -> None: ...


def start(
    prog: str,
    description: str,
    load: Callable[[Path], C],
    live: Callable[[C], Callable[[], Coroutine[Any, Any, int]]],
) -> int:
    """Parse the command line, read the file, live. Exit 3 for a wrong configuration, 4 when a port or the socket cannot
    be had."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--config", type=Path, required=True, help=f"JSON file, see {load.__module__}")
    options = parser.parse_args()
    try:
        config = load(options.config)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 3
    try:
        return run(live(config))
    except (OSError, ControlError) as error:
        say(str(error))
        return 4


async def play(
    control: Path,
    operations: Mapping[str, Operation],
    wires: Mapping[str, Wire],
    work: Sequence[Coroutine[Any, Any, Any]],
) -> int:
    """Open wires and the socket at ``control``, and do all ``work`` until cancelled."""
    async with contextlib.AsyncExitStack() as stack:
        for each in work:
            stack.callback(each.close)  # when a port cannot be had none of it has begun
        for name, wire in wires.items():
            await wire.open()
            stack.callback(wire.close)
            say(f"{name}: 127.0.0.1:{wire.port}")
        server = await serve(control, operations)
        stack.callback(control.unlink, missing_ok=True)
        stack.callback(server.close)
        tasks = [asyncio.create_task(each) for each in work]
        stack.push_async_callback(_end, tasks)
        say("ready")
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # nothing here ends by itself: a mistake comes out where a person sees it
    return 0


async def pass_time(step: Callable[[float], None]) -> None:
    """Call ``step`` with the seconds that have passed, every ``STEP_S``."""
    last_ns = time.monotonic_ns()
    while True:
        await asyncio.sleep(STEP_S)
        now_ns = time.monotonic_ns()
        seconds, last_ns = (now_ns - last_ns) / 1e9, now_ns
        step(seconds)


def stop_broker(pid_file: Path | None) -> Json:
    """The broker is stopped; whoever started it starts it anew."""
    if pid_file is None:
        raise ControlError("the broker is not ours to restart")
    try:
        os.kill(int(pid_file.read_text()), signal.SIGTERM)
    except (OSError, ValueError) as error:
        raise ControlError(f"the broker is not ours to restart: {error}") from None
    return {"broker": "restarting"}


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
