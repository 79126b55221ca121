"""The flight recorder: every input in order, compressed, checked."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from edge.domain.kernel import Stamp


class RecordKind(IntEnum):
    """What a log record tells.

    INPUT     ``kernel.handle`` took the input and gave the effects whose digests stand beside it.
    RAISED    ``kernel.handle`` raised on the input. The same batch carries the ``SetAside`` and a "rebuild" snapshot of
              this seq, taken after ``kernel.set_aside`` and ``kernel.resume``; the digests are of those effects.
    RESUMED   no input: ``kernel.load`` and ``kernel.resume`` ran (at start, or after a failed commit). ``input`` is
              empty; the same batch carries a "start" or "rebuild" snapshot of this seq.
    """

    INPUT = 0
    RAISED = 1
    RESUMED = 2


class LogRecord(msgspec.Struct, frozen=True):
    """One stamped input as it is kept. ``input`` is the msgpack of the kernel's input, ``digests`` 8 bytes
    (``edge.domain.digest.effect_digest``) for each effect, in order."""

    stamp: Stamp
    input: bytes
    digests: bytes = b""
    kind: RecordKind = RecordKind.INPUT
