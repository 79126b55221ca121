"""What people do with alarms, the same for every vertical that has a book of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from edge.api.commanding import DONE, submit
from edge.api.context import Ctx, Who
from edge.api.garage_bodies import AlarmId, ServiceBody, ShelveBody
from edge.api.gateway import AnyCommand
from edge.api.guard import GuardedRoute
from edge.api.models import IdempotencyKey
from edge.domain.alarm_commands import AckAlarm, AlarmShown, ResetAlarm, ServiceAlarm, ShelveAlarm


def alarm_router(vertical: str, command: Callable[..., AnyCommand]) -> APIRouter:
    """The routes of ``vertical``; ``command`` makes its commands (``command_id``, ``actor``, ``body``)."""
    router = APIRouter(route_class=GuardedRoute, prefix=f"/api/v1/{vertical}/alarms/{{alarm_id}}", tags=[vertical])

    def act(path: str, operation: str, summary: str) -> Callable[[Any], Any]:
        return router.post(
            path, operation_id=f"{vertical}_{operation}", summary=summary, responses=DONE, response_class=Response
        )

    @act("/acknowledge", "ack_alarm", "I have seen it")
    async def acknowledge(ctx: Ctx, who: Who, key: IdempotencyKey, alarm_id: AlarmId) -> Response:
        """Ends its sound and its escalation; releases nothing."""
        return await submit(ctx, command(key, who.actor, AckAlarm(alarm_id=alarm_id)))

    @act("/shelve", "shelve_alarm", "Put an alarm aside for a while")
    async def shelve(ctx: Ctx, who: Who, key: IdempotencyKey, alarm_id: AlarmId, body: ShelveBody) -> Response:
        """At most one shift; then it sounds again if it lasts. Fire cannot be shelved."""
        wish = ShelveAlarm(alarm_id=alarm_id, minutes=body.minutes, reason=body.reason)
        return await submit(ctx, command(key, who.actor, wish))

    @act("/reset", "reset_alarm", "End a latched alarm whose cause has gone")
    async def reset(ctx: Ctx, who: Who, key: IdempotencyKey, alarm_id: AlarmId) -> Response:
        """Nothing in the field moves: it is not the reset of a zone."""
        return await submit(ctx, command(key, who.actor, ResetAlarm(alarm_id=alarm_id)))

    @act("/service", "service_alarm", "Take an alarm out of service, or back")
    async def service(ctx: Ctx, who: Who, key: IdempotencyKey, alarm_id: AlarmId, body: ServiceBody) -> Response:
        """For maintenance. Fire refuses."""
        wish = ServiceAlarm(alarm_id=alarm_id, out=body.out, reason=body.reason)
        return await submit(ctx, command(key, who.actor, wish))

    @act("/shown", "alarm_shown", "A page has it on its screen")
    async def shown(ctx: Ctx, who: Who, key: IdempotencyKey, alarm_id: AlarmId) -> Response:
        """The proof of delivery of the channel "page"."""
        return await submit(ctx, command(key, who.actor, AlarmShown(alarm_id=alarm_id)))

    return router
