"""CSAFE: the serial port of wired training machines (``PROTOCOL.md``)."""
