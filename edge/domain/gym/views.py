"""What pages see of the gym, built from the world: complete, and honest about what is not known."""

from __future__ import annotations

from edge.domain.gym.cap import left_s, lines
from edge.domain.gym.dues import dues
from edge.domain.gym.heart import ceiling
from edge.domain.gym.kiosks import current
from edge.domain.gym.limits import Level, Watch
from edge.domain.gym.orders import order_view
from edge.domain.gym.people import verdict_of
from edge.domain.gym.queue import entries
from edge.domain.gym.turn import Turn
from edge.domain.gym.use import use_of
from edge.domain.gym.view_types import (
    AssetView,
    GymView,
    HeartView,
    KioskView,
    MaintenanceView,
    TotalsView,
    Use,
    ZoneUse,
)
from edge.domain.gym.workout import NS_PER_S
from edge.domain.gym.workout_state import Asset, Phase, Totals
from edge.domain.gym.world import Kiosk, World

_NOBODY = Watch()


def asset_view(turn: Turn, asset: Asset) -> AssetView:
    """One machine; key ``asset/<asset>``."""
    settings, latest, workout = asset.settings, asset.latest, asset.workout
    heard_ago_s = None if asset.heard_ns is None else max(0, turn.now_ns - asset.heard_ns) // NS_PER_S
    moving, known = asset.phase is Phase.ACTIVE, turn.world.wear.get(settings.asset)
    return AssetView(
        asset=settings.asset,
        zone=settings.zone,
        kind=settings.kind,
        name=settings.name,
        use=use_of(turn, asset),
        phase=asset.phase.value,
        fault=asset.fault,
        workout_id="" if workout is None else workout.workout_id,
        person=asset.armed_for if workout is None else workout.person,
        identity=asset.armed_by.value if workout is None else workout.identity.value,
        totals=None if workout is None else totals_view(workout.totals),
        speed_km_h=latest.speed_km_h if moving else None,
        cadence_rpm=latest.cadence_rpm if moving else None,
        power_w=latest.power_w if moving else None,
        incline_pct=latest.incline_pct,
        resistance_level=latest.resistance_level,
        heart=heart_view(turn, asset),
        heard_ago_s=heard_ago_s,
        hours_h=round(known.hours_h, 1) if known is not None else None,
        distance_km=round(known.distance_km, 1) if known is not None else None,
        due=tuple(code for code, _ in dues(turn, asset)),
        cap_left_s=left_s(turn, asset, lines(turn)),
        at_wall_ns=turn.stamp.wall_ns,
    )


def heart_view(turn: Turn, asset: Asset) -> HeartView:
    """The pulse and its limits; unknown is said."""
    watch, limit = turn.world.watches.get(asset.settings.asset, _NOBODY), ceiling(turn, asset)
    level = watch.level if limit.applies or asset.workout is not None else Level.OFF
    return HeartView(
        level=level.value,
        bpm=asset.bpm,
        ceiling_bpm=limit.ceiling_bpm,
        max_bpm=limit.max_bpm,
        source=limit.source,
    )


def totals_view(totals: Totals) -> TotalsView:
    """What was done so far."""
    return TotalsView(
        active_s=totals.active_ms // 1000,
        distance_m=int(totals.distance_m),
        strokes=int(totals.strokes),
        energy_kcal=int(totals.energy_kcal),
        climb_m=int(totals.climb_m),
        reps=totals.reps,
        sets=totals.sets,
        mean_power_w=round(totals.power_ws * 1000 / totals.power_ms) if totals.power_ms else None,
        mean_bpm=round(totals.heart_beats * 60_000 / totals.heart_ms) if totals.heart_ms else None,
        peak_bpm=totals.peak_bpm or None,
    )


def gym_view(turn: Turn) -> GymView:
    """The whole gym; key ``gym``."""
    world, config = turn.world, turn.config
    uses = {name: use_of(turn, asset) for name, asset in world.assets.items()}
    limits, here = config.limits, _by_zone(world, uses)
    return GymView(
        site=config.site,
        business_day=world.day,
        zones=tuple(_zone_use(turn, zone.zone, here.get(zone.zone, [])) for zone in config.zones),
        assets=tuple((name, use, world.assets[name].phase.value) for name, use in uses.items()),
        workouts_today=world.today.workouts,
        active_min_today=world.today.active_ms // 60_000,
        distance_km_today=round(world.today.distance_m / 1000, 1),
        limits_signed=f"{limits.author}, {limits.date}" if limits.author and limits.date else "",
        set_aside=world.set_aside,
        clock_trusted=turn.stamp.wall_trusted,
        at_wall_ns=turn.stamp.wall_ns,
        queue=entries(turn),
        no_shows_today=sum(one.row.no_shows for one in world.uses.values() if one.row.day == world.day),
    )


def maintenance_view(turn: Turn) -> MaintenanceView:
    """Standing orders and what is due; key ``maintenance``."""
    assets = turn.world.assets
    return MaintenanceView(
        orders=tuple(order_view(turn.world, order) for order in turn.world.orders.values()),
        due=tuple((name, code, pct) for name, asset in assets.items() for code, pct in dues(turn, asset)),
        checklist=turn.config.inspection,
        at_wall_ns=turn.stamp.wall_ns,
    )


def _by_zone(world: World, uses: dict[str, Use]) -> dict[str, list[Use]]:
    """The machines of each zone: once for all, since a park has 65 zones and 432 machines."""
    found: dict[str, list[Use]] = {}
    for name, use in uses.items():
        found.setdefault(world.assets[name].settings.zone, []).append(use)
    return found


def _zone_use(turn: Turn, zone: str, here: list[Use]) -> ZoneUse:
    settings = turn.world.zones[zone]
    busy, free, warm = here.count(Use.BUSY), here.count(Use.FREE), here.count(Use.WARM)
    usable = busy + free + warm
    return ZoneUse(
        zone=zone,
        name=settings.name,
        open=Use.CLOSED not in here,
        free=free,
        warm=warm,
        busy=busy,
        out=here.count(Use.FAULT) + here.count(Use.LOCKED),
        unknown=here.count(Use.UNKNOWN),
        waiting=sum(one.row.zone == zone for one in turn.world.queue),
        occupancy_pct=100 * busy // usable if usable else 0,
    )


def kiosk_view(turn: Turn, kiosk: Kiosk) -> KioskView:
    """A measuring place; key ``kiosk/<kiosk>``."""
    limits, person = turn.config.limits, current(kiosk, turn.now_ns)
    verdict = verdict_of(turn, person)
    vitals = verdict.vitals
    return KioskView(
        kiosk=kiosk.settings.kiosk,
        name=kiosk.settings.name,
        person=person,
        decision=verdict.decision,
        systolic_mmhg=None if vitals is None else vitals.systolic_mmhg,
        diastolic_mmhg=None if vitals is None else vitals.diastolic_mmhg,
        pulse_bpm=None if vitals is None else vitals.pulse_bpm,
        weight_kg=kiosk.weight_kg,
        readings=verdict.readings,
        rest_left_s=max(0, verdict.rest_until_ns - turn.stamp.wall_ns) // NS_PER_S if verdict.rest_until_ns else 0,
        signed=f"{limits.author}, {limits.date}" if limits.author and limits.date else "",
        at_wall_ns=turn.stamp.wall_ns,
    )
