"""Each request becomes exactly one command; each answer becomes its HTTP status."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from edge.domain.actors import Role
from edge.domain.canteen import messages

BASE = "/api/v1/canteen"
PAY = {"order_id": "o-1", "tray_id": "t-1", "tray_version": 7, "payable_fen": 1530, "method": "purse"}
UID = "e00401508d1ef2a3"
COMMANDS = [
    ("/lanes/1/identify", {"card": "A0000001"}, messages.Identify(lane="1", card="A0000001")),
    ("/lanes/1/identify", {"category": "guest"}, messages.Identify(lane="1", category="guest")),
    ("/lanes/1/identify", {}, messages.Identify(lane="1")),
    ("/lanes/2/pay", PAY, messages.Pay(lane="2", **PAY)),
    (
        "/lanes/1/pay",
        {**PAY, "method": "cash", "tendered_fen": 2000},
        messages.Pay(lane="1", **{**PAY, "method": "cash", "tendered_fen": 2000}),
    ),
    (
        "/lanes/1/confirm-plates",
        {"tray_id": "t-1", "plates": 3},
        messages.ConfirmPlates(lane="1", tray_id="t-1", plates=3),
    ),
    (
        "/lanes/1/key-plate",
        {"tray_id": "t-1", "label": "红-017"},
        messages.KeyPlate(lane="1", tray_id="t-1", label="红-017"),
    ),
    ("/lanes/1/call-staff", {"on": False}, messages.CallStaff(lane="1", on=False)),
    ("/lanes/1/call-staff", {}, messages.CallStaff(lane="1", on=True)),
    ("/orders/o-1/void", {"reason": "wrong diner"}, messages.VoidOrder(order_id="o-1", reason="wrong diner")),
    (
        "/orders/o-1/refunds",
        {"refund_id": "r-1", "line_nos": [1, 2], "reason": "cold"},
        messages.RefundLines(refund_id="r-1", order_id="o-1", line_nos=(1, 2), reason="cold"),
    ),
    ("/members/m001/top-ups", {"fen": 10000}, messages.TopUp(member="m001", fen=10000, method="cash")),
    (
        "/bindings",
        {"dish_id": "d001", "plate_uids": [UID], "grams": 120},
        messages.BindPlates(dish_id="d001", plate_uids=(UID,), grams=120),
    ),
    (
        "/plates",
        {"plates": [{"uid": UID, "label": "A-1", "kind": "bowl", "tare_g": 310}]},
        messages.RegisterPlates(plates=((UID, "A-1", "bowl", 310),)),
    ),
    (f"/plates/{UID}/retire", {"retired": True}, messages.RetirePlate(uid=UID, retired=True)),
]


def key_of(path, body):
    return hashlib.sha256(f"{path}{body}".encode()).hexdigest()


@pytest.mark.parametrize(("path", "body", "expected"), COMMANDS)
def test_a_request_becomes_the_command_under_its_key_and_actor(shared_api, path, body, expected):
    answer = shared_api.post(BASE + path, body, who="manager", headers={"Idempotency-Key": key_of(path, body)})
    assert (answer.status_code, answer.json()) == (200, {"code": "ok"})
    command = shared_api.gateway.submitted[-1]
    assert command.body == expected
    assert command.command_id == key_of(path, body)
    assert command.actor == messages.Actor(role=Role.MANAGER, user="manager")


def test_every_kind_of_command_is_tried_above():
    between_daemons = {messages.ChargeSession, messages.ReadPurses}
    assert {type(expected) for _, _, expected in COMMANDS} | between_daemons == set(messages.COMMAND_ROLES)


@pytest.mark.parametrize(("path", "body", "_expected"), COMMANDS)
def test_without_a_key_nothing_is_sent(api, path, body, _expected):
    answer = api.post(BASE + path, body, who="manager", keyed=False)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")
    assert api.gateway.submitted == []


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "schlüssel", "k\tk"])
def test_keys_that_are_no_keys_are_refused(api, key):
    answer = api.post(f"{BASE}/lanes/1/pay", PAY, who="manager", headers={"Idempotency-Key": key.encode()})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")
    assert api.gateway.submitted == []


@pytest.mark.parametrize("key", ["k", "k" * 255, "!~", "2f1c7c52-8f0f-4b5c-9f43-8f4a2b6f1d0e"])
def test_every_visible_key_of_1_to_255_is_accepted(api, key):
    answer = api.post(f"{BASE}/lanes/1/pay", PAY, who="manager", headers={"Idempotency-Key": key})
    assert answer.status_code == 200
    assert api.gateway.submitted[-1].command_id == key


def test_the_same_key_and_content_is_one_payment_and_other_content_is_refused(api):
    api.gateway._answer = lambda command: ("ok", {"order_id": command.body.order_id, "paid_fen": 1530})
    first = api.post(f"{BASE}/lanes/1/pay", PAY, who="terminal1", headers={"Idempotency-Key": "one"})
    again = api.post(f"{BASE}/lanes/1/pay", PAY, who="terminal1", headers={"Idempotency-Key": "one"})
    other = api.post(
        f"{BASE}/lanes/1/pay", {**PAY, "payable_fen": 1}, who="terminal1", headers={"Idempotency-Key": "one"}
    )
    assert first.json() == again.json() == {"code": "ok", "order_id": "o-1", "paid_fen": 1530}
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "id_reused")


def test_the_pages_get_exactly_the_daemons_words_of_the_outcome(api):
    api.gateway._answer = lambda _: ("tray_changed", {"tray_id": "t-9", "tray_version": 8, "payable_fen": 1630})
    answer = api.post(f"{BASE}/lanes/1/pay", PAY, who="terminal1")
    assert answer.status_code == 409
    assert answer.json()["facts"] == {"tray_id": "t-9", "tray_version": 8, "payable_fen": 1630}


def documented_codes():
    """Codes and statuses as docs/architecture.md says."""
    text = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split("## Problem codes of command answers")[1].split("\n## ")[0]
    codes = re.findall(r"`([a-z_]+)`", section.partition("The API maps")[0])
    assert len(codes) > 20
    groups = {
        409: {
            *("id_reused", "tray_changed", "port_busy", "asset_busy", "asset_held", "photos_full"),
            *(c for c in codes if c.startswith("already_") or c.endswith("_taken")),
        },
        404: {"no_photo", *(c for c in codes if c.startswith("unknown_"))},
        403: {"forbidden", "not_on_site"},
        503: {"busy", "storage"},
        500: {"internal"},
        200: {"ok"},
    }
    for code in codes:
        yield code, next((status for status, members in groups.items() if code in members), 422)


@pytest.mark.parametrize(("code", "status"), list(documented_codes()))
def test_each_code_of_the_daemon_has_its_status_and_words_in_both_languages(api, code, status):
    api.gateway._answer = lambda _: (code, {})
    said = {}
    for language in ("zh", "en"):
        answer = api.post(f"{BASE}/lanes/1/pay", PAY, who="manager", headers={"Accept-Language": language})
        assert answer.status_code == status
        said[language] = answer.json()
    if code != "ok":
        assert said["zh"]["code"] == said["en"]["code"] == code
        assert re.search("[一-鿿]", said["zh"]["detail"])
        assert not re.search("[一-鿿]", said["en"]["detail"])
    if status == 503:
        assert int(answer.headers["retry-after"]) >= 1


def test_a_code_that_nobody_knows_is_an_internal_error_and_not_a_success(api):
    api.gateway._answer = lambda _: ("something_new", {})
    answer = api.post(f"{BASE}/lanes/1/pay", PAY, who="manager")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")


@pytest.mark.parametrize("state", ["away", "silent"])
def test_no_answer_says_that_the_payment_may_have_been_taken_and_is_sent_once(api, state):
    api.gateway.alive = state != "away"
    api.gateway.silent = state == "silent"
    answer = api.post(
        f"{BASE}/lanes/1/pay", PAY, who="terminal1", headers={"Accept-Language": "en", "Idempotency-Key": "one"}
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "daemon_away")
    assert "your payment may have been taken; ask again with the same key" in answer.json()["detail"].lower()
    assert int(answer.headers["retry-after"]) >= 1
    assert [command.command_id for command in api.gateway.submitted] == ["one"]


# --- the strict recipe ------------------------------------------------------------------------------------------------


def test_an_integral_float_is_an_integer_as_json_schema_says(api):
    assert api.post(f"{BASE}/lanes/1/pay", {**PAY, "payable_fen": 1530.0}, who="manager").status_code == 200
    paid = api.gateway.submitted[-1].body.payable_fen
    assert (paid, type(paid)) == (1530, int)


@pytest.mark.parametrize(
    "change",
    [
        {"payable_fen": True},
        {"payable_fen": "1530"},
        {"payable_fen": 1530.5},
        {"payable_fen": -1},
        {"payable_fen": 10**12},
        {"payable_fen": None},
        {"tray_version": 2**53},
        {"method": "credit"},
        {"method": "PURSE"},
        {"order_id": ""},
        {"order_id": "a" * 65},
        {"order_id": "../x"},
        {"order_id": 7},
        {"extra": 1},
        {"role": "admin"},
        {"tray_id": ["t-1"]},
    ],
)
def test_bodies_that_differ_from_the_schema_are_refused_with_the_place(api, change):
    answer = api.post(f"{BASE}/lanes/1/pay", {**PAY, **change}, who="manager")
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{next(iter(change))}"]
    assert api.gateway.submitted == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/orders/o-1/refunds", {"refund_id": "r", "line_nos": [True], "reason": "x"}),
        ("/orders/o-1/refunds", {"refund_id": "r", "line_nos": ["1"], "reason": "x"}),
        ("/orders/o-1/refunds", {"refund_id": "r", "line_nos": [], "reason": "x"}),
        ("/orders/o-1/refunds", {"refund_id": "r", "line_nos": list(range(101)), "reason": "x"}),
        ("/orders/o-1/void", {"reason": "a\nb"}),
        ("/bindings", {"dish_id": "d", "plate_uids": ["E004"]}),
        ("/bindings", {"dish_id": "d", "plate_uids": ["e004"], "grams": False}),
        ("/plates", {"plates": [{"uid": "e004", "label": "A", "kind": "b", "tare_g": 1, "x": 1}]}),
        ("/lanes/1/call-staff", {"on": 1}),
        ("/lanes/1/call-staff", []),
        ("/lanes/1/call-staff", "on"),
    ],
)
def test_strictness_reaches_into_lists_and_nested_objects(api, path, body):
    assert api.post(BASE + path, body, who="manager").status_code == 422
    assert api.gateway.submitted == []


def test_what_was_sent_is_never_repeated_in_the_answer(api):
    answer = api.post("/api/v1/auth/login", {"username": "boss", "password": ["S3CRET-S3CRET"], "S3CRET2": 1})
    assert answer.status_code == 422
    assert "S3CRET-S3CRET" not in answer.text


def test_a_path_id_that_is_no_id_is_refused(api):
    for path in ("/lanes/" + "9" * 17, "/lanes/%20", "/orders/a%0ab", "/orders/" + "x" * 65):
        assert api.get(BASE + path, who="manager").status_code in {404, 422}
