"""The MQTT sink against mosquitto: every sample heard with its time, through the broker's death and its refusals."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import msgspec
import paho.mqtt.client as paho
import pytest

from edge.bootstrap.debian import command_line
from edge.storage.sample_model import SampleQuality, SeriesKind
from edge.storage.sinks.answers import Verdict
from edge.storage.sinks.cursors import SCHEMA
from edge.storage.sinks.keys import TimeKeys
from edge.storage.sinks.messages import MessageFormer
from edge.storage.sinks.mqtt import MqttTransport
from edge.storage.sinks.runner import SinkHome, SinkRunner
from edge.storage.sinks.settings import SinkKind
from edge.storage.sinks.status import SinkHealth

MS = 1_000_000
S = 1000 * MS
T0 = 1_790_000_000 * S
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


class Mosquitto:
    """A broker that may be killed; ``deny`` is a topic filter that nobody may write."""

    def __init__(self, directory, port, deny=""):
        program = shutil.which("mosquitto", path=PATH)
        if program is None:
            pytest.skip(f"needs mosquitto: {command_line(['mosquitto'])}")
        self.port = port
        config, said = directory / "mosquitto.conf", directory / "said"
        acl = directory / "acl"
        acl.write_text(f"topic readwrite up/#\ntopic read #\ntopic deny {deny}\n" if deny else "topic readwrite #\n")
        acl.chmod(0o600)
        config.write_text(
            f"listener {self.port} 127.0.0.1\nuser root\nallow_anonymous true\nacl_file {acl}\nset_tcp_nodelay true\n"
            f"max_inflight_messages 1000\nmax_queued_messages 100000\nlog_type error\nlog_dest file {said}\n"
        )
        self._said = said
        self._command = [program, "-c", str(config)]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            assert time.monotonic() < until
            time.sleep(0.02)

    def said(self):
        return self._said.read_text() if self._said.exists() else ""

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(60)


class Listener:
    """Another library's client that keeps what it hears, by topic and key time."""

    def __init__(self, port):
        self.heard, self.values = {}, {}
        self._up = threading.Event()
        # No id of its own: those of earlier lives come back too, and must not take this one's session.
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda client, *_: client.subscribe("#", 1)
        self.client.on_subscribe = lambda *_: self._up.set()
        self.client.on_message = self._message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._up.wait(60)

    def _message(self, _client, _userdata, message):
        payload = json.loads(message.payload)
        key = (message.topic, payload["time_ns"])
        self.heard[key] = self.heard.get(key, 0) + 1
        self.values[key] = (payload["value"], payload["time"], payload["quality"], payload["unit"], message.retain)

    def until(self, count, seconds=60):
        until = time.monotonic() + seconds
        while len(self.heard) < count and time.monotonic() < until:
            time.sleep(0.02)
        return len(self.heard)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path, free_port):
    made = []

    def make(**options):
        made.append(Mosquitto(tmp_path, free_port(), **options).start())
        return made[-1]

    yield make
    for each in made:
        each.kill()


@pytest.fixture
def listen():
    made = []

    def make(port):
        made.append(Listener(port))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def told(settings):
    return msgspec.structs.replace(settings, kind=SinkKind.MQTT, topic_prefix="up", timeout_s=20.0)


@pytest.fixture
def connect(told):
    made = []

    def make(port, **change):
        change = {"url": f"mqtt://127.0.0.1:{port}", **change}
        made.append(MqttTransport(msgspec.structs.replace(told, **change)))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


def messages(source, make_block, prefix="up"):
    return MessageFormer(prefix, source.series).prepare(make_block(source.rows, source.head), 0, TimeKeys())


def test_topic_and_payload(source, make_block):
    number = source.define("outlet/1+#", "power_w", point="port-1")
    state = source.define("zone", "state", kind=SeriesKind.STATE)
    source.add([(number, T0 + 123 * MS, 3.5, SampleQuality.RETAINED), (state, T0, "on"), (number, T0, float("inf"))])
    made = messages(source, make_block, "site-1")
    assert [item.topic for item in made.items] == [
        "site-1/garage/outlet／1＋＃/port-1/power_w",
        "site-1/garage/zone/state",
    ]
    assert json.loads(made.items[0].payload) == {
        "value": 3.5,
        "time": "2026-09-21T14:13:20.123Z",
        "time_ns": T0 + 123 * MS,
        "quality": "retained",
        "unit": "",
    }
    assert json.loads(made.items[1].payload)["value"] == "on"
    assert len(made.unsendable) == 1


@pytest.mark.parametrize("retain", [False, True])
def test_every_message_is_acknowledged_and_heard(broker, listen, connect, source, steady, make_block, retain):
    steady(source, seconds=100)
    server = broker()
    listener = listen(server.port)
    transport = connect(server.port, retain=retain)
    made = messages(source, make_block)
    answer = transport.send(made.items)
    assert (answer.verdict, answer.fresh) == (Verdict.STORED, True)
    assert listener.until(400) == 400
    assert set(listener.heard.values()) == {1}
    assert transport.send(made.items[:1]).fresh is False
    late = listen(server.port)
    assert late.until(4 if retain else 1, 60 if retain else 0.3) == (4 if retain else 0)


def test_a_refusal_in_the_acknowledgement_is_no_yes(broker, connect, source, steady, make_block):
    """An MQTT 5 broker acknowledges what it does not allow, with a reason code that the library drops."""
    steady(source, seconds=2)
    server = broker(deny="no/#")
    answer = connect(server.port).send(messages(source, make_block, "no").items)
    assert answer.verdict is Verdict.MISCONFIGURED
    assert "let this user publish" in answer.reason


def test_nobody_listens_then_somebody(broker, connect, source, steady, make_block):
    steady(source, seconds=2)
    server = broker()
    server.kill()
    transport = connect(server.port)
    made = messages(source, make_block)
    assert transport.send(made.items).verdict is Verdict.UNREACHABLE
    server.start()
    assert transport.send(made.items).verdict is Verdict.STORED


def test_a_broker_that_is_stopped_is_given_up(broker, connect, source, steady, make_block):
    steady(source, seconds=2)
    server = broker()
    transport = connect(server.port)
    made = messages(source, make_block)
    assert transport.send(made.items).verdict is Verdict.STORED
    transport._settings = msgspec.structs.replace(transport._settings, timeout_s=0.5)
    server.process.send_signal(signal.SIGSTOP)
    assert transport.send(made.items).verdict is Verdict.UNREACHABLE
    server.process.send_signal(signal.SIGCONT)


def test_tcp_nodelay_is_set(broker, connect, source, steady, make_block):
    steady(source, seconds=1)
    transport = connect(broker().port)
    transport.send(messages(source, make_block).items)
    sock = transport._client._client.socket()
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_connection_that_ended_between_two_sends_is_no_error_in_the_log(
    broker, told, source, steady, make_block, caplog
):
    steady(source, seconds=2)
    server = broker()
    transport = MqttTransport(msgspec.structs.replace(told, url=f"mqtt://127.0.0.1:{server.port}"))
    assert transport.send(messages(source, make_block).items).verdict is Verdict.STORED
    client = transport._client
    server.kill()
    until = time.monotonic() + 60
    while not client._disconnected.done():
        assert time.monotonic() < until
        time.sleep(0.01)
    transport.close()
    del client
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_nothing_is_missing_through_the_brokers_death(broker, listen, told, source, steady, samples_db):
    """The broker is killed while it drains, twice; who listens in its next life hears every key, with one value."""
    steady(source, seconds=300)
    server = broker()
    change = {"url": f"mqtt://127.0.0.1:{server.port}", "samples_per_s_max": 1000, "batch_samples": 50}
    sink = msgspec.structs.replace(told, **change)
    heard = {}
    for life in range(3):
        listener = listen(server.port)
        runner = SinkRunner(SinkHome("site-1", "garage", samples_db, lambda: source), [sink], seed=3)
        runner.start()
        try:
            listener.until(1200 if life == 2 else 200)
            if life < 2:
                server.kill()
                assert until(lambda runner=runner: runner.statuses()[0].health is SinkHealth.UNREACHABLE)
        finally:
            assert runner.stop(60)
        if life < 2:
            server.start()  # with nobody connected, so that the listener is there before the sink
        for key, value in listener.values.items():
            assert heard.setdefault(key, value) == value
    assert len(listener.heard) == len(heard) == 1200, runner.statuses()


@pytest.mark.parametrize("client", ["", "box-7"])
def test_the_daemons_of_a_box_and_two_boxes_leave_each_other_connected(
    broker, told, make_source, steady, tmp_path, listen, client
):
    """Each daemon's samples have a connection of their own, and a broker ends the older of two with one name."""
    server = broker()
    listener = listen(server.port)
    change = {"url": f"mqtt://127.0.0.1:{server.port}", "topic_prefix": "", "client": client, "batch_samples": 10}
    sink = msgspec.structs.replace(told, **change)
    homes = [("site-1", "garage"), ("site-1", "gym"), *([] if client else [("site-2", "gym")])]
    runners = []
    for site, vertical in homes:
        source, path = make_source(), tmp_path / f"{site}-{vertical}.db"
        source.define("dev", "power_w", vertical=vertical)
        steady(source, seconds=200, names=[0])
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.executescript(SCHEMA)
        runners.append(SinkRunner(SinkHome(site, vertical, path, lambda source=source: source), [sink], seed=3))
    try:
        for runner in runners:
            runner.start()
        assert until(lambda: all(not runner.statuses()[0].lag_inputs for runner in runners))
        assert listener.until(200 * len(homes)) == 200 * len(homes)
    finally:
        assert all(runner.stop(60) for runner in runners)
    assert "already connected" not in server.said()
    assert [runner.statuses()[0].failures for runner in runners] == [0] * len(homes)


def until(holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()
