"""The gym's routes: whose workout and pulse it is, who acts for whom, and what a download holds."""

from __future__ import annotations

import csv
import io
from xml.etree import ElementTree as ET

import fitdecode
import pytest

from edge.api.gym_owners import CARERS
from edge.api.history_gateway import HistoryAway, NoHistory
from edge.api.preview_gym import GymScript
from edge.api.preview_gym_world import CONFIG
from edge.domain.actors import Role
from edge.domain.gym import messages
from edge.domain.gym.pulses import PulseRow
from edge.domain.gym.rows import WorkoutRow

BASE = "/api/v1/gym"


@pytest.fixture
def mine(api):
    """m001's workout of the quiet scene."""
    return next(row for row in api.gym.rows.all(WorkoutRow) if row.person == "m001")


@pytest.fixture
def theirs(api):
    return next(row for row in api.gym.rows.all(WorkoutRow) if row.person == "m002")


def problem(answer):
    """What an outsider learns: everything but the number of the request."""
    body = answer.json()
    return (answer.status_code, body["code"], body["title"], body["detail"])


# --- whose it is ---


def test_a_member_gets_the_own_workouts_whatever_is_asked_for(api, mine):
    for query in ("", "?person=m002", "?person=m001"):
        items = api.get(f"{BASE}/workouts{query}", who="member").json()["items"]
        assert [one["workout_id"] for one in items] == [mine.workout_id]
        assert {one["person"] for one in items} == {"m001"}


def test_anothers_workout_answers_as_one_that_does_not_exist(api, theirs):
    for path in ("/workouts/{}", "/workouts/{}/export.csv", "/workouts/{}/export.fit"):
        taken = api.get(BASE + path.format(theirs.workout_id), who="member")
        missing = api.get(BASE + path.format("tm-9-9"), who="member")
        assert problem(taken) == problem(missing)
        assert taken.status_code == 404
    taken = api.get(f"{BASE}/persons/m002/vitals", who="member")
    assert problem(taken) == problem(api.get(f"{BASE}/persons/m999/vitals", who="member"))
    assert problem(api.get(f"{BASE}/persons/m002", who="member")) == problem(taken)


def test_a_member_sees_the_own_prescription_and_measurements(api):
    assert api.get(f"{BASE}/persons/m001", who="member").json()["ceiling_bpm"] == 112
    api.gym.admit("m001")
    assert api.get(f"{BASE}/persons/m001/vitals", who="member").json()["items"][0]["systolic_mmhg"] == 128


def test_family_sees_what_it_was_let_into_and_no_more(api, mine):
    before = api.get(f"{BASE}/workouts/{mine.workout_id}", who="family")
    assert before.status_code == 404
    assert api.get(f"{BASE}/workouts?person=m001", who="family").status_code == 404
    assert api.post("/api/v1/members/m001/consents", {"family": "family"}, who="member").status_code == 200
    assert api.get(f"{BASE}/workouts/{mine.workout_id}", who="family").status_code == 200
    assert len(api.get(f"{BASE}/workouts?person=m001", who="family").json()["items"]) == 1
    assert api.get(f"{BASE}/workouts/{mine.workout_id}/export.csv", who="family").status_code == 200
    assert api.get(f"{BASE}/workouts?person=m002", who="family").status_code == 404
    assert api.get(f"{BASE}/workouts", who="family").status_code == 404, "not everybody's at once"


def test_a_coach_sees_all(api, mine, theirs):
    items = api.get(f"{BASE}/workouts", who="coach").json()["items"]
    assert [one["workout_id"] for one in items] == [theirs.workout_id, mine.workout_id], "newest first"
    alarms = api.get(f"{BASE}/workouts/{mine.workout_id}", who="coach").json()["heart_alarms"]
    assert alarms == []


@pytest.mark.parametrize("who", ["member2", "maintenance", "read-only", "family", "cashier", "resident2"])
def test_nobody_else_learns_who_trains_or_how_the_heart_goes(api, who):
    api.gym.play("heart")
    shown = api.get(f"{BASE}/assets/et-1", who=who).json()
    assert (shown["person"], shown["workout_id"], shown["totals"], shown["identity"]) == ("", "", None, "none")
    assert shown["heart"] == {"level": "off", "bpm": None, "ceiling_bpm": 0, "max_bpm": 0, "source": "none"}
    assert shown["use"] == "busy"


def test_the_person_and_the_coach_see_the_pulse(api):
    api.gym.play("heart")
    for who in ("member", "resident", "coach", "manager"):
        shown = api.get(f"{BASE}/assets/et-1", who=who).json()
        assert (shown["person"], shown["heart"]["level"], shown["heart"]["source"]) == ("m001", "alarm", "personal")
    alarm = api.get(f"{BASE}/workouts/{shown['workout_id']}", who="coach").json()["heart_alarms"][-1]
    assert (alarm["level"], alarm["ceiling_bpm"]) == ("alarm", 112)
    assert len(alarm["samples"]) > 10
    assert alarm["samples"][-1][1] > 112


def test_an_anonymous_workout_can_be_found_to_be_claimed(api):
    api.gym.play("busy")
    shown = api.get(f"{BASE}/assets/tm-5", who="member").json()
    assert shown["workout_id"]
    assert shown["totals"]["active_s"] > 0
    claim = f"{BASE}/workouts/{shown['workout_id']}/claim"
    assert api.post(claim, {"person": "m003"}, who="member2").status_code == 422, "who trains on another machine"
    assert api.post(claim, {"person": "m001"}, who="resident2").status_code == 200
    assert api.get(f"{BASE}/assets/tm-5", who="coach").json()["person"] == "m003", "for oneself, whatever was said"


def test_the_live_stream_is_as_blank_as_the_routes(api):
    api.gym.play("queue")

    async def look(who):
        stream = api.stream("keys=gym,asset/", who)
        await stream.until(lambda s: any(event == "pulse" for event, _, _ in s.events()))
        await stream.leave()
        return {data["key"]: data["view"] for event, _, data in stream.events() if event == "view"}

    seen = api.run(look("member"))
    assert [one["person"] for one in seen["gym"]["queue"]] == ["m001", "", ""]
    assert [one["person"] for one in api.run(look("coach"))["gym"]["queue"]] == ["m001", "m002", "m003"]


@pytest.mark.parametrize(
    "who", ["terminal1", *(role.value for role in Role if role not in {*CARERS, Role.DINER_TERMINAL})]
)
def test_no_stream_tells_more_than_the_routes_whoever_follows(api, who):
    """The page of a lane, the cashier's desk and the family see a machine without who is on it, by either way."""
    api.gym.play("heart")
    keys = ("gym", "asset/et-1", "trail/park-loop")

    async def look():
        stream = api.stream("keys=" + ",".join(keys), who)
        await stream.until(lambda s: any(event == "pulse" for event, _, _ in s.events()))
        await stream.leave()
        return {data["key"]: data["view"] for event, _, data in stream.events() if event == "view"}

    seen = api.run(look())
    assert seen["gym"] == api.get(BASE, who=who).json()
    assert seen["asset/et-1"] == api.get(f"{BASE}/assets/et-1", who=who).json()
    if who not in {"member", "resident"}:
        assert (seen["asset/et-1"]["person"], seen["asset/et-1"]["heart"]["bpm"]) == ("", None)


def test_tags_of_walkers_are_cut_for_strangers(api):
    api.gym.play("trail")

    async def look(who):
        stream = api.stream("keys=trail/", who)
        await stream.until(lambda s: bool(s.views()))
        await stream.leave()
        return stream.events()[0][2]["view"]

    assert {len(tag) for tag, _, _ in api.run(look("member"))["out"]} == {4}


# --- who acts for whom ---


def test_a_member_acts_for_himself_whatever_the_body_says(api):
    body = {"person": "m002", "card": "c0000002"}
    assert api.post(f"{BASE}/assets/tm-4/claim", body, who="member").status_code == 200
    assert api.gateway.submitted[-1].body == messages.ClaimAsset(asset="tm-4", person="m001", card="")
    queued = api.post(f"{BASE}/queue/join", {"zone": "hall", "kind": "treadmill", "person": "m002"}, who="member")
    assert api.gateway.submitted[-1].body.person == "m001"
    assert queued.status_code in {200, 409}


def test_a_coach_acts_for_whom_he_names(api):
    assert api.post(f"{BASE}/assets/tm-4/claim", {"person": "m002"}, who="coach").status_code == 200
    assert api.get(f"{BASE}/assets/tm-4", who="coach").json()["person"] == "m002"


def test_nobody_ends_anothers_workout(api):
    api.gym.play("busy")
    taken = api.post(f"{BASE}/assets/tm-1/leave", who="member2")
    missing = api.post(f"{BASE}/assets/zz-1/leave", who="member2")
    assert problem(taken) == problem(missing)
    assert taken.status_code == 404
    assert api.gateway.submitted == [], "it never reached the daemon"
    assert api.post(f"{BASE}/assets/tm-1/leave", who="member").status_code == 200
    assert api.get(f"{BASE}/assets/tm-1", who="coach").json()["phase"] == "idle"


def test_nobody_gives_a_reason_for_anothers_workout(api, theirs):
    answer = api.post(f"{BASE}/workouts/{theirs.workout_id}/reason", {"reason": "chest_pain"}, who="member")
    assert answer.status_code == 404
    assert api.gateway.submitted == []


def test_a_grave_reason_calls_the_coach(api, mine):
    assert api.post(f"{BASE}/workouts/{mine.workout_id}/reason", {"reason": "dizzy"}, who="member").status_code == 200
    alarms = api.get(f"{BASE}/alarms", who="coach").json()["alarms"]
    assert [one["cause"] for one in alarms] == ["felt_dizzy"]
    assert api.get(f"{BASE}/alarms", who="member").status_code == 403


def test_a_machine_comes_back_by_a_return_test_alone(api):
    api.gym.play("locked")
    order = next(one for one in api.get(f"{BASE}/orders?asset=tm-6", who="maintenance").json()["items"])
    assert order["state"] == "locked_out"
    steps = api.get(f"{BASE}/orders/{order['order_id']}/steps", who="maintenance").json()["items"]
    assert [one["step"] for one in steps] == ["seen", "locked_out"]
    assert api.post(f"{BASE}/assets/tm-6/claim", {}, who="member").json()["facts"]["problem"] == "out_of_order"
    assert api.post(f"{BASE}/assets/tm-6/return-test", {"passed": True}, who="coach").status_code == 403
    assert api.post(f"{BASE}/assets/tm-6/return-test", {"passed": True}, who="maintenance").status_code == 200
    assert api.get(f"{BASE}/assets/tm-6", who="member").json()["use"] == "free"
    days = api.get(f"{BASE}/assets/tm-3/days?limit=200", who="maintenance").json()["items"]
    assert days[0]["current_index"] > 1.3, "the belt that drags"


def test_the_entry_gate_stands_before_the_elders_gym(api):
    refused = api.post(f"{BASE}/assets/et-1/claim", {}, who="member").json()
    assert (refused["code"], refused["facts"]["problem"]) == ("not_now", "gate_measure")
    vitals = {"systolic_mmhg": 126, "diastolic_mmhg": 78, "pulse_bpm": 70}
    assert api.post(f"{BASE}/persons/m001/vitals", vitals, who="coach").json()["decision"] == "admit"
    assert api.post(f"{BASE}/assets/et-1/claim", {}, who="member").status_code == 200


def test_a_referral_is_lifted_by_staff_alone(api):
    path = f"{BASE}/persons/m001/lift-referral"
    high, low = ({"systolic_mmhg": value, "diastolic_mmhg": 78, "pulse_bpm": 70} for value in (205, 126))
    assert api.post(path, {}, who="coach").json()["facts"]["problem"] == "not_referred"
    assert api.post(f"{BASE}/persons/m001/vitals", high, who="coach").json()["decision"] == "refer"
    assert api.post(f"{BASE}/persons/m001/vitals", low, who="coach").json()["decision"] == "refer"
    assert api.post(f"{BASE}/assets/et-1/claim", {}, who="member").json()["facts"]["problem"] == "gate_refer"
    assert api.post(path, {}, who="member").status_code == 403
    assert api.post(path, {}, who="coach").json()["decision"] == "measure"


def test_an_order_of_a_machine_that_is_here_is_not_closed_without_a_test(api):
    api.gym.play("locked")
    order = next(one for one in api.get(f"{BASE}/orders?asset=tm-6", who="maintenance").json()["items"])
    path = f"{BASE}/orders/{order['order_id']}/close"
    assert api.post(path, {"note": ""}, who="maintenance").status_code == 422
    assert api.post(path, {"note": "sold"}, who="coach").status_code == 403
    assert api.post(path, {"note": "sold"}, who="maintenance").json()["facts"]["problem"] == "return_test_first"


def test_a_site_without_a_gym_says_so(make_api):
    api = make_api(gym_books=None)
    assert api.get(f"{BASE}/workouts", who="coach").json()["code"] == "no_gym"


# --- downloads ---


def test_a_workout_comes_as_fit_tcx_and_csv(api, mine):
    path = f"{BASE}/workouts/{mine.workout_id}/export."
    fit, tcx, table = (api.get(path + form, who="member") for form in ("fit", "tcx", "csv"))
    for answer, kind, form in (
        (fit, "application/vnd.ant.fit", "fit"), (tcx, "application/vnd.garmin.tcx+xml", "tcx"),
        (table, "text/csv; charset=utf-8", "csv"),
    ):  # fmt: skip
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == kind
        assert f'workout-2026-11-20-{mine.workout_id}.{form}"' in answer.headers["content-disposition"]
        assert answer.headers["x-kangle-samples"] == "complete"
        assert answer.headers["cache-control"] == "no-store"
    with fitdecode.FitReader(io.BytesIO(fit.content), check_crc=fitdecode.CrcCheck.RAISE) as reader:
        frames = [frame for frame in reader if isinstance(frame, fitdecode.FitDataMessage)]
    session = next(frame for frame in frames if frame.name == "session")
    assert session.get_value("total_timer_time") == pytest.approx(mine.active_ms / 1000)
    records = [frame for frame in frames if frame.name == "record"]
    assert len(records) > 80
    pulse = [record.get_value("heart_rate", fallback=None) for record in records]
    own = {at: bpm for row in api.gym.rows.all(PulseRow) if row.workout_id == mine.workout_id
           for at, bpm in enumerate(row.bpm, row.from_s)}  # fmt: skip
    assert len(set(own.values())) > 1
    assert sum(bpm is not None for bpm in pulse) > 80
    assert {bpm for bpm in pulse if bpm is not None} <= set(own.values()), "the own pulse and nobody else's"
    assert ET.fromstring(tcx.text).tag.endswith("TrainingCenterDatabase")
    lines = list(csv.DictReader(io.StringIO(table.content.decode())))
    assert {line["state"] for line in lines} == {"active", "pause_begins", "pause_ends"}


@pytest.mark.parametrize("history", [NoHistory(), None])
def test_without_a_history_the_summary_is_all_and_is_said_to_be(make_api, history):
    class Refusing:
        async def ask(self, ask):
            raise HistoryAway("down")

    api = make_api(history=history or Refusing())
    row = next(row for row in api.gym.rows.all(WorkoutRow) if row.person == "m001")
    fit = api.get(f"{BASE}/workouts/{row.workout_id}/export.fit", who="member")
    assert (fit.status_code, fit.headers["x-kangle-samples"]) == (200, "away")
    with fitdecode.FitReader(io.BytesIO(fit.content), check_crc=fitdecode.CrcCheck.RAISE) as reader:
        frames = [frame for frame in reader if isinstance(frame, fitdecode.FitDataMessage)]
    assert next(f for f in frames if f.name == "session").get_value("total_distance") == pytest.approx(row.distance_m)
    pulse = [frame.get_value("heart_rate", fallback=None) for frame in frames if frame.name == "record"]
    assert len([bpm for bpm in pulse if bpm]) > 80, "the pulse is the workout's own and needs no history"


def beats_in(answer):
    """The pulse in a CSV file."""
    return [line["heart_rate_bpm"] for line in csv.DictReader(io.StringIO(answer.text)) if line["heart_rate_bpm"]]


def test_the_pulse_in_a_file_is_the_persons_own_and_familys_by_consent(api, mine, theirs):
    path = f"{BASE}/workouts/{mine.workout_id}/export.csv"
    assert len(beats_in(api.get(path, who="member"))) > 80
    assert len(beats_in(api.get(path, who="coach"))) > 80
    missing = problem(api.get(f"{BASE}/workouts/tm-9-9/export.csv", who="member2"))
    assert problem(api.get(path, who="member2")) == problem(api.get(path, who="family")) == missing
    assert problem(api.get(f"{BASE}/workouts/{theirs.workout_id}/export.csv", who="member")) == missing
    assert api.post("/api/v1/members/m001/consents", {"family": "family"}, who="member").status_code == 200
    assert beats_in(api.get(path, who="family")) == beats_in(api.get(path, who="member"))
    for who in ("maintenance", "read-only", "cashier"):
        assert api.get(path, who=who).status_code in {403, 404}, who


def test_nobodys_pulse_is_in_the_history_of_the_preview(api):
    asked = api.get("/api/v1/history/series?vertical=gym&limit=1000", who="manager")
    assert asked.status_code == 200
    assert "heart_rate" not in asked.text


def test_an_unknown_kind_of_file_is_refused(api, mine):
    assert api.get(f"{BASE}/workouts/{mine.workout_id}/export.exe", who="member").status_code == 422


def test_the_api_starts_without_the_fit_library(monkeypatch):
    import subprocess
    import sys

    code = "import sys, edge.api.app; sys.exit('fit_tool' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


# --- the scenes themselves ---


def test_every_scene_shows_every_key_of_its_gym(api):
    for scene in ("quiet", "busy", "queue", "heart", "locked", "closed", "trail"):
        api.gym.play(scene)
        keys = {view.key for view in api.gateway.present()}
        assert {f"asset/{one.asset}" for one in CONFIG.assets} <= keys
        assert {"gym", "kiosk/door", "trail/park-loop", "maintenance", "gym-alarms"} <= keys


def test_time_goes_on_in_a_scene(api):
    script: GymScript = api.gym
    script.play("heart")
    before = api.get(f"{BASE}/assets/et-1", who="coach").json()["totals"]["active_s"]
    script.run(10)
    assert api.get(f"{BASE}/assets/et-1", who="coach").json()["totals"]["active_s"] >= before + 9
