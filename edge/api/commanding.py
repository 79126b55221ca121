"""Hands a command to its daemon and translates the durable answer. The same for every vertical."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.responses import Response

from edge.api.context import Context
from edge.api.gateway import AnyCommand, DaemonAway, vertical_of
from edge.api.problem_texts import TEXTS
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, json_response
from edge.log import structlog

log = structlog.get_logger("edge.api.commands")

REPLAYED = {"Idempotency-Replayed": "true when this is the answer that an earlier request with this key got"}
DONE = answers_with("CommandDone", "Done and on disk. A repeat under the same key gets the same answer.", REPLAYED)
_AWAY = {"canteen": "daemon_away", "garage": "garage_away", "gym": "gym_away"}


async def submit(ctx: Context, command: AnyCommand) -> Response:
    """Submit and translate the answer: 200 with {"code": "ok", ...body}, or the problem of its code."""
    try:
        async with asyncio.timeout(ctx.config.command_timeout_s):
            answer = await ctx.gateway.submit(command)
    except (DaemonAway, TimeoutError) as exc:
        raise ApiProblem(_AWAY[vertical_of(command)]) from exc
    content: Any = msgspec.json.decode(answer.json) if answer.json else {}
    facts = content if isinstance(content, dict) else {"body": content}
    if answer.code == "ok":
        headers = {"Idempotency-Replayed": "true"} if answer.replayed else None
        return json_response(msgspec.json.encode({"code": "ok", **facts}), headers)
    if answer.code not in TEXTS:
        log.error("unknown answer code", code=answer.code, command_id=command.command_id)
    raise ApiProblem(answer.code if answer.code in TEXTS else "internal", facts=facts)
