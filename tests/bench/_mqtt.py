"""A bare MQTT 3.1.1 client and a Mosquitto to speak to, for benches and fault tests: nothing of the product's code.

The hard part is to be cheaper than what is measured: one blocking socket with TCP_NODELAY, packets built by hand, no
thread. Numbers of the standard in brackets: MQTT 3.1.1, sections 2.2.1 and 3.1 to 3.9.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

MOSQUITTO_CONF = """listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 0
max_queued_messages 100000
user {user}
persistence {persistence}
persistence_location {folder}/
autosave_interval 1
autosave_on_changes true
"""


#: How long a busy machine may take to start a broker, or the broker to answer.
PATIENCE_S = 60.0


class Packet(NamedTuple):
    """A PUBLISH as it came. ``mid`` 0 for QoS 0."""

    topic: str
    payload: bytes
    mid: int
    retain: bool
    dup: bool


class MqttSocket:
    """One connection. ``receive`` gives whole PUBLISH packets; acknowledgements are swallowed (QoS 1 is answered)."""

    def __init__(
        self, port: int, client: str, *, host: str = "127.0.0.1", clean: bool = True, keepalive_s: int = 0
    ) -> None:
        self.sock = socket.create_connection((host, port), PATIENCE_S)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._mid = 0
        self._waiting: list[Packet] = []
        body = b"\x00\x04MQTT\x04" + bytes((2 if clean else 0,)) + struct.pack(">H", keepalive_s) + _text(client)
        self.sock.sendall(_packet(0x10, body))
        kind, answer = self._read_one(PATIENCE_S)
        if kind != 0x20 or answer[1]:
            raise ConnectionError(f"the broker refuses {client}: {answer.hex()}")

    def subscribe(self, *filters: str, qos: int = 0) -> None:
        """Subscribe and wait for the broker's word."""
        self._mid += 1
        body = struct.pack(">H", self._mid) + b"".join(_text(each) + bytes((qos,)) for each in filters)
        self.sock.sendall(_packet(0x82, body))
        while True:
            kind, data = self._read_one(PATIENCE_S)
            if kind == 0x90:
                return
            self._take(kind, data)

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        self.sock.sendall(self.packed(topic, payload, qos=qos, retain=retain))

    def packed(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> bytes:
        """The bytes of a PUBLISH, to be sent when time matters."""
        head = _text(topic)
        if qos:
            self._mid = self._mid % 65_535 + 1
            head += struct.pack(">H", self._mid)
        return _packet(0x30 | qos << 1 | retain, head + payload)

    def receive(self, timeout_s: float) -> list[Packet]:
        """What has come; waits for the first packet at most ``timeout_s``. Empty when nothing came."""
        if not self._waiting:
            self._fill(timeout_s)
        waiting, self._waiting = self._waiting, []
        return waiting

    def messages(self, timeout_s: float) -> Iterator[Packet]:
        """Packets until none came for ``timeout_s``."""
        while found := self.receive(timeout_s):
            yield from found

    def ping(self) -> None:
        self.sock.sendall(b"\xc0\x00")

    def close(self) -> None:
        self.sock.close()

    def _fill(self, timeout_s: float) -> None:
        deadline_s = time.perf_counter() + timeout_s
        while not self._waiting:
            for kind, data in self._parsed():
                self._take(kind, data)
            left_s = deadline_s - time.perf_counter()
            if self._waiting or left_s <= 0:
                return
            self.sock.settimeout(left_s)
            try:
                self._recv()
            except TimeoutError:
                return
            finally:
                self.sock.settimeout(None)

    def _recv(self) -> None:
        data = self.sock.recv(262_144)
        if not data:
            raise ConnectionResetError("the broker closed the connection")
        self._buffer += data

    def _read_one(self, timeout_s: float) -> tuple[int, bytes]:
        self.sock.settimeout(timeout_s)
        try:
            while True:
                for kind, data in self._parsed(limit=1):
                    return kind, data
                self._recv()
        finally:
            self.sock.settimeout(None)

    def _parsed(self, limit: int = 1_000_000) -> list[tuple[int, bytes]]:
        """The first ``limit`` whole packets of the buffer: (kind and flags, what follows the length)."""
        found: list[tuple[int, bytes]] = []
        at, buffer = 0, self._buffer
        while len(found) < limit and len(buffer) - at >= 2:
            size, shift, head = 0, 0, at + 1
            while head < len(buffer):
                size |= (buffer[head] & 0x7F) << shift
                shift += 7
                head += 1
                if not buffer[head - 1] & 0x80:
                    break
            else:
                break
            if len(buffer) < head + size:
                break
            found.append((buffer[at], bytes(buffer[head : head + size])))
            at = head + size
        del buffer[:at]
        return found

    def _take(self, kind: int, data: bytes) -> None:
        if kind & 0xF0 != 0x30:
            return
        size = data[0] << 8 | data[1]
        topic, at, mid = data[2 : 2 + size].decode(), 2 + size, 0
        if kind & 0x06:
            mid = data[at] << 8 | data[at + 1]
            at += 2
            self.sock.sendall(bytes((0x40, 2, mid >> 8, mid & 255)))
        self._waiting.append(Packet(topic, data[at:], mid, bool(kind & 1), bool(kind & 8)))


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _packet(kind: int, body: bytes) -> bytes:
    size, head = len(body), bytearray((kind,))
    while True:
        size, digit = divmod(size, 128)
        head.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(head) + body


def free_port() -> int:
    """From below the ports that Linux gives to connections: while a broker is dead, whoever dials one of those may be
    given the very same port, reach itself, and keep the broker from coming back."""
    for _ in range(1000):
        port = random.SystemRandom().randrange(12_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port of 127.0.0.1 between 12000 and 32000 is free")


def find_mosquitto() -> str | None:
    """Where Debian puts it (not on every user's PATH)."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


class Mosquitto:
    """A broker of its own on a free port; ``kill`` and ``start`` play its death and return."""

    def __init__(self, folder: Path, *, persistent: bool = False, extra: str = "") -> None:
        program = find_mosquitto()
        if program is None:
            raise FileNotFoundError("no mosquitto here: run `apt-get install -y mosquitto` (or ./kangle setup as root)")
        self._program = program
        self.port = free_port()
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        words = "true" if persistent else "false"
        # Told nothing, root's Mosquitto becomes a user who may not enter a temporary folder, and keeps nothing.
        user = pwd.getpwuid(os.geteuid()).pw_name
        text = MOSQUITTO_CONF.format(port=self.port, folder=folder, persistence=words, user=user) + extra
        (folder / "mosquitto.conf").write_text(text)
        self.start()

    def start(self) -> None:
        with (self.folder / "mosquitto.log").open("ab") as log:
            command = [self._program, "-c", str(self.folder / "mosquitto.conf")]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline_s = time.perf_counter() + PATIENCE_S
        while time.perf_counter() < deadline_s and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise RuntimeError(f"mosquitto did not start:\n{(self.folder / 'mosquitto.log').read_text()[-2000:]}")

    def kill(self) -> None:
        """As a power cut ends it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None


if __name__ == "__main__":
    sys.exit("a part of the benches; run `kangle bench smoke`")
