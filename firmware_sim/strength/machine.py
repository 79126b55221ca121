"""A strength machine on MQTT. Written from ``drivers/strength/PROTOCOL.md``.

The hard part is fatigue and failure: torque falls within a set, a repetition may be left out, and a machine that lost
its network says the last one again. A user would notice a too kind model as sets that are always complete.
"""

from __future__ import annotations

from firmware_sim.mqttdevice import MqttDevice, Publication

_FATIGUE = 0.97


class StrengthMachine(MqttDevice):
    """Does ``sets`` sets of ``reps`` repetitions, one each ``rep_s``, with ``rest_s`` between sets. ``programme`` of a
    micro-circulation machine with reps 0: only the minutes of its ``course_s`` count. ``stutters``: each repetition is
    told twice."""

    def __init__(
        self,
        point: str,
        *,
        site: str = "park",
        sets: int = 3,
        reps: int = 12,
        programme: str = "knee",
        course_s: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        self.client_id = f"strength-{seed:04x}"
        self.topic, self.status = f"{site}/{point}/strength", f"{site}/{point}/status"
        self.will = Publication(self.status, "offline", retain=True, qos=1)
        self.sets, self.reps, self.programme = sets, reps, programme
        self.rep_s, self.rest_s, self.course_s = 3.0, 20.0, course_s
        self.stutters = False
        self.side = "both"
        self.told_reps: list[tuple[int, int, float]] = []
        self._set, self._rep, self._seq = 0, 0, 0
        self._spent_s = 0.0
        self._session = 0

    @property
    def session_s(self) -> float:
        """How long a session lasts."""
        set_s = max(self.reps * self.rep_s, self.course_s, self.rep_s)
        return self.sets * set_s + (self.sets - 1) * self.rest_s

    @property
    def at_work(self) -> bool:
        """Whether a session is under way."""
        return self._set > 0

    def on_connected(self) -> None:
        """It tells that it is there, and waits for a person."""
        self.publish(self.status, "online", retain=True, qos=1)
        if not self.at_work:
            self.publish(self.topic, self._marked({"set": max(1, self._set), "state": "idle"}), qos=1)

    def on_message(self, topic: str, payload: str, *, retain: bool) -> None:
        """It hears nothing."""

    def begin_session(self) -> None:
        self._session += 1
        self._set = 0
        self._next_set(self._session)

    def end_session(self) -> None:
        """Whoever sat on it has stood up."""
        if self.at_work:
            self._tell_set(state="finished", finished=True)
        self._session += 1
        self._set = 0

    def _next_set(self, session: int) -> None:
        if session != self._session:
            return
        self._set, self._rep, self._spent_s = self._set + 1, 0, 0.0
        self._tell_set(state="in_use")
        self.after(self.rep_s, lambda: self._step(session))

    def _step(self, session: int) -> None:
        if session != self._session:
            return
        self._spent_s += self.rep_s
        if self.reps:
            self._rep += 1
            self._tell_rep()
        if self._rep < self.reps or self._spent_s < self.course_s:
            if not self.reps:
                self._tell_set(state="in_use")
            self.after(self.rep_s, lambda: self._step(session))
            return
        last = self._set == self.sets
        self._tell_set(state="finished" if last else "paused", finished=True)
        if last:
            self._set = 0
        else:
            self.after(self.rest_s, lambda: self._next_set(session))

    def _tell_rep(self) -> None:
        torque = round(80 * _FATIGUE**self._rep + self.rng.uniform(-2, 2), 1)
        self.told_reps.append((self._set, self._rep, torque))
        fields = {"rep": self._rep, "peak_torque_nm": torque, "range_deg": 95.0, "side": self.side}
        payload = self._marked(fields)
        for _ in range(2 if self.stutters else 1):
            self.publish(self.topic, payload, qos=1)

    def _tell_set(self, **more: object) -> None:
        minutes = round(self._spent_s / 60, 3)
        fields = {"reps": self._rep, "minutes": minutes, "intensity_pct": 60, **more}
        self.publish(self.topic, self._marked(fields), qos=1)

    def _marked(self, fields: dict[str, object]) -> dict[str, object]:
        self._seq += 1
        return {"set": self._set, "programme": self.programme, "seq": self._seq, **fields}
