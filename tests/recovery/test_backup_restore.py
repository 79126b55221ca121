"""A backup of a canteen that sells, put back on another machine: what was paid stays paid, once."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from edge.domain.actors import Role
from edge.domain.canteen.messages import BindPlates, Pay

ROOT = Path(__file__).parents[2]


async def sell(victim, number, uids):
    """Sell three plates; gives the payment and its answer."""
    own = tuple(uids[number * 3 : number * 3 + 3])
    assert (await victim.submit(BindPlates(dish_id=victim.dish, plate_uids=own), f"bind-{number}")).code == "ok"
    victim.reader.tray = own
    view = await victim.lane(lambda v: v["phase"] == "firm" and len(v["plates"]) == 3)
    body = Pay(
        lane="1",
        order_id=f"order-{number}",
        tray_id=view["tray_id"],
        tray_version=view["tray_version"],
        payable_fen=view["payable_fen"],
        method="cash",
        tendered_fen=view["payable_fen"],
    )
    answer = await victim.submit(body, f"pay-{number}", Role.DINER_TERMINAL)
    assert answer.code == "ok"
    victim.reader.tray = ()
    return body, answer


def kangle(*words):
    command = [sys.executable, "-m", "edge.cli", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def orders_of(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as books:
        return dict(books.execute("SELECT order_id, payable_fen FROM orders"))


@pytest.mark.timeout(600)
def test_money_is_idempotent_through_backup_and_restore(victim, tmp_path):
    site = str(victim.folder.site)

    async def before():
        await victim.start()
        today = (await victim.lane(lambda v: v["business_day"]))["business_day"]
        victim.dish = next(menu.dish_ids for menu in victim.site.canteen.menu if menu.day == today)[0]
        uids = [plate.uid for plate in victim.site.canteen.plates if len(plate.uid) == 16]
        first = await sell(victim, 0, uids)
        taken = await asyncio.to_thread(kangle, "backup", "--site", site, "--to", str(tmp_path / "b"))
        assert (taken.returncode, taken.stdout) == (0, f"{tmp_path / 'b'}\n"), taken.stderr
        running = await asyncio.to_thread(kangle, "restore", str(tmp_path / "b"), "--site", site)
        assert running.returncode == 4, "over a running daemon nothing is put back"
        assert "in use by process" in running.stderr
        await sell(victim, 1, uids)
        await victim.kill()
        return first

    body, answer = asyncio.run(before())
    assert set(orders_of(victim.store / "facts.db")) == {"order-0", "order-1"}
    shutil.rmtree(victim.site.data_dir)  # another machine: the site's files, and nothing else
    back = kangle("restore", str(tmp_path / "b"), "--site", site)
    assert back.returncode == 0, back.stderr
    assert "placed canteen/facts.db" in back.stdout
    assert set(orders_of(victim.store / "facts.db")) == {"order-0"}

    async def after():
        await victim.start()
        again = await victim.submit(body, "pay-0", Role.DINER_TERMINAL)
        assert (again.code, again.json) == (answer.code, answer.json), "the same id has the same answer"
        other = await victim.submit(body, "pay-again", Role.DINER_TERMINAL)
        assert other.code != "ok", "the order was sold"
        await victim.client.close()

    asyncio.run(after())
    victim.end()
    assert orders_of(victim.store / "facts.db") == {"order-0": body.payable_fen}
