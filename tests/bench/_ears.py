"""The ears of a bench that shares two cores with what it measures.

A relay in the field is a machine of its own: it hears a command when the wire brings it. A process of the bench hears
it when the scheduler gives it a core, and while the box sends fifty cuts more that is a time slice later (measured: two
hops with 50 more cuts behind them 2.5 ms, the same with ears that need not wait 0.7 ms). So whoever measures runs
first: SCHED_FIFO, which Linux grants to root and CAP_SYS_NICE. Its children do not inherit it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIORITY = 10


@contextmanager
def ears_first() -> Iterator[bool]:
    """This process before all others while inside. False: the system does not allow it, and the numbers are higher."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except (PermissionError, AttributeError):
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def may_run_first() -> bool:
    """Whether this system lets a bench hear at once."""
    with ears_first() as first:
        return first


def run_as_installed(pid: int) -> None:
    """Let the process (and the threads that it starts) run as the unit files of docs/systemd run the garage's daemon
    and the broker: before all that is no safety. Nothing, where the system does not allow it."""
    with contextlib.suppress(PermissionError, AttributeError):
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(1))


def behind_all() -> bool:
    """This process only while no other wants its processor, as docs/systemd/kangle-history.service has the history;
    whoever wakes up goes first at once (SCHED_IDLE, sched(7))."""
    with contextlib.suppress(PermissionError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        return True
    return False


@contextmanager
def kept_awake() -> Iterator[bool]:
    """No processor sleeps while inside, as docs/systemd/kangle-awake.service has it (kernel documentation,
    power/pm_qos_interface: a process that holds /dev/cpu_dma_latency open asks for that many microseconds at most).
    False: the system does not allow it."""
    with contextlib.ExitStack() as stack:
        held = False
        with contextlib.suppress(OSError):
            device = stack.enter_context(Path("/dev/cpu_dma_latency").open("wb", buffering=0))
            device.write(bytes(4))
            held = True
        yield held
