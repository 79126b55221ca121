"""What can go wrong with a store, and whose fault it is.

A caller decides by ``StoreError.code`` alone; the text is for people and names the remedy.
"""

from __future__ import annotations


class StoreError(Exception):
    """A store refused or failed. ``code`` is one of:

    ``storage``  the disk is full or broken, or the write was given up with others: not written, may be tried again;
    ``row``      this very batch breaks a rule of the schema (a negative balance, say): trying again will not help;
    ``busy``     the queue is full (``StoreBusy``);
    ``closed``   the store is closed or was never opened;
    ``locked``   another process writes this store;
    ``newer``    the file was written by a newer release;
    ``schema``   the file does not have the tables that this release expects;
    ``damaged``  the file fails SQLite's own check;
    ``absent``   there is no such store yet;
    ``site``     a backup is not one of this site;
    ``whole``    there is nothing to put back, for what is here is sound;
    ``slow``     a read took longer than its limit;
    ``cursor``   a paging cursor is not one of ours.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class StoreBusy(StoreError):  # noqa: N818 - a state to wait for, not a mistake
    """The queue of the writer is at its bound. Nothing was queued; try again after the next ``done``."""

    def __init__(self, text: str) -> None:
        super().__init__("busy", text)
