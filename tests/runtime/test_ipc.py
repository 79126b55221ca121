"""Server and client over a real socket: coalescing, slow and hostile clients, lost answers, staleness."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.runtime import ipc_client, ipc_peer
from edge.runtime.ipc import AnswerUnknownError, DaemonUnreachableError, IpcClient, IpcServer
from edge.runtime.ipc_frames import FrameBuffer, FrameError, check_socket_path, frame
from edge.runtime.ipc_messages import (
    MAX_MESSAGE_BYTES,
    MAX_OUTSTANDING,
    PROTOCOL_VERSION,
    Answer,
    Goodbye,
    Hello,
    Pulse,
    Submit,
    ToClient,
    ViewUpdate,
    Watch,
    Welcome,
)


class Do(msgspec.Struct, frozen=True, tag="do"):
    command_id: str
    what: str = ""


class Site:
    """A server with a daemon that keeps commands until the test answers."""

    def __init__(self, path, boot="boot-1", **options) -> None:
        self.path = path
        self.taken = []
        self.refusal = None
        welcome = Welcome(PROTOCOL_VERSION, "toy", "1.0", boot)
        self.server = IpcServer(path, welcome, Do, self.take, **options)

    def take(self, command):
        if self.refusal is None:
            self.taken.append(command)
        return self.refusal

    def pulse(self, **counters):
        self.server.pulse(Pulse(1, 0.5, counters))


@contextlib.asynccontextmanager
async def serving(path, **options):
    site = Site(path, **options)
    await site.server.start()
    try:
        yield site
    finally:
        await site.server.close("test over")


@contextlib.asynccontextmanager
async def client_of(path):
    client = IpcClient(path, "test")
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def until(condition, timeout_s=60):
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.002)


OPEN = []


class Raw:
    """A client that speaks bytes."""

    def __init__(self, path) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(str(path))
        self.sock.setblocking(False)
        self.buffer = FrameBuffer()
        OPEN.append(self.sock)

    def say(self, *messages):
        self.sock.setblocking(True)
        self.sock.sendall(b"".join(map(frame, messages)))
        self.sock.setblocking(False)

    async def read(self, enough):
        """All messages until they are ``enough``; what comes with the last of them is there too."""
        found = []
        async with asyncio.timeout(60):
            while not enough(found):
                data = await asyncio.get_running_loop().sock_recv(self.sock, 1 << 16)
                assert data, f"the server has hung up after {found}"
                found += [msgspec.msgpack.decode(body, type=ToClient) for body in self.buffer.feed(data)]
        return found

    async def read_to_the_end(self):
        """All messages until the server hangs up."""
        found = []
        async with asyncio.timeout(60):
            while data := await asyncio.get_running_loop().sock_recv(self.sock, 1 << 16):
                found += [msgspec.msgpack.decode(body, type=ToClient) for body in self.buffer.feed(data)]
        return found


@pytest.fixture
def path(tmp_path):
    yield tmp_path / "run" / "toy.sock"
    while OPEN:
        OPEN.pop().close()


def test_commands_are_answered_and_the_socket_is_ours_alone(path, run):
    async def scenario():
        async with serving(path) as site, client_of(path) as client:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert await client.wait_connected(60)
            asked = asyncio.create_task(client.submit(Do("c1", "price")))
            await until(lambda: site.taken)
            assert site.taken == [Do("c1", "price")]
            site.server.reply("c1", "ok", {"fen": 1200})
            assert await asked == Answer("c1", "ok", b'{"fen":1200}')
        assert not path.exists()

    run(scenario())


def test_answers_of_one_id_go_to_their_askers_in_order(path, run):
    async def scenario():
        async with serving(path) as site, client_of(path) as one, client_of(path) as two:
            assert await one.wait_connected(60)
            assert await two.wait_connected(60)
            first = asyncio.create_task(one.submit(Do("c1", "a")))
            await until(lambda: len(site.taken) == 1)
            second = asyncio.create_task(two.submit(Do("c1", "b")))
            await until(lambda: len(site.taken) == 2)
            site.server.reply("c1", "ok", {})
            site.server.reply("c1", "id_reused", {})
            assert (await first).code == "ok"
            assert (await second).code == "id_reused"

    run(scenario())


def test_a_late_answer_is_not_taken_for_that_of_the_repeated_command(path, run):
    async def scenario():
        async with serving(path) as site, client_of(path) as client:
            assert await client.wait_connected(60)
            with pytest.raises(AnswerUnknownError, match=r"within 0\.05 s"):
                await client.submit(Do("c1", "a"), timeout_s=0.05)
            again = asyncio.create_task(client.submit(Do("c1", "b")))
            await until(lambda: len(site.taken) == 2)
            site.server.reply("c1", "ok", {})
            site.server.reply("c1", "id_reused", {})
            assert (await again).code == "id_reused"

    run(scenario())


def test_an_answer_lost_with_the_connection_is_unknown_and_a_repeat_reaches_the_new_daemon(path, run):
    async def scenario():
        async with client_of(path) as client:
            with pytest.raises(DaemonUnreachableError, match="is the daemon running"):
                await client.submit(Do("c1"))
            async with serving(path) as site:
                assert await client.wait_connected(60)
                asked = asyncio.create_task(client.submit(Do("c1")))
                await until(lambda: site.taken)
            with pytest.raises(AnswerUnknownError, match="lost before"):
                await asked
            async with serving(path, boot="boot-2") as site:
                await until(lambda: client.status().boot_id == "boot-2")
                asked = asyncio.create_task(client.submit(Do("c1")))
                await until(lambda: site.taken)
                site.server.reply("c1", "ok", {})
                assert (await asked).code == "ok"

    run(scenario())


def test_present_views_come_first_then_changes_once_each_and_an_unchanged_one_not_at_all(path, run):
    async def scenario():
        async with serving(path) as site:
            site.server.show("lane/1", {"fen": 1})
            site.server.show("menu", {"items": []})
            async with client_of(path) as client:
                seen = []

                async def watch():
                    async for update in client.watch("lane/"):
                        seen.append(update)  # noqa: PERF401 - looked at while it grows

                watching = asyncio.create_task(watch())
                await until(lambda: len(seen) == 1)
                site.server.show("lane/1", {"fen": 1})
                site.server.show("lane/1", {"fen": 2})
                site.server.show("day", {})
                await until(lambda: len(seen) == 2 and "day" in client.views)
                assert seen == [ViewUpdate("lane/1", 1, b'{"fen":1}'), ViewUpdate("lane/1", 2, b'{"fen":2}')]
                assert sorted(client.views) == ["day", "lane/1", "menu"]
                await client.close()
                await asyncio.wait_for(watching, 60)

    run(scenario())


def test_a_slow_watcher_gets_only_the_newest_of_each_key(path, run):
    async def scenario():
        async with serving(path) as site, client_of(path) as client:
            assert await client.wait_connected(60)
            watching = client.watch("lane/")
            site.server.show("lane/1", {"n": 0})
            assert (await anext(watching)).json == b'{"n":0}'
            for number in range(1, 500):
                site.server.show("lane/1", {"n": number})
                site.server.show("lane/2", {"n": number})
            await until(lambda: client.views.get("lane/2", ViewUpdate("", 0, b"")).version == 499)
            rest = [await anext(watching), await anext(watching)]
            assert {update.key: update.json for update in rest} == {"lane/1": b'{"n":499}', "lane/2": b'{"n":499}'}
            await watching.aclose()

    run(scenario())


def test_for_a_client_that_does_not_read_views_coalesce_and_answers_all_arrive(path, run):
    async def scenario():
        async with serving(path) as site, client_of(path) as quick:
            raw = Raw(path)
            raw.say(Hello(PROTOCOL_VERSION, "slow"), Watch(("",)))
            raw.say(*(Submit(msgspec.msgpack.encode(Do(f"c{number}"))) for number in range(50)))
            await until(lambda: len(site.taken) == 50)
            big = "x" * 10_000
            for number in range(2000):
                site.server.show("lane/1", {"n": number, "big": big})
                site.server.show("lane/2", {"n": number, "big": big})
                if number < 50:
                    site.server.reply(f"c{number}", "ok", {})
                if number % 50 == 0:
                    site.pulse()
                    await asyncio.sleep(0)
            await until(lambda: quick.views.get("lane/2") and quick.views["lane/2"].version == 2000)

            def newest(found):
                return {message.key: message.version for message in found if isinstance(message, ViewUpdate)}

            messages = await raw.read(lambda found: newest(found) == {"lane/1": 2000, "lane/2": 2000})
            answers = [message.command_id for message in messages if isinstance(message, Answer)]
            assert answers == [f"c{number}" for number in range(50)]
            views = [message for message in messages if isinstance(message, ViewUpdate)]
            assert len(views) < 400
            assert {view.key: view.version for view in views} == {"lane/1": 2000, "lane/2": 2000}
            versions = [view.version for view in views if view.key == "lane/1"]
            assert versions == sorted(versions)
            assert site.server.clients == 2

    run(scenario())


def test_a_client_that_stays_slow_is_disconnected_and_the_others_go_on(path, run, monkeypatch):
    monkeypatch.setattr(ipc_peer, "SLOW_S", 3600.0)

    async def scenario():
        async with serving(path) as site, client_of(path) as quick:
            raw = Raw(path)
            raw.say(Hello(PROTOCOL_VERSION, "slow"), Watch(("",)))
            await until(lambda: sum(peer._prefixes == ("",) for peer in site.server._peers) == 2)
            for number in range(100):
                site.server.show("lane/1", {"n": number, "big": "x" * 10_000})
                await asyncio.sleep(0)
            site.pulse()
            assert site.server.clients == 2
            await until(lambda: quick.views["lane/1"].version == 100)
            monkeypatch.setattr(ipc_peer, "SLOW_S", 0.1)
            await asyncio.sleep(0.15)
            site.pulse()
            assert site.server.clients == 1
            assert site.server.counters["clients_slow"] == 1
            await until(lambda: quick.views["lane/1"].version == 100)

    run(scenario())


def test_answers_that_nobody_reads_are_bounded_too(path, run, monkeypatch):
    monkeypatch.setattr(ipc_peer, "BUFFER_BYTES_MAX", 300_000)

    async def scenario():
        async with serving(path) as site:
            raw = Raw(path)
            raw.say(Hello(PROTOCOL_VERSION, "slow"))
            raw.say(*(Submit(msgspec.msgpack.encode(Do(f"c{number}"))) for number in range(100)))
            await until(lambda: len(site.taken) == 100)
            for number in range(100):
                site.server.reply(f"c{number}", "ok", {"big": "x" * 20_000})
            assert site.server.counters["clients_slow"] == 1

    run(scenario())


def test_too_many_unanswered_commands_are_busy_and_refusals_name_their_code(path, run):
    async def scenario():
        async with serving(path) as site:
            raw = Raw(path)
            raw.say(Hello(PROTOCOL_VERSION, "eager"))
            raw.say(*(Submit(msgspec.msgpack.encode(Do(f"c{number}"))) for number in range(MAX_OUTSTANDING + 1)))
            messages = await raw.read(lambda found: len(found) >= 2)
            assert isinstance(messages[0], Welcome)
            assert [(message.command_id, message.code) for message in messages[1:]] == [(f"c{MAX_OUTSTANDING}", "busy")]
            site.server.reply("c0", "ok", {})
            site.refusal = "storage"
            raw.say(Submit(msgspec.msgpack.encode(Do("next"))))
            assert [message.code for message in await raw.read(lambda found: len(found) >= 2)] == ["ok", "storage"]
            raw.say(Submit(msgspec.msgpack.encode({"type": "do", "command_id": "bad", "what": 7})), Submit(b"\xc1"))
            bad = await raw.read(lambda found: len(found) >= 2)
            assert [(message.command_id, message.code) for message in bad] == [
                ("bad", "bad_command"),
                ("", "bad_command"),
            ]
            assert b"what" in bad[0].json

    run(scenario())


def test_the_client_itself_refuses_more_than_may_be_outstanding(path, run):
    async def scenario():
        async with serving(path) as site, client_of(path) as client:
            assert await client.wait_connected(60)
            asked = [asyncio.create_task(client.submit(Do(f"c{number}"))) for number in range(MAX_OUTSTANDING)]
            await until(lambda: len(site.taken) == MAX_OUTSTANDING)
            assert (await client.submit(Do("more"))).code == "busy"
            site.server.reply("c0", "ok", {})
            await asked[0]
            with pytest.raises(ValueError, match="bound"):
                await client.submit(Do("huge", "x" * MAX_MESSAGE_BYTES))
            for number in range(1, MAX_OUTSTANDING):
                site.server.reply(f"c{number}", "ok", {})
            assert {answer.code for answer in await asyncio.gather(*asked)} == {"ok"}

    run(scenario())


def test_another_user_is_refused(path, run):
    async def scenario():
        async with serving(path, allowed_uids={os.geteuid() + 1}) as site:
            raw = Raw(path)
            (message,) = await raw.read_to_the_end()
            assert isinstance(message, Goodbye)
            assert f"user id {os.geteuid()} may not" in message.reason
            assert site.server.counters["clients_refused"] == 1

    run(scenario())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (frame(Watch(("",))), "first message must be Hello"),
        (frame(Hello(99, "old")), "different releases"),
        (b"GET / HTTP/1.1\r\n\r\n", "bound"),
        (struct.pack(">I", 3) + b"abc", "not understood"),
        (frame(Welcome(1, "", "", "")), "not understood"),
    ],
)
def test_who_does_not_speak_the_protocol_is_told_and_cut_off(path, run, data, reason):
    async def scenario():
        async with serving(path) as site:
            raw = Raw(path)
            raw.sock.send(data)
            *_, message = await raw.read_to_the_end()
            assert reason in message.reason
            assert site.server.clients == 0

    run(scenario())


def test_who_says_nothing_is_cut_off(path, run, monkeypatch):
    monkeypatch.setattr(ipc_peer, "HELLO_WITHIN_S", 0.05)

    async def scenario():
        async with serving(path):
            raw = Raw(path)
            (message,) = await raw.read_to_the_end()
            assert "no Hello" in message.reason

    run(scenario())


def test_views_are_stale_when_pulses_stop_and_fresh_when_they_come_back(path, run, monkeypatch):
    monkeypatch.setattr(ipc_client, "STALE_AFTER_S", 60.0)

    async def scenario():
        async with serving(path) as site, client_of(path) as client:
            assert not client.status().alive
            assert await client.wait_connected(60)
            site.server.show("day", {})
            site.pulse(inputs=3)
            await until(lambda: client.status().counters == {"inputs": 3})
            status = client.status()
            assert (status.alive, status.lag_ms, status.build) == (True, 0.5, "1.0")
            monkeypatch.setattr(ipc_client, "STALE_AFTER_S", 0.2)
            await until(lambda: not client.status().alive)
            assert "day" in client.views
            assert client.status().age_ms >= 200
            await until(lambda: site.pulse() or client.status().alive)

    run(scenario())


def test_a_daemon_that_hangs_is_left_and_found_again(path, run, monkeypatch):
    monkeypatch.setattr(ipc_client, "DEAD_AFTER_S", 3600.0)

    async def scenario():
        async with serving(path) as site, client_of(path) as client:
            assert await client.wait_connected(60)
            (first,) = site.server._peers
            monkeypatch.setattr(ipc_client, "DEAD_AFTER_S", 0.05)
            await until(lambda: first not in site.server._peers)
            monkeypatch.setattr(ipc_client, "DEAD_AFTER_S", 3600.0)
            await until(lambda: site.server.clients == 1 and client.status().boot_id)
            assert await client.wait_connected(60)

    run(scenario())


def test_views_of_an_earlier_life_do_not_outlive_it(path, run):
    async def scenario():
        async with client_of(path) as client:
            async with serving(path) as site:
                site.server.show("lane/1", {"n": 1})
                site.server.show("lane/9", {"n": 1})
                await until(lambda: len(client.views) == 2)
            async with serving(path, boot="boot-2") as site:
                site.server.show("lane/1", {"n": 5})
                await until(lambda: client.status().boot_id == "boot-2" and client.views)
                assert client.views == {"lane/1": ViewUpdate("lane/1", 1, b'{"n":5}')}

    run(scenario())


def test_a_socket_left_by_a_killed_daemon_is_replaced_and_a_long_path_is_explained(path, tmp_path, run):
    async def scenario():
        path.parent.mkdir()
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        async with serving(path), client_of(path) as client:
            assert await client.wait_connected(60)

    run(scenario())
    with pytest.raises(ValueError, match=r"set run_dir in site\.toml"):
        check_socket_path(tmp_path / ("x" * 120))


@given(
    messages=st.lists(st.builds(ViewUpdate, st.text(max_size=20), st.integers(0, 9), st.binary(max_size=50))),
    cuts=st.lists(st.integers(1, 40)),
)
def test_frames_survive_any_split(messages, cuts):
    data = b"".join(map(frame, messages))
    buffer, found, at = FrameBuffer(), [], 0
    for size in [*cuts, len(data)]:
        found += [msgspec.msgpack.decode(body, type=ToClient) for body in buffer.feed(data[at : at + size])]
        at += size
    assert found == messages


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_end_the_connection(data):
    with contextlib.suppress(FrameError):
        for body in FrameBuffer().feed(data):
            assert len(body) <= MAX_MESSAGE_BYTES
