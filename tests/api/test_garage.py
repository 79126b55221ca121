"""The garage's routes: who proves to stand where, whose session is whose, and what becomes of each command."""

from __future__ import annotations

import json

import pytest

from edge.api.accounts import Accounts
from edge.domain.actors import Actor, Role
from edge.domain.alarm_commands import AckAlarm, AlarmShown, ResetAlarm, ServiceAlarm, ShelveAlarm
from edge.domain.garage import messages

BASE = "/api/v1/garage"
PIN = "730264"


@pytest.fixture
def on_site(api):
    """A panel bound to B1's door, and a guard with a PIN."""
    api.accounts.create_user("duty1", None, Role.MAINTENANCE, None, "test")
    assert api.post("/api/v1/users/duty1/pin", {"pin": PIN}, who="admin").status_code == 200
    api.panel = api.bearer(Role.PANEL, panel="B1-door")
    api.garage.play("resettable")
    return api


def reset(api, headers, pin=PIN, person="duty1", zone="B1"):
    return api.post(f"{BASE}/zones/{zone}/reset", {"person": person, "pin": pin}, headers=headers)


def test_a_reset_carries_the_panel_of_the_token_and_the_person_of_the_pin(on_site):
    answer = reset(on_site, on_site.panel)
    assert answer.status_code == 200, answer.text
    command = on_site.gateway.submitted[-1]
    assert command.body == messages.ResetZone(zone="B1", panel="B1-door", person="duty1")
    assert command.actor.role is Role.PANEL


def test_a_panel_that_is_bound_to_no_place_resets_nothing(on_site):
    answer = reset(on_site, on_site.bearer(Role.PANEL))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_on_site")
    assert on_site.gateway.submitted == []


@pytest.mark.parametrize("who", ["admin", "manager", "maintenance", "panel"])
def test_nobody_resets_from_elsewhere_not_even_with_a_right_pin(on_site, who):
    answer = reset(on_site, on_site.headers_of(who))
    assert answer.status_code == 403
    assert on_site.gateway.submitted == []


def test_the_page_cannot_name_a_panel(on_site):
    body = {"person": "duty1", "pin": PIN, "panel": "B1-door"}
    answer = on_site.post(f"{BASE}/zones/B1/reset", body, headers=on_site.bearer(Role.PANEL, panel="B2-door"))
    assert answer.status_code == 422
    assert on_site.gateway.submitted == []


def test_the_zone_itself_decides_where_its_panel_stands(on_site):
    answer = reset(on_site, on_site.bearer(Role.PANEL, panel="B2-door"))
    assert answer.json()["code"] == "not_on_site"
    assert on_site.garage.scene == "resettable"


@pytest.mark.parametrize(("person", "pin"), [("duty1", "730265"), ("nobody", PIN), ("manager", PIN), ("duty1", "x")])
def test_a_wrong_pin_an_unknown_person_and_one_without_pin_get_the_same_answer(on_site, person, pin):
    on_site.headers_of("manager")  # exists, and has no PIN
    answer = reset(on_site, on_site.panel, pin, person)
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_pin")
    assert on_site.gateway.submitted == []


def test_guessing_is_slowed_by_person_and_by_panel(on_site):
    codes = [reset(on_site, on_site.panel, f"9182{n:02}").status_code for n in range(7)]
    assert codes[:5] == [403] * 5
    assert codes[-1] == 429
    assert reset(on_site, on_site.panel).status_code == 429, "the right PIN waits too"
    other_person = reset(on_site, on_site.panel, person="somebody")
    assert other_person.status_code == 429, "the panel itself is slowed"
    other_panel = reset(on_site, on_site.bearer(Role.PANEL, panel="B2-door"))
    assert other_panel.status_code == 429, "so is the person"
    on_site.clock.advance(1000)
    assert reset(on_site, on_site.panel).status_code == 200


@pytest.mark.parametrize("typed", ["panel:B1-door", "pin:duty1", "duty1", "B1-door"])
def test_what_strangers_type_at_a_login_keeps_nobody_from_a_reset(on_site, typed):
    for n in range(12):
        wrong = {"username": typed, "password": "not this one"}
        on_site.post("/api/v1/auth/login", wrong, client=(f"10.0.0.{n}", 1))
        on_site.clock.advance(20)
    assert on_site.post("/api/v1/auth/login", wrong, client=("10.0.1.1", 1)).status_code == 429
    assert reset(on_site, on_site.panel).status_code == 200


def test_a_pin_of_somebody_who_lost_the_role_or_the_account_is_dead(on_site):
    assert on_site.delete("/api/v1/users/duty1", who="admin").status_code == 200
    assert reset(on_site, on_site.panel).json()["code"] == "bad_pin"


@pytest.mark.parametrize("pin", ["123456", "987654", "111222", "000000", "12345", "7302641112223"])
def test_simple_pins_are_refused(api, pin):
    api.accounts.create_user("duty1", None, Role.MAINTENANCE, None, "test")
    assert api.post("/api/v1/users/duty1/pin", {"pin": pin}, who="admin").status_code == 422


def test_residents_get_no_pin(api):
    api.headers_of("resident")
    answer = api.post("/api/v1/users/resident/pin", {"pin": PIN}, who="admin")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_binding")


def test_pins_are_stored_as_hashes_and_every_check_is_audited(on_site):
    reset(on_site, on_site.panel, "918273")
    reset(on_site, on_site.panel)
    rows = on_site.accounts.db.read("SELECT pin_hash FROM pins")
    assert rows[0]["pin_hash"].startswith("$argon2id$")
    audited = [(row["actor"], row["action"]) for row in on_site.accounts.db.read("SELECT * FROM audit ORDER BY seq")]
    assert audited[-2:] == [("panel:B1-door", "pin_wrong"), ("panel:B1-door", "pin_right")]


def test_the_file_of_the_version_before_gets_panels_and_pins(tmp_path, api_type):
    from edge.api import accounts_db

    whole = accounts_db.MIGRATIONS
    accounts_db.MIGRATIONS = whole[:1]
    try:
        old = accounts_db.AccountsDb(tmp_path / "api.db")
        with old.write() as db:
            db.execute("INSERT INTO tokens VALUES ('aa', x'00', 'kiosk', 'panel', NULL, 'x', 1, 2, 0)")
        old.close()
    finally:
        accounts_db.MIGRATIONS = whole
    accounts = Accounts(tmp_path / "api.db")
    assert accounts.tokens.get("aa").panel is None
    accounts.close()


COMMANDS = [
    ("/zones/B1/silence", {}, messages.SilenceZone(zone="B1")),
    ("/zones/B1/cut", {"reason": "smell"}, messages.CutZone(zone="B1", reason="smell")),
    ("/ports/B1-P03/rearm", {}, messages.RearmPort(port="B1-P03")),
    ("/alarms/7.1/acknowledge", {}, AckAlarm(alarm_id="7.1")),
    (
        "/alarms/7.1/shelve",
        {"minutes": 60, "reason": "fitter"},
        ShelveAlarm(alarm_id="7.1", minutes=60, reason="fitter"),
    ),
    ("/alarms/7.1/shelve", {"minutes": 0}, ShelveAlarm(alarm_id="7.1", minutes=0)),
    ("/alarms/7.1/reset", {}, ResetAlarm(alarm_id="7.1")),
    ("/alarms/7.1/service", {"out": True}, ServiceAlarm(alarm_id="7.1", out=True)),
    ("/alarms/7.1/shown", {}, AlarmShown(alarm_id="7.1")),
]


@pytest.mark.parametrize(("path", "body", "expected"), COMMANDS)
def test_a_request_becomes_one_command_of_the_garage(api, path, body, expected):
    key = "k-1"
    first = api.post(BASE + path, body, who="manager", headers={"Idempotency-Key": key})
    command = api.gateway.submitted[-1]
    assert isinstance(command, messages.Command)
    assert (command.command_id, command.actor) == (key, Actor(role=Role.MANAGER, user="manager"))
    assert command.body == expected
    again = api.post(BASE + path, body, who="manager", headers={"Idempotency-Key": key})
    assert again.status_code == first.status_code
    assert again.headers.get("Idempotency-Replayed") == ("true" if first.status_code == 200 else None)


def test_a_walk_test_is_for_the_panel_and_the_fitter(api):
    assert api.post(f"{BASE}/zones/B1/test", {"minutes": 30}, who="maintenance").status_code == 200
    assert api.gateway.submitted[-1].body == messages.TestZone(zone="B1", minutes=30)
    assert api.post(f"{BASE}/zones/B1/test", {"minutes": 121}, who="maintenance").status_code == 422


def test_a_panel_begins_a_walk_test_only_where_it_stands_and_may_end_any(api):
    """What the zone makes of the panel is the daemon's to say; one that stands nowhere is refused here."""
    body, bound = {"minutes": 30}, api.bearer(Role.PANEL, panel="B1-door")
    assert api.post(f"{BASE}/zones/B1/test", body, headers=bound).status_code == 200
    assert api.gateway.submitted[-1].body == messages.TestZone(zone="B1", minutes=30, panel="B1-door")
    nowhere = api.bearer(Role.PANEL)
    assert api.post(f"{BASE}/zones/B1/test", body, headers=nowhere).json()["code"] == "not_on_site"
    assert api.post(f"{BASE}/zones/B1/test", {"minutes": 0}, headers=nowhere).status_code == 200


@pytest.mark.parametrize("path", [path for path, _, _ in COMMANDS])
def test_without_a_key_nothing_is_sent(api, path):
    assert api.post(BASE + path, {}, who="manager", keyed=False).status_code in {400, 422}
    assert api.gateway.submitted == []


def test_a_dead_garage_says_what_is_not_known(api):
    api.gateway.alive = False
    answer = api.post(f"{BASE}/zones/B1/silence", who="manager", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json()["code"]) == (503, "garage_away")
    assert "may have been carried out" in answer.json()["detail"]


# --- whose session ---


def test_a_resident_pays_from_the_own_purse_whatever_the_body_says(api):
    body = {"session_id": "s-9", "card": "A0000009", "limit_fen": 300}
    assert api.post(f"{BASE}/ports/B1-P01/start", body, who="resident2").status_code == 200
    assert api.gateway.submitted[-1].body == messages.StartSession(
        session_id="s-9", port="B1-P01", member="m003", card="", limit_fen=300
    )


def test_the_desk_may_name_a_card(api):
    assert api.post(f"{BASE}/ports/B1-P01/start", {"session_id": "s-9", "card": "A9"}, who="cashier").status_code == 200
    assert (api.gateway.submitted[-1].body.card, api.gateway.submitted[-1].body.member) == ("A9", "")


def owned(api):
    """(port, session) that resident m001 has, by starting one."""
    api.post(f"{BASE}/ports/B1-P02/start", {"session_id": "s-mine"}, who="resident")
    return "B1-P02", "s-mine"


def test_a_resident_sees_the_own_session_and_of_others_only_that_the_outlet_is_taken(api):
    port, session = owned(api)
    mine = api.get(f"{BASE}/ports/{port}", who="resident").json()
    assert (mine["session_id"], mine["member"]) == (session, "m001")
    assert mine["power_w"] > 100
    theirs = api.get(f"{BASE}/ports/{port}", who="resident2").json()
    assert theirs["phase"] == mine["phase"]
    assert theirs["on"] is True
    for secret in ("session_id", "member", "power_w", "current_a", "energy_wh", "cost_fen", "charging_s"):
        assert not theirs[secret], secret
    assert theirs["remaining_min"] is None
    listed = {row["port"]: row for row in api.get(f"{BASE}/ports", who="resident2").json()["ports"]}
    assert {row["member"] for row in listed.values()} <= {"", "m003"}
    staff = api.get(f"{BASE}/ports/{port}", who="panel").json()
    assert staff["member"] == "m001"


def test_the_live_stream_blanks_strangers_sessions_too(api):
    port, _ = owned(api)

    async def watch(who):
        stream = api.stream("keys=port/", who)
        await stream.until(lambda s: any(event == "pulse" for event, _, _ in s.events()))
        before = len(stream.events())
        api.garage.show()
        await stream.until(lambda s: len(s.events()) >= before + 30)
        await stream.leave()
        return [data["view"] for event, _, data in stream.events() if event == "view" and data["key"] == f"port/{port}"]

    mine, theirs = api.run(watch("resident")), api.run(watch("resident2"))
    assert len(theirs) >= 2
    assert {view["member"] for view in mine} == {"m001"}
    assert {view["member"] for view in theirs} == {""}
    assert "m001" not in json.dumps(theirs)


@pytest.mark.parametrize("session", ["s-mine", "s-other"])
def test_nobody_stops_a_strangers_session(api, session):
    port, _ = owned(api)
    answer = api.post(f"{BASE}/ports/{port}/stop", {"session_id": session}, who="resident2")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_session")
    late = api.post(f"{BASE}/ports/{port}/stop", {"session_id": "s-yesterday"}, who="resident")
    assert late.status_code == 404, "a late press stops nothing"
    right = api.post(f"{BASE}/ports/{port}/stop", {"session_id": "s-mine"}, who="resident")
    assert right.status_code == 200
    assert api.gateway.submitted[-1].body == messages.StopSession(port=port, session_id="s-mine")


def test_residents_list_their_own_sessions_only(api):
    mine = api.get(f"{BASE}/sessions", who="resident2").json()["items"]
    assert {row["member"] for row in mine} == {"m003"}
    everybody = api.get(f"{BASE}/sessions?limit=200", who="manager").json()["items"]
    assert {row["member"] for row in everybody} == {"m001", "m002", "m003"}
    page = api.get(f"{BASE}/sessions?limit=4", who="resident2").json()
    rest = api.get(f"{BASE}/sessions?limit=4&cursor={page['next_cursor']}", who="resident2").json()
    assert {row["session_id"] for row in page["items"]}.isdisjoint({row["session_id"] for row in rest["items"]})


# --- views, journal, report ---


def test_views_are_passed_on_with_their_age(api):
    api.garage.play("fire")
    answer = api.get(f"{BASE}/zones/B1", who="panel")
    assert (answer.json()["state"], answer.headers["X-Daemon-Age-Ms"]) == ("fire", "120")
    assert [zone["zone"] for zone in api.get(f"{BASE}/zones", who="panel").json()["zones"]] == ["B1", "B2", "S3"]
    assert api.get(BASE, who="panel").json()["armed"] is True
    assert api.get(f"{BASE}/zones/X9", who="panel").json()["code"] == "unknown_zone"
    assert api.get(f"{BASE}/ports/X9", who="panel").json()["code"] == "unknown_port"


def test_the_alarms_and_their_journal(api):
    api.garage.play("fire")
    alarms = api.get(f"{BASE}/alarms", who="panel").json()
    assert alarms["alarms"][0]["priority"] == "fire"
    alarm_id = alarms["alarms"][0]["alarm_id"]
    assert api.post(f"{BASE}/alarms/{alarm_id}/shelve", {"minutes": 5}, who="panel").json()["code"] == "not_shelvable"
    assert api.post(f"{BASE}/alarms/{alarm_id}/acknowledge", who="panel").status_code == 200
    assert api.post(f"{BASE}/alarms/99.9/acknowledge", who="panel").status_code == 404
    line = api.get(f"{BASE}/alarms/events", who="panel").json()["items"][0]
    assert (line["event"], line["alarm_id"], line["by"]) == ("acknowledge", alarm_id, "panel:panel")
    report = api.get(f"{BASE}/alarms/report?operators=2", who="manager").json()
    assert (report["operators"], report["annunciations"]) == (2, 2)
