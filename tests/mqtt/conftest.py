"""Two real brokers as processes that tests may kill, links that record what they hear, and peers of another library."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiomqtt
import psutil
import pytest

from drivers.links import mqtt, mqtt_link
from drivers.links.opening import opener_of
from edge.bootstrap.debian import command_line
from edge.runtime.broker import broker_command, make_users

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
USERS = {"edge": "e" * 20, "other": "o" * 20}
PATIENCE_S = 60  # what a slow machine may take; nothing waits for it to pass
NODELAY = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]


class Broker:
    """A broker on its port, again and again. ``v5``: it speaks MQTT 5; ``keeps``: it keeps what nobody acknowledged."""

    def __init__(self, kind, directory, port, start):
        self.kind, self.directory, self.port, self._start = kind, directory, port, start
        self.v5 = self.keeps = kind == "mosquitto"
        self.process = None
        self._log = (directory / "broker.log").open("ab")
        if kind == "mosquitto":
            self.passwords = dict(USERS)
            self._command = self._mosquitto()
        else:
            self.passwords = make_users(directory / "users", USERS)
            self._command = broker_command(self.port, directory / "users")
        for name, password in self.passwords.items():
            (directory / f"{name}.password").write_text(password + "\n")

    def _mosquitto(self):
        program = shutil.which("mosquitto", path=PATH)
        if program is None:
            pytest.skip(f"needs mosquitto: {command_line(['mosquitto'])}")
        users = self.directory / "users"
        users.write_text("".join(f"{name}:{password}\n" for name, password in USERS.items()))
        subprocess.run([shutil.which("mosquitto_passwd", path=PATH), "-U", str(users)], check=True, timeout=PATIENCE_S)
        config = self.directory / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nuser root\nallow_anonymous false\npassword_file {users}\n"
            "set_tcp_nodelay true\nmax_inflight_messages 1000\nmax_queued_messages 5000\n"
            f"persistence true\npersistence_location {self.directory}/\nautosave_on_changes true\n"
            "autosave_interval 1\nlog_type error\nlog_type warning\n"
        )
        return [program, "-c", str(config)]

    @property
    def log(self):
        return (self.directory / "broker.log").read_text(errors="replace")

    def start(self, *more_ports):
        """Begin, and wait until this very process listens on its ports. Raises PortTaken when another does."""
        self.process = self._start(self._command, self._log)
        until = time.monotonic() + PATIENCE_S
        while not {self.port, *more_ports} <= listening(self.process.pid):
            if self.process.poll() is not None:
                raise PortTaken if "address already in use" in self.log.lower() else AssertionError(self.log[-2000:])
            assert time.monotonic() < until
            time.sleep(0.02)
        return self

    def restart(self, settings, *more_ports):
        """Mosquitto once more, with more settings."""
        self.kill()
        with (self.directory / "mosquitto.conf").open("a") as file:
            file.write(settings)
        self.start(*more_ports)

    async def kept(self, topic):
        """Wait until Mosquitto has written a retained topic into its file, which it does once a second."""
        file = self.directory / "mosquitto.db"
        async with asyncio.timeout(PATIENCE_S):
            while not (file.exists() and topic.encode() in file.read_bytes()):
                await asyncio.sleep(0.02)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self._log.close()

    def url(self, client="edge", user="edge", topics="a/%23", port=None, extra=""):
        """The link URL of a user."""
        port = self.port if port is None else port
        file = self.directory / f"{user}.password"
        old = "" if self.v5 else "&v5=no"
        return f"mqtt://{user}@127.0.0.1:{port}?client={client}&topics={topics}&password_file={file}{old}{extra}"

    def peer(self, name="peer", **more):
        """A client of another library, with MQTT 5 where there is one."""
        more = {"identifier": name, **more}
        if self.v5:
            more.setdefault("protocol", aiomqtt.ProtocolVersion.V5)
            if "clean_session" in more:
                more["clean_start"] = more.pop("clean_session")
        user = more.pop("user", "other")
        more.setdefault("password", self.passwords[user])
        return aiomqtt.Client("127.0.0.1", self.port, username=user, socket_options=NODELAY, timeout=PATIENCE_S, **more)


class PortTaken(Exception):  # noqa: N818 - not an error: another port will do
    """Somebody else was quicker."""


def listening(pid):
    """The TCP ports on which a process listens."""
    try:
        return {each.laddr.port for each in psutil.Process(pid).net_connections("tcp4") if each.status == "LISTEN"}
    except psutil.Error:
        return set()


class Forked:
    """A child of the nursery, as far as ``Popen`` is needed. Its exit status goes to the nursery."""

    def __init__(self, pid):
        self.pid, self._pidfd = pid, os.pidfd_open(pid)

    def poll(self):
        return self._ended(0)

    def wait(self, timeout_s):
        if self._ended(timeout_s) is None:
            raise TimeoutError(f"process {self.pid} has not ended in {timeout_s} s")
        return -1

    def _ended(self, timeout_s):
        """-1 once it has ended: why, only the log can tell."""
        return -1 if select.select([self._pidfd], [], [], timeout_s)[0] else None

    def send_signal(self, number):
        signal.pidfd_send_signal(self._pidfd, number)

    def close(self):
        os.close(self._pidfd)


class Nursery:
    """Starts brokers: Mosquitto as it is, embedded ones as forks of a process that has imported them."""

    def __init__(self):
        self._parent, self._children = None, []

    def start(self, command, log):
        if command[1:3] != ["-m", "edge.runtime.broker"]:
            return subprocess.Popen(command, stdout=log, stderr=log)
        if self._parent is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self._parent = subprocess.Popen([sys.executable, Path(__file__).parent / "_nursery.py"], **pipes)
        self._parent.stdin.write(json.dumps([log.name, *command[3:]]) + "\n")
        self._parent.stdin.flush()
        self._children.append(Forked(int(self._parent.stdout.readline())))
        return self._children[-1]

    def close(self):
        for child in self._children:
            child.close()
        if self._parent is not None:
            self._parent.stdin.close()
            self._parent.wait(PATIENCE_S)
            self._parent.stdout.close()


class Heard:
    """What a link tells. ``settle`` False leaves everything unacknowledged."""

    def __init__(self, *, settle=True):
        self.messages, self.settled, self.lost = [], [], None
        self.settle = settle
        self._changed = asyncio.Event()

    def data_received(self, data):
        """A message of QoS 0: nobody keeps it for us."""
        self.message_received(data, lambda: None)

    def message_received(self, data, settled):
        self.messages.append(json.loads(data))
        self.settled.append(settled)
        if self.settle:
            settled()
        self._changed.set()

    def link_lost(self, reason):
        self.lost = reason
        self._changed.set()

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_S):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()
        return self

    @property
    def payloads(self):
        return [message["payload"] for message in self.messages]


def option_of_listener(pid, port, name):
    """The value of a TCP option on each accepted socket of process ``pid``, by the address of its peer. The socket is
    borrowed from the process (pidfd_getfd), so it is the live one that is read."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    found = {}
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if not str(entry.readlink()).startswith("socket:"):
                    continue
                fd = libc.syscall(438, pidfd, int(entry.name), 0)
                assert fd >= 0, f"pidfd_getfd: {os.strerror(ctypes.get_errno())}"
                with socket.socket(fileno=fd) as sock:
                    if sock.family == socket.AF_INET and sock.getsockname()[1] == port:
                        found[sock.getpeername()] = sock.getsockopt(socket.IPPROTO_TCP, name)
    finally:
        os.close(pidfd)
    return found


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A broker that checks a password on a busy machine, or acknowledges a burst, may take longer than is worth waiting
    for in a garage."""
    monkeypatch.setattr(mqtt.MqttOpener.__init__, "__defaults__", ((), PATIENCE_S))
    monkeypatch.setattr(mqtt, "V5_TIMEOUT_S", PATIENCE_S)
    monkeypatch.setattr(mqtt_link, "UNSENT_S", PATIENCE_S)


@pytest.fixture(scope="session")
def nursery():
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def make_broker(tmp_path, free_port, nursery):
    brokers = []

    def make(kind):
        while True:
            directory = tmp_path / f"{kind}{len(brokers)}"
            directory.mkdir()
            brokers.append(Broker(kind, directory, free_port(), nursery.start))
            with contextlib.suppress(PortTaken):
                return brokers[-1].start()
            assert len(brokers) < 10

    yield make
    for broker in brokers:
        broker.stop()


@pytest.fixture(params=["mosquitto", "embedded"])
def broker(request, make_broker):
    return make_broker(request.param)


@pytest.fixture
def mosquitto(make_broker):
    return make_broker("mosquitto")


@pytest.fixture
def heard():
    return Heard


@pytest.fixture
def listener_option():
    return option_of_listener


@pytest.fixture
def linked():
    """``async with linked(url, handler) as link``: one opening of a link."""

    @contextlib.asynccontextmanager
    async def open_link(url, handler, topics=()):
        link = await opener_of(url, topics).open(handler)
        try:
            yield link
        finally:
            link.close()

    return open_link


@pytest.fixture
def run():
    def run_one(coroutine, seconds=110):
        with asyncio.Runner() as runner:
            return runner.run(asyncio.wait_for(coroutine, seconds))

    return run_one


@pytest.fixture
def message():
    """The bytes that a link takes and gives."""

    def make(topic, payload, **more):
        return json.dumps({"topic": topic, "payload": payload, "retain": False, **more}).encode()

    return make
