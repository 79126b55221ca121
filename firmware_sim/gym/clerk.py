"""The coach at the desk: writes down prescriptions and cards through the API, as a person would, once at the start.

The hard part is to begin while the service is still coming up, and to be harmless when it is asked twice: each person's
command has a key of its own. A user would notice a missing coach as an elders' gym without a single ceiling.
"""

from __future__ import annotations

import asyncio
import secrets

from firmware_sim.canteenapi import ApiAwayError, CanteenApi, Reply, say
from firmware_sim.gym.config import GymConfig
from firmware_sim.gym.things import PersonConfig
from firmware_sim.gym.visitors import Visitors

AGAIN_S = 1.0
#: Answers that mean "not yet".
LATER = 500


async def write_down(config: GymConfig, visitors: Visitors) -> None:
    """Set every person of ``config``, then let visitors in; goes on asking until it is done."""
    api = CanteenApi(config.api) if config.api and config.token else None
    for person in config.persons if api is not None else ():
        key = f"sim-{secrets.token_hex(6)}"
        while True:
            assert api is not None
            reply = await _set(api, config.token, person, key)
            if reply is not None and reply.status < LATER:
                break
            await asyncio.sleep(AGAIN_S)
        if not reply.ok:
            say(f"{person.person}: refused: {reply.code} ({reply.detail})")
    visitors.welcome = True
    await asyncio.Event().wait()


async def _set(api: CanteenApi, token: str, person: PersonConfig, key: str) -> Reply | None:
    body: dict[str, object] = {
        "birth_year": person.birth_year,
        "rest_bpm": person.rest_bpm,
        "ceiling_bpm": person.ceiling_bpm,
        "max_bpm": person.max_bpm,
        "beta_blocker": person.beta_blocker,
        "cards": [person.card],
    }
    try:
        return await api.post(f"/gym/persons/{person.person}", token, body, key)
    except ApiAwayError:
        return None
