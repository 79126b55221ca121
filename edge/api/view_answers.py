"""What a daemon shows now, as answers: passed on as encoded, without what the caller may not see; for each vertical."""

from __future__ import annotations

from starlette.responses import Response

from edge.api.context import Context
from edge.api.gateway import KeyedView
from edge.api.owners import seen_by
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.api.replies import json_response

AGE = {"X-Daemon-Age-Ms": "Age of the daemon's last sign of life, ms; -1 for never. The answer is as old as that."}


def age_header(ctx: Context, vertical: str) -> dict[str, str]:
    """How old the answer is."""
    life = ctx.gateway.daemons().get(vertical)
    return {"X-Daemon-Age-Ms": str(life.age_ms if life else -1)}


def list_answer(ctx: Context, who: Principal, vertical: str, name: str, kind: str) -> Response:
    """All views whose key begins with ``kind``, by key, as ``{name: [...]}``."""
    found: list[KeyedView] = []
    for view in ctx.gateway.present():
        shown = seen_by(who, view) if view.key.startswith(kind) else None
        if shown is not None:
            found.append(shown)
    views = b",".join(view.json for view in sorted(found, key=lambda view: view.key))
    return json_response(b'{"%b":[%b]}' % (name.encode(), views), age_header(ctx, vertical))


def view_answer(ctx: Context, who: Principal, vertical: str, key: str, unknown: str = "") -> Response:
    """The view ``key``, else the problem ``unknown``; before the daemon was heard for the first time nobody knows what
    exists."""
    life = ctx.gateway.daemons().get(vertical)
    for view in ctx.gateway.present():
        shown = seen_by(who, view) if view.key == key else None
        if shown is not None:
            return json_response(shown.json, age_header(ctx, vertical))
    if life is None:
        raise ApiProblem(f"no_{vertical}")
    raise ApiProblem("no_view_yet" if life.age_ms < 0 or not unknown else unknown)
