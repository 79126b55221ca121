from __future__ import annotations

import asyncio
import socket

import pytest

from drivers.links.link import WRITE_BUFFER_BYTES_MAX, LinkError
from drivers.links.opening import opener_of
from drivers.links.tcp import KEEPALIVE_IDLE_S, ListenOpener, TcpOpener
from drivers.links.url import ListenUrl, TcpUrl


def option(link, level, name):
    """Read an option back from the live socket, whatever loop holds it."""
    fd = link._transport.get_extra_info("socket").fileno()
    with socket.socket(fileno=socket.dup(fd)) as sock:
        return sock.getsockopt(level, name)


def assert_configured(link):
    assert option(link, socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    assert option(link, socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert option(link, socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == KEEPALIVE_IDLE_S


@pytest.fixture
def listener():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(4)
        sock.settimeout(60)
        yield sock


def test_a_dialled_connection_sets_nodelay_and_keepalive_and_carries_bytes(listener, recorder, run):
    async def scenario():
        handler = recorder()
        link = await opener_of(f"tcp://127.0.0.1:{listener.getsockname()[1]}").open(handler)
        peer, _ = listener.accept()
        with peer:
            assert_configured(link)
            link.write(b"ask")
            assert await asyncio.to_thread(peer.recv, 10) == b"ask"
            peer.sendall(b"answer")
            await handler.until(lambda h: h.data == b"answer")
        await handler.until(lambda h: h.lost)
        assert handler.lost == ["the peer closed the connection"]
        link.close()
        link.write(b"nobody")

    run(scenario())


def test_a_listening_link_sets_nodelay_and_the_newest_connection_wins(recorder, run):
    async def scenario():
        opener = ListenOpener(ListenUrl("127.0.0.1", 0))
        first = recorder()
        opening = asyncio.create_task(opener.open(first))
        await asyncio.sleep(0)  # it listens before it waits
        with socket.create_connection(("127.0.0.1", opener.port)) as old:
            link = await opening
            assert_configured(link)
            old.sendall(b"old")
            await first.until(lambda h: h.data == b"old")
            with socket.create_connection(("127.0.0.1", opener.port)) as new:
                await first.until(lambda h: h.lost)
                assert first.lost == ["the device connected anew"]
                second = recorder()
                link = await opener.open(second)
                assert_configured(link)
                new.sendall(b"new")
                await second.until(lambda h: h.data == b"new")
                link.close()
        opener.close()
        assert first.data == b"old"

    run(scenario())


def test_nobody_there_is_explained(recorder, run):
    async def scenario():
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            with pytest.raises(LinkError, match=r"check address and port in site\.toml"):
                await opener_of(f"tcp://127.0.0.1:{nobody.getsockname()[1]}").open(recorder())

    run(scenario())


def test_a_full_backlog_ends_in_a_time_out(recorder, run):
    async def scenario():
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            url = TcpUrl("127.0.0.1", full.getsockname()[1])
            with socket.socket() as filler, socket.socket() as second:
                for sock in (filler, second):
                    sock.setblocking(False)
                    sock.connect_ex(full.getsockname())
                with pytest.raises(LinkError, match=r"no answer within 0\.2 s"):
                    await TcpOpener(url, timeout_s=0.2).open(recorder())

    run(scenario())


def test_a_taken_port_is_explained(listener, recorder, run):
    async def scenario():
        with pytest.raises(LinkError, match="choose a free port"):
            await opener_of(f"tcp-listen://127.0.0.1:{listener.getsockname()[1]}").open(recorder())

    run(scenario())


def test_a_peer_that_takes_nothing_is_given_up(listener, recorder, run):
    async def scenario():
        handler = recorder()
        link = await opener_of(f"tcp://127.0.0.1:{listener.getsockname()[1]}").open(handler)
        peer, _ = listener.accept()
        with peer:
            for _ in range(20_000):
                link.write(bytes(WRITE_BUFFER_BYTES_MAX // 16))
                if handler.lost:
                    break
                await asyncio.sleep(0)
            await handler.until(lambda h: h.lost)
            assert "takes no data" in handler.lost[0]

    run(scenario())


def test_paused_bytes_wait_in_the_socket(listener, recorder, run):
    async def scenario():
        handler = recorder()
        link = await opener_of(f"tcp://127.0.0.1:{listener.getsockname()[1]}").open(handler)
        peer, _ = listener.accept()
        with peer:
            link.pause_reading()
            link.pause_reading()
            peer.sendall(b"later")
            await asyncio.sleep(0.05)
            assert handler.data == b""
            link.resume_reading()
            await handler.until(lambda h: h.data == b"later")
            link.close()

    run(scenario())


def test_what_the_peer_has_not_taken_when_the_link_closes_never_arrives(recorder, run):
    """A command must not reach a device after it was given up."""

    async def scenario():
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            link = await TcpOpener(TcpUrl("127.0.0.1", listener.getsockname()[1])).open(recorder())
            peer, _ = listener.accept()
        with peer:
            link.write(bytes(48_000))
            assert link._transport.get_write_buffer_size() == 0, "the system has it all"
            link.close()
            await asyncio.sleep(0.05)
            assert b"".join(await asyncio.to_thread(lambda: list(taken(peer)))).count(0) < 48_000

    run(scenario())


def taken(peer):
    """What comes until the connection ends, however it ends."""
    peer.settimeout(10)
    try:
        while data := peer.recv(4096):
            yield data
    except ConnectionResetError:
        pass
