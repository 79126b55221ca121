"""The control socket: one JSON object a line in, one JSON object a line out, on a Unix socket only its owner can open.

Every request gets exactly one answer, ``{"ok": true, ..}`` or ``{"ok": false, "error": ".."}``, also garbage and
requests that fail inside; a control request never ends the simulator.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

MAX_LINE_BYTES = 65_536
MAX_CONNECTIONS = 32
#: An operation that takes longer is answered with an error; it goes on.
ANSWER_S = 15.0

Json = dict[str, object]
Operation = Callable[[Json], Awaitable[Json]]


class ControlError(Exception):
    """What the asker did wrong, in words with the remedy."""


def text(request: Json, key: str, default: str | None = None) -> str:
    """A string field of a request."""
    value = request.get(key, default)
    if not isinstance(value, str):
        raise ControlError(f'"{key}" must be a string')
    return value


def number(request: Json, key: str, default: int, highest: int) -> int:
    """A whole number 0..highest of a request."""
    value = request.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= highest:
        raise ControlError(f'"{key}" must be a whole number 0..{highest}')
    return value


def texts(request: Json, key: str) -> list[str]:
    """A list of strings of a request; missing = empty."""
    value = request.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ControlError(f'"{key}" must be a list of strings')
    return [str(item) for item in value]


async def answer(operations: Mapping[str, Operation], line: bytes) -> Json:
    """The answer to one request line."""
    try:
        request = json.loads(line)
    except ValueError:
        return {"ok": False, "error": 'one JSON object a line, such as {"op":"state"}'}
    if not isinstance(request, dict):
        return {"ok": False, "error": 'a JSON object, such as {"op":"state"}'}
    operation = operations.get(str(request.get("op")))
    if operation is None:
        return {"ok": False, "error": f'"op" must be one of: {", ".join(sorted(operations))}'}
    try:
        return {"ok": True, **await asyncio.wait_for(operation(request), ANSWER_S)}
    except ControlError as error:
        return {"ok": False, "error": str(error)}
    except TimeoutError:
        return {"ok": False, "error": f"not done within {ANSWER_S:.0f} s"}
    except Exception as error:  # noqa: BLE001 - a bug in one operation must not end the floor; it is shown whole
        traceback.print_exc(file=sys.stderr)
        return {"ok": False, "error": f"internal: {error}"}


async def serve(path: Path, operations: Mapping[str, Operation]) -> asyncio.Server:
    """Listen on ``path`` (mode 0600). A socket file left by a dead process is replaced, a live one refused."""
    _clear_stale(path)
    open_connections: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(open_connections) >= MAX_CONNECTIONS:
            writer.close()
            return
        open_connections.add(writer)
        try:
            await _converse(reader, writer, operations)
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            open_connections.discard(writer)
            writer.close()

    path.parent.mkdir(parents=True, exist_ok=True)
    umask = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(connected, path, limit=MAX_LINE_BYTES)
    finally:
        os.umask(umask)


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, operations: Mapping[str, Operation]
) -> None:
    while True:
        try:
            line = await reader.readline()
        except ValueError:  # longer than the limit: what follows cannot be told apart from a new line
            writer.write(json.dumps({"ok": False, "error": f"a line over {MAX_LINE_BYTES} bytes"}).encode() + b"\n")
            await writer.drain()
            return
        if not line:
            return
        reply = await answer(operations, line)
        writer.write(json.dumps(reply, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        await writer.drain()


def _clear_stale(path: Path) -> None:
    if not path.exists():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise ControlError(f"{path} is in use by a running simulator; stop it or choose another path")
