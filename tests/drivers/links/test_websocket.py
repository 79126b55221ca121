"""The WebSocket that a charger dials: who is let in, which connection counts, what bytes reach the driver."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import struct
import subprocess
import sys

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from drivers.links.link import LinkError, LinkUrlError
from drivers.links.opening import opener_of
from drivers.links.url import parse_link_url
from drivers.links.websocket import WsListenOpener
from drivers.links.ws_url import WsUrl


class Handler:
    def __init__(self):
        self.data, self.lost = b"", []

    def data_received(self, data):
        self.data += data

    def message_received(self, data, settled):
        raise AssertionError("nothing here is kept")

    def link_lost(self, reason):
        self.lost.append(reason)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def header(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def dial(port, charger="CP1", **options):
    return connect(
        f"ws://127.0.0.1:{port}/ocpp/{charger}", subprotocols=["ocpp1.6"], compression=None, proxy=None, **options
    )


@contextlib.asynccontextmanager
async def listening(*openers):
    """Each opener's ``open`` under way, with its handler."""
    handlers = [Handler() for _ in openers]
    opening = [asyncio.create_task(opener.open(handler)) for opener, handler in zip(openers, handlers, strict=True)]
    try:
        await until(lambda: all(opener.port for opener in openers))
        yield list(zip(handlers, opening, strict=True))
    finally:
        for task in opening:
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().close()
            task.cancel()
        for opener in openers:
            opener.close()
        await asyncio.sleep(0)


def test_messages_go_both_ways_one_a_line_and_without_delay(run, free_port):
    async def scenario():
        opener = WsListenOpener(WsUrl("127.0.0.1", free_port(), "CP1"))
        async with listening(opener) as ((handler, opening),), dial(opener.port) as charger:
            link = await opening
            assert charger.subprotocol == "ocpp1.6"
            await charger.send('[2,\n "1"]')
            await charger.send(b"binary is not spoken here")
            await charger.send("[3]")
            await until(lambda: handler.data.endswith(b"[3]\n"))
            assert handler.data == b'[2,  "1"]\n[3]\n', "one message a line"
            for number in range(50):
                link.write(b"[%d]" % number)
            assert [await charger.recv() for _ in range(50)] == [f"[{number}]" for number in range(50)]
            sock = link._connection.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1

    run(scenario())


def test_two_chargers_share_a_port_and_strangers_are_not_let_in(run, free_port):
    async def scenario():
        port = free_port()
        first, second = (WsListenOpener(WsUrl("127.0.0.1", port, name)) for name in ("CP1", "CP2"))
        async with listening(first, second) as ((one, opening1), (two, opening2)):
            async with dial(port, "CP1") as a, dial(port, "CP2") as b:
                await asyncio.gather(opening1, opening2)
                await a.send("[1]")
                await b.send("[2]")
                await until(lambda: (one.data, two.data) == (b"[1]\n", b"[2]\n"))
            with pytest.raises(InvalidStatus, match="404"):
                await dial(port, "CP3").__aenter__()

    run(scenario())


def test_a_charger_of_another_link_is_refused_with_the_reason(run, free_port):
    async def scenario():
        port = free_port()
        first, second = (WsListenOpener(WsUrl("127.0.0.1", port, "CP1")) for _ in range(2))
        async with listening(first):
            with pytest.raises(LinkError, match="two links want"):
                await second.open(Handler())

    run(scenario())


def test_the_newest_connection_wins(run, free_port):
    async def scenario():
        opener = WsListenOpener(WsUrl("127.0.0.1", free_port(), "CP1"))
        async with listening(opener) as ((handler, opening),), dial(opener.port) as old:
            await opening
            async with dial(opener.port) as new:
                await until(lambda: handler.lost == ["the charger connected anew"])
                again = Handler()
                link = await opener.open(again)
                await new.send("[2]")
                await until(lambda: again.data == b"[2]\n")
                with pytest.raises(ConnectionClosed):
                    await old.recv()
                link.close()

    run(scenario())


def test_a_charger_that_goes_away_is_told(run, free_port):
    async def scenario():
        opener = WsListenOpener(WsUrl("127.0.0.1", free_port(), "CP1"))
        async with listening(opener) as ((handler, opening),):
            async with dial(opener.port):
                await opening
            await until(lambda: handler.lost)
            assert "broke" in handler.lost[0]

    run(scenario())


@pytest.mark.parametrize("how", ["file", "environment"])
def test_a_password_is_asked_and_read_anew(run, tmp_path, monkeypatch, how, free_port):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    monkeypatch.setenv("CP1_PASSWORD", "s3cret")
    where = {"password_file": str(secret)} if how == "file" else {"password_env": "CP1_PASSWORD"}

    async def scenario():
        opener = WsListenOpener(WsUrl("127.0.0.1", free_port(), "CP1", **where))
        async with listening(opener) as ((_, opening),):
            for wrong in ({}, header("CP1", "guess"), header("CP2", "s3cret"), {"Authorization": "Basic ?"}):
                with pytest.raises(InvalidStatus, match="401"):
                    await dial(opener.port, additional_headers=wrong).__aenter__()
            async with dial(opener.port, additional_headers=header("CP1", "s3cret")):
                await opening
            if how == "file":
                secret.write_text("")
                with pytest.raises(InvalidStatus, match="401"):
                    await dial(opener.port, additional_headers=header("CP1", "")).__aenter__()

    run(scenario())


def test_a_message_that_is_far_too_long_ends_the_connection(run, free_port):
    async def scenario():
        opener = WsListenOpener(WsUrl("127.0.0.1", free_port(), "CP1"))
        async with listening(opener) as ((handler, opening),), dial(opener.port) as charger:
            await opening
            with contextlib.suppress(ConnectionClosed):
                await charger.send("x" * 300_000)
            await until(lambda: handler.lost)
            assert handler.data == b""

    run(scenario())


def test_a_charger_that_takes_no_data_is_given_up(run, free_port):
    async def scenario():
        opener = WsListenOpener(WsUrl("127.0.0.1", free_port(), "CP1"))
        async with listening(opener) as ((handler, opening),), dial(opener.port):
            link = await opening
            for _ in range(3):
                link.write(b"x" * 40_000)
            await until(lambda: handler.lost)
            assert "takes no data" in handler.lost[0]

    run(scenario())


def test_what_a_charger_has_not_taken_when_it_is_given_up_never_arrives(run, free_port):
    async def scenario():
        opener = WsListenOpener(WsUrl("127.0.0.1", free_port(), "CP1"))
        async with listening(opener) as ((_, opening),), dial(opener.port) as charger:
            link = await opening
            held = link._connection.transport.get_extra_info("socket")
            with socket.socket(fileno=socket.dup(held.fileno())) as sock:
                link.close()
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == struct.pack("ii", 1, 0)
            await charger.wait_closed()

    run(scenario())


def test_reading_can_pause(run, free_port):
    async def scenario():
        opener = WsListenOpener(WsUrl("127.0.0.1", free_port(), "CP1"))
        async with listening(opener) as ((handler, opening),), dial(opener.port) as charger:
            link = await opening
            link.pause_reading()
            for number in range(5):
                await charger.send(f"[{number}]")
            await asyncio.sleep(0.1)
            assert handler.data.count(b"\n") <= 1, "one was being read already"
            link.resume_reading()
            await until(lambda: handler.data.count(b"\n") == 5)

    run(scenario())


def test_a_port_that_is_taken_is_an_error_with_the_remedy(run):
    async def scenario():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            opener = WsListenOpener(WsUrl("127.0.0.1", taken.getsockname()[1], "CP1"))
            with pytest.raises(LinkError, match="choose a free port"):
                await opener.open(Handler())

    run(scenario())


def test_the_simulated_charger_dials_the_link(run, free_port):
    async def scenario():
        opener = WsListenOpener(WsUrl("127.0.0.1", free_port(), "CP1"))
        async with listening(opener) as ((handler, opening),):
            process = subprocess.Popen(
                [sys.executable, "-m", "firmware_sim.ocpp16", "--dial", f"ws://127.0.0.1:{opener.port}/CP1"],
                stderr=subprocess.DEVNULL,
            )
            try:
                await opening
                await until(lambda: b"BootNotification" in handler.data)
            finally:
                process.terminate()
                assert await asyncio.to_thread(process.wait, 60) == 0

    run(scenario())


def test_urls():
    assert parse_link_url("ws-listen://127.0.0.1:9000/CP1") == WsUrl("127.0.0.1", 9000, "CP1")
    url = "ws-listen://0.0.0.0:9000/CP%201?password_file=/run/secrets/cp1"
    with pytest.raises(LinkUrlError, match="identity"):
        parse_link_url(url)
    assert parse_link_url(url.replace("%20", "")).password_file == "/run/secrets/cp1"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("ws-listen://0.0.0.0:9000/CP1", "needs a password"),
        ("ws-listen://[::]:9000/CP1", "needs a password"),
        ("ws-listen://127.0.0.1:9000", "identity"),
        ("ws-listen://127.0.0.1/CP1", "no port"),
        ("ws-listen://127.0.0.1:99999/CP1", "65535"),
        ("ws-listen://127.0.0.1:9000/CP1?tls=yes", "unknown"),
        ("ws-listen://127.0.0.1:9000/CP1?password_file=a&password_env=B", "one too many"),
        ("ws-listen://127.0.0.1:9000/a/b", "identity"),
    ],
)
def test_wrong_urls_name_the_allowed_form(url, what):
    with pytest.raises(LinkUrlError, match=what) as caught:
        parse_link_url(url)
    assert "ws-listen://HOST:PORT/CHARGER" in str(caught.value)


def test_a_password_in_the_url_is_refused_and_not_repeated():
    with pytest.raises(LinkUrlError) as caught:
        parse_link_url("ws-listen://CP1:s3cret@127.0.0.1:9000/CP1")
    assert "s3cret" not in str(caught.value)


def test_the_opener_is_found_by_its_url(run):
    async def scenario():
        assert isinstance(opener_of("ws-listen://127.0.0.1:9000/CP1"), WsListenOpener)

    run(scenario())
