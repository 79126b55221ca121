"""Every route with every role, against the committed table."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI

from edge.api.app import check_routes
from edge.api.guard import GuardedRoute, UnlistedOperation
from edge.api.roles import ROLES
from edge.domain import alarm_commands
from edge.domain.actors import Role
from edge.domain.canteen import messages
from edge.domain.garage import messages as garage
from edge.domain.gym import messages as gym

TABLE = Path(__file__).parent / "roles.csv"
#: Path parameters that name something which exists, so that a missing object hides no missing check.
VALUES = {
    "lane": "1",
    "member": "m001",
    "order_id": "o-0001",
    "uid": "e00401508d1ef200",
    "username": "nobody",
    "token_id": "00",
    "name": "x",
    "zone": "B1",
    "port": "B1-P03",
    "alarm_id": "1.1",
    "asset": "tm-1",
    "workout": "tm-1-53",
    "order": "tm-1-3-fault",
    "inspection": "1",
    "person": "m001",
    "form": "csv",
}
COMMANDS = {
    "canteen_identify": messages.Identify,
    "canteen_pay": messages.Pay,
    "canteen_confirm_plates": messages.ConfirmPlates,
    "canteen_key_plate": messages.KeyPlate,
    "canteen_call_staff": messages.CallStaff,
    "canteen_void_order": messages.VoidOrder,
    "canteen_refund_lines": messages.RefundLines,
    "canteen_top_up": messages.TopUp,
    "canteen_bind_plates": messages.BindPlates,
    "canteen_register_plates": messages.RegisterPlates,
    "canteen_retire_plate": messages.RetirePlate,
}
WATCH = {"panel", "maintenance", "manager", "admin", "read-only"}
GARAGE_COMMANDS = {
    "garage_reset_zone": garage.ResetZone,
    "garage_silence_zone": garage.SilenceZone,
    "garage_test_zone": garage.TestZone,
    "garage_cut_zone": garage.CutZone,
    "garage_rearm_port": garage.RearmPort,
    "garage_start_session": garage.StartSession,
    "garage_stop_session": garage.StopSession,
    "garage_ack_alarm": alarm_commands.AckAlarm,
    "garage_shelve_alarm": alarm_commands.ShelveAlarm,
    "garage_reset_alarm": alarm_commands.ResetAlarm,
    "garage_service_alarm": alarm_commands.ServiceAlarm,
    "garage_alarm_shown": alarm_commands.AlarmShown,
}
GYM_COMMANDS = {
    "gym_claim_asset": gym.ClaimAsset,
    "gym_leave_asset": gym.LeaveAsset,
    "gym_claim_workout": gym.ClaimWorkout,
    "gym_stop_reason": gym.GiveStopReason,
    "gym_join_queue": gym.JoinQueue,
    "gym_leave_queue": gym.LeaveQueue,
    "gym_stop_asset": gym.StopAsset,
    "gym_set_person": gym.SetPerson,
    "gym_forget_person": gym.ForgetPerson,
    "gym_record_vitals": gym.RecordVitals,
    "gym_lift_referral": gym.LiftReferral,
    "gym_report_fault": gym.ReportFault,
    "gym_add_order_photo": gym.AddOrderPhoto,
    "gym_add_inspection_photo": gym.AddInspectionPhoto,
    "gym_erase_order_photo": gym.ErasePhoto,
    "gym_erase_inspection_photo": gym.ErasePhoto,
    "gym_lock_out": gym.LockOut,
    "gym_service_done": gym.ServiceDone,
    "gym_inspect": gym.Inspect,
    "gym_ack_order": gym.AckOrder,
    "gym_ticket_order": gym.TicketOrder,
    "gym_return_test": gym.ReturnTest,
    "gym_close_order": gym.CloseOrder,
    "gym_ack_alarm": alarm_commands.AckAlarm,
    "gym_shelve_alarm": alarm_commands.ShelveAlarm,
    "gym_reset_alarm": alarm_commands.ResetAlarm,
    "gym_service_alarm": alarm_commands.ServiceAlarm,
    "gym_alarm_shown": alarm_commands.AlarmShown,
}


def committed() -> dict[str, set[str]]:
    with TABLE.open(newline="") as file:
        return {row["operation"]: set(row["roles"].split()) for row in csv.DictReader(file)}


def path_of(route) -> str:
    path = route.path.replace("{name:path}", "{name}")
    return path.format(**VALUES)


def test_the_role_table_is_the_committed_one():
    running = {op: {"public"} if roles is None else {str(role) for role in roles} for op, roles in ROLES.items()}
    assert running == committed()


def test_every_route_is_in_the_table_and_every_entry_has_a_route(shared_api):
    assert {route.operation for route in shared_api.routes()} == set(ROLES)


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_every_route_obeys_the_committed_table(shared_api, role):
    who = {"diner-terminal": "terminal1"}.get(role, role)
    table = committed()
    for route in shared_api.routes():
        if route.operation in {"live", "auth_logout"}:  # an endless answer; ends the session that this test uses
            continue
        body = {"json": {}} if route.method == "POST" else {}
        status = shared_api.send(route.method, path_of(route), who=who, **body).status_code
        allowed = role in table[route.operation] or "public" in table[route.operation]
        assert (status == 403) != allowed, f"{route.method} {route.path} as {role}: {status}"
        if "public" not in table[route.operation]:
            assert status != 401, f"{route.method} {route.path} as {role}"


def test_every_route_that_is_not_public_asks_for_a_login(shared_api):
    table = committed()
    for route in shared_api.routes():
        body = {"json": {}} if route.method == "POST" else {}
        status = shared_api.send(route.method, path_of(route), **body).status_code
        if "public" in table[route.operation]:
            # A wrong token is 401 too, but an empty body never gets that far.
            assert status != 401, route.path
        else:
            assert status == 401, route.path


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_logging_out_is_for_everybody_and_ends_the_session(api, role):
    who = {"diner-terminal": "terminal1"}.get(role, role)
    assert api.post("/api/v1/auth/logout", who=who).status_code == 200
    still_in = api.get("/api/v1/auth/me", who=who).status_code
    assert still_in == (200 if role == "diner-terminal" else 401), "a bearer token is no session and stays"


@pytest.mark.parametrize("role", [role.value for role in Role])
def test_the_live_stream_shows_each_role_only_its_kinds_of_views(api, role):
    who = {"diner-terminal": "terminal1"}.get(role, role)
    seen = {
        "menu": set(Role),
        "day": {"cashier", "manager", "admin", "kitchen", "maintenance", "read-only"},
        "device": {"cashier", "manager", "admin", "kitchen", "maintenance", "read-only"},
        "lane": {"cashier", "manager", "admin", "diner-terminal"},
        "garage": WATCH,
        "zone": WATCH,
        "alarms": WATCH,
        "port": WATCH | {"cashier", "resident", "member"},
        "gym": set(Role),
        "asset": set(Role),
        "trail": set(Role),
        "kiosk": {"coach", "manager", "admin", "panel"},
        "gym-alarms": WATCH | {"coach"},
        "maintenance": {"coach", "maintenance", "manager", "admin", "read-only"},
    }

    async def kinds():
        stream = api.stream("", who)
        await stream.until(lambda s: any(event == "pulse" for event, _, _ in s.events()))
        await stream.leave()
        return {key.partition("/")[0] for key in stream.views()}

    assert api.run(kinds()) == {kind for kind, roles in seen.items() if role in {str(r) for r in roles}}


def test_command_routes_have_the_roles_of_the_commands():
    for operation, command in COMMANDS.items():
        assert ROLES[operation] == messages.COMMAND_ROLES[command], operation
    between_daemons = {messages.ChargeSession, messages.ReadPurses}
    assert set(COMMANDS.values()) | between_daemons == set(messages.COMMAND_ROLES)
    for operation, command in GARAGE_COMMANDS.items():
        assert ROLES[operation] == garage.COMMAND_ROLES[command], operation
    between_daemons = {garage.PurseCopy, garage.ChargePosted}
    assert set(GARAGE_COMMANDS.values()) | between_daemons == set(garage.COMMAND_ROLES)
    for operation, command in GYM_COMMANDS.items():
        assert ROLES[operation] == gym.COMMAND_ROLES[command], operation
    assert set(GYM_COMMANDS.values()) == set(gym.COMMAND_ROLES)


def test_a_route_that_nobody_decided_about_stops_the_start():
    router = APIRouter(route_class=GuardedRoute)
    with pytest.raises(UnlistedOperation, match="forgotten"):
        router.add_api_route("/x", lambda: None, operation_id="forgotten")


def test_a_route_beside_the_guard_stops_the_start():
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_api_route("/open", lambda: None, operation_id="livez")
    with pytest.raises(UnlistedOperation, match="/open"):
        check_routes(app)
