"""Who may command: roles and the acting person or terminal, the same for all verticals."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Role(StrEnum):
    DINER_TERMINAL = "diner-terminal"
    CASHIER = "cashier"
    KITCHEN = "kitchen"
    MEMBER = "member"
    FAMILY = "family"
    RESIDENT = "resident"
    PANEL = "panel"
    COACH = "coach"
    MAINTENANCE = "maintenance"
    MANAGER = "manager"
    ADMIN = "admin"
    DEVICE = "device"
    READ_ONLY = "read-only"


class Actor(msgspec.Struct, frozen=True):
    """Who commands: a role and the user's or terminal's id (never a name)."""

    role: Role
    user: str
