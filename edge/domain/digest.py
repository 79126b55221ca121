"""A short fingerprint of an effect, so that a replay can tell whether it decided the same.

Used by the daemon (which writes the digests beside each input) and by ``edge.runtime.replay`` (which compares them).
The encoder keeps the order of sets and dicts as it is: an effect whose bytes depend on the hash seed would also look
different to the outside, so it must differ here too. A user would notice a weak digest as a replay that calls two
different receipts the same; 64 bits make that once in 2^64 by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from edge.domain.kernel import Effect

DIGEST_BYTES = 8

_encoder = msgspec.msgpack.Encoder()


def effect_digest(effect: Effect) -> bytes:
    """The 8-byte BLAKE2b (RFC 7693) of the effect's msgpack."""
    return blake2b(_encoder.encode(effect), digest_size=DIGEST_BYTES).digest()


def effects_digest(effects: Sequence[Effect]) -> bytes:
    """The digests of ``effects`` in order, ``DIGEST_BYTES`` each, as a log record keeps them."""
    return b"".join([effect_digest(effect) for effect in effects])
