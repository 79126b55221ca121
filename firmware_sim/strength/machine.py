"""A strength machine on MQTT. Written from ``drivers/strength/PROTOCOL.md``.

The hard part is fatigue and failure: torque falls within a set, a repetition may be left out, and a machine that lost
its network says the last one again. A user would notice a too kind model as sets that are always complete.
"""

from __future__ import annotations

from firmware_sim.mqttdevice import MqttDevice

_FATIGUE = 0.97


class StrengthMachine(MqttDevice):
    """Does ``sets`` sets of ``reps`` repetitions, one each ``rep_s``, with ``rest_s`` between sets. ``programme`` of a
    micro-circulation machine with reps 0: only minutes count. ``stutters``: each repetition is told twice."""

    def __init__(
        self,
        point: str,
        *,
        site: str = "park",
        sets: int = 3,
        reps: int = 12,
        programme: str = "knee",
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        self.client_id = f"strength-{seed:04x}"
        self.topic = f"{site}/{point}/strength"
        self.sets, self.reps, self.programme = sets, reps, programme
        self.rep_s, self.rest_s = 3.0, 20.0
        self.stutters = False
        self.side = "both"
        self.told_reps: list[tuple[int, int, float]] = []
        self._set, self._rep, self._seq = 0, 0, 0

    @property
    def session_s(self) -> float:
        """How long a session lasts."""
        return self.sets * max(1, self.reps) * self.rep_s + (self.sets - 1) * self.rest_s

    def on_connected(self) -> None:
        """It waits for a person."""

    def on_message(self, topic: str, payload: str, *, retain: bool) -> None:
        """It hears nothing."""

    def begin_session(self) -> None:
        self._set, self._rep = 1, 0
        self._tell_set(state="in_use")
        self.after(self.rep_s, self._step)

    def _step(self) -> None:
        if self.reps:
            self._rep += 1
            self._tell_rep()
        if self._rep < self.reps:
            self.after(self.rep_s, self._step)
            return
        self._tell_set(state="finished" if self._set == self.sets else "paused", finished=True)
        if self._set < self.sets:
            self.after(self.rest_s, self._next_set)

    def _next_set(self) -> None:
        self._set, self._rep = self._set + 1, 0
        self._tell_set(state="in_use")
        self.after(self.rep_s, self._step)

    def _tell_rep(self) -> None:
        torque = round(80 * _FATIGUE**self._rep + self.rng.uniform(-2, 2), 1)
        self.told_reps.append((self._set, self._rep, torque))
        fields = {"rep": self._rep, "peak_torque_nm": torque, "range_deg": 95.0, "side": self.side}
        payload = self._marked(fields)
        for _ in range(2 if self.stutters else 1):
            self.publish(self.topic, payload, qos=1)

    def _tell_set(self, **more: object) -> None:
        minutes = round(self._rep * self.rep_s / 60, 3)
        fields = {"reps": self._rep, "minutes": minutes, "intensity_pct": 60, **more}
        self.publish(self.topic, self._marked(fields), qos=1)

    def _marked(self, fields: dict[str, object]) -> dict[str, object]:
        self._seq += 1
        return {"set": self._set, "programme": self.programme, "seq": self._seq, **fields}
