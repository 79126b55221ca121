"""Asking the history process: one connection, one question, one answer. Loads neither numpy nor SQLite."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from pathlib import Path

import msgspec

from edge.runtime.history_messages import ANSWER_BYTES_MAX, Ask, Part

_HEAD = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Part] = msgspec.msgpack.Decoder(Part)


async def ask_history(path: Path, ask: Ask, timeout_s: float = 10.0) -> Part:
    """Ask the history process behind ``path`` once. Raises OSError or TimeoutError when it is away."""
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_unix_connection(str(path), limit=1 << 20)
        try:
            request = _encoder.encode(ask)
            writer.write(_HEAD.pack(len(request)) + request)
            (length,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
            if length > ANSWER_BYTES_MAX:
                raise ConnectionError("an answer beyond the bound")
            return _decoder.decode(await reader.readexactly(length))
        except (asyncio.IncompleteReadError, msgspec.MsgspecError) as error:
            raise ConnectionError("the history process ended the connection or is of another release") from error
        finally:
            with contextlib.suppress(OSError):
                writer.close()
