"""What a caller sends with each gym command (see ``models`` for the strict recipe)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import BeforeValidator, Field

from edge.api.models import ID_PATTERN, TEXT_PATTERN, Id, Strict, integral
from edge.domain.gym.messages import GRADES, STOP_REASONS
from edge.domain.gym.settings import AssetKind

AssetId = Annotated[
    str, Path(min_length=1, max_length=48, pattern=ID_PATTERN, description="The machine.", examples=["tm-1"])
]
WorkoutId = Annotated[
    str, Path(min_length=1, max_length=80, pattern=ID_PATTERN, description="Id of the workout.", examples=["tm-1-1841"])
]
WorkOrderId = Annotated[
    str, Path(min_length=1, max_length=120, pattern=ID_PATTERN, description="Id of the work order.",
              examples=["tm-1-1841-fault"]),
]  # fmt: skip
PersonToken = Annotated[
    str, Path(min_length=1, max_length=64, pattern=ID_PATTERN, description="Token of the person.", examples=["m001"])
]
OptionalId = Annotated[str, Field(max_length=64, pattern=r"^$|" + ID_PATTERN)]
CardHex = Annotated[str, Field(max_length=32, pattern=r"^[0-9A-Za-z:]*$")]
Note = Annotated[str, Field(max_length=500, pattern=r"^$|" + TEXT_PATTERN)]


class ClaimBody(Strict):
    """Who takes the machine. A member takes it for himself, whatever the body says."""

    person: Annotated[OptionalId, Field(description="Token of the person; staff only.", examples=["m001"])] = ""
    card: Annotated[CardHex, Field(description="Card shown; staff only.", examples=["a0000017"])] = ""


class PersonBody(Strict):
    """Whom it concerns. A member speaks for himself, whatever the body says."""

    person: Annotated[OptionalId, Field(description="Token of the person; staff only.", examples=["m001"])] = ""


class StopReasonBody(Strict):
    """Why somebody stopped."""

    reason: Annotated[str, Field(pattern="^(" + "|".join(STOP_REASONS) + ")$", examples=["tired"],
                                 description="One of: " + ", ".join(STOP_REASONS) + ".")]  # fmt: skip


class QueueBody(Strict):
    """For which kind of machine, in which room."""

    zone: Annotated[Id, Field(description="The room.", examples=["hall"])]
    kind: Annotated[
        str,
        Field(pattern="^(" + "|".join(AssetKind) + ")$", description="Kind of machine.", examples=["treadmill"]),
    ]
    person: Annotated[OptionalId, Field(description="Token of the person; staff only.", examples=["m001"])] = ""


class PrescriptionBody(Strict):
    """What staff set for a person; 0 = not set."""

    birth_year: Annotated[
        int, Field(ge=0, le=2100, description="Year of birth.", examples=[1951]), BeforeValidator(integral)
    ] = 0
    rest_bpm: Annotated[
        int, Field(ge=0, le=130, description="Resting pulse.", examples=[68]), BeforeValidator(integral)
    ] = 0
    ceiling_bpm: Annotated[
        int,
        Field(ge=0, le=220, description="Personal ceiling of the pulse.", examples=[112]),
        BeforeValidator(integral),
    ] = 0
    max_bpm: Annotated[
        int,
        Field(ge=0, le=230, description="Personal maximum of the pulse.", examples=[140]),
        BeforeValidator(integral),
    ] = 0
    beta_blocker: Annotated[
        bool, Field(description="Takes a beta-blocker: effort is judged by feeling, not by pulse.", examples=[False])
    ] = False
    cards: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z:]+$")], ...],
        Field(max_length=8, strict=False, description="Cards of the person.", examples=[["a0000017"]]),
    ] = ()


class VitalsBody(Strict):
    """Measured by hand; null = not measured."""

    systolic_mmhg: Annotated[
        Annotated[int, Field(ge=40, le=300), BeforeValidator(integral)] | None,
        Field(description="Upper blood pressure, mmHg.", examples=[128]),
    ] = None
    diastolic_mmhg: Annotated[
        Annotated[int, Field(ge=20, le=250), BeforeValidator(integral)] | None,
        Field(description="Lower blood pressure, mmHg.", examples=[80]),
    ] = None
    pulse_bpm: Annotated[
        Annotated[int, Field(ge=20, le=250), BeforeValidator(integral)] | None,
        Field(description="Pulse at rest.", examples=[72]),
    ] = None
    weight_kg: Annotated[float | None, Field(ge=2, le=400, description="Weight, kg.", examples=[61.5])] = None


class FaultBody(Strict):
    """What somebody saw."""

    what: Annotated[
        str, Field(min_length=1, max_length=40, pattern=TEXT_PATTERN, description="In a word.", examples=["noise"])
    ]
    note: Annotated[Note, Field(description="In more words.", examples=["a knock at 8 km/h"])] = ""


class NoteBody(Strict):
    """A remark, kept with the order."""

    note: Annotated[Note, Field(description="Remark.", examples=["belt torn"])] = ""


class TicketBody(Strict):
    """Where it was sent."""

    ticket: Annotated[
        str,
        Field(min_length=1, max_length=60, pattern=TEXT_PATTERN, description="Its number there.", examples=["W-2077"]),
    ]


class CloseOrderBody(Strict):
    """Why there is nothing left to test."""

    note: Annotated[
        str,
        Field(min_length=1, max_length=500, pattern=TEXT_PATTERN, description="Reason.", examples=["sold in November"]),
    ]


class ReturnTestBody(Strict):
    """How the test after the repair went."""

    passed: Annotated[bool, Field(description="True gives the machine back.", examples=[True])]
    note: Annotated[Note, Field(description="Remark.", examples=["ran 10 min at 12 km/h"])] = ""


class InspectionItem(Strict):
    """One line of the checklist."""

    item: Annotated[Id, Field(description="The line.", examples=["fasteners"])]
    grade: Annotated[
        str, Field(pattern="^(" + "|".join(GRADES) + ")$", examples=["ok"], description="One of: " + ", ".join(GRADES))
    ]


class InspectionBody(Strict):
    """A whole inspection."""

    items: Annotated[
        tuple[InspectionItem, ...], Field(min_length=1, max_length=100, strict=False, description="The lines.")
    ]
    note: Annotated[Note, Field(description="Remark.", examples=["paint worn at the left handle"])] = ""
