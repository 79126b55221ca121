"""A made-up gym for ``edge.api.preview`` and the tests: the real kernel over machines that are played by hand, in
scenes. Never part of a running site.

What the pages' buttons do goes to the same kernel, so a refusal here is a refusal of the daemon.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Literal

from edge.api.preview_fakes import MemoryGateway
from edge.api.preview_gym_world import BELTS, CARDS, CONFIG, GATES, ROW
from edge.api.preview_rows import MemoryRows
from edge.domain.actors import Actor, Role
from edge.domain.alarm_views import alarms_view
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import CardReading
from edge.domain.gym.kernel import ALARMS_KEY, GymKernel
from edge.domain.gym.messages import Command, CommandBody, ConfigApplied, DayOpened, GymInput, RecordVitals, Timer
from edge.domain.gym.settings import AssetKind
from edge.domain.kernel import Effects, Put, Reply, Show, Stamp
from edge.domain.machine_readings import (
    BloodPressureReading,
    CountReading,
    GateReading,
    HeartRateReading,
    MachineHealthReading,
    MachineReading,
    MachineState,
)

Scene = Literal["quiet", "busy", "queue", "heart", "locked", "closed", "trail"]
DAY = "2026-11-20"
#: Scenes that begin so many days earlier.
DAYS_BEFORE = {"locked": 40}
#: 12:04 in Shanghai on that day.
AT_NS = 1_795_147_440_000_000_000
NS_PER_S = 1_000_000_000
#: A machine speaks so often while a scene is prepared; more often than a pause needs to be seen.
STEP_S = 2.0
_STAFF = Actor(Role.COACH, "coach-1")


class GymScript:
    """Shows one scene at a time. ``playing``: what each machine goes on doing, by name."""

    def __init__(self, gateway: MemoryGateway) -> None:
        self.gateway = gateway
        self.scene: Scene = "quiet"
        self.play("quiet")

    def play(self, scene: Scene) -> None:
        """Begin ``scene`` anew."""
        from edge.api.preview_gym_scenes import SCENES  # noqa: PLC0415 - scenes play on a script

        self.scene, self.rows, self.kernel = scene, MemoryRows(), GymKernel()
        self.playing: dict[str, Callable[[], None]] = {}
        self.shown: set[str] = set()
        first = date.fromisoformat(DAY) - timedelta(days=DAYS_BEFORE.get(scene, 0))
        self._seq, self.mono_ns = 0, 1_000 * NS_PER_S
        self.wall_ns = AT_NS - DAYS_BEFORE.get(scene, 0) * 86_400 * NS_PER_S
        self._step = STEP_S
        self._metres: dict[str, float] = {}
        self._elapsed: dict[str, float] = {}
        self.world = self.kernel.load(self.rows)
        self._take(self.kernel.resume(self.world, self.stamp()))
        self.give(ConfigApplied(CONFIG))
        self.give(DayOpened(first.isoformat()))
        for asset in CONFIG.assets:
            if asset.kind is AssetKind.OUTDOOR:
                self.give(DeviceReading(ROW, 1, CountReading(point=asset.asset, use_count=412)))
            elif asset.asset != "rw-1":
                self.stand(asset.asset)
        SCENES[scene](self)
        self.run(2)
        self._since = time.monotonic()
        if ALARMS_KEY not in self.shown:
            self.gateway.show(ALARMS_KEY, alarms_view(self.world.alarms, self.stamp()))

    # --- time ---

    def stamp(self) -> Stamp:
        self._seq += 1
        return Stamp(self._seq, "preview", self.mono_ns, self.wall_ns, wall_trusted=True)

    def give(self, item: GymInput) -> Effects:
        effects = self.kernel.handle(self.world, item, self.stamp())
        self._take(effects)
        return effects

    def elapse(self, seconds: float) -> None:
        """Let time pass without a word of any machine."""
        self.mono_ns += round(seconds * NS_PER_S)
        self.wall_ns += round(seconds * NS_PER_S)

    def run(self, seconds: float, step_s: float = STEP_S) -> None:
        """Let time pass, with what the machines go on doing."""
        for _ in range(max(1, round(seconds / step_s))):
            self.elapse(step_s)
            self._step = step_s
            for act in list(self.playing.values()):
                act()
            due = self.kernel.deadline(self.world)
            if due is not None and due <= self.mono_ns:
                self.give(Timer())

    def breathe(self) -> None:
        """Let as much time pass as has passed outside; after a long stop only the last of it."""
        now = time.monotonic()
        passed, self._since = min(5.0, now - self._since), now
        if passed > 0:
            self.run(passed, passed)

    # --- what machines, straps, cards and gates say ---

    def says(self, asset: str, **facts: Any) -> None:
        self.give(DeviceReading(ROW, 1, MachineReading(point=asset, **facts)))

    def stand(self, asset: str) -> None:
        """A machine that speaks and does not move, and goes on so."""

        def act() -> None:
            self.says(asset, distance_m=round(self._metres.get(asset, 0.0), 2), speed_km_h=0.0)

        self.playing[asset] = act
        act()

    def move(self, asset: str, km_h: float = 5.4, bpm: int | None = None, **facts: Any) -> None:
        """A machine in motion, and a strap beside it if ``bpm``; both go on so."""

        def act() -> None:
            self._metres[asset] = self._metres.get(asset, 0.0) + km_h / 3.6 * self._step
            self._elapsed[asset] = self._elapsed.get(asset, 0.0) + self._step
            self.says(
                asset, distance_m=round(self._metres[asset], 2), elapsed_s=self._elapsed[asset], speed_km_h=km_h,
                state=MachineState.IN_USE, **facts,
            )  # fmt: skip
            if bpm is not None:
                wobble = self._seq % 3 - 1
                self.give(DeviceReading(BELTS, 1, HeartRateReading(point=asset, heart_rate_bpm=bpm + wobble)))

        self.playing[asset] = act

    def pause(self, asset: str) -> None:
        """It stands still from now on."""
        self.stand(asset)

    def health(self, asset: str, **facts: Any) -> None:
        self.give(DeviceReading(ROW, 1, MachineHealthReading(point=asset, **facts)))

    def gate(self, number: int, tag: str) -> None:
        self.give(DeviceReading(GATES, 1, GateReading(point=f"g{number}", tag=tag)))

    def kiosk(self, card: str, systolic: int, pulse: int) -> None:
        """Somebody is measured at the door."""
        self.give(DeviceReading(CARDS, 1, CardReading(point="door", card=card)))
        cuff = BloodPressureReading(
            point="door", systolic_mmhg=systolic, diastolic_mmhg=systolic * 5 // 8, pulse_bpm=pulse
        )
        self.give(DeviceReading("cuff", 1, cuff))

    # --- people ---

    def admit(self, person: str) -> None:
        """Staff measured somebody who is well."""
        self.order(RecordVitals(person=person, systolic_mmhg=128, diastolic_mmhg=80, pulse_bpm=68))

    def order(self, body: CommandBody, actor: Actor = _STAFF) -> Reply:
        """A command that must succeed."""
        code, found = self.answer(Command(f"preview-{self._seq}", actor, body))
        if code != "ok":
            raise ValueError(f"the scene's {body} was refused: {code} {found}")
        return Reply("", code, found)

    def answer(self, command: Command) -> tuple[str, Any]:
        """Decide a command as the daemon does."""
        effects = self.give(command)
        reply = next(effect for effect in effects if isinstance(effect, Reply))
        self.elapse(0.3)
        self.give(Timer())
        return reply.code, reply.body

    def _take(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case Put(row=row):
                    self.rows.put(row)
                case Show(key=key, view=view):
                    self.shown.add(key)
                    self.gateway.show(key, view)
                case _:
                    pass
