"""The demo's routes: forwarded as they are, refused in words, absent unless the site file enables them."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

from edge.api import demo_control
from edge.api.demo_control import DemoControl

FORWARDED = [
    ("GET", "/state", None, {"op": "state"}),
    ("POST", "/lanes/1/tray", {"dishes": ["d001", "d002"], "dead": 1, "card": "A1"},
     {"op": "place", "lane": "1", "dishes": ["d001", "d002"], "unknown": 0, "dead": 1, "unbound": 0, "card": "A1"}),
    ("DELETE", "/lanes/2/tray", None, {"op": "remove", "lane": "2"}),
    ("POST", "/lanes/1/fault", {"fault": "unplug"}, {"op": "fault", "lane": "1", "fault": "unplug"}),
    ("POST", "/diners", {"on": False}, {"op": "diners", "on": False, "per_minute": 6}),
    ("POST", "/diners", {"on": True, "per_minute": 12}, {"op": "diners", "on": True, "per_minute": 12}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "line"), FORWARDED)
def test_requests_become_lines(api, method, path, body, line):
    options = {} if body is None else {"json": body}
    answer = api.send(method, f"/api/v1/demo{path}", who="manager", **options)
    assert answer.status_code == 200
    sent = json.loads(json.dumps(api.demo.asked[-1]))
    assert sent == line
    assert "ok" not in answer.json()


@pytest.mark.parametrize(("method", "path", "body", "_line"), FORWARDED)
def test_without_the_demo_there_is_none(make_api, method, path, body, _line):
    api = make_api(demo_control=None)
    options = {} if body is None else {"json": body}
    answer = api.send(method, f"/api/v1/demo{path}", who="manager", **options)
    assert (answer.status_code, answer.json()["code"]) == (404, "demo_off")


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A simulator that answers is waited for, however slow the machine."""
    monkeypatch.setattr(demo_control, "TIMEOUT_S", 60)


class Simulator:
    """A control socket that answers with given bytes."""

    def __init__(self, path, answer, delay_s=0.0):
        self.path, self.answer, self.delay_s = path, answer, delay_s
        self.heard = []

    async def __aenter__(self):
        self.serving = set()
        self.server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await asyncio.gather(*self.serving)

    async def _serve(self, reader, writer):
        self.serving.add(asyncio.current_task())
        self.heard.append(await reader.readline())
        await asyncio.sleep(self.delay_s)
        writer.write(self.answer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def ask(api, path, answer, delay_s=0.0):
    async def run():
        async with Simulator(path, answer, delay_s) as simulator:
            response = await api.asend("GET", "/api/v1/demo/state", headers=api.headers_of("manager"))
            return response, simulator.heard

    return api.run(run())


def test_one_line_out_and_one_back_over_the_socket(make_api, tmp_path):
    path = tmp_path / "control"
    api = make_api(demo_control=DemoControl(path))
    response, heard = ask(api, path, b'{"ok":true,"lanes":{},"diners":{"on":true,"per_minute":6},"members":[]}\n')
    assert heard == [b'{"op":"state"}\n']
    assert response.json() == {"lanes": {}, "diners": {"on": True, "per_minute": 6}, "members": []}


def test_a_refusal_gives_the_simulators_words(make_api, tmp_path):
    path = tmp_path / "control"
    api = make_api(demo_control=DemoControl(path))
    response, _ = ask(api, path, b'{"ok":false,"error":"lane 1 holds a tray"}\n')
    assert (response.status_code, response.json()["code"]) == (409, "demo_refused")
    assert response.json()["detail"] == "lane 1 holds a tray"


@pytest.mark.parametrize("answer", [b"", b"\n", b"nonsense\n", b"[]\n", b'{"ok":tru', b"{" * 300_000])
def test_anything_else_is_a_simulator_that_is_away(make_api, tmp_path, answer):
    path = tmp_path / "control"
    api = make_api(demo_control=DemoControl(path))
    response, _ = ask(api, path, answer)
    assert (response.status_code, response.json()["code"]) == (503, "demo_away")


def test_a_silent_or_missing_simulator_is_away_too(make_api, tmp_path, monkeypatch):
    monkeypatch.setattr(demo_control, "TIMEOUT_S", 0.05)
    path = tmp_path / "control"
    api = make_api(demo_control=DemoControl(path))
    assert ask(api, path, b'{"ok":true}\n', delay_s=0.3)[0].status_code == 503
    path.unlink(missing_ok=True)
    assert api.get("/api/v1/demo/state", who="manager").json()["code"] == "demo_away"
