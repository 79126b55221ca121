"""The built pages: known routes, exact files, packed twins, validators, and nothing from outside the folder."""

from __future__ import annotations

import gzip
import os

import pytest

from edge.api import page_store
from edge.api.page_store import PAGES, PageStore, accepts_gzip

ASSET = "assets/lane-Bx81_a.js"
NAMES = {*PAGES.values(), "lane.html", "404.html"}


def build(folder, extra=()):
    """A dist as Vite makes it."""
    dist = folder / "dist"
    (dist / "assets").mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (dist / name).write_text(f"<!doctype html><title>{name}</title>" + "x" * 2000)
        (dist / (name + ".gz")).write_bytes(gzip.compress((dist / name).read_bytes(), mtime=0))
    (dist / ASSET).write_text("export const a = 1;")
    (dist / (ASSET + ".map")).write_text("{}")
    (dist / "mark.svg").write_text("<svg/>")
    (folder / "secret.txt").write_text("SECRET")
    for name, text in extra:
        (dist / name).write_text(text)


@pytest.fixture
def built(api):
    build(api.folder)
    return api


@pytest.mark.parametrize(("path", "name"), [*PAGES.items(), ("/lane/1", "lane.html"), ("/lane/2", "lane.html")])
def test_each_page_has_its_address(built, path, name):
    answer = built.get(path)
    assert answer.status_code == 200
    assert f"<title>{name}</title>" in answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_pages_need_no_login_and_answer_head_without_a_body(built):
    head = built.send("HEAD", "/login")
    assert head.status_code == 200
    assert int(head.headers["content-length"]) > 2000


def test_assets_never_change(built):
    answer = built.get(f"/{ASSET}")
    assert answer.text == "export const a = 1;"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


def test_the_packed_twin_is_sent_to_those_who_take_it(built):
    packed = built.get("/login", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    plain = built.get("/login", headers={"Accept-Encoding": "br"})
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content, "httpx unpacked it"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=0.1", True),
        ("", False),
        ("identity", False),
        ("x-gzip", False),
        ("deflate, gzip", True),
    ],
)
def test_accept_encoding(header, takes):
    assert accepts_gzip(header) is takes


def test_a_page_that_you_have_is_not_sent_again(built):
    first = built.get("/menu")
    again = built.get("/menu", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert built.get("/menu", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_new_build_is_served_at_once_and_changes_the_build_number(built):
    before = built.get("/api/v1/system/info").json()["build"]
    index = built.folder / "dist" / "index.html"
    index.write_text("<!doctype html>new")
    os.utime(index, ns=(1, 2_000_000_000))
    assert built.get("/").text == "<!doctype html>new"
    assert built.get("/api/v1/system/info").json()["build"] != before


def test_without_a_build_each_page_says_how_to_make_one(api):
    for path in (*PAGES, "/lane/1"):
        answer = api.get(path)
        assert answer.status_code == 503
        assert "./kangle setup" in answer.text
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_an_unknown_page_is_the_404_page_for_people_and_a_problem_for_programs(built):
    person = built.get("/nothing", headers={"Accept": "text/html,*/*"})
    assert (person.status_code, "<title>404.html</title>" in person.text) == (404, True)
    assert built.get("/lane/99", headers={"Accept": "text/html"}).status_code == 404
    program = built.get("/nothing")
    assert (program.status_code, program.json()["code"]) == (404, "not_found")
    assert built.get("/api/v1/x", headers={"Accept": "text/html"}).json()["code"] == "not_found"


def test_pages_are_not_served_under_their_file_names(built):
    for name in (*NAMES, "assets", "dist", ASSET + ".map", "login.html.gz"):
        assert built.get(f"/{name}").status_code == 404, name
    assert built.get("/mark.svg").headers["content-type"] == "image/svg+xml"


CORPUS = [
    "/../secret.txt", "/assets/../../secret.txt", "/assets/..%2f..%2fsecret.txt", "/assets/%2e%2e/%2e%2e/secret.txt",
    "/assets/....//....//secret.txt", "/..%5csecret.txt", "/assets/..\\..\\secret.txt", "//secret.txt", "/./secret.txt",
    "/assets//etc/passwd", "/assets/%2fetc%2fpasswd", "/etc/passwd", "/%00", "/assets/lane-Bx81_a.js%00.png",
    "/assets/.%2e/secret.txt", "/assets/%252e%252e/secret.txt", "/ASSETS/lane-Bx81_a.js", "/assets/lane-Bx81_a.js/",
    "/assets/LANE-Bx81_a.js", "/assets/", "/assets", "/assets/%c0%ae%c0%ae/secret.txt", "/lane/..%2f..%2fsecret.txt",
    "/lane/../secret.txt", "/secret.txt", "/.env", "/.git/config", "/api.db", "/dist/index.html",
]  # fmt: skip


@pytest.mark.parametrize("path", CORPUS)
def test_no_path_leads_outside(built, path):
    status, body = built.run(raw_get(built, path))
    assert status == 404
    assert b"SECRET" not in body
    assert b"root:" not in body


async def raw_get(api, raw_path):
    from urllib.parse import unquote

    answer = {"body": b""}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            answer["status"] = message["status"]
        else:
            answer["body"] += message.get("body", b"")

    await api.app(
        {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": unquote(raw_path), "raw_path": raw_path.encode(), "query_string": b"", "root_path": "",
            "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
        },
        receive,
        send,
    )  # fmt: skip
    return answer["status"], answer["body"]


def test_links_out_of_the_folder_are_not_followed(api):
    build(api.folder)
    (api.folder / "dist" / "leak.txt").symlink_to(api.folder / "secret.txt")
    assert api.get("/leak.txt").status_code == 404


def test_a_folder_that_is_far_too_large_is_refused(tmp_path, monkeypatch):
    build(tmp_path)
    monkeypatch.setattr(page_store, "MAX_TOTAL_BYTES", 100)
    with pytest.raises(ValueError, match="kangle setup"):
        PageStore(tmp_path / "dist")
