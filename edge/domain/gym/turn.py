"""One input's turn: what the pieces of the gym gather while they decide on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from edge.domain.gym.settings import GymConfig
from edge.domain.gym.world import World
from edge.domain.kernel import Effect, EffectClass, Put, Row, Send, Stamp

#: The board follows a change by so much: ten changes in a moment are one picture.
BOARD_NS = 200_000_000


@dataclass(slots=True)
class Turn:
    """``assets`` and ``kiosks`` are to be shown again; ``urgent`` assets at once, others at most once a second."""

    world: World
    stamp: Stamp
    view_class: EffectClass = EffectClass.PREVIEW
    assets: dict[str, None] = field(default_factory=dict)
    urgent: dict[str, None] = field(default_factory=dict)
    kiosks: dict[str, None] = field(default_factory=dict)
    trails: dict[str, None] = field(default_factory=dict)
    maintenance: bool = False
    first: list[Send] = field(default_factory=list)
    rest: list[Effect] = field(default_factory=list)
    _site_time: datetime | None = None

    @property
    def now_ns(self) -> int:
        return self.stamp.mono_ns

    @property
    def config(self) -> GymConfig:
        """The configuration in force; pieces run only when there is one."""
        if self.world.config is None:
            raise ValueError("the gym has no configuration")
        return self.world.config

    def put(self, row: Row) -> None:
        self.rest.append(Put(row))

    def send(self, send: Send) -> None:
        """A device command; a stop leaves before everything else."""
        (self.first if send.effect_class is EffectClass.SAFETY else self.rest).append(send)

    def show(self, asset: str, *, at_once: bool = False) -> None:
        """Have a machine shown again, and the board if something changed that it tells."""
        (self.urgent if at_once else self.assets)[asset] = None
        if at_once:
            self.board()

    def board(self) -> None:
        """Something changed that the board tells."""
        due_ns = self.now_ns + BOARD_NS
        if self.world.board_due_ns is None or self.world.board_due_ns > due_ns:
            self.world.board_due_ns = due_ns

    def site_time(self) -> datetime:
        """Wall time of this input on the site's clock; made once, for a board asks for it 400 times."""
        if self._site_time is None:
            moment = datetime.fromtimestamp(self.stamp.wall_ns / 1_000_000_000, UTC)
            self._site_time = moment + timedelta(minutes=self.config.utc_offset_min)
        return self._site_time
