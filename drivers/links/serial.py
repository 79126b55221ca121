"""A serial port as a link: pyserial opens and configures it, the event loop reads it.

The hard part is that a port is not a file: opening and closing one may hang for half a minute in the kernel (a dead
USB adapter, bytes that cannot drain), so both happen in a short-lived thread with a time limit. Reading is
``add_reader`` on the descriptor: 7 % of a core for 50 ports against 48 % for a thread each (measured for this
project, ``latency.md`` 3). The port is opened by its stable path each time, so that a re-plugged device is found
again under its new number. A user would notice a mistake as a reader that stays dead after its cable was pulled and
put back.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import stat
import termios
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import serial

from drivers.links.link import READ_BYTES_MAX, WRITE_BUFFER_BYTES_MAX, LinkError, LinkHandler
from drivers.links.url import SerialUrl

T = TypeVar("T")

OPEN_TIMEOUT_S = 5.0

#: Character device majors of pseudo-terminal slaves (Linux, admin-guide/devices.txt: 136-143).
_PTY_MAJORS = range(136, 144)

#: Index of VMIN in the termios control characters list, which is element 6 of ``tcgetattr``.
_CC = 6


class SerialOpener:
    """Opens one port again and again; never two at a time."""

    def __init__(self, url: SerialUrl, timeout_s: float = OPEN_TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._stuck: threading.Thread | None = None
        self._closing: threading.Thread | None = None

    async def open(self, handler: LinkHandler) -> SerialLink:
        """Open and configure the port exclusively. Raises ``LinkError`` with the remedy."""
        if self._stuck is not None and self._stuck.is_alive():
            raise LinkError(f"{self._url.path}: an earlier opening still hangs in the system; re-plug the adapter")
        attempt = _Attempt(self._url, asyncio.get_running_loop(), after=self._closing)
        try:
            async with asyncio.timeout(self._timeout_s):
                port = await attempt.result
        except TimeoutError:
            attempt.abandon()
            self._stuck = attempt.thread
            raise LinkError(f"{self._url.path}: opening took over {self._timeout_s:g} s; re-plug the adapter") from None
        except asyncio.CancelledError:
            attempt.abandon()
            raise
        return SerialLink(port, handler, self._close_later)

    def close(self) -> None:
        """Nothing stays open between links."""

    def _close_later(self, port: serial.Serial) -> None:
        self._closing = threading.Thread(target=_close_port, args=(port,), name=f"close {self._url.path}", daemon=True)
        self._closing.start()


class _Attempt:
    """One try to open the port, in its own daemon thread; a result that comes too late is closed there."""

    def __init__(self, url: SerialUrl, loop: asyncio.AbstractEventLoop, after: threading.Thread | None) -> None:
        self.result: asyncio.Future[serial.Serial] = loop.create_future()
        self._url = url
        self._loop = loop
        self._after = after
        self._lock = threading.Lock()
        self._abandoned = False
        self.thread = threading.Thread(target=self._run, name=f"open {url.path}", daemon=True)
        self.thread.start()

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
        if self.result.done() and not self.result.cancelled() and self.result.exception() is None:
            _close_port(self.result.result())

    def _run(self) -> None:
        if self._after is not None:
            self._after.join()
        try:
            port = _open_port(self._url)
        except (OSError, ValueError, termios.error) as error:
            self._deliver(self._fail, LinkError(_explain(self._url.path, error)))
            return
        if not self._deliver(self._succeed, port):
            _close_port(port)

    def _deliver(self, settle: Callable[[T], None], value: T) -> bool:
        with self._lock:
            if self._abandoned:
                return False
            try:
                self._loop.call_soon_threadsafe(settle, value)
            except RuntimeError:  # the loop is closed: the daemon has stopped meanwhile
                return False
        return True

    def _fail(self, error: LinkError) -> None:
        if not self.result.done():
            self.result.set_exception(error)

    def _succeed(self, port: serial.Serial) -> None:
        if self.result.done():
            _close_port(port)
        else:
            self.result.set_result(port)


class SerialLink:
    """One opening of a port: bytes in by ``add_reader``, bytes out without waiting."""

    def __init__(self, port: serial.Serial, handler: LinkHandler, give_back: Callable[[serial.Serial], None]) -> None:
        self._port: serial.Serial | None = port
        self._fd: int = port.fileno()
        self._handler = handler
        self._give_back = give_back
        self._loop = asyncio.get_running_loop()
        self._out = bytearray()
        self._loop.add_reader(self._fd, self._readable)

    def write(self, data: bytes) -> None:
        """Send ``data``; what the port does not take now goes as soon as it can."""
        if self._port is None:
            return
        if len(self._out) + len(data) > WRITE_BUFFER_BYTES_MAX:
            self._lose_soon(f"the device takes no data: over {WRITE_BUFFER_BYTES_MAX} bytes wait")
            return
        if self._out:
            self._out += data
            return
        sent = self._try_write(data)
        if sent < len(data) and self._port is not None:
            self._out += data[sent:]
            self._loop.add_writer(self._fd, self._writable)

    def pause_reading(self) -> None:
        """Leave bytes in the port's own buffer (4 KiB in Linux); beyond that the device's flow control or loss
        rules."""
        if self._port is not None:
            self._loop.remove_reader(self._fd)

    def resume_reading(self) -> None:
        """Read on after ``pause_reading``; harmless when not paused."""
        if self._port is not None:
            self._loop.add_reader(self._fd, self._readable)

    def close(self) -> None:
        """Give the port back; the closing itself happens in a thread."""
        port, self._port = self._port, None
        if port is None:
            return
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        self._out.clear()
        self._give_back(port)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_BYTES_MAX)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(f"reading failed: {os.strerror(error.errno or 0)}")
            return
        if data:
            self._handler.data_received(data)
        else:
            self._lose("the device hung up")

    def _writable(self) -> None:
        sent = self._try_write(self._out)
        del self._out[:sent]
        if not self._out and self._port is not None:
            self._loop.remove_writer(self._fd)

    def _try_write(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._fd, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._lose_soon(f"writing failed: {os.strerror(error.errno or 0)}")
            return 0

    def _lose_soon(self, reason: str) -> None:
        """The handler is in the middle of its own call: tell it afterwards."""
        self._loop.call_soon(self._lose, reason)

    def _lose(self, reason: str) -> None:
        if self._port is not None:
            self.close()
            self._handler.link_lost(reason)


def _open_port(url: SerialUrl) -> serial.Serial:
    """Open by path, exclusively, with all settings, ready for non-blocking use. Blocks; may raise OSError,
    ValueError."""
    # Linux strips the parity flag from pseudo-terminals, and the C library calls a request that changes nothing else
    # an error: the second opening of a simulated reader would fail (EINVAL).
    parity = "N" if _is_pty(Path(url.path).stat()) else url.parity
    port = serial.Serial(
        url.path, url.baud, bytesize=url.bits, parity=parity, stopbits=url.stop, timeout=0, exclusive=True
    )
    try:
        # VMIN 0 would make an empty read look like a hang-up; with 1 it gives EAGAIN.
        settings = termios.tcgetattr(port.fileno())
        settings[_CC][termios.VMIN] = 1
        termios.tcsetattr(port.fileno(), termios.TCSANOW, settings)
        if not _is_pty(os.fstat(port.fileno())):
            # The lock of pyserial is advisory; this one also stops programs that do not ask. It would outlive us on
            # a pty that its other end keeps open, hence not there.
            fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
        # FTDI adapters hold short reads back for 16 ms unless told otherwise; ptys and others answer ENOTTY.
        with contextlib.suppress(ValueError):
            port.set_low_latency_mode(True)
    except (OSError, termios.error):
        port.close()
        raise
    return port


def _close_port(port: serial.Serial) -> None:
    """Close without waiting for unsent bytes (the system would hold a dead port for up to 30 s)."""
    with contextlib.suppress(OSError, termios.error):
        termios.tcflush(port.fileno(), termios.TCIOFLUSH)
    with contextlib.suppress(OSError):
        port.close()


def _is_pty(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) in _PTY_MAJORS


def _explain(path: str, error: Exception) -> str:
    """What went wrong in words that name the remedy."""
    match _errno_of(error):
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return f"{path}: no such device; is it plugged in? (see: ls -l /dev/serial/by-id)"
        case errno.EACCES | errno.EPERM:
            return f"{path}: permission denied; add this user to the group of the device (often dialout)"
        case errno.EBUSY | errno.EAGAIN:
            return f"{path}: in use by another program; close it (see: fuser {path})"
        case errno.ENOTTY:
            return f"{path}: not a serial port; check the link in site.toml"
        case errno.EIO:
            return f"{path}: the device does not answer the system; re-plug it"
        case _:
            return f"{path}: {error}"


def _errno_of(error: BaseException | None) -> int | None:
    """The system's error number; pyserial sometimes leaves it to the exception that caused its own."""
    while error is not None:
        code = error.args[0] if error.args else None
        if isinstance(error, OSError | termios.error) and isinstance(code, int):
            return code
        error = error.__context__
    return None
