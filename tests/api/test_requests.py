"""What holds for every request: headers, hosts, odd paths, sizes, types, time, and problem+json for whatever fails."""

from __future__ import annotations

import asyncio
import re

import pytest

from edge.api import middleware
from edge.api.middleware import CSP, Envelope, host_name
from edge.api.problem_texts import TEXTS
from edge.domain.actors import Role

PAY = {"order_id": "o-1", "tray_id": "t-1", "tray_version": 7, "payable_fen": 1530, "method": "purse"}
PROTECTED = "/api/v1/users"


def is_problem(answer, status, code):
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"urn:kangle:problem:{code}"
    assert re.fullmatch(r"urn:kangle:request:[0-9a-f]{12}", body["instance"])
    assert body["instance"].endswith(answer.headers["x-request-id"])
    assert body["title"]
    assert body["detail"]
    assert answer.headers["cache-control"] == "no-store"
    return True


# --- one test per status ----------------------------------------------------------------------------------------------


def test_400_undecodable_json(api):
    for body in (b"{", b"", b"\xff\xfe", b'{"a":1}x', b"NaN,"):
        answer = api.send(
            "POST",
            "/api/v1/canteen/lanes/1/pay",
            content=body,
            who="manager",
            headers={"Content-Type": "application/json"},
        )
        if body == b"":
            assert is_problem(answer, 422, "validation")
        else:
            assert answer.status_code == 400, body
            assert answer.json()["code"] in {"bad_json", "bad_request"}


def test_400_bad_cursor(api):
    assert is_problem(api.get("/api/v1/canteen/orders?cursor=nonsense", who="manager"), 400, "bad_cursor")


def test_401_says_how_to_log_in(api):
    answer = api.get(PROTECTED)
    assert is_problem(answer, 401, "not_logged_in")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_403(api):
    assert is_problem(api.get(PROTECTED, who="cashier"), 403, "forbidden")


def test_404_unknown_path(api):
    for path in ("/api/v1/nothing", "/api", "/api/v2/users", "/nothing/at/all", "/api/v1/users/"):
        assert is_problem(api.get(path, who="admin"), 404, "not_found"), path


def test_405_lists_every_method_of_the_path(api):
    answer = api.send("PATCH", "/api/v1/users", who="admin")
    assert is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"
    assert api.send("PUT", "/api/v1/demo/lanes/1/tray", who="admin").headers["allow"] == "DELETE, POST"
    assert api.send("OPTIONS", "/api/v1/canteen/plates", who="admin").headers["allow"] == "GET, POST"
    assert api.send("POST", "/login", json={}).headers["allow"] == "GET, HEAD"


def test_409(api):
    api.accounts.create_user("boss", None, Role.ADMIN, None, "t")
    body = {"token": "x", "username": "boss", "password": "correct horse 7"}
    assert is_problem(api.post("/api/v1/auth/setup", body), 409, "already_set_up")


def test_413_by_declared_and_by_real_length(api):
    big = b'{"reason":"' + b"a" * (257 * 1024) + b'"}'
    headers = {"Content-Type": "application/json"}
    path = "/api/v1/canteen/orders/o-1/void"
    assert is_problem(api.send("POST", path, content=big, who="manager", headers=headers), 413, "too_large")

    async def chunks():
        for start in range(0, len(big), 10_000):
            yield big[start : start + 10_000]

    answer = api.send("POST", path, content=chunks(), who="manager", headers=headers)
    assert is_problem(answer, 413, "too_large")
    assert api.gateway.submitted == []


def test_a_body_just_below_the_limit_is_read(api):
    fits = b'{"reason":"x",' + b" " * (256 * 1024 - 40) + b'"a":1}'
    answer = api.send(
        "POST",
        "/api/v1/canteen/orders/o-1/void",
        content=fits,
        who="manager",
        headers={"Content-Type": "application/json"},
    )
    assert is_problem(answer, 422, "validation")


@pytest.mark.parametrize(
    "declared",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonx",
        "text/json",
        "application/ld+json",
    ],
)
def test_415_for_anything_that_is_not_declared_as_json(api, declared):
    headers = {} if declared is None else {"Content-Type": declared}
    answer = api.send("POST", "/api/v1/canteen/lanes/1/pay", content=b"{}", who="manager", headers=headers)
    assert is_problem(answer, 415, "unsupported_media")
    assert api.gateway.submitted == []


def test_json_with_a_charset_is_json(api):
    answer = api.send(
        "POST",
        "/api/v1/canteen/lanes/1/call-staff",
        content=b'{"on":true}',
        who="manager",
        headers={"Content-Type": "Application/JSON; charset=utf-8"},
    )
    assert answer.status_code == 200


def test_422_lists_what_to_correct(api):
    answer = api.get("/api/v1/canteen/orders?limit=0&day=2026-13-01", who="manager", headers={"Accept-Language": "en"})
    assert is_problem(answer, 422, "validation")
    errors = {error["pointer"]: error["message"] for error in answer.json()["errors"]}
    assert errors["query:limit"] == "must be at least 1"
    assert errors["query:day"].startswith("must match")


def test_422_names_at_most_so_many_things(api):
    answer = api.post("/api/v1/canteen/lanes/1/call-staff", {f"x{n}": n for n in range(1000)}, who="manager")
    assert is_problem(answer, 422, "validation")
    assert len(answer.json()["errors"]) == 50


def test_500_gives_a_number_and_no_secrets(api, monkeypatch):
    def broken(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(api.books, "orders", broken)
    answer = api.get("/api/v1/canteen/orders", who="manager")
    assert is_problem(answer, 500, "internal")
    assert "secret detail" not in answer.text
    assert answer.headers["content-security-policy"] == CSP


def test_503_says_when_to_ask_again(api):
    api.books.away = True
    for path in ("/orders", "/orders/o-0001", "/members/m001/purse", "/members/m001/orders", "/plates"):
        answer = api.get("/api/v1/canteen" + path, who="manager")
        assert is_problem(answer, 503, "books_away")
        assert int(answer.headers["retry-after"]) >= 1


def test_408_when_a_request_takes_too_long(api, monkeypatch):
    monkeypatch.setattr(middleware, "REQUEST_TIMEOUT_S", 0.05)

    async def drip():
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    answer = api.send(
        "POST",
        "/api/v1/canteen/lanes/1/pay",
        content=drip(),
        who="manager",
        headers={"Content-Type": "application/json"},
    )
    assert is_problem(answer, 408, "too_slow")


class LeapingLoop(asyncio.SelectorEventLoop):
    """A loop whose time leaps to the next timer instead of waiting for it: what is slow here is no machine."""

    def __init__(self):
        super().__init__()
        self._leapt_s = 0.0
        select = self._selector.select
        self._selector.select = lambda timeout=None: (self._leap(timeout), select(0))[1]

    def _leap(self, timeout):
        assert timeout is not None, "nothing will ever happen"
        self._leapt_s += timeout

    def time(self):
        return self._leapt_s


def test_a_long_answer_may_take_long_as_long_as_it_goes_on():
    parts = []

    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(6):
            await asyncio.sleep(middleware.REQUEST_TIMEOUT_S - 1)
            await send({"type": "http.response.body", "body": b"%d" % number, "more_body": number < 5})

    async def take(message):
        parts.append(message.get("body", b""))

    async def never():
        await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET", "path": "/x", "raw_path": b"/x", "headers": [(b"host", b"127.0.0.1")]}
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(Envelope(app)(scope, never, take))
    assert b"".join(parts) == b"012345"


def test_every_status_that_the_texts_know_is_tried_here_or_nearby():
    assert {text.status for text in TEXTS.values()} == {400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 503}


# --- before anything else: who asks -----------------------------------------------------------------------------------


def test_strangers_do_not_reach_the_parser(api):
    """A body is judged only after the login: not by its size class, its type or its form."""
    for content, headers in (
        (b"{", {"Content-Type": "application/json"}),
        (b"x", {"Content-Type": "text/plain"}),
        (b"[" * 10_000, {"Content-Type": "application/json"}),
    ):
        answer = api.send("POST", "/api/v1/canteen/lanes/1/pay", content=content, headers=headers)
        assert is_problem(answer, 401, "not_logged_in")


# --- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/livez", "/api/v1/system/info", "/api/v1/users", "/nothing", "/", "/login", "/openapi.json"]
)
def test_every_answer_carries_the_security_headers(shared_api, path):
    headers = shared_api.get(path).headers
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


def test_personal_answers_are_not_kept_by_caches(api):
    for path in ("/canteen/lanes", "/canteen/orders", "/canteen/members/m001/purse", "/canteen/orders/o-0001"):
        assert api.get("/api/v1" + path, who="manager").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "host", ["evil.example", "kangle.local.evil.example", "127.0.0.1.nip.io", "", "localhost@evil"]
)
def test_a_host_that_nobody_allowed_is_refused(api, host):
    answer = api.get("/livez", headers={"Host": host})
    assert is_problem(answer, 400, "host_not_allowed")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8600", "localhost:1", "[::1]:80", "kangle.local", "KANGLE.local:8600"]
)
def test_the_allowed_hosts_are_answered(api, host):
    assert api.get("/livez", headers={"Host": host}).status_code == 200


def test_host_names():
    assert [host_name(host) for host in ("A.b:80", "[2001:DB8::1]:9", "a.b.", "")] == [
        "a.b",
        "[2001:db8::1]",
        "a.b",
        "",
    ]


def test_other_kinds_of_connections_pass_the_envelope_untouched():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(Envelope(app)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
