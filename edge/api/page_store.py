"""The built pages in memory: looked up by exact name, so that no path can lead outside.

The hard part is an upgrade under open pages: HTML is revalidated each time (ETag, no-cache), assets have their
content's hash in their name and never change. A user would notice a mistake here as a white page after an upgrade.
"""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from edge.api.problems import ApiProblem

#: The built pages are about 2 MB; a folder far beyond that is not ours to serve.
MAX_TOTAL_BYTES = 64 << 20
#: Page route -> built file.
PAGES = {
    "/": "index.html",
    "/login": "login.html",
    "/setup": "setup.html",
    "/password": "password.html",
    "/menu": "menu.html",
    "/demo": "demo.html",
    "/cashier": "cashier.html",
    "/docs": "docs.html",
    "/garage": "garage.html",
    "/garage/alarms": "alarms.html",
    "/garage/sessions": "sessions.html",
    "/garage/access": "access.html",
    "/history": "history.html",
    "/gym": "gym.html",
    "/gym/coach": "coach.html",
    "/gym/workouts": "workouts.html",
    "/gym/maintenance": "upkeep.html",
}
LANE_PAGE = "lane.html"
ZONE_PAGE = "zone.html"
PORT_PAGE = "port.html"
MACHINE_PAGE = "machine.html"
NOT_FOUND_PAGE = "404.html"
IMMUTABLE = "public, max-age=31536000, immutable"
_TYPES = {
    ".js": "text/javascript",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}


class PageFile(msgspec.Struct, frozen=True):
    """One built file, its packed twin (b"" if none) and its ETag."""

    body: bytes
    packed: bytes
    etag: str
    media_type: str


def media_type_of(name: str) -> str:
    """Content type by suffix, with charset for text."""
    kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


class PageStore:
    """Files of the folder ``dist`` (which may be missing, or be built anew while we run)."""

    def __init__(self, dist: Path) -> None:
        self._dist = dist
        self._mark: tuple[int, int] | None = None
        self._files: dict[str, PageFile] = {}
        self.build = "none"
        self.refresh()

    @property
    def built(self) -> bool:
        """Whether there is anything to serve."""
        return bool(self._files)

    def refresh(self) -> None:
        """Read the folder again if its index page was built anew."""
        try:
            stat = (self._dist / PAGES["/"]).stat()
            mark = (stat.st_mtime_ns, stat.st_ino)
        except OSError:
            self._files, self._mark, self.build = {}, None, "none"
            return
        if mark != self._mark:
            self._files, self._mark = self._read(), mark
            digest = hashlib.sha256("".join(file.etag for file in self._files.values()).encode())
            self.build = digest.hexdigest()[:12]

    def _read(self) -> dict[str, PageFile]:
        paths = sorted(path for path in self._dist.rglob("*") if path.is_file() and not path.is_symlink())
        total = sum(path.stat().st_size for path in paths)
        if total > MAX_TOTAL_BYTES:
            raise ValueError(f"{self._dist}: {total} bytes of pages, at most {MAX_TOTAL_BYTES}; run ./kangle setup")
        bodies = {path.relative_to(self._dist).as_posix(): path.read_bytes() for path in paths}
        return {
            name: PageFile(body, bodies.get(name + ".gz", b""), _etag(body), media_type_of(name))
            for name, body in bodies.items()
            if not name.endswith((".gz", ".map"))
        }

    def get(self, name: str) -> PageFile | None:
        """The file of exactly this name."""
        return self._files.get(name)

    def page(self, request: Request, name: str, status: int = 200) -> Response:
        """An HTML page; 503 while the pages are not built."""
        self.refresh()
        if not self.built:
            return missing_pages()
        file = self.get(name)
        if file is None:
            raise ApiProblem("not_found")
        return respond(request, file, "no-cache", status)


def respond(request: Request, file: PageFile, cache_control: str, status: int = 200) -> Response:
    """``file`` with validators; packed where the client accepts it; 304 where it has it already."""
    headers = {"Cache-Control": cache_control, "ETag": file.etag, "Vary": "Accept-Encoding"}
    if status == 200 and file.etag in [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    body = file.body
    if file.packed and accepts_gzip(request.headers.get("accept-encoding", "")):
        body = file.packed
        headers["Content-Encoding"] = "gzip"
    return Response(body, status_code=status, headers=headers, media_type=file.media_type)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the header names gzip with a weight above 0."""
    for part in accept_encoding.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "").rstrip("0.") != "q="
    return False


def missing_pages() -> Response:
    """Plain words for a box whose pages were never built."""
    text = "页面尚未构建，请运行 ./kangle setup\nThe pages are not built. Run: ./kangle setup\n"
    return Response(
        text,
        status_code=503,
        headers={"Retry-After": "30", "Cache-Control": "no-store"},
        media_type="text/plain; charset=utf-8",
    )


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:20]}"'
