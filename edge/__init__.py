"""Kangle Edge: the edge box of a community (canteen, garage, gym)."""

__version__ = "0.1.0"
