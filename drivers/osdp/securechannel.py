"""The OSDP v2 secure channel, panel side: keys, handshake, MAC chain, encryption. PROTOCOL.md section 4.

The hard part is the chain: each MAC starts from the other side's last one, so a frame that is made or judged twice, or
lost between the two, breaks it for good. A user would notice a mistake as a reader that drops out after some minutes,
or not at all: as a door that opens to a recorded card.
"""

from __future__ import annotations

import hmac

from drivers.driver import LocalProtocolError
from drivers.osdp.frames import MAC_LENGTH, BlockType, Frame, build, seal

KEY_LENGTH = 16
NONCE_LENGTH = 8
DEFAULT_KEY = bytes(range(0x30, 0x40))
"""SCBK-D of the specification: printed in it, so it protects nothing. Never used, always refused."""
_BLOCK = 16


def _encrypt(key: bytes, data: bytes) -> bytes:
    """AES-128 block by block: what the specification derives its keys and cryptograms with. Whole blocks only."""
    # Imported here: only sites with such readers need the library.
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    # Each key encrypts a few fresh nonces once, which is where this mode does no harm.
    context = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    return bytes(context.update(data) + context.finalize())


def _chain(key: bytes, data: bytes, iv: bytes) -> bytes:
    """AES-128-CBC. Whole blocks only."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    context = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return bytes(context.update(data) + context.finalize())


def _unchain(key: bytes, data: bytes, iv: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415

    context = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return bytes(context.update(data) + context.finalize())


def parse_key(text: str) -> bytes:
    """The key, or b"" for none. The text is a secret: no message repeats it."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b"?"
    if len(key) not in {0, KEY_LENGTH}:
        message = "osdp: option 'scbk' must be 32 hex digits (16 bytes), or empty"
        raise LocalProtocolError(message)
    return key


def _padded(data: bytes) -> bytes:
    """80, then zeros to a whole block."""
    return (data + b"\x80").ljust(-(-(len(data) + 1) // _BLOCK) * _BLOCK, b"\0")


def _complement(data: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in data)


class SecureChannel:
    """One session with one reader: send ``nonce``, take both answers of the handshake, then ``wrap`` commands and
    ``unwrap`` replies, each exactly once and in turn."""

    def __init__(self, key: bytes, nonce: bytes) -> None:
        self._nonce = nonce
        session = [_encrypt(key, bytes((0x01, kind)) + nonce[:6] + bytes(8)) for kind in (0x82, 0x01, 0x02)]
        self._enc, self._mac1, self._mac2 = session
        self._r_mac = self._c_mac = bytes(_BLOCK)
        self._server = b""
        self.active = False

    def answer_challenge(self, payload: bytes) -> bytes | None:
        """From CCRYPT (reader's id 8, its nonce 8, its cryptogram 16) to our cryptogram; None: it has another key."""
        if len(payload) != 8 + NONCE_LENGTH + _BLOCK:
            return None
        theirs, cryptogram = payload[8:16], payload[16:]
        if not hmac.compare_digest(_encrypt(self._enc, self._nonce + theirs), cryptogram):
            return None
        self._server = _encrypt(self._enc, theirs + self._nonce)
        return self._server

    def finish(self, payload: bytes) -> bool:
        """From RMAC_I; false: the reader has computed another chain."""
        self._r_mac = _encrypt(self._mac2, _encrypt(self._mac1, self._server))
        self.active = hmac.compare_digest(payload, self._r_mac)
        return self.active

    def wrap(self, address: int, sequence: int, code: int, payload: bytes) -> bytes:
        """The whole secured frame of a command."""
        block = bytes((BlockType.COMMAND_DATA if payload else BlockType.COMMAND,))
        hidden = _chain(self._enc, _padded(payload), _complement(self._r_mac)) if payload else b""
        frame = build(address, sequence, code, hidden, block=block, room=MAC_LENGTH)
        self._c_mac = self._mac(frame, self._r_mac)
        return seal(frame + self._c_mac[:MAC_LENGTH])

    def unwrap(self, frame: Frame) -> bytes | None:
        """The plain payload of a reply, or None when its MAC or its padding is wrong: the session is over then."""
        if not self.active or frame.block not in {BlockType.REPLY, BlockType.REPLY_DATA}:
            return None
        check = 2 if frame.crc else 1
        mac = self._mac(frame.raw[: -MAC_LENGTH - check], self._c_mac)
        if not hmac.compare_digest(mac[:MAC_LENGTH], frame.mac):
            self.active = False
            return None
        self._r_mac = mac
        if frame.block == BlockType.REPLY:
            return frame.payload if not frame.payload else None
        return self._shown(frame.payload)

    def _shown(self, hidden: bytes) -> bytes | None:
        if not hidden or len(hidden) % _BLOCK:
            return None
        padded = _unchain(self._enc, hidden, _complement(self._c_mac))
        plain = padded.rstrip(b"\0")
        return plain[:-1] if plain.endswith(b"\x80") else None

    def _mac(self, data: bytes, iv: bytes) -> bytes:
        """CBC over the frame so far: all blocks but the last under one key, the last under the other."""
        if len(data) % _BLOCK:
            data = _padded(data)
        if len(data) > _BLOCK:
            iv = _chain(self._mac1, data[:-_BLOCK], iv)[-_BLOCK:]
        return _chain(self._mac2, data[-_BLOCK:], iv)
