"""What a caller sends with each canteen command (see ``models`` for the strict recipe)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from edge.api.models import TEXT_PATTERN, Fen, Id, PositiveFen, Reason, Strict, Version, integral

Card = Annotated[str, Field(max_length=32, pattern=r"^[0-9A-Za-z]*$")]
Grams = Annotated[int, Field(ge=1, le=10_000), BeforeValidator(integral)]
Uid = Annotated[str, Field(min_length=4, max_length=32, pattern=r"^[0-9a-f]+$")]
LineNo = Annotated[int, Field(ge=0, le=999), BeforeValidator(integral)]


class IdentifyBody(Strict):
    """Who eats: a member's card, or a category for a guest, or neither to forget the member."""

    card: Annotated[Card, Field(description="Number on the card's chip.", examples=["A0000017"])] = ""
    category: Annotated[
        Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9._:-]*$")],
        Field(description="Category of a guest without a card.", examples=["guest"]),
    ] = ""


class PayBody(Strict):
    """The tray exactly as the payer saw it: if anything differs, nothing is charged (``tray_changed``)."""

    order_id: Annotated[Id, Field(description="Id of the sale, made by the terminal.", examples=["o-7f3a"])]
    tray_id: Annotated[Id, Field(description="As shown.", examples=["t-12"])]
    tray_version: Annotated[Version, Field(description="As shown.", examples=[7])]
    payable_fen: Annotated[Fen, Field(description="As shown, fen.", examples=[1530])]
    method: Annotated[Literal["purse", "cash"], Field(description="How it is paid.", examples=["purse"])]
    tendered_fen: Annotated[Fen, Field(description="Cash handed over, fen.", examples=[2000])] = 0


class ConfirmPlatesBody(Strict):
    """How many plates lie on the tray, counted by a person."""

    tray_id: Annotated[Id, Field(description="As shown.", examples=["t-12"])]
    plates: Annotated[
        int, Field(ge=0, le=100, description="Number of plates.", examples=[3]), BeforeValidator(integral)
    ]


class KeyPlateBody(Strict):
    """A plate that cannot be read, by its printed label."""

    tray_id: Annotated[Id | Literal[""], Field(description="As shown; empty where nothing answers.", examples=["t-12"])]
    label: Annotated[
        str,
        Field(min_length=1, max_length=32, pattern=TEXT_PATTERN, description="Printed on the rim.", examples=["A-017"]),
    ]


class CallStaffBody(Strict):
    """Call, or the call is answered."""

    on: Annotated[bool, Field(description="False: somebody came.", examples=[True])] = True


class VoidBody(Strict):
    """Why a whole order is undone."""

    reason: Annotated[Reason, Field(description="Kept with the order.", examples=["wrong diner"])]


class RefundBody(Strict):
    """Which lines are paid back, and why."""

    refund_id: Annotated[Id, Field(description="Id of the refund, made by the terminal.", examples=["r-1"])]
    line_nos: Annotated[
        tuple[LineNo, ...],
        Field(min_length=1, max_length=100, strict=False, description="Lines of the order.", examples=[[1, 2]]),
    ]
    reason: Annotated[Reason, Field(description="Kept with the refund.", examples=["cold soup"])]


class TopUpBody(Strict):
    """Money into a member's purse."""

    fen: Annotated[PositiveFen, Field(description="Amount, fen.", examples=[10000])]
    method: Annotated[Literal["cash", "transfer"], Field(description="How it was received.")] = "cash"


class BindBody(Strict):
    """Plates that were filled with a dish."""

    dish_id: Annotated[Id, Field(description="The dish.", examples=["d001"])]
    plate_uids: Annotated[
        tuple[Uid, ...],
        Field(min_length=1, max_length=500, strict=False, description="Chips, hex.", examples=[["e00401508d1ef2a3"]]),
    ]
    grams: Annotated[Grams | None, Field(description="Weight of each, for dishes priced by weight.")] = None


class NewPlate(Strict):
    """A plate for the registry."""

    uid: Annotated[Uid, Field(description="Chip UID, hex.", examples=["e00401508d1ef2a3"])]
    label: Annotated[
        str,
        Field(min_length=1, max_length=32, pattern=TEXT_PATTERN, description="Printed on the rim.", examples=["A-017"]),
    ]
    kind: Annotated[Id, Field(description="Kind of plate.", examples=["bowl"])]
    tare_g: Annotated[
        int, Field(ge=0, le=5000, description="Weight empty, g.", examples=[310]), BeforeValidator(integral)
    ]


class RegisterBody(Strict):
    """Plates beyond those of the configuration."""

    plates: Annotated[
        tuple[NewPlate, ...], Field(min_length=1, max_length=500, strict=False, description="The plates.")
    ]


class RetireBody(Strict):
    """Take a plate out of use, or back."""

    retired: Annotated[bool, Field(description="False: back in use.", examples=[True])] = True
