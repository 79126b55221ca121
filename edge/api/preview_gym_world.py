"""The made-up gym's configuration: a hall, an elders' room, a park with a trail. Never part of a running site."""

from __future__ import annotations

from edge.domain.gym.settings import (
    AssetKind,
    AssetSettings,
    GateSettings,
    GymConfig,
    KioskSettings,
    QuirkSettings,
    TrailSettings,
    WearSettings,
    ZoneSettings,
)
from edge.domain.places import Place
from edge.domain.words import Text

ROW, BELTS, CARDS, GATES = "row", "belts", "cards", "gates"
K = AssetKind
#: Machine, kind, room, its name.
_ASSETS = (
    *((f"tm-{n}", K.TREADMILL, "hall", Text(f"跑步机 {n}", f"Treadmill {n}")) for n in range(1, 7)),
    *((f"bk-{n}", K.BIKE, "hall", Text(f"健身车 {n}", f"Bike {n}")) for n in (1, 2)),
    ("xt-1", K.CROSS_TRAINER, "hall", Text("椭圆机 1", "Cross trainer 1")),
    ("rw-1", K.ROWER, "hall", Text("划船机 1", "Rower 1")),
    *((f"et-{n}", K.TREADMILL, "elders", Text(f"长者跑步机 {n}", f"Elders' treadmill {n}")) for n in range(1, 4)),
    *((f"eb-{n}", K.BIKE, "elders", Text(f"长者健身车 {n}", f"Elders' bike {n}")) for n in range(1, 4)),
    ("ik-1", K.STRENGTH, "elders", Text("等速训练器 1", "Isokinetic trainer 1")),
    ("mc-1", K.CIRCULATION, "elders", Text("微循环仪 1", "Micro-circulation 1")),
    *((f"od-{n}", K.OUTDOOR, "park", Text(f"户外器材 {n}", f"Outdoor point {n}")) for n in (1, 2)),
)


def _asset(asset: str, kind: AssetKind, zone: str, name: Text) -> AssetSettings:
    return AssetSettings(
        asset=asset,
        zone=zone,
        kind=kind,
        name=name,
        at=(Place(ROW, asset),),
        reader=Place(CARDS, asset),
        heart=(Place(BELTS, asset),),
        model=f"{kind.value}-x1",
        installed="2026-05-28" if asset in {"tm-5", "bk-1"} else "2026-07-11" if zone != "park" else "2026-11-02",
        life_years=8,
        quirks=QuirkSettings(),
    )


CONFIG = GymConfig(
    version="preview",
    site=Text("康乐体育公园", "Kangle Sports Park"),
    zones=(
        ZoneSettings(zone="hall", name=Text("健身大厅", "Training hall"), queue=True),
        ZoneSettings(
            zone="elders", name=Text("长者健身区", "Elders' gym"), limits=True, queue=True, buzzer=Place("io", "buzzer")
        ),
        ZoneSettings(zone="park", name=Text("户外健身点", "Outdoor points"), open_min=300),
    ),
    assets=tuple(_asset(*one) for one in _ASSETS),
    wear=(
        WearSettings(kind=K.TREADMILL, service_hours=400, service_days=180, current_max_ma=9000),
        WearSettings(kind=K.BIKE, service_days=180),
        WearSettings(kind=K.OUTDOOR, service_days=30),
    ),
    kiosks=(
        KioskSettings(
            kiosk="door", zone="elders", name=Text("入口测量亭", "Entry kiosk"), reader=Place(CARDS, "door"),
            cuff=Place("cuff", "door"), scale=Place("scale", "door"),
        ),
    ),
    trails=(
        TrailSettings(
            trail="park-loop", zone="park", name=Text("环园步道", "Park loop"), length_m=900,
            gates=tuple(
                GateSettings(gate=f"g{n}", name=Text(f"{n} 号点", f"Gate {n}"), at=Place(GATES, f"g{n}"), at_m=300 * n)
                for n in range(3)
            ),
        ),
    ),
    inspection=(
        ("frame", Text("主体结构无变形、无裂纹", "Frame: no bends, no cracks")),
        ("fasteners", Text("紧固件齐全、不松动", "Fasteners: all there, none loose")),
        ("surface", Text("无锈蚀、无尖锐边角", "Surface: no rust, no sharp edges")),
        ("ground", Text("地面与缓冲完好", "Ground and padding are whole")),
        ("signs", Text("标牌与使用说明清晰", "Signs and instructions can be read")),
    ),
)  # fmt: skip
