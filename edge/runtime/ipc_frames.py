"""Length-prefixed msgpack over a stream socket: 4 bytes big-endian length, then one message.

The hard part is a peer that lies: a length beyond ``MAX_MESSAGE_BYTES`` or bytes that are no message end the connection
before anything is buffered for them. A user would notice a slip here as an API that hangs after one odd request.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge.runtime.ipc_messages import MAX_MESSAGE_BYTES, ToClient, ToDaemon

_HEAD = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()

#: struct ucred of SO_PEERCRED (unix(7)): pid, uid, gid.
_UCRED = struct.Struct("3i")

#: sun_path holds 108 bytes with the closing zero (unix(7)).
SUN_PATH_MAX = 107


class FrameError(ValueError):
    """The peer does not speak this protocol; the connection must end."""


def frame(message: ToClient | ToDaemon) -> bytes:
    """The bytes of one message. Raises ``FrameError`` when it would exceed the bound."""
    body = _encoder.encode(message)
    if len(body) > MAX_MESSAGE_BYTES:
        raise FrameError(f"a message of {len(body)} bytes is over the bound of {MAX_MESSAGE_BYTES}")
    return _HEAD.pack(len(body)) + body


class FrameBuffer:
    """Collects bytes in any split and gives whole messages; holds at most one partial message."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the body of each complete message. Raises ``FrameError`` on a length beyond the bound."""
        self._data += data
        start = 0
        try:
            while len(self._data) - start >= _HEAD.size:
                (length,) = _HEAD.unpack_from(self._data, start)
                if length > MAX_MESSAGE_BYTES:
                    raise FrameError(f"a message of {length} bytes is announced; the bound is {MAX_MESSAGE_BYTES}")
                end = start + _HEAD.size + length
                if end > len(self._data):
                    return
                body = bytes(self._data[start + _HEAD.size : end])
                start = end
                yield body
        finally:
            del self._data[:start]


def peer_uid(descriptor: int) -> int:
    """The user id of the process at the other end of a connected Unix socket (SO_PEERCRED, unix(7))."""
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    return int(_UCRED.unpack(raw)[1])


def check_socket_path(path: Path) -> str:
    """``path`` as the address of a Unix socket, or a ``ValueError`` that says what to do when it is too long."""
    if len(os.fsencode(path)) > SUN_PATH_MAX:
        raise ValueError(
            f"socket path {path} has over {SUN_PATH_MAX} bytes, which Linux does not allow:"
            " set run_dir in site.toml to a shorter folder such as /run/kangle"
        )
    return str(path)
