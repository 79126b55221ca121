"""The largest photo on its whole way: over the socket, into one commit, out of the store again after a restart, and
decided the same in a replay."""

from __future__ import annotations

import asyncio
import importlib.util
import random
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from edge.api.gateway_ipc import IpcGateway
from edge.api.gym_books import StoreGymBooks
from edge.domain.actors import Actor, Role
from edge.domain.digest import effects_digest
from edge.domain.gym.jpeg import MAX_BYTES
from edge.domain.gym.kernel import GymKernel
from edge.domain.gym.messages import AddInspectionPhoto, AddOrderPhoto, Command, Inspect, ReportFault, ReturnTest
from edge.domain.gym.photo_rows import INSPECTION, ORDER
from edge.domain.gym.rows import ROW_TYPES
from edge.domain.kernel import Put, Reply
from edge.runtime.ipc import IpcServer
from edge.runtime.ipc_messages import PROTOCOL_VERSION, Welcome
from edge.runtime.replay import replay
from edge.storage.batch import Batch, LogRecord, RecordKind, WorldSnapshot
from edge.storage.facts import FactsStore
from edge.storage.snapshots import encode_world


def kit(name):
    """A module of the gym's own tests."""
    full = f"kangle_gym_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, Path(__file__).parents[1] / "gym" / f"{name}.py")
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


class StoredGym(kit("conftest").Gym):
    """The gym of the tests, each input and row also written to a store; a restart loads from there."""

    def __init__(self, directory):
        self.store = FactsStore.open(directory, ROW_TYPES, vertical="gym", ballast_bytes=0, build="b1")
        self.errors = []
        super().__init__()

    def __post_init__(self):
        self.begin()
        super().__post_init__()

    def begin(self):
        self.world = self.kernel.load(self.store.rows())
        stamp = self.stamp()
        self.keep(stamp, b"", self.kernel.resume(self.world, stamp), RecordKind.RESUMED)

    def keep(self, stamp, data, effects, kind):
        snapshot = None
        if kind is RecordKind.RESUMED:
            snapshot = WorldSnapshot(stamp.seq, "start", encode_world(self.world))
        written = [effect.row for effect in effects if isinstance(effect, Put)]
        record, done = LogRecord(stamp, data, effects_digest(effects), kind), threading.Event()
        batch = Batch(records=[record], rows=written, snapshot=snapshot)
        self.store.submit(batch, lambda error: (self.errors.append(error), done.set()))
        assert done.wait(60)
        assert self.errors[-1] is None

    def give(self, item):
        stamp = self.stamp()
        effects = self.kernel.handle(self.world, item, stamp)
        self.keep(stamp, msgspec.msgpack.encode(item), effects, RecordKind.INPUT)
        self.take(effects)
        return effects

    def stamp(self):
        """Only what goes to the store takes a number: what the base class resumes by itself is thrown away."""
        stamp = super().stamp()
        self.seq = self.store.last_seq() + 1
        return msgspec.structs.replace(stamp, seq=self.seq)


def big_photo(seed):
    """Exactly as large as a photo may be, and as hard to pack as one."""
    whole = kit("_jpegs").jpeg(64, 64)
    data = random.Random(seed).randbytes(MAX_BYTES - len(whole)).replace(b"\xff", b"\x55")
    return whole[:-2] + data + whole[-2:]


@pytest.fixture
def stored(tmp_path):
    gym = StoredGym(tmp_path / "gym")
    yield gym
    gym.store.close()


def over_the_socket(gym, path, command):
    """Ask as the API does; the server's end answers when the commit is on disk."""

    def decide(taken):
        reply = next(effect for effect in gym.give(taken) if isinstance(effect, Reply))
        asyncio.get_running_loop().call_soon(server.reply, taken.command_id, reply.code, reply.body)

    server = IpcServer(path, Welcome(PROTOCOL_VERSION, "gym", "test", "boot1"), Command, decide)

    async def ask():
        await server.start()
        gateway = IpcGateway(path, "gym", 60)
        await gateway.start()
        try:
            async with asyncio.timeout(60):
                while not gateway.daemons()["gym"].alive:
                    await asyncio.sleep(0.005)
            return await gateway.submit(command)
        finally:
            await gateway.close()
            await server.close("test")

    return asyncio.run(ask())


def test_the_largest_photo_goes_all_the_way_and_is_there_after_a_restart(stored, tmp_path):
    jpeg, other = big_photo(1), big_photo(2)
    order = stored.command(ReportFault(asset="t1", what="noise")).body["order"]
    point = stored.command(Inspect(asset="o1", items=(("frame", "ok"), ("bolts", "ok")))).body["inspection"]
    body = AddOrderPhoto(order_id=order, jpeg=jpeg)
    answer = over_the_socket(stored, tmp_path / "gym.sock", Command("photo-1", Actor(Role.COACH, "coach-1"), body))
    assert (answer.code, msgspec.json.decode(answer.json)["size_bytes"]) == ("ok", MAX_BYTES)
    assert stored.command(AddInspectionPhoto(asset="o1", inspection=point, jpeg=other)).code == "ok"
    before = dict(stored.world.photos)
    stored.begin()
    assert stored.world.photos == before
    assert stored.world.wear["o1"].inspection == point
    books = StoreGymBooks(tmp_path / "gym")
    assert books.picture(ORDER, order) == jpeg
    assert books.picture(INSPECTION, "o1") == other
    stored.command(ReturnTest(asset="t1", passed=True), role=Role.MAINTENANCE)
    assert books.picture(ORDER, order) == b""
    assert not books.photo(ORDER, order).standing
    books.close()
    report = replay(tmp_path / "gym", GymKernel())
    assert report.first_difference is None
    assert (report.differing, report.unreadable, report.raised) == (0, (), 0)
    assert report.inputs >= 5
