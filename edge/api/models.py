"""The strict recipe for everything that a caller may send, and the small types that requests share.

The hard part is that JSON Schema calls 1285.0 an integer while pydantic's strict mode refuses it, and that lax mode
takes ``true`` for 1. So: strict, no unknown keys, and integers as ``Annotated[int, Field(ge, le), BeforeValidator]`` in
exactly this order, which keeps the bounds in the schema (measured: docs and behaviour then agree in every generated
case). A user would notice a mistake here as a price of 1 fen for a weight of "true".
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from edge.api.account_types import USERNAME_MAX, USERNAME_PATTERN

#: JSON numbers are exact up to here in every browser.
MAX_SAFE = 2**53 - 1
#: 1,000,000 yuan: no payment, top-up or balance of a canteen comes near.
MAX_FEN = 100_000_000

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:-]*$"
UID_PATTERN = r"^[0-9a-f]+$"
#: No control characters.
TEXT_PATTERN = r"^[^\x00-\x1f\x7f]+$"
KEY_PATTERN = r"^[\x21-\x7e]+$"
DAY_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"


def integral(value: Any) -> Any:
    """1285.0 as 1285 (JSON Schema calls both integers); everything else unchanged, for pydantic to judge."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


class Strict(BaseModel):
    """Base of every request body: exact types, unknown keys refused, nothing changed afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Answer(BaseModel):
    """Base of the answers that the API itself makes (views and rows of the canteen are msgspec structs)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


LaneId = Annotated[
    str,
    Path(min_length=1, max_length=16, pattern=ID_PATTERN, description="Number of the checkout lane.", examples=["1"]),
]
OrderId = Annotated[
    str, Path(min_length=1, max_length=64, pattern=ID_PATTERN, description="Id of the order.", examples=["o-7f3a"])
]
MemberToken = Annotated[
    str, Path(min_length=1, max_length=64, pattern=ID_PATTERN, description="Member's token.", examples=["m001"])
]
PlateUid = Annotated[
    str,
    Path(min_length=4, max_length=32, pattern=UID_PATTERN, description="Chip UID, hex.", examples=["e00401508d1ef2a3"]),
]
Username = Annotated[
    str,
    Path(
        min_length=1, max_length=USERNAME_MAX, pattern=USERNAME_PATTERN, description="User name.", examples=["cashier1"]
    ),
]
TokenId = Annotated[
    str,
    Path(min_length=1, max_length=32, pattern=r"^[0-9a-f]+$", description="Id of the token.", examples=["9f2c41aa"]),
]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=KEY_PATTERN,
        description="Id of the command, made before its first send: the same key and content get the same answer, the "
        "same key with other content is refused.",
        examples=["2f1c7c52-8f0f-4b5c-9f43-8f4a2b6f1d0e"],
    ),
]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.", examples=[50])]
Cursor = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=512,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="next_cursor of the page before; leave it out to begin.",
    ),
]
DayQuery = Annotated[
    str | None,
    Query(pattern=DAY_PATTERN, description="Business day, ISO date (Asia/Shanghai).", examples=["2026-11-20"]),
]

# Body fields: Field (with the bounds) first, BeforeValidator last; see the module's head.
Fen = Annotated[int, Field(ge=0, le=MAX_FEN), BeforeValidator(integral)]
PositiveFen = Annotated[int, Field(ge=1, le=MAX_FEN), BeforeValidator(integral)]
Version = Annotated[int, Field(ge=0, le=MAX_SAFE), BeforeValidator(integral)]
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=ID_PATTERN)]
Reason = Annotated[str, Field(min_length=1, max_length=200, pattern=TEXT_PATTERN)]
