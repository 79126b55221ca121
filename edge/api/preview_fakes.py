"""An in-memory gateway and in-memory books, for ``edge.api.preview`` and the API's tests. Never part of a running
site."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from edge.api import preview_world as world
from edge.api.books import BadCursor, BooksAway, Listing, OrderFile
from edge.api.demo_control import DemoControl
from edge.api.gateway import (
    GONE,
    AnyCommand,
    CommandAnswer,
    DaemonAway,
    DaemonLife,
    KeyedView,
    ViewListener,
    vertical_of,
)
from edge.domain.actors import Role
from edge.domain.canteen import rows
from edge.domain.canteen.messages import COMMAND_ROLES, Command
from edge.domain.canteen.settings import CanteenConfig
from edge.domain.garage import messages as garage
from edge.domain.gym import messages as gym
from edge.domain.kernel import Row

R = TypeVar("R", bound=Row)
Answerer = Callable[[Command], tuple[str, object]]
GarageAnswerer = Callable[[garage.Command], tuple[str, object]]
GymAnswerer = Callable[[gym.Command], tuple[str, object]]
_ROLES: dict[str, dict[type, frozenset[Role]]] = {
    "canteen": COMMAND_ROLES,
    "garage": garage.COMMAND_ROLES,
    "gym": gym.COMMAND_ROLES,
}


class MemoryGateway:
    """Shows what it is told to show and answers commands by ``answer`` (idempotent by command id, as a daemon is)."""

    def __init__(self, answer: Answerer | None = None) -> None:
        self.alive = True
        self.age_ms = 120
        self.silent = False
        self.submitted: list[AnyCommand] = []
        self.answer_garage: GarageAnswerer = lambda _command: ("ok", {})
        self.answer_gym: GymAnswerer = lambda _command: ("ok", {})
        self._answer: Answerer = answer or (lambda _command: ("ok", {}))
        self._views: dict[str, KeyedView] = {}
        self._listeners: list[ViewListener] = []
        self._replies: dict[str, tuple[bytes, CommandAnswer]] = {}

    def show(self, key: str, view: object) -> None:
        """Publish ``view`` under ``key``."""
        version = self._views[key].version + 1 if key in self._views else 1
        keyed = KeyedView(key, version, msgspec.json.encode(view), "preview")
        self._views[key] = keyed
        for listener in list(self._listeners):
            listener(keyed)

    def present(self) -> Iterable[KeyedView]:
        return [view for view in self._views.values() if view.json != GONE]

    def listen(self, listener: ViewListener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def daemons(self) -> dict[str, DaemonLife]:
        life = DaemonLife(self.alive, self.age_ms)
        return {"canteen": life, "garage": life, "gym": life}

    async def submit(self, command: AnyCommand) -> CommandAnswer:
        self.submitted.append(command)
        if not self.alive:
            raise DaemonAway
        if self.silent:
            await asyncio.Event().wait()
        digest = hashlib.sha256(msgspec.msgpack.encode((command.actor, command.body))).digest()
        if command.command_id in self._replies:
            known, reply = self._replies[command.command_id]
            return (
                msgspec.structs.replace(reply, replayed=True) if known == digest else CommandAnswer("id_reused", b"{}")
            )
        roles = _ROLES[vertical_of(command)]
        if command.actor.role not in roles[type(command.body)]:
            return CommandAnswer("forbidden", b"{}")
        match command:
            case garage.Command():
                code, body = self.answer_garage(command)
            case gym.Command():
                code, body = self.answer_gym(command)
            case _:
                code, body = self._answer(command)
        reply = CommandAnswer(code, msgspec.json.encode(body))
        self._replies[command.command_id] = (digest, reply)
        return reply


class MemoryDemo(DemoControl):
    """A simulator that remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__(Path("/nonexistent"))
        self.asked: list[dict[str, Any]] = []
        self._trays: dict[str, list[dict[str, Any]]] = {"1": [], "2": []}
        self._faults = {"1": "none", "2": "none"}
        self._diners: dict[str, Any] = {"on": True, "per_minute": 6}

    async def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        lane = request.get("lane", "1")
        if lane not in self._trays:
            return {"ok": False, "error": f"no lane {lane}"}
        match request["op"]:
            case "place":
                self._trays[lane] = [_demo_plate(i, dish) for i, dish in enumerate(request["dishes"])]
            case "remove":
                self._trays[lane] = []
            case "fault":
                self._faults[lane] = request["fault"]
            case "diners":
                self._diners = {"on": request["on"], "per_minute": request["per_minute"]}
            case _:
                return {"ok": True, **self._state()}
        return {"ok": True}

    def _state(self) -> dict[str, Any]:
        lanes = {
            lane: {
                "tray": tray,
                "link": "unplugged" if self._faults[lane] == "unplug" else "up",
                "fault": self._faults[lane],
                "diner": None,
            }
            for lane, tray in self._trays.items()
        }
        label = {"zh": "72 岁会员", "en": "Member, 72"}
        return {"lanes": lanes, "diners": self._diners, "members": [{"card": "A0000001", "label": label}]}


def _demo_plate(i: int, dish_id: str) -> dict[str, Any]:
    return {"uid": f"e00401508d1ef2{i:02x}", "label": f"A-{i + 1:03}", "dish_id": dish_id, "p": 0.9, "dead": False}


class MemoryBooks:
    """A few members, orders and plates."""

    def __init__(self) -> None:
        self.away = False
        self._orders = [
            world.order_row(i, member="m002" if i % 3 == 0 else "m001", lane=str(1 + i % 2)) for i in range(1, 41)
        ]
        self._members = [
            rows.MemberRow(
                token=f"m{i:03}", card=f"A{i:07}", born="1954-03-02", district="xuhui", hukou=True, low_income=False
            )
            for i in (1, 2, 3)
        ]
        self._plates = [
            rows.PlateRow(
                uid=f"e00401508d1ef2{i:02x}",
                label=f"A-{i + 1:03}",
                kind="bowl",
                tare_g=310,
                dish_id=f"d{1 + i % 12:03}",
                fill_epoch=1,
                bound_day=world.DAY,
                reads=90,
                passes=100,
            )
            for i in range(60)
        ]
        self._entries = [
            rows.PurseEntryRow(
                seq=i,
                member=member,
                fen=-1530,
                balance_fen=10_000 - 100 * i,
                kind="pay",
                ref=f"o-{i:04}",
                at_ns=world.AT_NS + i,
            )
            for i in range(1, 31)
            for member in ("m001", "m002")
        ]

    def _check(self) -> None:
        if self.away:
            raise BooksAway("preview: away")

    def config(self) -> CanteenConfig | None:
        self._check()
        return world.CONFIG

    def order(self, order_id: str) -> OrderFile | None:
        self._check()
        found = [row for row in self._orders if row.order_id == order_id]
        return _file(found[0]) if found else None

    def orders(self, day: str, lane: str, cursor: str | None, limit: int) -> Listing[rows.OrderRow]:
        wanted = [row for row in reversed(self._orders) if row.business_day == (day or row.business_day)]
        return self._page([row for row in wanted if row.lane == (lane or row.lane)], cursor, limit)

    def member_orders(self, member: str, cursor: str | None, limit: int) -> Listing[rows.OrderRow]:
        return self._page([row for row in reversed(self._orders) if row.member == member], cursor, limit)

    def member(self, token: str) -> rows.MemberRow | None:
        self._check()
        return next((row for row in self._members if row.token == token), None)

    def balance_fen(self, member: str) -> int:
        self._check()
        return next((row.balance_fen for row in reversed(self._entries) if row.member == member), 0)

    def purse_entries(self, member: str, cursor: str | None, limit: int) -> Listing[rows.PurseEntryRow]:
        return self._page([row for row in reversed(self._entries) if row.member == member], cursor, limit)

    def plates(self, cursor: str | None, limit: int) -> Listing[rows.PlateRow]:
        return self._page(self._plates, cursor, limit)

    def _page(self, wanted: Sequence[R], cursor: str | None, limit: int) -> Listing[R]:
        self._check()
        try:
            start = int(base64.urlsafe_b64decode(cursor + "==")) if cursor else 0
        except ValueError as exc:
            raise BadCursor from exc
        end = start + limit
        more = base64.urlsafe_b64encode(str(end).encode()).decode().rstrip("=") if end < len(wanted) else None
        return Listing(list(wanted[start:end]), more)


def _file(order: rows.OrderRow) -> OrderFile:
    steps = [
        rows.OrderStepRow(
            order_id=order.order_id,
            step_no=i,
            business_day=order.business_day,
            kind=kind,
            rule_id=rule,
            rule_version="1",
            scheme="",
            fen=fen,
            why_json='{"age":72}',
        )
        for i, (kind, rule, fen) in enumerate((("list", "list", 1800), ("discount", "xuhui-70", -270)))
    ]
    payment = rows.PaymentRow(
        order_id=order.order_id,
        business_day=order.business_day,
        method="purse",
        member=order.member,
        fen=1530,
        tendered_fen=1530,
        change_fen=0,
        at_ns=order.at_ns,
    )
    return OrderFile(order=order, lines=_lines(order), steps=steps, payment=payment, refunds=[])


def _lines(order: rows.OrderRow) -> list[rows.OrderLineRow]:
    shares = zip(world.CARDS, (1200, 500, 100), (-180, -75, -15), strict=False)
    return [
        rows.OrderLineRow(
            order_id=order.order_id,
            line_no=i,
            business_day=order.business_day,
            plate_uid=f"e00401508d1ef2{i:02x}",
            fill_epoch=1,
            dish_id=card.dish_id,
            dish_version=card.version,
            grams=card.portion_g,
            list_fen=fen,
            payable_fen=fen + cut,
            subsidy_fen=0,
            fen_json=f"[{fen},{cut}]",
            energy_j=card.nutrients.energy_j,
            protein_mg=card.nutrients.protein_mg,
            fat_mg=card.nutrients.fat_mg,
            carbohydrate_mg=card.nutrients.carbohydrate_mg,
            sodium_mg=card.nutrients.sodium_mg,
        )
        for i, (card, fen, cut) in enumerate(shares, start=1)
    ]
