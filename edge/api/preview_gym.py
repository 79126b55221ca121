"""A made-up gym for ``edge.api.preview`` and the tests: the real kernel over machines that are played by hand, in
scenes. Never part of a running site.

What the pages' buttons do goes to the same kernel, so a refusal here is a refusal of the daemon.

A scene goes through the kernel once in a process (thousands of readings, a fifth of a second); whoever plays it again
begins with a copy of what it came to, so that nothing done in one play is seen in the next.
"""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any, Literal

import msgspec

from edge.api.preview_fakes import MemoryGateway
from edge.api.preview_gym_world import BELTS, CARDS, CONFIG, GATES
from edge.api.preview_rows import MemoryRows
from edge.domain.actors import Actor, Role
from edge.domain.alarm_views import alarms_view
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import CardReading
from edge.domain.gym.kernel import ALARMS_KEY, GymKernel
from edge.domain.gym.messages import Command, CommandBody, ConfigApplied, DayOpened, GymInput, RecordVitals, Timer
from edge.domain.gym.settings import AssetKind, GymConfig
from edge.domain.gym.world import World
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

Scene = Literal["quiet", "busy", "queue", "heart", "locked", "closed", "trail", "weeks", "capped", "park"]
DAY = "2026-11-20"
#: Scenes that begin so many days earlier.
DAYS_BEFORE = {"locked": 40, "park": 40}
#: 12:04 in Shanghai on that day.
AT_NS = 1_795_147_440_000_000_000
NS_PER_S = 1_000_000_000
#: A machine speaks so often while a scene is prepared; more often than a pause needs to be seen.
STEP_S = 2.0
_STAFF = Actor(Role.COACH, "coach-1")


class Motion(msgspec.Struct, frozen=True):
    """What a machine goes on doing: at 0 km/h it stands; ``bpm``: what a strap beside it says."""

    km_h: float = 0.0
    bpm: int | None = None
    facts: dict[str, Any] = {}


class _Begun(msgspec.Struct, frozen=True):
    """How a scene begins: ``world`` and ``views`` encoded, so that no play can change them."""

    world: bytes
    views: dict[str, msgspec.Raw]
    rows: MemoryRows
    playing: dict[str, Motion]
    metres: dict[str, float]
    elapsed: dict[str, float]
    seq: int
    mono_ns: int
    wall_ns: int


_BEGUN: dict[tuple[str, Scene], _Begun] = {}


class GymScript:
    """Shows one scene at a time. ``playing``: what each machine goes on doing, by name. ``config``: another gym than
    the made-up one, in which only the scene "park" plays."""

    def __init__(self, gateway: MemoryGateway, config: GymConfig = CONFIG) -> None:
        self.gateway = gateway
        self.config = config
        self._at = {one.asset: one.at[0] for one in config.assets}
        self.kernel = GymKernel()
        self.scene: Scene = "quiet" if config is CONFIG else "park"
        self.play(self.scene)

    def play(self, scene: Scene) -> None:
        """Begin ``scene`` anew."""
        known = (self.config.version, scene)
        if known not in _BEGUN:
            _BEGUN[known] = self._prepared(scene)
        begun = _BEGUN[known]
        self.scene, self.rows, self.playing = scene, begun.rows.copy(), dict(begun.playing)
        self.world = msgspec.msgpack.decode(begun.world, type=World)  # as a daemon takes up a snapshot
        self._metres, self._elapsed = dict(begun.metres), dict(begun.elapsed)
        self._seq, self.mono_ns, self.wall_ns = begun.seq, begun.mono_ns, begun.wall_ns
        self._step = STEP_S
        self._since = time.monotonic()
        for key, view in begun.views.items():
            self.gateway.show(key, view)

    def _prepared(self, scene: Scene) -> _Begun:
        """Play ``scene`` up to where it begins, shown to nobody."""
        from edge.api.preview_gym_scenes import SCENES  # noqa: PLC0415 - scenes play on a script

        gateway, self.gateway = self.gateway, MemoryGateway()
        self.rows = MemoryRows()
        self.playing = {}
        first = date.fromisoformat(DAY) - timedelta(days=DAYS_BEFORE.get(scene, 0))
        self._seq, self.mono_ns = 0, 1_000 * NS_PER_S
        self.wall_ns = AT_NS - DAYS_BEFORE.get(scene, 0) * 86_400 * NS_PER_S
        self._step = STEP_S
        self._metres, self._elapsed = {}, {}
        self.world = self.kernel.load(self.rows)
        self._take(self.kernel.resume(self.world, self.stamp()))
        self.give(ConfigApplied(self.config))
        self.give(DayOpened(first.isoformat()))
        for asset in self.config.assets:
            if asset.kind is AssetKind.OUTDOOR:
                self.count(asset.asset, 412)
            elif asset.asset != "rw-1":
                self.stand(asset.asset)
        SCENES[scene](self)
        self.run(2)
        shown, self.gateway = {view.key: msgspec.Raw(view.json) for view in self.gateway.present()}, gateway
        if ALARMS_KEY not in shown:
            shown[ALARMS_KEY] = msgspec.Raw(msgspec.json.encode(alarms_view(self.world.alarms, self.stamp())))
        return _Begun(
            msgspec.msgpack.encode(self.world), shown, self.rows, self.playing, self._metres, self._elapsed,
            self._seq, self.mono_ns, self.wall_ns,
        )  # fmt: skip

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
            for asset, motion in list(self.playing.items()):
                self._act(asset, motion)
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
        at = self._at[asset]
        self.give(DeviceReading(at.device, 1, MachineReading(point=at.point, **facts)))

    def count(self, asset: str, use_count: int, **facts: Any) -> None:
        """The counter of an outdoor point."""
        at = self._at[asset]
        self.give(DeviceReading(at.device, 1, CountReading(point=at.point, use_count=use_count, **facts)))

    def stand(self, asset: str) -> None:
        """A machine that speaks and does not move, and goes on so."""
        self.playing[asset] = Motion()
        self._act(asset, self.playing[asset])

    def move(self, asset: str, km_h: float = 5.4, bpm: int | None = None, **facts: Any) -> None:
        """A machine in motion, and a strap beside it if ``bpm``; both go on so."""
        self.playing[asset] = Motion(km_h, bpm, facts)

    def _act(self, asset: str, motion: Motion) -> None:
        """What the machine and its strap say next."""
        if motion.km_h == 0.0:
            self.says(asset, distance_m=round(self._metres.get(asset, 0.0), 2), speed_km_h=0.0)
            return
        self._metres[asset] = self._metres.get(asset, 0.0) + motion.km_h / 3.6 * self._step
        self._elapsed[asset] = self._elapsed.get(asset, 0.0) + self._step
        self.says(
            asset, distance_m=round(self._metres[asset], 2), elapsed_s=self._elapsed[asset], speed_km_h=motion.km_h,
            state=MachineState.IN_USE, **motion.facts,
        )  # fmt: skip
        if motion.bpm is not None:
            beats = HeartRateReading(point=asset, heart_rate_bpm=motion.bpm + self._seq % 3 - 1)
            self.give(DeviceReading(BELTS, 1, beats))

    def pause(self, asset: str) -> None:
        """It stands still from now on."""
        self.stand(asset)

    def health(self, asset: str, **facts: Any) -> None:
        at = self._at[asset]
        self.give(DeviceReading(at.device, 1, MachineHealthReading(point=at.point, **facts)))

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
                    self.gateway.show(key, view)
                case _:
                    pass
