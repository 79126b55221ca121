"""The file that a backup is: a zip of store copies and a manifest that says what each must be.

The hard part is to trust nothing of a file that was carried about: names may not lead outside, a member is read only to
its stated size, and each must have the checksum of the manifest, or the whole file is refused. A user would notice a
mistake as a restore that ends with half a site.
"""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from edge.storage.backup_copy import REST_MAX_S
from edge.storage.backup_stores import SAFE_NAME
from edge.storage.errors import StoreError

FORMAT = 1
MANIFEST_NAME = "manifest.json"
MANIFEST_MAX_BYTES = 1 << 20
#: zlib's fastest: a backup waits for the disk of the box, and the log in it is compressed already.
_LEVEL = 1
_CHUNK_BYTES = 256 << 10
_EPOCH = (1980, 1, 1, 0, 0, 0)

Progress = Callable[[int], None]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One store in a backup: ``bytes`` and ``sha256`` of the file as it must be put back; ``head_seq`` the last
    committed input, ``seal_seq`` how far samples are sealed, ``cursors`` how far each sink has come (by seq)."""

    name: str
    bytes: int
    sha256: str
    user_version: int
    store_id: str = ""
    head_seq: int = 0
    seal_seq: int = 0
    cursors: dict[str, int] = {}


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. ``created_ns`` is UTC; ``notes`` are facts for whoever restores (the head of the audit
    chain, say)."""

    format: int
    site_id: str
    build: str
    created_ns: int
    files: tuple[Member, ...]
    notes: dict[str, str] = {}

    def member(self, name: str) -> Member | None:
        """The member of this name."""
        return next((each for each in self.files if each.name == name), None)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(target: Path, manifest: Manifest, staged: Sequence[Path], progress: Progress) -> None:
    """Pack ``staged`` (one path for each file of the manifest, in its order) into ``target`` and sync it. Raises
    OSError."""
    fd = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w+b") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
            for member, path in zip(manifest.files, staged, strict=True):
                _pack(packed, member.name, path, file, progress)
            packed.writestr(zipfile.ZipInfo(MANIFEST_NAME, _EPOCH), msgspec.json.format(msgspec.json.encode(manifest)))
        file.flush()
        os.fsync(file.fileno())


def _pack(packed: zipfile.ZipFile, name: str, path: Path, file: BinaryIO, progress: Progress) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    with path.open("rb") as source, packed.open(info, "w", force_zip64=True) as into:
        while chunk := source.read(_CHUNK_BYTES):
            into.write(chunk)
            file.flush()
            begun_s = time.monotonic()
            os.fdatasync(file.fileno())
            progress(len(chunk))
            time.sleep(min(time.monotonic() - begun_s, REST_MAX_S))


class BackupFile:
    """A backup opened for reading. Raises StoreError "absent", "damaged", "newer"."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise StoreError("absent", f"there is no file {path}") from None
        except (zipfile.BadZipFile, OSError) as error:
            raise self._bad(f"it is no whole backup: {error}") from error
        try:
            self.manifest = self._manifest()
        except BaseException:
            self._zip.close()
            raise

    def _bad(self, why: str) -> StoreError:
        return StoreError("damaged", f"{self.path} is refused: {why}. Nothing was changed; take another backup file")

    def _manifest(self) -> Manifest:
        try:
            with self._zip.open(MANIFEST_NAME) as file:
                data = file.read(MANIFEST_MAX_BYTES + 1)
            version = msgspec.json.decode(data, type=dict[str, object]).get("format")
            if isinstance(version, int) and version > FORMAT:
                text = f"{self.path} was made by a newer release (format {version}): install that release first"
                raise StoreError("newer", text)
            manifest = msgspec.json.decode(data, type=Manifest)
        except (KeyError, zipfile.BadZipFile, zlib.error, OSError, EOFError, msgspec.MsgspecError) as error:
            raise self._bad(f"its manifest cannot be read ({error})") from error
        names = [member.name for member in manifest.files]
        stranger = next((name for name in names if not SAFE_NAME.fullmatch(name)), None)
        if stranger is not None:
            raise self._bad(f"it holds a file {stranger!r}, which is no store")
        if sorted([*names, MANIFEST_NAME]) != sorted(self._zip.namelist()) or len(set(names)) != len(names):
            raise self._bad("what it holds is not what its manifest says")
        return manifest

    def extract(self, member: Member, target: Path | None, progress: Progress) -> None:
        """Unpack one member into the new file ``target`` (None: only check it) and sync it. Raises StoreError "damaged"
        unless it is byte for byte what was packed; OSError when the target cannot be written."""
        digest, size = hashlib.sha256(), 0
        into = None if target is None else target.open("xb")
        try:
            with self._zip.open(member.name) as source:
                while size <= member.bytes and (chunk := source.read(_CHUNK_BYTES)):
                    digest.update(chunk)
                    size += len(chunk)
                    if into is not None:
                        into.write(chunk)
                    progress(len(chunk))
            if into is not None:
                into.flush()
                os.fsync(into.fileno())
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise self._bad(f"{member.name} in it cannot be unpacked ({error})") from error
        finally:
            if into is not None:
                into.close()
        if size != member.bytes or digest.hexdigest() != member.sha256:
            raise self._bad(f"{member.name} in it is not what was packed (checksum or size differs)")

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()
