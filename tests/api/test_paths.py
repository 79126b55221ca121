"""No way of writing a path or method gets past the login (the fuzz corpus of others' incidents)."""

from __future__ import annotations

import pytest

VALUES = {
    "lane": "1",
    "member": "m001",
    "order_id": "o-0001",
    "zone": "B1",
    "port": "B1-P03",
    "asset": "tm-1",
    "workout": "tm-1-53",
    "person": "m001",
    "order": "tm-1-53",
    "inspection": "1",
    "form": "csv",
}


def odd_forms(path):
    """Ways in which others' access checks were passed by."""
    parts = path.strip("/").split("/")
    yield "/" + path
    yield path.replace("/", "//", 2)
    yield path + "/"
    yield path + "//"
    yield path + "/."
    yield path + "/.."
    yield path + "/../" + parts[-1]
    yield "/x/.." + path
    yield "/./" + path.lstrip("/")
    yield path.upper()
    yield "/" + "/".join([parts[0].title(), *parts[1:]])
    yield "/" + "%2f".join(parts)
    yield "/" + "/".join(parts[:-1]) + "%2F" + parts[-1]
    yield "/livez/..%2f" + path.lstrip("/")
    yield "/livez/%2e%2e" + path
    yield "/assets/.." + path
    yield "/assets/%2e%2e/%2e%2e" + path
    yield path + "%00"
    yield path + "%20"
    yield path + ";x=1"
    yield path + "\\"
    yield path.replace("/", "\\")
    yield path.replace("/", "%5c")
    yield path + ".json"
    yield path.replace("v1", "v%31")
    yield path.replace("u", "%75", 1)


def test_no_form_of_a_protected_path_gets_past_the_login(shared_api):
    protected = [
        route.path for route in shared_api.routes() if route.path.startswith("/api/") and route.method == "GET"
    ]
    public = {"/api/v1/system/info"}
    tried = 0
    for path in sorted(set(protected) - public):
        for form in odd_forms(path.format(**VALUES)):
            status = shared_api.run(asgi_status(shared_api, form))
            assert status in {401, 404}, f"{form}: {status}"
            tried += 1
    assert tried >= 15 * 26


async def asgi_status(api, raw_path, method="GET"):
    """Status of a request whose path is sent as it stands (a client would tidy it up)."""
    from urllib.parse import unquote

    statuses = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    await api.app(scope, receive, send)
    return statuses[0]


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "HEAD", "CONNECT", "x"])
def test_no_other_method_gets_past_the_login(shared_api, method):
    for route in shared_api.routes():
        if route.path.startswith("/api/") and route.method == "GET" and "system" not in route.path:
            path = route.path.format(**VALUES)
            assert shared_api.run(asgi_status(shared_api, path, method)) in {401, 405}


def test_proxy_headers_are_not_believed(api):
    """The login throttle counts the peer, whatever it says about others."""
    for n in range(25):
        api.post(
            "/api/v1/auth/login", {"username": f"u{n}", "password": "x"}, headers={"X-Forwarded-For": f"10.0.0.{n}"}
        )
    late = api.post("/api/v1/auth/login", {"username": "v", "password": "x"}, headers={"X-Forwarded-For": "10.9.9.9"})
    assert late.status_code == 429
