"""What a person does to a sink's set-aside lines and cursor, done by the process that owns ``samples.db``.

The hard part is the sink at work beside it: an act is one short transaction of marks, which the worker's thread finds
in its own time. A user would notice a mistake as a line that was dropped and goes out all the same, or as a sink that
stops because somebody looked at what it had set aside.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping

from edge.log import structlog
from edge.runtime.history_messages import ActDone, ActOnSink, Part, Refused, SinkAct
from edge.storage.sample_history import SampleHistory
from edge.storage.sinks import quarantine
from edge.storage.sinks.cursors import forget

_log = structlog.get_logger("sink")


class SinkDesk:
    """``running`` gives the names of a vertical's sinks at work. May be asked in any thread."""

    def __init__(self, histories: Mapping[str, SampleHistory], running: Callable[[str], frozenset[str]]) -> None:
        self._histories = histories
        self._running = running

    def act(self, ask: ActOnSink) -> Part:
        """Do it, or say why not."""
        history = self._histories.get(ask.vertical)
        if history is None:
            return Refused("absent", f"there is no history of {ask.vertical!r}")
        if ask.act is not SinkAct.DROP and (ask.sink in self._running(ask.vertical)) is (ask.act is SinkAct.FORGET):
            known = ", ".join(sorted(self._running(ask.vertical))) or "none"
            if ask.act is SinkAct.FORGET:
                return Refused("bad", f"sink {ask.sink} is at work: take it out of the site file first, then restart")
            return Refused("absent", f"no sink {ask.sink!r} is at work for {ask.vertical}; there are: {known}")
        try:
            with history.db.write() as connection:
                done = _do(connection, ask)
        except ValueError as error:
            return Refused("bad", str(error))
        except sqlite3.Error as error:
            return Refused("storage", f"it cannot be written now: {error}")
        _log.info("a person acted on a sink", sink=ask.sink, vertical=ask.vertical, act=ask.act.value, items=done.done)
        return done


def _do(connection: sqlite3.Connection, ask: ActOnSink) -> ActDone:
    if ask.act is SinkAct.RESEND:
        marked = quarantine.ask_again(connection, ask.sink, ask.ids)
    elif ask.act is SinkAct.DROP:
        marked = quarantine.drop(connection, ask.sink, ask.ids)
    else:
        marked = quarantine.drop(connection, ask.sink, None)
        forget(connection, ask.sink)
    return ActDone(marked.done, marked.left)
