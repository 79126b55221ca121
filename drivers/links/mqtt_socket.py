"""The socket below an MQTT link: dialled, secured and configured without ever holding up the loop.

The hard part is that paho would do all of it blocking (name, connect, TLS hand-shake), and leaves Nagle's algorithm on:
43 ms instead of 0.5 ms for a command that follows an acknowledgement (``latency.md`` 1). So the loop does it here, with
the settings of every other TCP socket of the product, and paho gets a socket that is ready.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path

from drivers.links.link import LinkError
from drivers.links.mqtt_url import MqttUrl
from drivers.links.tcp import configure_socket

PASSWORD_BYTES_MAX = 4096


async def dial(url: MqttUrl) -> socket.socket:
    """A connected non-blocking socket, within TLS when the URL says so. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    problem: OSError = LinkError("the name has no address")
    for family, kind, protocol, _name, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            configure_socket(sock)
            await loop.sock_connect(sock, address)
            return await _secure(sock, url) if url.tls else sock
        except OSError as error:  # ssl.SSLError is one
            sock.close()
            problem = error
        except asyncio.CancelledError:
            sock.close()
            raise
    raise problem


def drop(sock: socket.socket) -> None:
    """Let what is not sent yet be forgotten when the socket closes: a command must not arrive after it was given
    up."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def password_of(url: MqttUrl) -> str | None:
    """The password that the URL points at. Raises ``LinkError`` naming the file or the variable, never its content."""
    if url.password_env:
        password = os.environ.get(url.password_env)
        if password is None:
            raise LinkError(f"the environment variable {url.password_env} (password_env) is not set")
        return password
    if not url.password_file:
        return None
    try:
        with Path(url.password_file).open("rb") as file:
            return file.read(PASSWORD_BYTES_MAX).split(b"\n")[0].rstrip(b"\r").decode()
    except UnicodeDecodeError:
        raise LinkError(f"{url.password_file} (password_file) is no text") from None
    except OSError as error:
        raise LinkError(f"{url.password_file} (password_file): {error.strerror}") from error


async def _secure(sock: socket.socket, url: MqttUrl) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=url.ca or None)
    secured = context.wrap_socket(sock, server_hostname=url.host, do_handshake_on_connect=False)
    loop = asyncio.get_running_loop()
    try:
        while True:
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                await _until(secured, loop.add_reader, loop.remove_reader)
            except ssl.SSLWantWriteError:
                await _until(secured, loop.add_writer, loop.remove_writer)
            else:
                return secured
    except BaseException:
        secured.close()
        raise


async def _until(
    sock: socket.socket, add: Callable[[int, Callable[[], None]], None], remove: Callable[[int], bool]
) -> None:
    """Wait until the socket can be read (or written)."""
    ready = asyncio.get_running_loop().create_future()
    fd = sock.fileno()
    add(fd, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        remove(fd)
