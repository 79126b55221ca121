"""What a person reads off a lane's screen: the few fields of the lane view that diners and the desk act on."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_sim.canteenapi import Reply


@dataclass(frozen=True, slots=True)
class LaneView:
    """``plates``: UIDs shown; of them ``priced`` are charged and ``blocking`` stop the payment. ``balance_fen``: None
    without a member."""

    phase: str
    problem: str
    tray_id: str
    tray_version: int
    payable_fen: int
    firm: bool
    plates: tuple[str, ...]
    priced: tuple[str, ...]
    blocking: tuple[str, ...]
    member: str | None
    balance_fen: int | None
    paid_order: str


def read_view(reply: Reply) -> LaneView:
    """The view in an answer to GET /canteen/lanes/{lane}. Missing parts read as empty: a person would see nothing
    there."""
    body = reply.body
    plates = [plate for plate in _list(body.get("plates")) if isinstance(plate, dict)]
    diner = _dict(body.get("diner"))
    balance = diner.get("balance_fen")
    member = diner.get("member")
    return LaneView(
        phase=str(body.get("phase", "")),
        problem=str(body.get("problem", "")),
        tray_id=str(body.get("tray_id", "")),
        tray_version=_int(body.get("tray_version")),
        payable_fen=_int(body.get("payable_fen")),
        firm=body.get("firm") is True and body.get("phase") == "firm",
        plates=tuple(str(plate.get("uid")) for plate in plates),
        priced=tuple(str(plate.get("uid")) for plate in plates if plate.get("state") == "priced"),
        blocking=tuple(str(plate.get("uid")) for plate in plates if plate.get("blocks") is True),
        member=member if isinstance(member, str) else None,
        balance_fen=balance if isinstance(balance, int) else None,
        paid_order=str(_dict(body.get("paid")).get("order_id", "")),
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _int(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
