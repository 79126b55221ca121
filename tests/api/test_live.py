"""The live stream: present first, newest only, honest about dead daemons, gone when the login is gone."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

from edge.api import hub as hub_module
from edge.api import live as live_module
from edge.api.gateway import DaemonLife, KeyedView
from edge.api.hub import Hub, Mailbox, TooManyStreams, pulse_frame, view_frame
from edge.domain.actors import Role


def test_present_views_come_first_then_a_pulse(api):
    async def watch():
        stream = api.stream("keys=lane/,menu,day,device/")
        await stream.until(lambda s: any(event == "pulse" for event, _, _ in s.events()))
        await stream.leave()
        return stream

    stream = api.run(watch())
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["cache-control"] == "no-store"
    events = stream.events()
    assert [event for event, _, _ in events[:5]] == ["view"] * 5
    assert {data["key"] for event, _, data in events if event == "view"} == {
        "lane/1",
        "lane/2",
        "menu",
        "day",
        "device/reader1",
    }
    assert events[5][0] == "pulse"
    assert events[5][2] == {"daemons": {key: {"alive": True, "age_ms": 120} for key in ("canteen", "garage", "gym")}}
    view_id, data = next((ident, data) for event, ident, data in events if event == "view" and data["key"] == "lane/1")
    assert view_id == f"preview:lane/1:{data['version']}"
    assert data["view"]["phase"] == "firm"


def test_the_first_chunk_arrives_without_waiting_for_a_change(api):
    async def watch():
        api.context.hub._ticker.cancel()  # no pulse may help
        stream = api.stream("keys=menu")
        await stream.until(lambda s: s.views() == ["menu"])
        await stream.leave()

    api.run(watch())


def test_a_change_is_sent_at_once(api):
    async def watch():
        api.context.hub._ticker.cancel()
        stream = api.stream("keys=lane/1")
        await stream.until(lambda s: s.views() == ["lane/1"])
        api.gateway.show("lane/1", {"n": 1})
        await stream.until(lambda s: len(s.views()) == 2)
        await stream.leave()
        return stream.events()[-1][2]

    assert api.run(watch())["view"] == {"n": 1}


def test_keys_are_exact_unless_they_end_in_a_slash(api):
    api.gateway.show("lane/10", {"other": True})

    async def watch(query):
        stream = api.stream(query)
        await stream.until(lambda s: any(event == "pulse" for event, _, _ in s.events()))
        await stream.leave()
        return set(stream.views())

    assert api.run(watch("keys=lane/1")) == {"lane/1"}
    assert api.run(watch("keys=lane/")) == {"lane/1", "lane/2", "lane/10"}
    assert api.run(watch("keys=lane%2F1,menu")) == {"lane/1", "menu"}


def test_a_client_that_cannot_follow_skips_states_and_is_never_behind(api):
    async def watch():
        stream = api.stream("keys=lane/,menu")
        await stream.until(lambda s: any(event == "pulse" for event, _, _ in s.events()))
        waiting = next(iter(api.context.hub._clients))
        stream.stalled.clear()
        api.gateway.show("menu", {"n": -1})
        while waiting._frames:  # until this frame is on its way, where it blocks
            await asyncio.sleep(0)
        for n in range(1000):
            api.gateway.show(f"lane/{1 + n % 2}", {"n": n})
        assert set(waiting._frames) - {""} == {"lane/1", "lane/2"}, "one frame a key, however long the client sleeps"
        stream.stalled.set()
        await stream.until(lambda s: len(s.views()) >= 6)
        await stream.leave()
        return [data["view"].get("n") for event, _, data in stream.events() if event == "view"]

    assert api.run(watch())[-3:] == [-1, 998, 999]


def test_the_pulse_goes_on_when_the_daemon_is_dead_and_tells_its_age(api, monkeypatch):
    monkeypatch.setattr(hub_module, "PULSE_S", 0.05)

    async def watch():
        api.context.hub.close()
        api.context.hub.__init__(api.gateway)
        api.context.hub.start()
        stream = api.stream("keys=menu")
        await stream.until(lambda s: s.views())
        api.gateway.alive, api.gateway.age_ms = False, 4200
        await stream.until(
            lambda s: (
                sum(event == "pulse" and not data["daemons"]["canteen"]["alive"] for event, _, data in s.events()) >= 3
            )
        )
        await stream.leave()
        return stream.events()[-1][2]

    assert api.run(watch()) == {
        "daemons": {key: {"alive": False, "age_ms": 4200} for key in ("canteen", "garage", "gym")}
    }


def test_a_pulse_comes_each_second():
    assert hub_module.PULSE_S == 1.0, "the pages call a stream lost after 2.5 s"


def test_a_client_that_leaves_is_forgotten_at_once(api):
    async def watch():
        streams = [api.stream("keys=menu") for _ in range(3)]
        for stream in streams:
            await stream.until(lambda s: s.views())
        open_then = api.context.hub.clients
        for stream in streams:
            await stream.leave()
        return open_then, api.context.hub.clients

    assert api.run(watch()) == (3, 0)


def test_one_user_may_have_so_many_streams_and_no_more(api):
    async def watch():
        streams = [api.stream("keys=menu") for _ in range(hub_module.MAX_CLIENTS_PER_USER)]
        for stream in streams:
            await stream.until(lambda s: s.views())
        refused = await api.asend("GET", "/api/v1/live", headers=api.headers_of("manager"))
        other = api.stream("keys=menu", "cashier")
        await other.until(lambda s: s.views())
        for stream in [*streams, other]:
            await stream.leave()
        return refused

    api.headers_of("cashier")
    refused = api.run(watch())
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
    assert int(refused.headers["retry-after"]) >= 1


def test_all_together_are_bounded_too(api, monkeypatch):
    monkeypatch.setattr(hub_module, "MAX_CLIENTS", 2)
    hub = api.context.hub
    boxes = [hub.open(f"user{n}", lambda _: True) for n in range(2)]
    with pytest.raises(TooManyStreams):
        hub.open("user9", lambda _: True)
    for box in boxes:
        hub.leave(box)
    assert hub.counters["refused_streams"] == 1


@pytest.mark.parametrize("end", ["logout", "delete", "revoke", "expire"])
def test_the_stream_ends_when_the_login_behind_it_ends(api, monkeypatch, end):
    monkeypatch.setattr(live_module, "RECHECK_S", 0.02)
    who = "terminal1" if end == "revoke" else "cashier"
    headers = api.headers_of(who)

    async def watch():
        stream = api.stream("keys=menu", who)
        await stream.until(lambda s: s.views())
        match end:
            case "logout":
                await api.asend("POST", "/api/v1/auth/logout", headers=headers)
            case "delete":
                api.accounts.create_user("other", None, Role.ADMIN, None, "test")
                api.accounts.delete_user("cashier", "test")
            case "revoke":
                api.accounts.tokens.revoke(api.accounts.tokens.all()[0].id, "test")
            case "expire":
                api.clock.advance(25 * 3600)
        await stream.until(lambda s: s.ended)
        await stream.join()

    api.run(watch())
    assert api.context.hub.clients == 0


def test_watching_does_not_keep_a_person_logged_in_but_keeps_a_kiosk(api, monkeypatch):
    monkeypatch.setattr(live_module, "RECHECK_S", 0.01)
    asked, valid = Counter(), api.accounts.sessions.still_valid
    monkeypatch.setattr(
        api.accounts.sessions, "still_valid", lambda who: asked.update([who.role]) is not None or valid(who)
    )
    _, secret = api.accounts.tokens.create("kiosk", Role.DINER_TERMINAL, "1", 300, "test")
    opened = api.accounts.open_terminal(secret, "127.0.0.1", "")
    api._known = {"terminal1": {"Cookie": f"kangle_session={opened.secret}"}, "cashier": api.session(Role.CASHIER, "c")}

    async def pass_time(seconds, *streams):
        """Each stream that goes on asks whether its login still holds."""
        api.clock.advance(seconds)
        before = Counter(asked)
        async with asyncio.timeout(60):
            for role, stream in streams:
                while not stream.ended and asked[role] <= before[role]:
                    await asyncio.sleep(0.002)

    async def watch():
        kiosk, person = api.stream("keys=menu", "terminal1"), api.stream("keys=menu", "cashier")
        for stream in (kiosk, person):
            await stream.until(lambda s: s.views())
        for _ in range(5):
            await pass_time(7 * 3600, (Role.DINER_TERMINAL, kiosk), (Role.CASHIER, person))
        await person.until(lambda s: s.ended)
        for _ in range(3):
            await pass_time(20 * 86_400, (Role.DINER_TERMINAL, kiosk))
        result = kiosk.ended, person.ended
        await kiosk.leave()
        await person.leave()
        return result

    assert api.run(watch()) == (False, True)


def test_a_client_that_takes_nothing_is_dropped(api, monkeypatch):
    monkeypatch.setattr(live_module, "STALL_S", 0.05)

    async def watch():
        stream = api.stream("keys=menu")
        await stream.until(lambda s: s.views())
        stream.stalled.clear()
        api.gateway.show("menu", {})
        await stream.join()

    api.run(watch())
    assert api.context.hub.clients == 0
    assert api.context.hub.counters["stalled_streams"] == 1


def test_stopping_ends_every_stream(api):
    async def watch():
        stream = api.stream("keys=menu")
        await stream.until(lambda s: s.views())
        api.context.hub.close()
        await stream.join()
        late = await api.asend("GET", "/api/v1/live", headers=api.headers_of("manager"))
        return stream.ended, late.status_code

    assert api.run(watch()) == (True, 429)


def test_views_that_would_break_the_stream_are_dropped_and_counted(api):
    hub = api.context.hub
    hub._on_view(KeyedView("lane/1", 9, b'{"a":\n1}', "b"))
    hub._on_view(KeyedView("", 9, b"{}", "b"))
    assert hub.counters["dropped_views"] == 2


def test_keys_are_bounded(api, monkeypatch):
    most = len(api.context.hub._frames) + 1
    monkeypatch.setattr(hub_module, "MAX_KEYS", most)
    for n in range(10):
        api.gateway.show(f"device/x{n}", {})
    assert len(api.context.hub._frames) == most
    api.gateway.show("menu", {"new": 1})
    assert b"new" in api.context.hub._frames["menu"][1], "known keys still change"


def test_what_a_daemon_takes_back_leaves_the_open_pages_and_the_routes(api):
    async def watch():
        stream = api.stream("keys=zone/", "panel")
        lane = api.stream("keys=menu,zone/", "cashier")
        for one in (stream, lane):
            await one.until(lambda s: s.views())
        api.gateway.show("zone/B1", None)
        api.gateway.show("menu", {"n": 1})
        await stream.until(lambda s: any(event == "gone" for event, _, _ in s.events()))
        await lane.until(lambda s: s.views().count("menu") == 2)
        late = api.stream("keys=zone/", "panel")
        await late.until(lambda s: s.views())
        for one in (stream, lane, late):
            await one.leave()
        return stream.events(), lane.events(), late.views()

    wall, lane, late = api.run(watch())
    assert [(ident, data) for event, ident, data in wall if event == "gone"] == [(None, {"key": "zone/B1"})]
    assert "gone" not in {event for event, _, _ in lane}, "nobody learns a name of what he may not see"
    assert "zone/B1" not in late
    assert api.get("/api/v1/garage/zones/B1", who="panel").json()["code"] == "unknown_zone"
    api.gateway.show("zone/B1", {"back": True})
    assert api.context.hub._frames["zone/B1"][0].json == b'{"back":true}'


def test_frames_are_what_browsers_parse():
    frame = view_frame(KeyedView('lane/"1', 3, b'{"x":"\\n"}', "boot")).decode()
    lines = frame.split("\n")
    assert lines[0] == "event: view"
    assert lines[-2:] == ["", ""]
    assert json.loads(lines[2].removeprefix("data: ")) == {"key": 'lane/"1', "version": 3, "view": {"x": "\n"}}
    pulse = pulse_frame({"canteen": DaemonLife(alive=False, age_ms=-1)}).decode()
    assert json.loads(pulse.split("\n")[1].removeprefix("data: "))["daemons"]["canteen"]["age_ms"] == -1


def test_each_view_is_encoded_once_for_all_clients(api, monkeypatch):
    encoded = []

    def counting(view):
        encoded.append(view.key)
        return view_frame(view)

    monkeypatch.setattr(hub_module, "view_frame", counting)
    boxes = [api.context.hub.open(f"user{n}", lambda _: True) for n in range(20)]
    api.gateway.show("menu", {"n": 1})
    assert encoded == ["menu"]
    frames = {id(box._frames["menu"]) for box in boxes}
    assert len(frames) == 1, "the very same bytes"


def test_a_mailbox_gives_the_order_of_first_change():
    async def take():
        box = Mailbox("u", lambda _: True)
        box.put("b", b"b1")
        box.put("a", b"a1")
        box.put("b", b"b2")
        return await box.take()

    assert asyncio.run(take()) == b"b2a1"


def test_a_hub_of_another_gateway_starts_with_what_is_there(api):
    hub = Hub(api.gateway)

    async def start():
        hub.start()
        hub.close()

    asyncio.run(start())
    assert "lane/1" in hub._frames
