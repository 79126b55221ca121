"""The one receive buffer of all byte-stream protocols: finds whole, proven frames in bytes that may be anything.

The hard part is to lose nothing that is good and to accept nothing that is bad, when a noise byte can look like the
start of a long frame. The rules (reference/decode-contract.md section 3): cut by the length field, prove by the check;
on any failure drop ONE byte and search again, so that a good frame that begins inside a damaged one is found; at a
time-out or the end of the line give the unfinished candidate up and report the whole good frames behind it.
A user would notice a mistake here as plates that are read late, or as a chip that nobody put there.

Bounds: between calls the buffer holds less than one frame (``Grammar.max_length`` bytes); each byte is the start of at
most one examined candidate while bytes arrive and of at most two more at a time-out, so the work is linear in the bytes
received whatever they claim. Decisions depend on the bytes only, never on how they were split.

What is refused is told once: a damaged candidate as one error, and candidates that begin inside it not at all; bytes
that belong to nothing as one ``noise`` error per run.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec


class ErrorKind(StrEnum):
    """Why bytes were refused; the values are those of the decode contract, section 2."""

    BAD_INPUT = "bad_input"
    BAD_START = "bad_start"
    BAD_LENGTH = "bad_length"
    BAD_TERMINATOR = "bad_terminator"
    BAD_CHECKSUM = "bad_checksum"
    BAD_ESCAPE = "bad_escape"
    BAD_COUNT = "bad_count"
    BAD_VALUE = "bad_value"
    ADDRESS_MISMATCH = "address_mismatch"
    BAD_TIME = "bad_time"
    SECURITY = "security"
    TOO_SHORT = "too_short"
    TRAILING_BYTES = "trailing_bytes"
    TRUNCATED = "truncated"
    NOISE = "noise"


class Refusal(NamedTuple):
    """What a grammar says of a candidate that fails; NOISE where a byte is not even a candidate.

    A ``weak`` one failed so early that it is told by its own kind only where a frame was due, and is noise elsewhere.
    ``salvaged`` are whole objects that could be read, told to a person. ``alarm`` (``fire``, ``fault``): the refused
    bytes report this nevertheless and the service must act on it; such a refusal is told wherever it is found.
    """

    kind: ErrorKind
    detail: str
    weak: bool = False
    salvaged: tuple[msgspec.Struct, ...] = ()
    alarm: str = ""


class Refused(NamedTuple):
    """A refused stretch of the stream: ``length`` bytes from offset ``at`` (counted from the last reset). ``raw`` are
    those bytes where they were cut as a candidate, empty for noise."""

    kind: ErrorKind
    detail: str
    at: int
    length: int
    salvaged: tuple[msgspec.Struct, ...] = ()
    alarm: str = ""
    raw: bytes = b""


F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)


class Grammar(Protocol[F_co]):
    """How one protocol cuts and proves its frames. Pure."""

    max_length: int

    def seek(self, data: bytearray, at: int) -> int:
        """First index >= ``at`` where a frame may begin, or ``len(data)``."""
        ...

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        """Whole length in bytes of the frame that begins at ``at``, 0 while its header is unfinished, or a refusal."""
        ...

    def parse(self, raw: bytes) -> F_co | Refusal:
        """The frame in ``raw``, which is exactly as long as it claims, or what is wrong with it."""
        ...

    def is_plausible(self, data: bytearray, at: int) -> bool:
        """True when an unfinished candidate looks like a real frame, so that giving it up is worth its own error."""
        ...


class Scanner(Generic[F]):
    """Turns received bytes into frames and refusals. ``frames``, ``refused`` and ``noise_bytes`` count since creation
    (``refused`` are the errors reported other than noise); ``examined`` counts candidates, as a measure of work. Bytes
    of ``filler`` (a preamble that belongs to no frame) are dropped without a word."""

    def __init__(self, grammar: Grammar[F], filler: bytes = b"") -> None:
        self._grammar = grammar
        self._filler = filler
        self.frames = 0
        self.refused = 0
        self.noise_bytes = 0
        self.examined = 0
        self._clear()

    def _clear(self) -> None:
        self._buffer = bytearray()
        self._base = 0  # stream offset of the buffer's first byte
        self._need = 1  # buffered bytes without which nothing can be decided
        self._due = 0  # stream offset where a frame is due: the start, or right behind the last frame
        self._covered = 0  # bytes before this offset belong to a damaged candidate that has been reported
        self._noise_at = 0
        self._noise_length = 0

    @property
    def pending(self) -> int:
        """Bytes of the unfinished candidate that is waited for."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[F | Refused]:
        """Take bytes in; frames and refusals that are certain now, in order of the stream."""
        self._buffer += data
        found: list[F | Refused] = []
        if len(self._buffer) >= self._need:
            self._scan(found)
        return found

    def flush(self) -> list[F | Refused]:
        """End of line or time-out: whole frames behind the unfinished candidate, and the last run of noise. What may
        still be the beginning of a frame stays ``pending``; a caller that knows better calls ``reset``."""
        found: list[F | Refused] = []
        while (behind := self._frame_behind_head()) > 0:
            self._give_up(behind, found)
            self._scan(found)
        self._end_noise(found)
        return found

    def reset(self) -> int:
        """Forget all bytes. Returns how many were pending; they count as noise."""
        dropped = len(self._buffer)
        self.noise_bytes += dropped
        self._clear()
        return dropped

    def _scan(self, found: list[F | Refused]) -> None:
        """Settle every byte that can be settled."""
        buffer, grammar = self._buffer, self._grammar
        size, at, need = len(buffer), 0, 1
        while True:
            begin = grammar.seek(buffer, at)
            self._drop(at, begin)
            at = begin
            if at >= size:
                break
            self.examined += 1
            claim = grammar.claim(buffer, at)
            if isinstance(claim, Refusal):
                self._refuse(at, 1, claim, found)
                at += 1
                continue
            if claim == 0 or at + claim > size:
                need = claim or size - at + 1
                break
            result = grammar.parse(bytes(buffer[at : at + claim]))
            if isinstance(result, Refusal):
                self._refuse(at, claim, result, found)
                at += 1
            else:
                self._accept(at, claim, result, found)
                at += claim
        self._advance(at)
        self._need = need

    def _frame_behind_head(self) -> int:
        """Index of the first whole good frame behind the unfinished candidate at the buffer's head, or 0."""
        buffer, grammar = self._buffer, self._grammar
        size, at = len(buffer), 1
        while (at := grammar.seek(buffer, at)) < size:
            self.examined += 1
            claim = grammar.claim(buffer, at)
            if not isinstance(claim, Refusal) and 0 < claim <= size - at:
                result = grammar.parse(bytes(buffer[at : at + claim]))
                if not isinstance(result, Refusal):
                    return at
            at += 1
        return 0

    def _give_up(self, end: int, found: list[F | Refused]) -> None:
        """Settle the bytes before ``end``, where a good frame begins: candidates that reach beyond are no frames."""
        buffer, grammar = self._buffer, self._grammar
        size, at = len(buffer), 0
        while at < end:
            begin = min(grammar.seek(buffer, at), end)
            self._drop(at, begin)
            at = begin
            if at >= end:
                break
            self.examined += 1
            claim = grammar.claim(buffer, at)
            if isinstance(claim, Refusal):
                self._refuse(at, 1, claim, found)
            elif 0 < claim <= size - at:
                result = grammar.parse(bytes(buffer[at : at + claim]))
                if isinstance(result, Refusal):
                    self._refuse(at, claim, result, found)
            elif grammar.is_plausible(buffer, at):
                detail = f"a frame of {claim or 'unknown'} bytes breaks off after {end - at}"
                self._refuse(at, end - at, Refusal(ErrorKind.TRUNCATED, detail), found)
            else:
                self._drop(at, at + 1)
            at += 1
        self._advance(end)

    def _advance(self, count: int) -> None:
        del self._buffer[:count]
        self._base += count

    def _drop(self, start: int, end: int) -> None:
        """Bytes ``start`` to ``end`` belong to no candidate."""
        first = max(self._base + start, self._covered)
        count = self._base + end - first
        if count > 0 and self._filler:
            count = len(self._buffer[first - self._base : end].translate(None, self._filler))
        if count <= 0:
            return
        if self._noise_length == 0:
            self._noise_at = first
        self._noise_length += count
        self.noise_bytes += count

    def _refuse(self, at: int, length: int, refusal: Refusal, found: list[F | Refused]) -> None:
        offset = self._base + at
        if offset < self._covered and not refusal.alarm:
            return
        if refusal.kind is ErrorKind.NOISE or (refusal.weak and offset != self._due):
            self._drop(at, at + 1)
            return
        self._end_noise(found)
        self.refused += 1
        self._covered = max(self._covered, offset + length)
        detail = f"at byte {offset}: {refusal.detail}"
        raw = bytes(self._buffer[at : at + length])
        found.append(Refused(refusal.kind, detail, offset, length, refusal.salvaged, refusal.alarm, raw))

    def _accept(self, at: int, length: int, frame: F, found: list[F | Refused]) -> None:
        self._end_noise(found)
        self.frames += 1
        self._due = self._base + at + length
        self._covered = self._due
        found.append(frame)

    def _end_noise(self, found: list[F | Refused]) -> None:
        if self._noise_length:
            detail = f"at byte {self._noise_at}: {self._noise_length} bytes that belong to no frame"
            found.append(Refused(ErrorKind.NOISE, detail, self._noise_at, self._noise_length))
            self._noise_length = 0
