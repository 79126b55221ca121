"""A cut leaves while its input is still being decided, once, and never when nothing was decided."""

from __future__ import annotations

from edge.domain.kernel import EffectClass, Send, Show
from edge.runtime.executor import Executor


class Outlets:
    def __init__(self):
        self.left = []

    def show(self, key, view):
        self.left.append(("show", key))

    def send(self, device, command):
        self.left.append((device, command))
        return True

    def reply(self, command_id, code, body, *, replayed=False):
        self.left.append(("reply", command_id))


def cut(name):
    return Send(name, "off", EffectClass.SAFETY)


def test_what_left_early_does_not_leave_again():
    outlets = Outlets()
    executor = Executor(outlets)
    early, equal, late = cut("k"), cut("k"), cut("p")
    executor.leave(early)
    assert outlets.left == [("k", "off")]
    executor.run(1, [early, equal, late, Show("zone/z", 1)], urgent=True)
    # An equal command that did not leave is another command.
    assert outlets.left == [("k", "off"), ("k", "off"), ("p", "off"), ("show", "zone/z")]
    executor.run(2, [early], urgent=True)
    assert outlets.left[-1] == ("k", "off"), "what left early counts for its own input only"
    assert len(outlets.left) == 5


def test_a_decision_that_was_given_up_owes_nothing():
    outlets = Outlets()
    executor = Executor(outlets)
    early = cut("k")
    executor.leave(early)
    executor.gave_up()
    executor.run(1, [early], urgent=True)
    assert outlets.left == [("k", "off"), ("k", "off")]


def test_a_command_that_cannot_leave_does_not_end_the_decision():
    outlets = Outlets()
    executor = Executor(outlets)
    outlets.send = lambda _device, _command: 1 / 0
    executor.leave(cut("k"))
    assert executor.counters["effects_failed"] == 1


def test_the_processor_is_given_away_once_after_the_first_cut_of_an_input():
    outlets = Outlets()
    executor = Executor(outlets, lambda: outlets.left.append("gave way"))
    first, second = cut("k"), cut("p")
    executor.leave(first)
    executor.leave(second)
    executor.run(1, [first, second], urgent=True)
    assert outlets.left == [("k", "off"), "gave way", ("p", "off")]
    executor.run(2, [cut("late")], urgent=True)
    assert outlets.left.count("gave way") == 1, "a cut that left with its whole decision leaves nothing to wait behind"
    executor.leave(cut("k"))
    assert outlets.left.count("gave way") == 2
