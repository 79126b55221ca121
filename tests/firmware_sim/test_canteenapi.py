"""The small HTTP client: answers in every shape, repeats under the same id, silence of a bounded length."""

from __future__ import annotations

import asyncio

import pytest

from firmware_sim import canteenapi
from firmware_sim.canteenapi import ApiAwayError, CanteenApi


class Server:
    """Answers one connection after the other with the given raw bytes; None = closes at once."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        return CanteenApi(f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}")

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()
        await asyncio.sleep(0.01)

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        self.requests.append(head.decode() + (await reader.readexactly(length)).decode())
        answer = self.answers.pop(0)
        if answer is not None:
            writer.write(answer)
            await writer.drain()
        writer.close()


OK = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"code":"ok"}'
CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n{"a": \r\n2;x=y\r\n1}\r\n0\r\n\r\n'
TO_THE_END = b'HTTP/1.1 200 OK\r\n\r\n{"a": 1}'
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


def run(scene):
    asyncio.run(scene())


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(canteenapi, "REPEAT_AFTER_S", (0.01, 0.01, 0.01))
    monkeypatch.setattr(canteenapi, "ANSWER_S", 60)


@pytest.mark.parametrize("raw", [CHUNKED, TO_THE_END])
def test_bodies_of_every_shape(raw):
    async def scene():
        async with Server(raw) as api:
            assert (await api.get("/canteen/lanes/1", "tok")).body == {"a": 1}

    run(scene)


def test_problems_carry_their_code():
    body = b'{"code":"tray_changed","detail":"look up"}'
    raw = b"HTTP/1.1 409 Conflict\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    async def scene():
        async with Server(raw, b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope") as api:
            reply = await api.get("/x", "tok")
            assert (reply.status, reply.ok, reply.code, reply.detail) == (409, False, "tray_changed", "look up")
            assert (await api.get("/x", "tok")).code == "http_404"

    run(scene)


def test_commands_are_repeated_under_the_same_id(capsys):
    async def scene():
        server = Server(None, BUSY, OK)
        async with server as api:
            assert (await api.post("/canteen/bindings", "tok", {"a": 1}, "key-1")).ok
        assert len(server.requests) == 3
        assert len(set(server.requests)) == 1
        assert "Idempotency-Key: key-1" in server.requests[0]
        assert "Authorization: Bearer tok" in server.requests[0]
        assert server.requests[0].endswith('{"a": 1}')

    run(scene)
    said = capsys.readouterr().err.splitlines()
    assert ["does not answer" in said[0], "answers again" in said[1], len(said)] == [True, True, 2]


def test_a_command_is_given_up_after_four_tries():
    async def scene():
        server = Server(None, None, None, None)
        async with server as api:
            with pytest.raises(ApiAwayError):
                await api.post("/x", "tok", {}, "key-1")
        assert len(server.requests) == 4

    run(scene)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"x" * 100_000,
    ],
)
def test_what_is_no_answer_counts_as_none(raw):
    async def scene():
        async with Server(raw) as api:
            with pytest.raises(ApiAwayError):
                await api.get("/x", "tok")

    run(scene)


def test_a_silent_server_is_given_up_in_time(monkeypatch):
    monkeypatch.setattr(canteenapi, "ANSWER_S", 0.3)

    async def scene():
        hold = asyncio.Event()

        async def serve(_reader, writer):
            await hold.wait()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        api = CanteenApi(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        with pytest.raises(ApiAwayError):
            await asyncio.wait_for(api.get("/x", "tok"), 60)
        hold.set()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)

    run(scene)
