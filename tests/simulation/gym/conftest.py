"""A whole gym in processes, for the scenes of this folder: broker, simulated machines on their wires, the daemon.

Everything is asked of the outside only: the daemon's views on its socket, the rows in its store, and the simulator's
word on what people really did. One gym serves all scenes; each leaves it empty and mended.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from _gym import Gym
from _programs import SCENE_S, play, run_site


@pytest.fixture(scope="package")
def loop():
    runner = asyncio.new_event_loop()
    yield runner
    runner.close()


@pytest.fixture(scope="package")
def started(loop):
    with tempfile.TemporaryDirectory(prefix="ky-", dir="/tmp") as folder:
        yield from run_site(loop, Gym(Path(folder)))


@pytest.fixture
def scene(started, loop):
    """Run a scene on the gym, then bring it back."""
    return lambda story: play(loop, started, story)


@pytest.fixture(scope="package")
def together(started, loop):
    """``together(rows, story)``: play rows of stories at the same time, each row on a machine of its own, once, and
    tell what became of ``story``. Most of a scene is waiting, which the machines can do side by side."""
    told = {}

    async def tell(row):
        for story in row:
            (told[story],) = await asyncio.gather(story(started), return_exceptions=True)

    async def whole(rows):
        try:
            await asyncio.gather(*(tell(row) for row in rows))
        finally:
            await started.recover()

    def ask(rows, story):
        if story not in told:
            loop.run_until_complete(asyncio.wait_for(whole(rows), SCENE_S))
        if told[story] is not None:
            raise told[story]

    return ask
