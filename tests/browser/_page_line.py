"""A line between pages and their server that a test can cut or let hang."""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class Line:
    """A TCP line to the server that can be cut (connections end, new ones are refused) or hung (nothing passes)."""

    def __init__(self, to_port: int) -> None:
        self.mode = "pass"
        self._to = to_port
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()  # a connection is either ended by a cut or refused after it
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.base = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        with self._lock:
            self.mode = "cut"
            self._end_all()

    def hang(self) -> None:
        self.mode = "hang"

    def mend(self) -> None:
        if self.mode == "hang":  # a line that hung for long is dead in the end
            self._end_all()
        self.mode = "pass"

    def renew(self) -> None:
        """Ends what goes through it; what comes then passes."""
        self.cut()
        with self._lock:
            for pair in self._pairs:
                for one in pair:
                    one.close()
            self._pairs.clear()
            self.mode = "pass"

    def close(self) -> None:
        self.mode = "closed"
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()
        self.renew()

    def _end_all(self) -> None:
        for pair in list(self._pairs):
            for one in pair:
                _end(one)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while self.mode != "closed":
                near, _ = self._listener.accept()
                with self._lock:
                    self._join(near)

    def _join(self, near: socket.socket) -> None:
        if self.mode in {"cut", "closed"}:
            near.close()
            return
        far = socket.create_connection(("127.0.0.1", self._to))
        self._pairs.append((near, far))
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                while self.mode == "hang":
                    time.sleep(0.02)
                sink.sendall(chunk)
        _end(source)
        _end(sink)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
