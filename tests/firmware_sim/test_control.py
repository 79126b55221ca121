"""The control socket: one answer to every line, whatever the line."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from firmware_sim.control import MAX_CONNECTIONS, MAX_LINE_BYTES, ControlError, number, serve, text, texts


async def echo(request):
    return {"said": text(request, "say"), "times": number(request, "times", 1, 9), "words": texts(request, "words")}


async def fall_over(_request):
    raise RuntimeError("bang")


async def dialogue(path, lines):
    """Send lines on one connection; the answers."""
    reader, writer = await asyncio.open_unix_connection(path, limit=10 * MAX_LINE_BYTES)
    answers = []
    for line in lines:
        writer.write(line + b"\n")
        await writer.drain()
        answers.append(json.loads(await asyncio.wait_for(reader.readline(), 60)))
    writer.close()
    await writer.wait_closed()
    return answers


@pytest.fixture
def run(tmp_path):
    """Run lines against a server with two operations; gives the answers."""

    def go(*lines):
        async def main():
            path = tmp_path / "c.sock"
            server = await serve(path, {"echo": echo, "fall_over": fall_over})
            try:
                return await dialogue(path, lines)
            finally:
                server.close()
                await server.wait_closed()

        return asyncio.run(main())

    return go


def test_requests_are_answered_one_by_one(run):
    answers = run(b'{"op":"echo","say":"a"}', b'{"op":"echo","say":"b","times":2,"words":["x"]}')
    assert answers[0] == {"ok": True, "said": "a", "times": 1, "words": []}
    assert answers[1] == {"ok": True, "said": "b", "times": 2, "words": ["x"]}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"garbage", "one JSON object"),
        (b"[1]", "a JSON object"),
        (b"{}", "must be one of: echo, fall_over"),
        (b'{"op":"dance"}', "must be one of"),
        (b'{"op":"echo"}', '"say" must be a string'),
        (b'{"op":"echo","say":"a","times":-1}', "whole number 0..9"),
        (b'{"op":"echo","say":"a","times":true}', "whole number"),
        (b'{"op":"echo","say":"a","words":[1]}', "list of strings"),
        (b"\xff\xfe", "one JSON object"),
    ],
)
def test_bad_lines_get_a_reason_and_the_connection_lives(run, line, words):
    refused, fine = run(line, b'{"op":"echo","say":"still here"}')
    assert refused["ok"] is False
    assert words in refused["error"]
    assert fine["ok"] is True


def test_a_bug_in_an_operation_is_told_and_shown(run, capsys):
    refused, fine = run(b'{"op":"fall_over"}', b'{"op":"echo","say":"a"}')
    assert refused == {"ok": False, "error": "internal: bang"}
    assert fine["ok"] is True
    assert "RuntimeError: bang" in capsys.readouterr().err


def test_an_endless_line_is_cut_off(run):
    assert run(b"x" * (2 * MAX_LINE_BYTES)) == [{"ok": False, "error": f"a line over {MAX_LINE_BYTES} bytes"}]


def test_a_dead_socket_is_replaced_a_live_one_refused(tmp_path):
    path = tmp_path / "c.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))

    async def main():
        server = await serve(path, {"echo": echo})
        assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(ControlError, match="in use by a running simulator"):
            await serve(path, {"echo": echo})
        assert (await dialogue(path, [b'{"op":"echo","say":"a"}']))[0]["ok"]
        server.close()
        await server.wait_closed()

    asyncio.run(main())


async def is_answered(path):
    """False while the server still has all its connections."""
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(b'{"op":"echo","say":"a"}\n')
        return json.loads(await reader.readline() or b"{}").get("ok", False)
    except ConnectionError:
        return False
    finally:
        writer.close()


def test_connections_are_bounded(tmp_path):
    async def main():
        path = tmp_path / "c.sock"
        server = await serve(path, {"echo": echo})
        pairs = [await asyncio.open_unix_connection(path) for _ in range(MAX_CONNECTIONS)]
        reader, writer = await asyncio.open_unix_connection(path)
        assert await asyncio.wait_for(reader.read(), 60) == b""
        for _, each in [*pairs, (reader, writer)]:
            each.close()
        async with asyncio.timeout(60):
            while not await is_answered(path):
                await asyncio.sleep(0.01)
        server.close()
        await server.wait_closed()

    asyncio.run(main())
