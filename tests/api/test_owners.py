"""Member A never reads member B, a terminal never leaves its lane: through every route that names one."""

from __future__ import annotations

import json

import pytest

from edge.domain.actors import Role

NEVER = "m-does-not-exist"


def routes_with(api, parameter, prefix="/api/"):
    return [route for route in api.routes() if f"{{{parameter}}}" in route.path and route.path.startswith(prefix)]


def same_answer(one, other):
    """Equal but for the request's number."""
    return (one.status_code, {**one.json(), "instance": ""}) == (other.status_code, {**other.json(), "instance": ""})


def ask(api, route, who, **values):
    path = route.path.format(**{"username": "somebody", "order_id": "o-0001", "lane": "1", **values})
    body = {"json": {"family": "somebody"}} if route.method == "POST" else {}
    return api.send(route.method, path, who=who, **body)


def test_there_are_such_routes(shared_api):
    assert len(routes_with(shared_api, "member")) >= 6
    assert len(routes_with(shared_api, "order_id")) >= 3
    assert len(routes_with(shared_api, "lane")) >= 6


def test_a_member_gets_nothing_of_another_through_any_route_that_names_a_member(api):
    for route in routes_with(api, "member"):
        theirs = ask(api, route, "member", member="m002")
        if theirs.status_code == 403:  # the desk's own routes, closed to members altogether
            continue
        assert theirs.status_code == 404, route.path
        assert same_answer(theirs, ask(api, route, "member", member=NEVER)), f"{route.path} tells which members exist"


def test_a_member_reads_their_own(api):
    assert api.get("/api/v1/canteen/members/m001/purse", who="member").json()["member"] == "m001"
    orders = api.get("/api/v1/canteen/members/m001/orders?limit=200", who="member").json()["items"]
    assert orders
    assert {order["member"] for order in orders} == {"m001"}
    assert api.get(f"/api/v1/canteen/orders/{orders[0]['order_id']}", who="member").status_code == 200


def test_a_member_gets_no_order_of_another(api):
    everything = api.get("/api/v1/canteen/orders?limit=200", who="manager").json()["items"]
    for order in everything:
        status = api.get(f"/api/v1/canteen/orders/{order['order_id']}", who="member").status_code
        assert status == (200 if order["member"] == "m001" else 404)
    others = next(order["order_id"] for order in everything if order["member"] == "m002")
    theirs = api.get(f"/api/v1/canteen/orders/{others}", who="member")
    assert same_answer(theirs, api.get("/api/v1/canteen/orders/never", who="member"))
    for route in routes_with(api, "order_id"):
        assert ask(api, route, "member", order_id=others).status_code in {403, 404}, route.path


def test_an_order_of_a_guest_belongs_to_no_member(api):
    api.books._orders[0] = api.books._orders[0].__class__(
        **{f: getattr(api.books._orders[0], f) for f in api.books._orders[0].__struct_fields__} | {"member": None}
    )
    assert api.get("/api/v1/canteen/orders/o-0001", who="member").status_code == 404
    assert api.get("/api/v1/canteen/orders/o-0001", who="family").status_code == 404


def test_a_cursor_of_one_member_opens_nothing_of_another(api):
    page = api.get("/api/v1/canteen/members/m002/orders?limit=2", who="member2").json()
    taken = api.get(f"/api/v1/canteen/members/m001/orders?limit=200&cursor={page['next_cursor']}", who="member").json()
    assert {order["member"] for order in taken["items"]} <= {"m001"}


@pytest.mark.parametrize("path", ["purse", "orders"])
def test_family_sees_a_member_only_while_the_member_consents(api, path):
    url = f"/api/v1/canteen/members/m001/{path}"
    api.headers_of("family")
    assert api.get(url, who="family").status_code == 404
    assert api.post("/api/v1/members/m001/consents", {"family": "family"}, who="member").status_code == 200
    assert api.get(url, who="family").status_code == 200
    assert api.get(f"/api/v1/canteen/members/m002/{path}", who="family").status_code == 404
    assert api.delete("/api/v1/members/m001/consents/family", who="member").status_code == 200
    assert api.get(url, who="family").status_code == 404


def test_a_consent_for_one_family_user_is_none_for_another(api):
    api.accounts.create_user("son", None, Role.FAMILY, None, "test")
    api.headers_of("family")
    api.post("/api/v1/members/m001/consents", {"family": "son"}, who="member")
    assert api.get("/api/v1/canteen/members/m001/purse", who="family").status_code == 404


def test_consent_goes_to_family_users_only_and_is_given_by_the_member(api):
    api.headers_of("cashier")
    assert api.post("/api/v1/members/m001/consents", {"family": "cashier"}, who="member").status_code == 404
    assert api.post("/api/v1/members/m002/consents", {"family": "cashier"}, who="member").json()["code"] == (
        "unknown_member"
    )


def test_deleting_the_family_user_ends_the_consent(api):
    api.headers_of("family")
    api.post("/api/v1/members/m001/consents", {"family": "family"}, who="member")
    api.delete("/api/v1/users/family", who="admin")
    assert api.get("/api/v1/members/m001/consents", who="member").json() == {"member": "m001", "family": []}


def test_a_terminal_cannot_leave_its_lane_through_any_route_that_names_a_lane(api):
    bodies = {
        "identify": {"card": "A1"},
        "confirm-plates": {"tray_id": "t-2", "plates": 3},
        "call-staff": {"on": True},
        "pay": {"order_id": "o", "tray_id": "t-2", "tray_version": 1, "payable_fen": 1, "method": "purse"},
    }
    for route in routes_with(api, "lane", "/api/v1/canteen"):
        options = {"json": bodies.get(route.path.rpartition("/")[2], {})} if route.method == "POST" else {}
        answers = [
            api.send(route.method, route.path.format(lane=lane), who="terminal1", **options) for lane in ("2", "9")
        ]
        if answers[0].status_code == 403:
            continue
        assert answers[0].json()["code"] == "unknown_lane", route.path
        assert same_answer(*answers)
    assert api.gateway.submitted == []


def test_a_terminal_sees_its_lane_alone(api):
    assert [lane["lane"] for lane in api.get("/api/v1/canteen/lanes", who="terminal2").json()["lanes"]] == ["2"]
    assert api.get("/api/v1/canteen/lanes/2", who="terminal2").json()["lane"] == "2"
    for order in api.get("/api/v1/canteen/orders?limit=200", who="manager").json()["items"]:
        status = api.get(f"/api/v1/canteen/orders/{order['order_id']}", who="terminal2").status_code
        assert status == (200 if order["lane"] == "2" else 404)


def test_the_live_stream_of_a_terminal_never_carries_another_lane(api):
    async def watch():
        stream = api.stream("keys=lane/,menu", "terminal1")
        await stream.until(lambda s: len(s.views()) == 2)
        for _ in range(5):
            api.gateway.show("lane/2", {"secret": True})
        api.gateway.show("lane/1", {"mine": True})
        await stream.until(lambda s: s.views().count("lane/1") == 2)
        await stream.leave()
        return stream

    stream = api.run(watch())
    assert set(stream.views()) == {"lane/1", "menu"}
    assert b"secret" not in b"".join(stream.chunks)


@pytest.mark.parametrize(
    ("who", "keys"),
    [
        ("terminal1", "lane/2"),
        ("member", "lane/"),
        ("member", "day,device/"),
        ("terminal1", "day"),
        ("cashier", "lane/99x,nothing"),
    ],
)
def test_asking_the_live_stream_for_what_is_not_yours_is_answered_not_found(api, who, keys):
    answer = api.get(f"/api/v1/live?keys={keys}", who=who)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_view")


def test_the_actor_of_a_command_is_the_caller_whatever_the_body_says(api):
    path = "/api/v1/canteen/lanes/1/call-staff"
    assert api.post(path, {"on": True, "actor": {"role": "admin", "user": "x"}}, who="terminal1").status_code == 422
    assert api.post(path, {"on": True}, who="terminal1").status_code == 200
    actor = api.gateway.submitted[-1].actor
    assert actor.role is Role.DINER_TERMINAL
    assert actor.user.startswith("token:")


def test_what_members_see_names_no_other_member(api):
    """The pages that every role may read hold no member at all."""
    for path in ("/api/v1/canteen/menu", "/api/v1/system/info"):
        assert "m00" not in json.dumps(api.get(path, who="member").json())
    assert any(b"m001" in view.json for view in api.gateway.present()), "the lanes do; the test would notice a leak"
