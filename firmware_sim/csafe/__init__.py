"""A training machine with a CSAFE port."""

from firmware_sim.csafe.console import Console, CsafePort

__all__ = ["Console", "CsafePort"]
