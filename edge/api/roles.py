"""Who may call what: one line per operation, default deny.

``guard.GuardedRoute`` refuses to be built for an operation that is not listed here, so a new route cannot be open by
forgetting. Owner checks per object come on top (``edge.api.owners``): a diner-terminal may call ``canteen_pay``, but
for its own lane only. ``tests/api`` compares the running app with a committed copy of this table, route by route.
"""

from __future__ import annotations

from edge.domain.actors import Role

R = Role
PUBLIC: frozenset[Role] | None = None
ANYONE = frozenset(Role)
DESK = frozenset({R.CASHIER, R.MANAGER, R.ADMIN})
LANE = DESK | {R.DINER_TERMINAL}
KITCHEN = frozenset({R.KITCHEN, R.MANAGER, R.ADMIN})
BOSS = frozenset({R.MANAGER, R.ADMIN})
ADMIN = frozenset({R.ADMIN})
STAFF = DESK | {R.KITCHEN, R.MAINTENANCE}
OWNER = frozenset({R.MEMBER, R.FAMILY})
WATCH = frozenset({R.PANEL, R.MAINTENANCE, R.MANAGER, R.ADMIN})
HISTORY = frozenset({R.MAINTENANCE, R.MANAGER, R.ADMIN, R.READ_ONLY})
CARE = frozenset({R.COACH, R.MANAGER, R.ADMIN})
REPAIR = frozenset({R.MAINTENANCE, R.MANAGER, R.ADMIN})
VISIT = CARE | {R.MEMBER, R.RESIDENT, R.PANEL}
CHARGES = WATCH | {R.RESIDENT, R.MEMBER, R.CASHIER}

#: Operation id -> roles; ``PUBLIC`` needs no login.
ROLES: dict[str, frozenset[Role] | None] = {
    # health, documents, pages
    "livez": PUBLIC,
    "readyz": PUBLIC,
    "system_info": PUBLIC,
    "openapi_document": PUBLIC,
    "page": PUBLIC,
    "page_lane": PUBLIC,
    "page_zone": PUBLIC,
    "page_port": PUBLIC,
    "page_machine": PUBLIC,
    "page_asset": PUBLIC,
    "page_file": PUBLIC,
    # logging in and out
    "auth_setup": PUBLIC,
    "auth_link": PUBLIC,
    "auth_login": PUBLIC,
    "auth_terminal": PUBLIC,
    "auth_logout": ANYONE,
    "auth_me": ANYONE,
    "auth_password": ANYONE,
    # accounts
    "users_list": ADMIN,
    "users_create": ADMIN,
    "users_delete": ADMIN,
    "users_set_password": ADMIN,
    "users_set_pin": ADMIN,
    "tokens_list": ADMIN,
    "tokens_create": ADMIN,
    "tokens_delete": ADMIN,
    # consents of members to their family
    "consents_list": ADMIN | {R.MEMBER},
    "consents_give": ADMIN | {R.MEMBER},
    "consents_withdraw": ADMIN | {R.MEMBER},
    # live state
    "live": ANYONE,
    "canteen_lanes": LANE,
    "canteen_lane": LANE,
    "canteen_menu": ANYONE,
    "canteen_day": STAFF | {R.READ_ONLY},
    # commands: the same roles as edge.domain.canteen.messages.COMMAND_ROLES (a test compares)
    "canteen_identify": LANE,
    "canteen_pay": LANE,
    "canteen_confirm_plates": LANE,
    "canteen_key_plate": DESK,
    "canteen_call_staff": LANE,
    "canteen_void_order": DESK,
    "canteen_refund_lines": DESK,
    "canteen_top_up": DESK,
    "canteen_bind_plates": KITCHEN,
    "canteen_register_plates": KITCHEN,
    "canteen_retire_plate": KITCHEN,
    # stored rows
    "canteen_orders": DESK,
    "canteen_order": LANE | OWNER,
    "canteen_member_purse": DESK | OWNER,
    "canteen_member_orders": DESK | OWNER,
    "canteen_plates": STAFF | {R.READ_ONLY},
    "canteen_quote": ANYONE,
    # garage: what is shown and stored
    "garage_overview": WATCH | {R.READ_ONLY},
    "garage_zones": WATCH | {R.READ_ONLY},
    "garage_zone": WATCH | {R.READ_ONLY},
    "garage_ports": CHARGES | {R.READ_ONLY},
    "garage_port": CHARGES | {R.READ_ONLY},
    "garage_alarms": WATCH | {R.READ_ONLY},
    "garage_sessions": CHARGES,
    "garage_alarm_events": WATCH | {R.READ_ONLY},
    "garage_alarm_report": WATCH | {R.READ_ONLY},
    "garage_access_events": REPAIR,
    # commands to the garage: the same roles as edge.domain.garage.messages.COMMAND_ROLES (a test compares)
    "garage_reset_zone": frozenset({R.PANEL}),
    "garage_silence_zone": WATCH,
    "garage_test_zone": frozenset({R.PANEL, R.MAINTENANCE}),
    "garage_cut_zone": WATCH,
    "garage_rearm_port": WATCH,
    "garage_start_session": frozenset({R.RESIDENT, R.MEMBER, R.CASHIER, R.MANAGER, R.ADMIN, R.PANEL}),
    "garage_stop_session": frozenset({R.RESIDENT, R.MEMBER, R.CASHIER, R.MANAGER, R.ADMIN, R.PANEL}),
    "garage_ack_alarm": WATCH,
    "garage_shelve_alarm": WATCH,
    "garage_reset_alarm": WATCH,
    "garage_service_alarm": frozenset({R.MAINTENANCE, R.MANAGER, R.ADMIN}),
    "garage_alarm_shown": WATCH,
    # gym: what is shown and stored (whose it is: edge.api.gym_owners)
    "gym_overview": ANYONE,
    "gym_assets": ANYONE,
    "gym_asset": ANYONE,
    "gym_alarms": CARE | WATCH | {R.READ_ONLY},
    "gym_maintenance": CARE | REPAIR | {R.READ_ONLY},
    "gym_workouts": CARE | OWNER | {R.RESIDENT},
    "gym_workout": CARE | OWNER | {R.RESIDENT},
    "gym_workout_export": CARE | OWNER | {R.RESIDENT},
    "gym_person": CARE | OWNER | {R.RESIDENT},
    "gym_vitals": CARE | OWNER | {R.RESIDENT},
    "gym_orders": CARE | REPAIR,
    "gym_order_steps": CARE | REPAIR,
    "gym_wear_days": CARE | REPAIR | {R.READ_ONLY},
    "gym_inspections": CARE | REPAIR | {R.READ_ONLY},
    "gym_register": CARE | REPAIR | {R.READ_ONLY},
    "gym_register_csv": CARE | REPAIR | {R.READ_ONLY},
    "gym_order_photo": CARE | REPAIR,
    "gym_inspection_photo": CARE | REPAIR,
    "gym_laps": ANYONE,
    "gym_counts": CARE | REPAIR | {R.READ_ONLY},
    "gym_use": ANYONE,
    "gym_use_week": ANYONE,
    "gym_my_week": CARE | OWNER | {R.RESIDENT},
    # commands to the gym: the same roles as edge.domain.gym.messages.COMMAND_ROLES (a test compares)
    "gym_claim_asset": VISIT,
    "gym_leave_asset": VISIT,
    "gym_claim_workout": VISIT,
    "gym_stop_reason": VISIT,
    "gym_join_queue": VISIT,
    "gym_leave_queue": VISIT,
    "gym_stop_asset": CARE,
    "gym_set_person": CARE,
    "gym_forget_person": BOSS,
    "gym_record_vitals": CARE,
    "gym_lift_referral": CARE,
    "gym_report_fault": VISIT | REPAIR,
    "gym_add_order_photo": VISIT | REPAIR,
    "gym_add_inspection_photo": CARE | REPAIR,
    "gym_erase_order_photo": CARE | REPAIR,
    "gym_erase_inspection_photo": CARE | REPAIR,
    "gym_lock_out": CARE | REPAIR,
    "gym_service_done": CARE | REPAIR,
    "gym_inspect": CARE | REPAIR,
    "gym_ack_order": CARE | REPAIR,
    "gym_ticket_order": CARE | REPAIR,
    "gym_return_test": REPAIR,
    "gym_close_order": REPAIR,
    "gym_ack_alarm": CARE | WATCH,
    "gym_shelve_alarm": CARE | WATCH,
    "gym_reset_alarm": CARE | WATCH,
    "gym_alarm_shown": CARE | WATCH,
    "gym_service_alarm": REPAIR,
    # what was measured
    "history_series": HISTORY,
    "history_last": HISTORY,
    "history_samples": HISTORY,
    "history_windows": HISTORY,
    "history_group": HISTORY,
    "history_zones": HISTORY,
    "history_zone": HISTORY,
    "history_plot": HISTORY,
    "history_status": HISTORY,
    "history_export": HISTORY,
    # simulated diners
    "demo_state": BOSS,
    "demo_place_tray": BOSS,
    "demo_remove_tray": BOSS,
    "demo_fault": BOSS,
    "demo_diners": BOSS,
}


def view_roles(key: str) -> frozenset[Role]:
    """Who may see the live view ``key``; nobody for a kind of key that is not listed."""
    return _VIEWS.get(key.partition("/")[0], frozenset())


_VIEWS: dict[str, frozenset[Role]] = {
    "lane": LANE,
    "menu": ANYONE,
    "day": STAFF | {R.READ_ONLY},
    "device": STAFF | {R.READ_ONLY},
    "garage": WATCH | {R.READ_ONLY},
    "zone": WATCH | {R.READ_ONLY},
    "alarms": WATCH | {R.READ_ONLY},
    "port": CHARGES | {R.READ_ONLY},
    "gym": ANYONE,
    "asset": ANYONE,
    "trail": ANYONE,
    "kiosk": CARE | {R.PANEL},
    "gym-alarms": CARE | WATCH | {R.READ_ONLY},
    "maintenance": CARE | REPAIR | {R.READ_ONLY},
}
