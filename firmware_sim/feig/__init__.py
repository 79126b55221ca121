"""A FEIG OBID host-mode reader (HF, ISO15693)."""

from firmware_sim.feig.reader import FeigReader, FeigSettings

__all__ = ["FeigReader", "FeigSettings"]
