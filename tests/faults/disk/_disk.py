"""A disk that forgets what was not synced, played from the system calls of a real store.

The writer runs under strace, which writes down every open, write, truncation, deletion and sync with all bytes. From
that, the disk after a power cut between any two calls is built: what was synced, and of what was not a random part,
torn at 512 bytes, in any order; a name that was not synced into its directory may be missing; after a sync that failed,
what it should have written may be gone although a later sync succeeds (as ext4 does: the pages count as clean). kill -9
can show none of this, for the page cache outlives the process. A promise is an acknowledgement that was written before
the cut.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
TRACED = "openat,close,dup,pwrite64,write,ftruncate,fdatasync,fsync,unlink,rename"
OPTIONS = ("-xx", "-s", "200000", "-e", f"trace={TRACED}", "-e", "signal=none")

_WHO = r"(\d+) +(?:(\d+\.\d+) +)?"
_LINE = re.compile(_WHO + r"(\w+)\((.*)\) += (-?\d+)(.*)")
_BEGUN = re.compile(_WHO + r"(\w+)\((.*) <unfinished \.\.\.>")
_RESUMED = re.compile(_WHO + r"<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)(.*)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class Call(NamedTuple):
    """One system call: when it began and ended (by line), its arguments as text and its strings decoded. ``at_s``: when
    its last line was written, 0 without times (strace -ttt). ``late``: strace held its answer back."""

    begun: int
    ended: int
    name: str
    words: str
    texts: tuple[bytes, ...]
    result: int
    at_s: float = 0.0
    late: bool = False


def calls(trace: Path) -> list[Call]:
    """Of all threads, by the line at which they ended."""
    open_calls: dict[tuple[str, str], tuple[int, str]] = {}
    found = []
    with trace.open(encoding="ascii") as lines:
        for number, line in enumerate(lines):
            if match := _BEGUN.fullmatch(line.rstrip("\n")):
                open_calls[match[1], match[3]] = number, match[4]
            elif match := _RESUMED.match(line):
                begun, words = open_calls.pop((match[1], match[3]))
                found.append(_call(begun, number, match[3], words + match[4], match[5], match[2], match[6]))
            elif match := _LINE.match(line):
                found.append(_call(number, number, match[3], match[4], match[5], match[2], match[6]))
    return found


def _call(begun: int, ended: int, name: str, words: str, result: str, at: str | None, more: str) -> Call:
    texts = tuple(bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(words))
    late = "(DELAYED)" in more
    return Call(begun, ended, name, _TEXT.sub('""', words), texts, int(result), float(at or 0), late)


class Write(NamedTuple):
    """Bytes on their way to a file through one opening of it; ``size`` instead for a truncation."""

    opening: int
    ended: int
    offset: int
    data: bytes
    size: int | None = None


class Inode:
    """One file: what is safe, what is on its way, and what a failed sync has given up."""

    def __init__(self) -> None:
        self.safe = bytearray()
        self.pending: list[Write] = []
        self.doomed: list[Write] = []

    def sync(self, begun: int, opening: int, *, good: bool) -> None:
        """What was written before the sync began is safe now. A sync that failed gives up what came through its own
        opening of the file: Linux tells every opening of a failed write-back once (errseq), so whoever wrote through
        another one hears of it at their own sync, which strace here lets succeed."""
        ready = [write for write in self.pending if write.ended <= begun and (good or write.opening == opening)]
        self.pending = [write for write in self.pending if write not in ready]
        if not good:
            self.doomed += ready
            return
        for write in ready:
            _apply(self.safe, write)
        # What is rewritten and synced is safe again.
        spans = [(write.offset, write.offset + len(write.data)) for write in ready if write.size is None]
        self.doomed = [write for write in self.doomed if not any(
            first <= write.offset and write.offset + len(write.data) <= last for first, last in spans)]  # fmt: skip

    def after_cut(self, draw: random.Random) -> bytes:
        """The file as the disk has it: each write on its way is there, missing, or torn."""
        image = bytearray(self.safe)
        share = draw.choice((0.0, 0.3, 0.7, 1.0))
        unsure = [write for write in (*self.doomed, *self.pending) if draw.random() < share]
        if draw.random() < 0.5:
            draw.shuffle(unsure)
        for write in unsure:
            if write.size is not None or draw.random() < 0.6:
                _apply(image, write)
            else:
                for first in range(0, len(write.data), SECTOR):
                    if draw.random() < 0.5:
                        part = write.data[first : first + SECTOR]
                        _apply(image, write._replace(offset=write.offset + first, data=part))
        return bytes(image)


def _apply(image: bytearray, write: Write) -> None:
    if write.size is not None:
        del image[write.size :]
        image.extend(bytes(write.size - len(image)))
        return
    end = write.offset + len(write.data)
    if len(image) < end:
        image.extend(bytes(end - len(image)))
    image[write.offset : end] = write.data


class Disk:
    """Follows the calls of one program into ``directory``, and gives what a power cut leaves of it."""

    def __init__(self, directory: Path, acks: Path) -> None:
        self._directory = str(directory)
        self._acks = str(acks)
        self._fds: dict[int, tuple[str, int]] = {}
        self.names: dict[str, Inode] = {}
        self._safe_names: dict[str, Inode | None] = {}
        self.promised = 0
        self.promised_s: dict[int, float] = {}
        self.syncs = 0

    def play(self, call: Call) -> None:
        """One call more has ended (a write into the acknowledgements counts from its beginning: see ``cuts``)."""
        doing = getattr(self, f"_{call.name}", None)
        if doing is not None:
            doing(call)

    def _fd(self, call: Call) -> tuple[str, int]:
        return self._fds.get(int(call.words.split(",")[0]), ("", 0))

    def _openat(self, call: Call) -> None:
        if call.result < 0:
            return
        path = call.texts[0].decode()
        self._fds[call.result] = path, call.ended
        name = self._name(path)
        if name and "O_CREAT" in call.words and name not in self.names:
            self.names[name] = Inode()
        elif name and "O_TRUNC" in call.words:
            self.names[name].pending.append(Write(call.ended, call.ended, 0, b"", 0))

    def _name(self, path: str) -> str:
        """The name within the directory, of a file that a power cut may hurt."""
        prefix = self._directory + "/"
        name = path[len(prefix) :] if path.startswith(prefix) else ""
        return "" if name in {"lock", "ballast"} or name.endswith("-shm") else name

    def _dup(self, call: Call) -> None:
        if call.result >= 0:
            self._fds[call.result] = self._fd(call)

    def _close(self, call: Call) -> None:
        self._fds.pop(int(call.words), None)

    def _inode(self, call: Call) -> Inode | None:
        return self.names.get(self._name(self._fd(call)[0]))

    def _pwrite64(self, call: Call) -> None:
        inode = self._inode(call)
        if inode is not None and call.result > 0:
            offset = int(call.words.rsplit(",", 1)[1])
            inode.pending.append(Write(self._fd(call)[1], call.ended, offset, call.texts[0][: call.result]))

    def _write(self, call: Call) -> None:
        if self._fd(call)[0] == self._acks and call.result > 0:
            number = int(call.texts[0].split()[0])
            self.promised = max(self.promised, number)
            self.promised_s[number] = call.at_s

    def _ftruncate(self, call: Call) -> None:
        inode = self._inode(call)
        if inode is not None and call.result == 0:
            size = int(call.words.rsplit(",", 1)[1])
            inode.pending.append(Write(self._fd(call)[1], call.ended, 0, b"", size))

    def _unlink(self, call: Call) -> None:
        name = self._name(call.texts[0].decode())
        if call.result == 0 and name:
            self.names.pop(name, None)

    def _fdatasync(self, call: Call) -> None:
        good = call.result == 0
        inode = self._inode(call)
        if inode is not None:
            self.syncs += 1
            inode.sync(call.begun, self._fd(call)[1], good=good)
        elif self._fd(call)[0] == self._directory and good:
            self._safe_names = dict(self.names)

    _fsync = _fdatasync

    def cut(self, draw: random.Random, into: Path) -> None:
        """Write what the disk holds after a power cut now into the new folder ``into``."""
        into.mkdir()
        certain = draw.random() < 0.5
        for name in sorted({*self.names, *self._safe_names}):
            now, then = self.names.get(name), self._safe_names.get(name)
            inode = now if now is then or certain or draw.random() < 0.5 else then
            if inode is not None:
                (into / name).write_bytes(inode.after_cut(draw))


def cuts(trace: Path, disk: Disk, at: Callable[[int, int], bool]) -> Iterator[tuple[int, float]]:
    """Play the whole trace; stop (yield number and time) after each call for which ``at(number, calls in all)`` says
    so. An acknowledgement counts before everything that ended after it began."""
    found = sorted(calls(trace), key=lambda call: (call.begun if call.name == "write" else call.ended, call.ended))
    for number, call in enumerate(found):
        disk.play(call)
        if at(number, len(found)):
            yield number, call.at_s
