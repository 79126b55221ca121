"""One machine of the simulated gym with whoever is on it: what the person does, and what is wrong with the machine.

The devices are those of ``firmware_sim.ftms``, ``csafe``, ``strength``, ``heart_rate`` and ``trail_gates``; here is who
uses them. The hard part is the pulse: it follows effort with a lag, belongs to a strap that is only worn in use, and
what is told of it moves as a heart does, also where a person orders it. A user would notice a crude one as alarms that
the artefact gate rightly throws away.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware_sim.control import ControlError
from firmware_sim.csafe import Console
from firmware_sim.exercise import Exercise
from firmware_sim.ftms import FtmsMachine
from firmware_sim.gym.things import MachineConfig
from firmware_sim.heart_rate import Strap
from firmware_sim.strength import StrengthMachine
from firmware_sim.trail_gates import TrailPost

GUEST = "guest"
#: How fast an ordered pulse moves; no heart leaps.
BEATS_PER_S = 8.0
#: A belt that drags: the motor draws so many times as much.
WORN = 3.2

Body = FtmsMachine | Console | StrengthMachine | TrailPost


@dataclass(slots=True)
class Station:
    """``who`` is on it: a person's token, ``guest``, "" nobody. ``goal_bpm`` None: the pulse follows effort.
    ``strap_on`` False: whoever trains wears no strap, or has lost it."""

    config: MachineConfig
    body: Body
    exercise: Exercise | None = None
    straps: list[Strap] = field(default_factory=list)
    who: str = ""
    goal_bpm: int | None = None
    told_bpm: float | None = None
    strap_on: bool = True
    silent: bool = False

    @property
    def in_use(self) -> bool:
        """Whether it is being moved now."""
        if isinstance(self.body, StrengthMachine):
            return self.body.at_work
        return self.exercise is not None and self.exercise.moving

    @property
    def bpm(self) -> int | None:
        """What its strap tells, None without one that is worn."""
        if self.exercise is None or not any(strap.worn for strap in self.straps):
            return None
        return round(self.exercise.heart_bpm if self.told_bpm is None else self.told_bpm)

    def start(self, now_ns: int, effort: float) -> None:
        """Begin, or go on after a pause."""
        match self.body:
            case StrengthMachine() as machine:
                machine.now_ns = max(machine.now_ns, now_ns)
                machine.begin_session()
            case TrailPost() as post:
                post.now_ns = max(post.now_ns, now_ns)
                post.use()
            case _:
                assert self.exercise is not None
                if self.exercise.error_code:
                    return
                self.strive(now_ns, effort)
                self.exercise.start(now_ns)
                self._wear()

    def strive(self, now_ns: int, effort: float) -> None:
        """Harder, or easier."""
        if self.exercise is not None:
            self.exercise.run(now_ns)
            self.exercise.effort = effort

    def pause(self, now_ns: int) -> None:
        """Stand still for a while; the belt stops, nobody steps down."""
        if self.exercise is not None and self.exercise.moving:
            self.exercise.stop(now_ns, "paused")

    def finish(self, now_ns: int) -> None:
        """The workout is over by the machine's own word."""
        if isinstance(self.body, StrengthMachine):
            self.body.now_ns = max(self.body.now_ns, now_ns)
            self.body.end_session()
        elif self.exercise is not None and self.exercise.state in {"in_use", "paused"}:
            self.exercise.stop(now_ns, "finished")

    def step_down(self, now_ns: int) -> None:
        """Whoever was on it ends, takes the strap off and goes; the console shows the end for a while."""
        self.finish(now_ns)
        self.who, self.goal_bpm, self.told_bpm, self.strap_on = "", None, None, True
        self._wear()

    def free(self, now_ns: int) -> None:
        """Nobody is on it, and its console has gone back to idle."""
        self.step_down(now_ns)
        if self.exercise is not None and not self.exercise.error_code:
            self.exercise.stop(now_ns, "idle")

    def step(self, seconds: float) -> None:
        """The told pulse moves toward the ordered one, or back to the truth."""
        if self.exercise is None or (self.goal_bpm is None and self.told_bpm is None):
            return
        truth = self.exercise.heart_bpm
        goal = truth if self.goal_bpm is None else float(self.goal_bpm)
        told = truth if self.told_bpm is None else self.told_bpm
        most = BEATS_PER_S * seconds
        told += min(most, max(-most, goal - told))
        self.told_bpm = None if self.goal_bpm is None and abs(told - truth) < 1 else told
        self._wear()

    def _wear(self) -> None:
        for strap in self.straps:
            strap.worn = self.strap_on and bool(self.who)
            strap.forced_bpm = round(self.told_bpm) if self.told_bpm is not None and strap.worn else None

    # --- what may be wrong ---

    def take_strap(self, *, on: bool) -> None:
        """The strap slips off, or is put on again."""
        if not self.straps:
            raise ControlError(f"{self.config.asset} has no strap")
        self.strap_on = on
        self._wear()

    def silence(self, *, on: bool) -> None:
        """It says nothing more and goes on working."""
        self.silent = on
        match self.body:
            case FtmsMachine():
                self.body.dead = on
            case Console():
                self.body.disabled = on
            case _:
                self.body.way.dark = on

    def error(self, now_ns: int, code: int) -> None:
        """It shows an error code and stands still; 0 takes the code away."""
        if not isinstance(self.body, Console) or self.exercise is None:
            raise ControlError(f"{self.config.asset} tells no error codes; use a machine with a console (CSAFE)")
        self.exercise.error_code = code
        self.exercise.stop(now_ns, "error" if code else "idle")

    def pull_key(self, now_ns: int) -> None:
        """The safety key is pulled: the belt stops at once."""
        if not isinstance(self.body, FtmsMachine) or self.exercise is None:
            raise ControlError(f"{self.config.asset} does not tell of its safety key")
        self.exercise.stop(now_ns, "finished")
        self.exercise.key_pulled = True

    def drag(self) -> None:
        """Its belt is worn: the motor draws more."""
        if not isinstance(self.body, Console) or self.exercise is None:
            raise ControlError(f"{self.config.asset} tells no motor current; use a machine with a console (CSAFE)")
        self.exercise.friction = WORN

    def mend(self, now_ns: int) -> None:
        """Everything works again; who is on it stays."""
        if self.silent:
            self.silence(on=False)
        self.goal_bpm, self.strap_on = None, True
        if self.exercise is not None:
            self.exercise.lies, self.exercise.friction = self.config.lies, 1.0
            if self.exercise.error_code:
                self.error(now_ns, 0)
        self._wear()
