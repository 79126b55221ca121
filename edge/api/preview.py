"""A development tool: the real API and pages over a scripted world instead of a daemon. Never part of a running site.

``python -m edge.api.preview --port 8601`` prints one-time links for an administrator and for the terminal of lane 1,
and cycles both lanes through every phase. Without login:

* ``POST /api/v1/preview/{lane}/{phase}?problem=...&guest=true`` pins a lane to a phase (``cycle`` lets it go on);
* ``POST /api/v1/preview/garage/{scene}`` plays a scene of the garage (quiet, watch, gateway, aside, pre_alarm, fire,
  unproven, latched, resettable, unarmed);
* ``POST /api/v1/preview/gym/{scene}`` plays a scene of the gym (quiet, busy, queue, heart, locked, closed, trail,
  weeks, capped, park);
* ``POST /api/v1/preview/panels/{panel}`` gives a token bound to that place, and a guard ``duty1`` a PIN;
* ``POST /api/v1/preview/daemon/{state}`` with ``alive`` or ``dead`` makes the daemon seem so;
* ``POST /api/v1/preview/links`` gives a fresh login link (``?role=cashier``) for scripts that take screenshots.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import uvicorn
from fastapi import APIRouter, Query

from edge import __version__
from edge.api import preview_world as world
from edge.api.account_types import AccountProblem
from edge.api.accounts import Accounts
from edge.api.app import create_app
from edge.api.context import ApiConfig, Ctx
from edge.api.garage_bodies import PortId
from edge.api.guard import GuardedRoute
from edge.api.models import LaneId
from edge.api.preview_fakes import MemoryBooks, MemoryDemo, MemoryGateway
from edge.api.preview_garage import GarageScript, MemoryGarageBooks, Scene
from edge.api.preview_gym import DAY, GymScript
from edge.api.preview_gym import Scene as GymScene
from edge.api.preview_gym_world import CONFIG as GYM
from edge.api.preview_history import MemoryHistory
from edge.api.preview_rows import MemoryGymBooks
from edge.api.problems import ApiProblem
from edge.domain.actors import Role
from edge.domain.canteen.messages import Command, Identify, Pay, Phase
from edge.domain.gym.settings import GymConfig
from edge.log import structlog
from edge.site import load_site

DWELL_S = 4.0
PREVIEW_PIN = "730264"
SCRIPT = (
    Phase.EMPTY,
    Phase.READING,
    Phase.FIRM,
    Phase.PAID,
    Phase.EMPTY,
    Phase.READING,
    Phase.BLOCKED,
    Phase.ASK,
    Phase.OFFLINE,
)


class PreviewRoute(GuardedRoute):
    """Routes that only the preview has; open to everybody on the loopback."""

    extra_roles: ClassVar[Mapping[str, frozenset[Role] | None]] = {
        "preview_phase": None,
        "preview_daemon": None,
        "preview_link": None,
        "preview_garage": None,
        "preview_gym": None,
        "preview_panel": None,
    }


class Script:
    """Two lanes, each pinned to a phase or walking through ``SCRIPT``."""

    def __init__(self, gym: GymConfig = GYM) -> None:
        self.gateway = MemoryGateway(self._answer)
        self.pinned: set[str] = set()
        self._phases: dict[str, Phase] = {}
        self._guests: set[str] = set()
        self.garage = GarageScript(self.gateway)
        self.gateway.answer_garage = self.garage.answer
        self.gym = GymScript(self.gateway, gym)
        self.gateway.answer_gym = self.gym.answer
        self.gateway.show("menu", world.MENU)
        self.gateway.show("day", world.DAY_VIEW)
        for lane in ("1", "2"):
            self.show(lane, Phase.EMPTY)

    def show(self, lane: str, phase: Phase, problem: str = "") -> None:
        """Put ``lane`` into ``phase``."""
        self._phases[lane] = phase
        diner = world.GUEST if lane in self._guests else world.ELDER
        self.gateway.show(f"lane/{lane}", world.lane_view(lane, phase, problem, diner=diner))

    def pin(self, lane: str, phase: Phase, problem: str, *, guest: bool) -> None:
        """Put ``lane`` into ``phase`` and leave it there."""
        self.pinned.add(lane)
        (self._guests.add if guest else self._guests.discard)(lane)
        self.show(lane, phase, problem)

    async def walk(self) -> None:
        """Change the lanes that are not pinned every ``DWELL_S``, half a script apart."""
        step = 0
        while True:
            for lane, ahead in (("1", 0), ("2", len(SCRIPT) // 2)):
                if lane not in self.pinned:
                    self.show(lane, SCRIPT[(step + ahead) % len(SCRIPT)])
            step += 1
            await asyncio.sleep(DWELL_S)

    def _answer(self, command: Command) -> tuple[str, object]:
        body = command.body
        if isinstance(body, Identify):
            (self._guests.discard if body.card else self._guests.add)(body.lane)
            self.show(body.lane, self._phases[body.lane])
        if isinstance(body, Pay):
            if self._phases[body.lane] is not Phase.FIRM:
                return "not_firm", {"phase": self._phases[body.lane]}
            self.show(body.lane, Phase.PAID)
            return "ok", world.lane_view(body.lane, Phase.PAID).paid
        return "ok", {}


def preview_router(script: Script) -> APIRouter:
    """The routes that steer the script."""
    router = APIRouter(route_class=PreviewRoute, prefix="/api/v1/preview", include_in_schema=False)

    async def daemon(state: Literal["alive", "dead"]) -> dict[str, str]:
        script.gateway.alive, script.gateway.age_ms = (True, 120) if state == "alive" else (False, 4200)
        return {"daemon": state}

    async def link(ctx: Ctx, role: Role = Role.ADMIN) -> dict[str, str]:
        return {"token": _link(ctx.accounts, role)}

    async def phase(
        lane: LaneId,
        phase: Phase | Literal["cycle"],
        problem: Annotated[str, Query(max_length=40)] = "",
        guest: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    ) -> dict[str, str]:
        if lane not in {"1", "2"}:
            raise ApiProblem("unknown_lane")
        if isinstance(phase, Phase):
            script.pin(lane, phase, problem, guest=guest)
        else:
            script.pinned.discard(lane)
        return {"lane": lane, "phase": str(phase)}

    _steer_scenes(router, script)
    router.add_api_route("/daemon/{state}", daemon, methods=["POST"], operation_id="preview_daemon")
    router.add_api_route("/links", link, methods=["POST"], operation_id="preview_link")
    router.add_api_route("/{lane}/{phase}", phase, methods=["POST"], operation_id="preview_phase")
    return router


def _steer_scenes(router: APIRouter, script: Script) -> None:
    async def scene(scene: Scene) -> dict[str, str]:
        script.garage.play(scene)
        return {"scene": scene}

    async def panel(ctx: Ctx, panel: PortId) -> dict[str, str]:
        _, token = ctx.accounts.tokens.create("preview", Role.PANEL, None, 1, "preview", panel=panel)
        with contextlib.suppress(AccountProblem):
            ctx.accounts.create_user("duty1", None, Role.MAINTENANCE, None, "preview")
        ctx.accounts.pins.set("duty1", PREVIEW_PIN, "preview")
        return {"token": token, "person": "duty1", "pin": PREVIEW_PIN}

    router.add_api_route("/panels/{panel}", panel, methods=["POST"], operation_id="preview_panel")

    async def gym_scene(scene: GymScene) -> dict[str, str]:
        script.gym.play(scene)
        return {"scene": scene}

    router.add_api_route("/gym/{scene}", gym_scene, methods=["POST"], operation_id="preview_gym")
    router.add_api_route("/garage/{scene}", scene, methods=["POST"], operation_id="preview_garage")


def _link(accounts: Accounts, role: Role) -> str:
    username = role.value
    with contextlib.suppress(AccountProblem):
        accounts.create_user(username, None, role, "m001" if role in {Role.MEMBER, Role.RESIDENT} else None, "preview")
    return accounts.issue_link(username)


async def serve(port: int, pages: Path, gym: GymConfig = GYM) -> None:
    """Run until interrupted, with the gym of ``gym``."""
    with tempfile.TemporaryDirectory(prefix="kangle-preview-") as folder:
        accounts = Accounts(Path(folder) / "api.db")
        script = Script(gym)
        config = ApiConfig(
            site=world.SITE,
            version=__version__,
            verticals=("canteen", "garage", "gym"),
            canteen=world.CONFIG,
            gym=gym,
            allowed_hosts=(),
            demo=True,
            pages=pages,
        )
        app = create_app(
            config,
            script.gateway,
            MemoryBooks(),
            accounts,
            MemoryDemo(),
            extra_routers=[preview_router(script)],
            garage=MemoryGarageBooks(script.garage),
            gym=MemoryGymBooks(script.gym),
            history_gateway=MemoryHistory(),
        )
        base = f"http://127.0.0.1:{port}"
        _, panel = accounts.tokens.create("preview panel", Role.PANEL, None, 1, "preview", panel="B1-door")
        _, kiosk = accounts.tokens.create("preview lane 1", Role.DINER_TERMINAL, "1", 1, "preview")
        print(f"administrator: {base}/demo#link={_link(accounts, Role.ADMIN)}", file=sys.stderr)  # noqa: T201 - a tool
        print(f"lane 1:        {base}/lane/1#terminal={kiosk}", file=sys.stderr)  # noqa: T201 - a tool
        print(f"panel in B1:   {base}/garage#terminal={panel}", file=sys.stderr)  # noqa: T201 - a tool
        server = uvicorn.Server(
            uvicorn.Config(
                app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1, server_header=False
            )
        )
        async with _walking(script), _breathing(script):
            await server.serve()
        accounts.close()


@contextlib.asynccontextmanager
async def _walking(script: Script) -> AsyncIterator[None]:
    task = asyncio.create_task(script.walk(), name="preview-walk")
    yield
    task.cancel()


@contextlib.asynccontextmanager
async def _breathing(script: Script) -> AsyncIterator[None]:
    """The garage's meters and the gym's machines move each second."""

    async def breathe() -> None:
        while True:
            await asyncio.sleep(1)
            script.garage.show()
            script.gym.breathe()

    task = asyncio.create_task(breathe(), name="preview-breath")
    yield
    task.cancel()


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m edge.api.preview", description="API and pages over a made-up world."
    )
    parser.add_argument("--port", type=int, default=8601)
    parser.add_argument("--pages", type=Path, default=Path(__file__).parent.parent / "web" / "dist")
    parser.add_argument("--site", type=Path, help="a site whose gym is shown instead of the made-up one")
    options = parser.parse_args()
    gym = load_site(options.site, date.fromisoformat(DAY)).gym if options.site else None
    # As the API itself: a line for each request is for those who look for a fault in it.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(options.port, options.pages, gym or GYM))


if __name__ == "__main__":
    main()
