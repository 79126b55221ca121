"""Photos of faults and inspections over the API: who may send and see them, what is refused and in which words."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from edge.api import photo_gate
from edge.api.photo_gate import PER_BOX, PER_STAFF, PER_VISITOR, WINDOW_S, PhotoGate
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.api.roles import ROLES
from edge.domain.actors import Role
from edge.domain.gym import photos
from edge.domain.gym.messages import AddInspectionPhoto, AddOrderPhoto
from edge.domain.gym.photo_rows import INSPECTION, ORDER, PhotoRow

SPEC = importlib.util.spec_from_file_location("kangle_jpegs", Path(__file__).parents[1] / "gym" / "_jpegs.py")
jpegs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(jpegs)

BASE = "/api/v1/gym"
PHONE = jpegs.phone_jpeg()
READERS = {"coach", "maintenance", "manager", "admin"}


def report(api, who="member", asset="tm-3"):
    answer = api.post(f"{BASE}/assets/{asset}/fault", {"what": "noise", "note": ""}, who=who)
    assert answer.status_code == 200, answer.text
    return answer.json()["order"]


def send(api, path, data=PHONE, who="member", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.send("POST", BASE + path, content=data, who=who, headers={"Content-Type": "image/jpeg", **named})


def inspect(api, asset="od-1", who="maintenance"):
    checklist = api.get(f"{BASE}/maintenance", who=who).json()["checklist"]
    items = [{"item": item, "grade": "ok"} for item, _ in checklist]
    return api.post(f"{BASE}/assets/{asset}/inspect", {"items": items}, who=who).json()["inspection"]


def order_of(api, order):
    orders = api.get(f"{BASE}/maintenance", who="maintenance").json()["orders"]
    return next(one for one in orders if one["order_id"] == order)


def test_a_reported_fault_gets_its_photo_and_maintenance_sees_it(api):
    order = report(api)
    sent = send(api, f"/orders/{order}/photo")
    assert (sent.status_code, sent.json()["code"]) == (200, "ok")
    photo = order_of(api, order)["photo"]
    assert (photo["width_px"], photo["height_px"]) == (48, 64), "the right way up"
    answer = api.get(f"{BASE}/orders/{order}/photo", who="maintenance")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert [secret for secret in jpegs.SECRETS if secret in answer.content] == []
    assert (len(answer.content), photos.digest_of(answer.content)) == (photo["size_bytes"], photo["digest"])


def test_who_has_the_photo_is_told_so(api):
    order = report(api)
    send(api, f"/orders/{order}/photo")
    first = api.get(f"{BASE}/orders/{order}/photo", who="coach")
    known = {"If-None-Match": first.headers["etag"]}
    again = api.get(f"{BASE}/orders/{order}/photo", who="coach", headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    send(api, f"/orders/{order}/photo", jpegs.jpeg(8, 8))
    assert api.get(f"{BASE}/orders/{order}/photo", who="coach", headers=known).status_code == 200


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_only_those_who_mend_and_care_see_it(shared_api, role):
    if not any(order["photo"] for order in orders_of(shared_api)):
        send(shared_api, f"/orders/{report(shared_api)}/photo")
    order = next(one["order_id"] for one in orders_of(shared_api) if one["photo"])
    who = {"diner-terminal": "terminal1"}.get(role, role)
    status = shared_api.get(f"{BASE}/orders/{order}/photo", who=who).status_code
    assert status == (200 if role in READERS else 403)
    assert {str(one) for one in ROLES["gym_order_photo"]} == READERS


def orders_of(api):
    return api.get(f"{BASE}/maintenance", who="maintenance").json()["orders"]


def test_a_visitor_adds_a_photo_to_the_own_report_alone(api):
    order = report(api)
    stranger, missing = send(api, f"/orders/{order}/photo", who="member2"), send(api, "/orders/tm-9-9-x/photo")
    assert [answer.status_code for answer in (stranger, missing)] == [404, 404]
    assert stranger.json()["code"] == missing.json()["code"] == "unknown_order"
    assert report(api, who="member2") == order, "the same order, reported once more"
    assert send(api, f"/orders/{order}/photo", who="member2").status_code == 200
    taken = send(api, f"/orders/{order}/photo", jpegs.jpeg())
    assert (taken.status_code, taken.json()["code"]) == (409, "photo_taken")
    assert send(api, f"/orders/{order}/photo", jpegs.jpeg(), who="maintenance").status_code == 200


def test_a_fault_that_the_box_found_takes_photos_of_staff_alone(api):
    api.gym.health("tm-3", error_code=17)
    order = next(one["order_id"] for one in orders_of(api) if one["asset"] == "tm-3")
    assert send(api, f"/orders/{order}/photo").status_code == 404
    assert send(api, f"/orders/{order}/photo", who="coach").status_code == 200


@pytest.mark.parametrize(
    ("data", "status", "code", "remedy"),
    [
        (b"", 422, "photo_not_jpeg", "save the picture as JPEG"),
        (b"words of a text file", 422, "photo_not_jpeg", "save the picture as JPEG"),
        (PHONE[:200], 422, "photo_broken", "Send it again"),
        (jpegs.jpeg()[:-1], 422, "photo_broken", "Send it again"),
        (jpegs.SOI + jpegs.frame(8, 8, 4), 422, "photo_kind", "ordinary JPEG"),
        (jpegs.jpeg(2049, 8), 422, "photo_side", "2048 px"),
        (jpegs.heavy_jpeg(96 * 1024 + 1), 413, "photo_large", "96 KiB"),
        (bytes(256 * 1024 + 1), 413, "too_large", "262144 bytes"),
    ],
)
def test_what_is_no_photo_is_refused_with_what_to_do(api, data, status, code, remedy):
    order = report(api)
    answer = send(api, f"/orders/{order}/photo", data, Accept_Language="en")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert remedy in answer.json()["detail"]
    assert order_of(api, order)["photo"] is None


@pytest.mark.parametrize("kind", ["application/json", "image/png", "multipart/form-data; boundary=x", "text/plain", ""])
def test_a_photo_is_declared_as_one(api, kind):
    order = report(api)
    answer = send(api, f"/orders/{order}/photo", Content_Type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "photo_type")
    assert send(api, f"/orders/{order}/photo", Content_Type="Image/JPEG; q=1").status_code == 200


def test_another_sites_page_cannot_send_one(api):
    order = report(api)
    answer = send(api, f"/orders/{order}/photo", Sec_Fetch_Site="cross-site")
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")


def test_a_repeat_under_the_same_key_is_the_same_photo(api):
    order = report(api)
    first = send(api, f"/orders/{order}/photo", Idempotency_Key="p-1")
    again = send(api, f"/orders/{order}/photo", Idempotency_Key="p-1")
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = send(api, f"/orders/{order}/photo", jpegs.jpeg(), Idempotency_Key="p-1")
    assert (other.status_code, other.json()["code"]) == (409, "id_reused")
    steps = api.get(f"{BASE}/orders/{order}/steps", who="maintenance").json()["items"]
    assert [one["step"] for one in steps] == ["seen", "photo"]
    unkeyed = api.send(
        "POST", f"{BASE}/orders/{order}/photo", content=PHONE, who="member", keyed=False,
        headers={"Content-Type": "image/jpeg"},
    )  # fmt: skip
    assert unkeyed.json()["code"] == "bad_idempotency_key"


def test_a_closed_order_has_no_photo_left(api):
    order = report(api)
    send(api, f"/orders/{order}/photo")
    api.post(f"{BASE}/assets/tm-3/return-test", {"passed": True}, who="maintenance")
    answer = api.get(f"{BASE}/orders/{order}/photo", who="maintenance")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_photo")
    assert api.gym_books.picture(ORDER, order) == b""


def test_staff_erase_a_photo(api):
    order, number = report(api), inspect(api)
    send(api, f"/orders/{order}/photo")
    send(api, f"/assets/od-1/inspections/{number}/photo", who="maintenance")
    assert api.post(f"{BASE}/orders/{order}/photo/erase", who="coach").status_code == 200
    assert api.post(f"{BASE}/assets/od-1/inspections/photo/erase", who="maintenance").status_code == 200
    for path in (f"/orders/{order}/photo", f"/assets/od-1/inspections/{number}/photo"):
        assert api.get(BASE + path, who="admin").json()["code"] == "no_photo"
    assert api.post(f"{BASE}/orders/{order}/photo/erase", who="coach").json()["code"] == "no_photo"


def test_an_inspection_has_its_photo_in_log_and_register(api):
    number = inspect(api)
    path = f"/assets/od-1/inspections/{number}/photo"
    assert send(api, path, who="maintenance").status_code == 200
    items = api.get(f"{BASE}/assets/od-1/inspections", who="maintenance").json()["items"]
    assert (items[0]["inspection"], items[0]["photo"]["width_px"]) == (number, 48)
    assert api.get(BASE + path, who="manager").content == api.gym_books.picture(INSPECTION, "od-1")
    register = api.get(f"{BASE}/register?outdoor=true", who="maintenance").json()["items"]
    assert [one["inspection_photo"] for one in register] == [number, 0]
    later = inspect(api)
    old = send(api, path, who="maintenance")
    assert (old.json()["code"], old.json()["facts"]["problem"]) == ("not_now", "inspect_first")
    send(api, f"/assets/od-1/inspections/{later}/photo", who="maintenance")
    photos_of = [
        one["photo"] is not None for one in api.get(f"{BASE}/assets/od-1/inspections", who="read-only").json()["items"]
    ]
    assert photos_of == [True, False], "the newest first, and only its photo is kept"
    assert api.get(BASE + path, who="manager").json()["code"] == "no_photo"
    assert send(api, path, who="member").status_code == 403


def test_a_full_box_says_what_to_do(api, monkeypatch):
    monkeypatch.setitem(photos.MAX_STANDING, ORDER, 1)
    send(api, f"/orders/{report(api)}/photo")
    answer = send(api, f"/orders/{report(api, asset='tm-4')}/photo", Accept_Language="en")
    assert (answer.status_code, answer.json()["code"], answer.json()["facts"]) == (409, "photos_full", {"high": 1})
    assert "close orders" in answer.json()["detail"]


def test_commands_carry_what_was_cleaned(api):
    order, number = report(api), inspect(api)
    send(api, f"/orders/{order}/photo")
    send(api, f"/assets/od-1/inspections/{number}/photo", who="maintenance")
    kinds = (AddOrderPhoto, AddInspectionPhoto)
    sent = [one.body.jpeg for one in api.gateway.submitted if isinstance(one.body, kinds)]
    assert len(sent) == 2
    assert not any(secret in jpeg for jpeg in sent for secret in jpegs.SECRETS)
    assert all(row.size_bytes == len(sent[0]) for row in api.gym.rows.all(PhotoRow))


# --- how many ---


def person(user, role=Role.MEMBER):
    return Principal(user=user, role=role, member=user if role is Role.MEMBER else None)


class Clock:
    def __init__(self):
        self.s = 1000.0

    def __call__(self):
        return self.s


def refused(gate, who):
    try:
        gate.admit(who)
    except ApiProblem as problem:
        return problem.retry_after_s if problem.code == "too_many_photos" else None
    return None


def test_a_visitor_sends_a_few_and_staff_a_round_of_points():
    clock = Clock()
    gate = PhotoGate(clock)
    assert [refused(gate, person("a")) for _ in range(PER_VISITOR)] == [None] * PER_VISITOR
    assert refused(gate, person("a")) > WINDOW_S - 1
    assert refused(gate, person("b")) is None, "another one is not held up"
    fitter = person("fitter", Role.MAINTENANCE)
    assert [refused(gate, fitter) for _ in range(PER_STAFF)] == [None] * PER_STAFF
    assert refused(gate, fitter)
    clock.s += WINDOW_S
    assert refused(gate, person("a")) is None
    assert refused(gate, fitter) is None


def test_all_together_have_a_bound_and_people_are_forgotten(monkeypatch):
    clock = Clock()
    gate = PhotoGate(clock)
    assert all(refused(gate, person(f"p{number}")) is None for number in range(PER_BOX))
    assert refused(gate, person("late"))
    monkeypatch.setattr(photo_gate, "MAX_PEOPLE", 3)
    clock.s += WINDOW_S
    assert refused(gate, person("late")) is None
    assert len(gate._sent) == 4


def test_the_throttle_is_told_with_when_to_come_back(api):
    order = report(api)
    answers = [send(api, f"/orders/{order}/photo", Accept_Language="en") for _ in range(PER_VISITOR + 1)]
    assert [one.status_code for one in answers] == [200] * PER_VISITOR + [429]
    assert int(answers[-1].headers["retry-after"]) <= WINDOW_S + 1
    assert "The report in words is kept" in answers[-1].json()["detail"]
    assert send(api, f"/orders/{order}/photo", b"no photo").status_code == 422, "a bad one is told as such"
