"""Simulated devices that speak the real wire formats, with the physics behind them.

Nothing here imports the product (``edge``, ``drivers``) and nothing there imports this: encoders, check sums and
parsers are written a second time from the protocol documents, so that a mistake shared by both sides cannot hide.

Two ways to use a reader:

- **In virtual time** (tests): ``field = Field(seed)``, ``reader = FeigReader(field, seed=1)``; then ``receive(bytes,
  now_ns)``, ``deadline()`` and ``take(now_ns)``. Nothing sleeps, no clock is read; the same seed gives the same
  bytes.
- **In real time**: ``python -m firmware_sim.feig --link PATH``, ``python -m firmware_sim.magicrf --link PATH``, or a
  whole canteen floor, ``python -m firmware_sim.floor --config FILE.json``; they run the very same objects behind
  pseudo-terminals.
"""
