"""``kangle demo``: canteen, garage and gym with simulated devices and people in a temporary folder; nothing stays.

The real service runs (daemons, broker, API, pages, stores); only devices and people are simulated, and the devices
speak their real wire protocols over pseudo-terminals, sockets and MQTT. The hard part is the end: Ctrl-C at any moment,
SIGTERM, a closed terminal or ``kill -9`` must leave no process, socket or file. A folder that ``kill -9`` left is
removed by the next demo.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from edge.api.accounts import Accounts
from edge.cli_errors import FAILED, OK, UNREACHABLE, CliError
from edge.demo_children import Child
from edge.demo_garage import free_ports, garage_settings, prepare
from edge.demo_gym import GymFolder, gym_settings, prepare_gym
from edge.demo_site import (
    HOST,
    PERSON,
    DemoFolder,
    copy_site,
    floor_settings,
    make_accounts,
    make_panels,
    read_example,
)
from edge.runtime.clock import local_today
from edge.site import LONGEST_SOCKET, SOCKET_PATH_MAX, Site

PREFIX = "kangle-demo-"
LOCK = "lock"
READY_S = 120.0
LOOK_S = 0.1
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WORDS = """Devices and people are simulated; the protocols, prices, interlock, stores and pages are the real ones.
设备和人是模拟的；通信协议、计价、联动、存储和页面都是真实的。
Set the garage on fire from another terminal: kangle sim smoke b1-east; let a heart race: kangle sim pulse etm-1 150
(kangle sim --help tells the rest)"""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """``port`` None: a free one. ``seconds`` None: until Ctrl-C."""

    example: Path
    port: int | None = None
    seconds: float | None = None
    lanes: int = 2
    diners: bool = True
    verbose: bool = False


class Ended(Exception):  # noqa: N818 - somebody asked for it
    """Ctrl-C, SIGTERM or a closed terminal."""


class Wakeup:
    """Signals as a readable pipe: whatever the demo is doing is finished first, then it ends in order."""

    def __init__(self) -> None:
        self._read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._write = write
        for number in SIGNALS:
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: object) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._write, bytes([number]))

    def wait(self, seconds: float, *, typed: bool = False) -> bool:
        """Sleep, at most ``seconds``. Raises ``Ended`` on a signal; True when the person pressed Enter."""
        ready, _, _ = select.select([self._read, *([sys.stdin] if typed else [])], [], [], seconds)
        if self._read in ready:
            raise Ended
        return sys.stdin in ready

    def close(self) -> None:
        """Later signals act as they did before there was a demo."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        os.close(self._read)
        os.close(self._write)


def short_parent(wanted: Path) -> Path:
    """``wanted`` if the sockets of a demo in it can have a name, else /tmp: Linux allows 107 bytes."""
    longest = wanted / f"{PREFIX}12345678" / "run" / LONGEST_SOCKET
    return wanted if len(os.fsencode(longest)) <= SOCKET_PATH_MAX else Path("/tmp")  # noqa: S108 - a fresh folder in it


@contextmanager
def temporary_folder() -> Iterator[DemoFolder]:
    """A folder of our own, locked while we live; those of demos that were killed are removed first."""
    parent = short_parent(Path(tempfile.gettempdir()))
    for left in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (left / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if left.stat().st_uid == os.getuid():
                shutil.rmtree(left)
    new = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=parent))
    root = parent / new.name.removeprefix(".")
    try:
        with (new / LOCK).open("xb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            new.rename(root)  # visible only once it is locked
            yield DemoFolder(root)
    finally:
        shutil.rmtree(root if root.exists() else new)


def choose_port(wanted: int | None) -> int:
    """The wanted port if it is free, or any free one."""
    if wanted is None:
        return free_ports(1)[0]
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            message = f"port {wanted}: {error.strerror}. Choose another, or leave --port out for a free one."
            raise CliError(message, UNREACHABLE) from None
    return wanted


def run_demo(options: DemoOptions) -> int:
    """Run the demo to its end; returns the exit status."""
    wakeup = Wakeup()
    try:
        with temporary_folder() as folder, contextlib.suppress(Ended):
            _play(options, folder, wakeup)
        say("stopped; nothing is left behind")
        return OK
    finally:
        wakeup.close()


def _play(options: DemoOptions, folder: DemoFolder, wakeup: Wakeup) -> None:
    """Make the site, start the service and the floor, serve; stop them in this order, however it ends."""
    say("setting up a canteen, a garage and a gym in a temporary folder")
    example = read_example(options.example)
    wires = prepare(folder.root, example["garage"])
    gym = prepare_gym(folder.root, example["gym"], wires)
    site = copy_site(options.example, folder, options.lanes, choose_port(options.port), local_today(), wires, gym)
    folder.accounts_file.parent.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        accounts = stack.enter_context(contextlib.closing(Accounts(folder.accounts_file)))
        tokens = make_accounts(accounts, site)
        _write_settings(options, site, folder, gym, tokens)
        programs = {
            "broker": wires.broker(),
            "garage floor": _module("firmware_sim.garage", "--config", str(wires.settings)),
            "gym floor": _module("firmware_sim.gym", "--config", str(gym.settings)),
            "floor": _module("firmware_sim.floor", "--config", str(folder.floor_file)),
            "service": _module("edge.cli", "up", "--site", str(folder.site)),
        }
        children = []
        for title, command in programs.items():
            pid_file = wires.broker_pid if title == "broker" else None
            child = Child(title, command, verbose=options.verbose, pid_file=pid_file)
            stack.callback(child.stop)
            children.append(child)
        panels = make_panels(accounts, site)  # slow by design (the PIN's hash): the processes start meanwhile
        _wait_until_ready(site, wakeup, children)
        _print_panels(site, *panels)
        _serve(options, site, accounts, wakeup, children)


def _module(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", *words]


def _write_settings(
    options: DemoOptions, site: Site, folder: DemoFolder, gym: GymFolder, tokens: Mapping[str, Any]
) -> None:
    """What the three simulated floors are told."""
    wires = gym.wires
    floor = floor_settings(site, folder, tokens, local_today(), diners=options.diners)
    folder.floor_file.write_text(json.dumps(floor), encoding="utf-8")
    garage = garage_settings(site, wires, tokens["bikes"], people=options.diners)
    wires.settings.write_text(json.dumps(garage), encoding="utf-8")
    machines = gym_settings(site, gym, tokens["coach"], people=options.diners)
    gym.settings.write_text(json.dumps(machines), encoding="utf-8")


def _wait_until_ready(site: Site, wakeup: Wakeup, children: list[Child]) -> None:
    deadline = time.monotonic() + READY_S
    say("starting the simulated devices, the canteen, the garage, the gym and the pages")
    while True:
        wakeup.wait(LOOK_S)
        _check(children)
        missing = not_ready(site.api.port)
        if not missing:
            return
        if time.monotonic() > deadline:
            words = "\n".join(f"{child.title}:\n{child.last_words()}" for child in children)
            raise CliError(f"not ready after {READY_S:.0f} s: {missing}\n{words}", UNREACHABLE)


def _serve(options: DemoOptions, site: Site, accounts: Accounts, wakeup: Wakeup, children: list[Child]) -> None:
    deadline = time.monotonic() + options.seconds if options.seconds is not None else None
    typed = sys.stdin is not None and sys.stdin.isatty()
    _print_link(site, accounts)
    say(WORDS)
    say("Ctrl-C stops it." + (" Enter prints a fresh link (each works once)." if typed else ""))
    while deadline is None or time.monotonic() < deadline:
        if wakeup.wait(LOOK_S, typed=typed):
            typed = bool(sys.stdin.readline())
            _print_link(site, accounts)
        _check(children)


def _print_panels(site: Site, panels: Mapping[str, str], pin: str) -> None:
    """The wall panels, for another browser (a private window): each is bound to its zone."""
    say("Wall panels, each for a browser window of its own (private), and the PIN that resets there:")
    for zone, token in panels.items():
        say(f"  http://{HOST}:{site.api.port}/garage/zone/{zone}#terminal={token}")
    say(f"  {PERSON}, PIN {pin}")


def _print_link(site: Site, accounts: Accounts) -> None:
    sys.stdout.write(f"http://{HOST}:{site.api.port}/demo#link={accounts.issue_link(PERSON)}\n")
    sys.stdout.flush()


def _check(children: list[Child]) -> None:
    for child in children:
        child.listen()
        if not child.alive and child.renewable:
            say(f"the {child.title} was stopped; starting it anew")
            child.renew()
        elif not child.alive:
            raise CliError(f"the {child.title} ended (exit {child.status}):\n{child.last_words()}", FAILED)


def not_ready(port: int) -> str:
    """What is missing before the service can serve; empty when nothing is."""
    connection = HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/readyz", headers={"Accept-Language": "en"})
        response = connection.getresponse()
        body = response.read(65_536)
    except (OSError, HTTPException) as error:
        return f"no answer on port {port} ({error})"
    finally:
        connection.close()
    if response.status == 200:
        return ""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return "; ".join(f"{each['pointer']}: {each['message']}" for each in json.loads(body)["errors"])
    return f"/readyz says {response.status}"


def say(text: str) -> None:
    """Words for the person."""
    for line in text.splitlines():
        sys.stderr.write(f"kangle: {line}\n")
    sys.stderr.flush()
