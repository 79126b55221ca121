"""Whatever people and devices do, in any order and over restarts: what lasts is never lost, a fire is never hidden.

The model beside the book knows only which conditions last, which latches hold and which fires there are; it shares no
code with the book.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.domain.alarm_book import Step
from edge.domain.alarm_delivery import notified
from edge.domain.alarm_states import AlarmState, Priority
from edge.domain.alarms import (
    acknowledge,
    next_due,
    reset_alarm,
    restore,
    shelve,
    silence,
    suppress,
    take_out_of_service,
    unshelve,
    unsuppress,
)
from edge.domain.notices import Channel, NotifyResult

KEYS = ("gw", "a", "b", "fire:B1", "fire:B2", "weld")
PARENTS = {"a": "gw", "b": "gw", "fire:B1": "gw"}
PRIORITY = {"gw": Priority.HIGH, "a": Priority.LOW, "b": Priority.MEDIUM, "weld": Priority.HIGH}
LATCHED = {"weld", "fire:B1"}
STEPS = (
    Step(priority=Priority.FIRE, channel=Channel.WEBHOOK, target="u"),
    Step(priority=Priority.HIGH, channel=Channel.MQTT, target="t", after_s=60),
)
keys = st.sampled_from(KEYS)


class Alarms(RuleBasedStateMachine):
    desk_type: type

    @initialize()
    def begin(self):
        self.desk = self.desk_type(STEPS)
        self.lasts: set[str] = set()
        self.held: set[str] = set()

    def alarm(self, key):
        return self.desk.book.alarms.get(key)

    def id_of(self, key):
        alarm = self.alarm(key)
        return "0.0" if alarm is None else alarm.alarm_id

    @rule(key=keys, detail=st.sampled_from(["", "x", "y"]), again=st.booleans())
    def comes(self, key, detail, again):
        priority = PRIORITY.get(key, Priority.FIRE)
        parent = PARENTS.get(key, "")
        latched = key in LATCHED
        self.desk.raise_(key, detail, priority, parent=parent, latched=latched, reannounce=again)
        self.lasts.add(key)
        if latched:
            self.held.add(key)

    @rule(key=keys)
    def goes(self, key):
        self.desk.clear(key)
        self.lasts.discard(key)

    @rule(key=keys)
    def acknowledged(self, key):
        self.desk.do(acknowledge, self.id_of(key), "u")

    @rule(zone=st.sampled_from(["", "B1", "B2"]))
    def silenced(self, zone):
        self.desk.do(silence, zone=zone)
        sounding = {
            alarm.zone for alarm in self.desk.now().alarms if alarm.state == "unacknowledged" and not alarm.silenced
        }
        assert zone not in sounding
        assert zone or not self.desk.now().sounding

    @rule(key=keys, minutes=st.integers(-1, 500))
    def shelved(self, key, minutes):
        self.desk.do(shelve, self.id_of(key), minutes, "u")

    @rule(key=keys, act=st.sampled_from([unshelve, restore, take_out_of_service]))
    def service(self, key, act):
        self.desk.do(act, self.id_of(key), "u")

    @rule(key=keys, on=st.booleans())
    def by_design(self, key, on):
        if on:
            self.desk.do(suppress, key, "test")
        else:
            self.desk.do(unsuppress, key)

    @rule(key=keys)
    def reset(self, key):
        alarm = self.alarm(key)
        self.desk.do(reset_alarm, self.id_of(key), "u")
        if self.desk.result == "ok":
            assert key not in self.lasts or alarm.clear_due_ns is not None
            self.held.discard(key)

    @rule(seconds=st.sampled_from([0.1, 5, 30, 61, 301, 3600, 90_000]))
    def time_goes_by(self, seconds):
        self.desk.tick(seconds)

    @rule(seconds=st.integers(0, 4000), trusted=st.booleans())
    def restarts(self, seconds, trusted):
        before = {key: alarm.state for key, alarm in self.desk.book.alarms.items()}
        self.desk.restart(seconds, trusted=trusted)
        for key, state in before.items():
            if state in {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED} and key in self.lasts:
                assert self.alarm(key).state is state

    @precondition(lambda self: self.desk.sent)
    @rule(delivered=st.booleans(), final=st.booleans(), which=st.integers(0, 50))
    def answered(self, delivered, final, which):
        notice = self.desk.sent[which % len(self.desk.sent)]
        self.desk.do(notified, NotifyResult(notice_id=notice.notice_id, delivered=delivered, final=final))

    @invariant()
    def what_lasts_is_in_the_book(self):
        for key in self.lasts | self.held:
            alarm = self.alarm(key)
            assert alarm is not None, key
            assert alarm.live
            assert alarm.active or key not in self.lasts

    @invariant()
    def a_fire_that_lasts_is_in_sight(self):
        shown = {alarm.alarm_id for alarm in self.desk.now().alarms}
        for key in self.lasts | self.held:
            if key.startswith("fire"):
                alarm = self.alarm(key)
                assert alarm.state in {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED}
                assert alarm.alarm_id in shown

    @invariant()
    def what_is_hidden_has_a_reason_in_sight(self):
        for alarm in self.desk.book.alarms.values():
            if alarm.state is AlarmState.SUPPRESSED:
                parent = self.alarm(alarm.hidden_by)
                due = alarm.release_due_ns is not None
                assert due or alarm.hidden_by.startswith("design:") or (parent is not None and parent.live)

    @invariant()
    def no_normal_alarm_is_kept_and_no_deadline_is_missed(self):
        assert all(alarm.state is not AlarmState.NORMAL for alarm in self.desk.book.alarms.values())
        due_ns = next_due(self.desk.book)
        if due_ns is not None and due_ns <= self.desk.mono_ns:
            self.desk.tick()
            after_ns = next_due(self.desk.book)
            assert after_ns is None or after_ns > self.desk.mono_ns, "a timer that fires for ever"

    @invariant()
    def the_outbox_is_bounded(self):
        assert len(self.desk.book.notices) <= 500
        assert len({notice.notice_id for notice in self.desk.book.notices.values()}) == len(self.desk.book.notices)


def test_any_history(desk):
    Alarms.desk_type = type(desk)
    case = Alarms.TestCase()
    case.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
    case.runTest()
