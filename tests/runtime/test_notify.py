"""The sender of notices against real sockets: proof, refusals, dead and hanging targets, bounds."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiomqtt
import pytest

from edge.domain.devices import DeviceReading
from edge.domain.notices import NOTIFY_DEVICE, Channel, Notify, NotifyResult
from edge.runtime import notify
from edge.runtime.notify import NoticeSender


class Receiver:
    """An HTTP server that answers with the planned statuses (the last one for ever) and keeps what it was told."""

    def __init__(self) -> None:
        self.plan = [204]
        self.told: list[tuple[str, dict, dict]] = []
        self.hang = threading.Event()
        self.hang.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.told.append((self.path, dict(self.headers), json.loads(body)))
                receiver.hang.wait(60)
                status = receiver.plan.pop(0) if len(receiver.plan) > 1 else receiver.plan[0]
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.hang.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver():
    server = Receiver()
    yield server
    server.close()


quick = receiver


def notice(target, notice_id="5.1", channel=Channel.WEBHOOK):
    return Notify(
        notice_id=notice_id,
        channel=channel,
        target=target,
        what="raised",
        alarm_id="5.0",
        cause="fire",
        zone="B1",
        priority="fire",
        details=("烟感 B1-3",),
        since_wall_ns=1,
        attempt=1,
    )


def deliver(*notices, wait_for=None):
    """Send them all through one sender; gives the answers in the order in which they came, and the sender."""

    async def run():
        answers: list[NotifyResult] = []
        enough = asyncio.Event()

        def post(reading: DeviceReading) -> None:
            assert reading.device == NOTIFY_DEVICE
            answers.append(reading.body)
            if len(answers) >= (len(notices) if wait_for is None else wait_for):
                enough.set()

        sender = NoticeSender(post, site="康乐花园")
        for one in notices:
            assert sender.send(one)
        async with asyncio.timeout(60):
            await enough.wait()
        await sender.stop()
        assert sender.send(notices[0]) is False
        return answers, sender

    return asyncio.run(run())


def test_a_webhook_is_proven_by_its_status(receiver):
    (answer,), _ = deliver(notice(f"{receiver.url}/fire?box=7"))
    assert answer == NotifyResult(notice_id="5.1", delivered=True, proof="HTTP 204 No Content")
    ((path, headers, body),) = receiver.told
    assert path == "/fire?box=7"
    assert headers["Idempotency-Key"] == "5.1"
    assert (body["id"], body["cause"], body["details"], body["site"]) == ("5.1", "fire", ["烟感 B1-3"], "康乐花园")


@pytest.mark.parametrize(
    ("status", "delivered", "final"),
    [(200, True, False), (302, False, True), (404, False, True), (429, False, False), (503, False, False)],
)
def test_what_a_status_means(receiver, status, delivered, final):
    receiver.plan = [status]
    (answer,), _ = deliver(notice(receiver.url))
    assert (answer.delivered, answer.final) == (delivered, final)
    assert len(receiver.told) == 1, "a redirect is not followed"


def test_nobody_there_is_no_proof_and_not_final():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        (answer,), _ = deliver(notice(f"http://127.0.0.1:{free.getsockname()[1]}/"))
    assert not answer.delivered
    assert not answer.final
    assert "refused" in answer.proof


@pytest.mark.parametrize("target", ["ftp://x/y", "file:///etc/passwd", "", "panel"])
def test_a_target_of_no_kind_is_final(target):
    (answer,), _ = deliver(notice(target))
    assert answer.final


@pytest.mark.parametrize(
    "target", ["mqtt://127.0.0.1:1/", "mqtt://127.0.0.1:1/a/+", "mqtt://127.0.0.1:1/a#b", "mqtt:///topic"]
)
def test_a_topic_must_be_one(target):
    (answer,), _ = deliver(notice(target, channel=Channel.MQTT))
    assert not answer.delivered
    assert "TOPIC" in answer.proof


def test_a_hanging_target_holds_up_no_other(receiver, quick, monkeypatch):
    monkeypatch.setattr(notify, "ATTEMPT_S", 300.0)
    receiver.hang.clear()
    slow = [notice(receiver.url, f"1.{n}") for n in range(10)]
    fast = [notice(quick.url, f"2.{n}") for n in range(3)]
    answers, _ = deliver(*slow, *fast, wait_for=3)
    assert [answer.notice_id for answer in answers] == ["2.0", "2.1", "2.2"]
    assert len(receiver.told) <= 1, "one target has one attempt at a time"


def test_a_target_that_hangs_is_given_up_and_the_next_one_begun(receiver, monkeypatch):
    monkeypatch.setattr(notify, "ATTEMPT_S", 0.1)
    receiver.hang.clear()
    answers, sender = deliver(*[notice(receiver.url, f"1.{n}") for n in range(10)], wait_for=2)
    assert [(answer.notice_id, answer.proof) for answer in answers[:2]] == [
        ("1.0", "no answer in time"),
        ("1.1", "no answer in time"),
    ]
    assert sender.counters["notices_sent"] < 10


def test_a_repeat_of_one_under_way_is_one_attempt(receiver):
    one = notice(receiver.url)
    answers, sender = deliver(one, one, one, wait_for=1)
    assert len(answers) == 1
    assert len(receiver.told) == 1
    assert sender.counters["notices_sent"] == 1


def test_what_finds_no_room_is_answered_as_unproven(receiver, monkeypatch):
    monkeypatch.setattr(notify, "MAX_WAITING", 3)
    answers, sender = deliver(*[notice(receiver.url, f"1.{n}") for n in range(10)])
    refused = [answer for answer in answers if not answer.delivered]
    assert {answer.proof for answer in refused} == {"too many notices wait"}
    assert sender.counters["notices_refused"] == len(refused) == 6


@pytest.fixture
def broker(tmp_path, free_port):
    """Mosquitto on a free port of the loopback; gives the port."""
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    child = subprocess.Popen([program, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline_s = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert child.poll() is None, "mosquitto has ended"
            assert time.monotonic() < deadline_s, "mosquitto does not listen"
            time.sleep(0.05)
    yield port
    child.terminate()
    child.wait(60)


def test_a_message_is_proven_by_the_broker_and_never_retained(broker):
    async def run():
        answers = []
        async with aiomqtt.Client("127.0.0.1", broker) as outside:
            await outside.subscribe("site/alarm", qos=1)
            sender = NoticeSender(answers.append)
            sender.send(notice(f"mqtt://127.0.0.1:{broker}/site/alarm", channel=Channel.MQTT))
            async with asyncio.timeout(60):
                message = await anext(aiter(outside.messages))
                while not answers:
                    await asyncio.sleep(0.01)
            await sender.stop()
        return message, answers[0].body

    message, answer = asyncio.run(run())
    assert (answer.delivered, answer.proof) == (True, "PUBACK")
    assert json.loads(message.payload)["id"] == "5.1"
    assert (message.qos, message.retain) == (1, False)
