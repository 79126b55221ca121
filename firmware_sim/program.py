"""One simulated reader as a program: ``python -m firmware_sim.feig`` and ``python -m firmware_sim.magicrf``.

It makes a pty, points ``--link`` at it and answers like the device until it is told to stop (Ctrl-C, SIGTERM). With
``--control`` plates are put down and faults are switched while it runs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import selectors
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from firmware_sim.chips import Chip, Field
from firmware_sim.control import ControlError, Json, number, serve, text
from firmware_sim.line import NAMED_FAULTS
from firmware_sim.ptyport import PluggableReader, PtyPort

PLUG_FAULTS = ("unplug", "replug", "reset")


def common_arguments(parser: argparse.ArgumentParser, baud: int, parity: str) -> None:
    """The options that all readers have."""
    parser.add_argument("--link", type=Path, required=True, help="path of the symbolic link to make to the pty")
    parser.add_argument("--baud", type=int, default=baud, help=f"default {baud}")
    parser.add_argument("--parity", choices="NEO", default=parity, help=f"default {parity}; sets the wire time")
    parser.add_argument(
        "--any-baud", action="store_true", help="answer hosts that opened the port at another baud rate"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fault", choices=sorted(NAMED_FAULTS), default="none", help="line fault from the start")
    parser.add_argument("--control", type=Path, help="Unix socket for plates and faults while it runs")
    parser.add_argument(
        "--plate", action="append", default=[], metavar="UID[:P]", help="plate on the antenna; repeatable"
    )


def parse_plate(word: str) -> Chip:
    """``UID`` or ``UID:P`` with the read probability; P 0 is a dead chip."""
    uid, _, probability = word.partition(":")
    read_p = float(probability) if probability else 0.9
    return Chip(checked_uid(uid), read_p=read_p, dead=read_p == 0)


def checked_uid(uid: str) -> str:
    """A UID or EPC as lower-case hex of whole 16-bit words."""
    lowered = uid.lower()
    if len(lowered) % 4 or not 4 <= len(lowered) <= 62 or not set(lowered) <= set("0123456789abcdef"):
        raise ValueError(f"plate {uid!r}: give 16 hex digits (ISO15693) or an EPC of 4..60 hex digits, a multiple of 4")
    return lowered


def run(main: Callable[[], Coroutine[object, object, int]]) -> int:
    """Run ``main`` on a loop with microsecond timers (epoll rounds them up to a millisecond), until SIGINT or
    SIGTERM."""

    def loop_factory() -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop(selectors.SelectSelector())

    async def until_told() -> int:
        task = asyncio.current_task()
        assert task is not None
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_number, task.cancel)
        return await main()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        try:
            return runner.run(until_told())
        except asyncio.CancelledError:
            return 0


def switch(port: PtyPort, fault: str) -> None:
    """Switch a fault by name: line faults, or unplug, replug and reset."""
    match fault:
        case "unplug":
            port.unplug()
        case "replug":
            port.unplug()
            port.plug()
        case "reset":
            port.restart()
        case _ if fault in NAMED_FAULTS:
            port.plug()
            port.set_faults(fault)
        case _:
            names = ", ".join([*NAMED_FAULTS, *PLUG_FAULTS])
            raise ControlError(f'"fault" must be one of: {names}')


async def run_reader(reader: PluggableReader, field: Field, options: argparse.Namespace) -> int:
    """Serve one reader until cancelled."""
    port = PtyPort(reader, options.link, any_baud=options.any_baud)

    async def state(_request: Json) -> Json:
        tray = [{"uid": p.chip.uid, "p": p.chip.read_p, "dead": p.chip.dead} for p in field.placed.values()]
        link = "up" if port.plugged else "unplugged"
        awake = reader.is_awake(time.monotonic_ns())
        return {"tray": tray, "link": link, "awake": awake, "lost_bytes": port.lost_bytes}

    async def place(request: Json) -> Json:
        try:
            chip = parse_plate(f"{text(request, 'uid')}:{number(request, 'percent', 90, 100) / 100}")
            field.place(chip)
        except ValueError as error:
            raise ControlError(str(error)) from error
        return {}

    async def remove(request: Json) -> Json:
        uid = text(request, "uid", "")
        lifted = [chip for chip in (field.remove(uid),) if chip] if uid else field.clear()
        return {"removed": [chip.uid for chip in lifted]}

    async def fault(request: Json) -> Json:
        switch(port, text(request, "fault"))
        return {}

    server = None
    try:
        if options.control:
            server = await serve(options.control, {"state": state, "place": place, "remove": remove, "fault": fault})
        port.plug()
        port.set_faults(options.fault)
        sys.stderr.write(f"ready: {options.link}\n")
        await asyncio.Event().wait()
    finally:
        port.unplug()
        if server is not None:
            server.close()
            options.control.unlink(missing_ok=True)
    return 0


def start(parser: argparse.ArgumentParser, build: Callable[[argparse.Namespace, Field], PluggableReader]) -> int:
    """Parse the command line, lay the plates down, serve. Exit 2 for bad options, 4 when path or socket cannot be
    made."""
    options = parser.parse_args()
    field = Field(options.seed)
    try:
        for word in options.plate:
            field.place(parse_plate(word))
        reader = build(options, field)
    except ValueError as error:
        parser.error(str(error))
    try:
        return run(lambda: run_reader(reader, field, options))
    except (OSError, ControlError) as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return 4
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
