"""What a caller sends with each garage command (see ``models`` for the strict recipe)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BeforeValidator, Field

from edge.api.models import ID_PATTERN, TEXT_PATTERN, Fen, Id, Reason, Strict, integral

ZoneId = Annotated[str, Path(min_length=1, max_length=64, pattern=ID_PATTERN, description="The zone.", examples=["B1"])]
PortId = Annotated[
    str, Path(min_length=1, max_length=64, pattern=ID_PATTERN, description="The charging outlet.", examples=["B1-P03"])
]
AlarmId = Annotated[
    str,
    Path(min_length=3, max_length=40, pattern=r"^\d+\.\d+$", description="Id of the alarm.", examples=["1841.2"]),
]
OptionalText = Annotated[str, Field(max_length=200, pattern=r"^$|" + TEXT_PATTERN)]
Minutes = Annotated[int, Field(ge=0, le=600), BeforeValidator(integral)]


class ResetBody(Strict):
    """Who resets: a person beside the panel, by name and personal PIN. The panel is known from its own token."""

    person: Annotated[
        str, Field(min_length=1, max_length=32, description="User name of the person.", examples=["duty1"])
    ]
    pin: Annotated[str, Field(min_length=1, max_length=32, description="The person's PIN.", examples=["730264"])]


class TestBody(Strict):
    """How long a walk test lasts."""

    __test__ = False
    minutes: Annotated[
        int, Field(ge=0, le=120, description="Minutes; 0 ends it.", examples=[30]), BeforeValidator(integral)
    ]


class CutBody(Strict):
    """Why somebody cuts a zone by hand."""

    reason: Annotated[Reason, Field(description="Kept with the cut.", examples=["smell of burning"])]


class StartBody(Strict):
    """How to charge. A resident pays from the own purse; the desk may name a card."""

    session_id: Annotated[Id, Field(description="Id of the session, made by the page.", examples=["s-7f3a"])]
    card: Annotated[
        Annotated[str, Field(max_length=32, pattern=r"^[0-9A-Za-z:]*$")],
        Field(description="Card that pays; staff only.", examples=["A0000017"]),
    ] = ""
    limit_fen: Annotated[Fen, Field(description="Stop at this price, fen; 0 = what the purse allows.")] = 0
    limit_min: Annotated[Minutes, Field(description="Stop after so many minutes; 0 = the site's limit.")] = 0


class StopBody(Strict):
    """Which session to stop, so that a late press stops nobody else's."""

    session_id: Annotated[Id, Field(description="As shown.", examples=["s-7f3a"])]


class ShelveBody(Strict):
    """For how long an alarm is put aside."""

    minutes: Annotated[
        int,
        Field(ge=0, le=480, description="Minutes, at most one shift; 0 ends the shelf.", examples=[60]),
        BeforeValidator(integral),
    ]
    reason: Annotated[OptionalText, Field(description="Kept with the alarm.", examples=["fitter on the way"])] = ""


class ServiceBody(Strict):
    """Out of service, or back."""

    out: Annotated[bool, Field(description="False: back in service.", examples=[True])]
    reason: Annotated[OptionalText, Field(description="Kept with the alarm.", examples=["head being replaced"])] = ""
