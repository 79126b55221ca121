"""Hosts for simulated readers in virtual time, and a canteen API made of a few dicts for the floor's people."""

from __future__ import annotations

import asyncio
import json
import runpy
import sys
import time

import pytest

from firmware_sim.chips import Chip, Field
from firmware_sim.feig import FeigReader
from firmware_sim.feig.frames import encode_request
from firmware_sim.line import LineSettings
from firmware_sim.magicrf import MagicRfReader
from firmware_sim.magicrf.frames import encode

MS = 1_000_000


class Host:
    """Asks a reader and lets simulated time run until it has nothing more to say. ``now_ns`` is the time, ``took_ns``
    what the last exchange took from its first bit."""

    def __init__(self, reader, pause_ns):
        self.reader = reader
        self.pause_ns = pause_ns
        self.now_ns = 0
        self.took_ns = 0

    def ask(self, frame, pause_ns=None):
        self.now_ns += self.pause_ns if pause_ns is None else pause_ns
        start_ns = self.now_ns
        self.reader.receive(frame, self.now_ns)
        answer = self.listen()
        self.took_ns = self.now_ns - start_ns
        return answer

    def listen(self, until_ns=None):
        answer = b""
        while (due_ns := self.reader.deadline()) is not None and (until_ns is None or due_ns <= until_ns):
            self.now_ns = max(self.now_ns, due_ns)
            answer += self.reader.take(self.now_ns)
        if until_ns is not None:
            self.now_ns = max(self.now_ns, until_ns)
        return answer


class FeigHost(Host):
    def inventory(self, mode=0x00, **kwargs):
        """Status and UIDs of one inventory."""
        return self.parse(self.ask(encode_request(0xB0, bytes((0x01, mode))), **kwargs))

    @staticmethod
    def parse(answer):
        head = 3 if answer[0] == 2 else 1
        status, data = answer[head + 2], answer[head + 3 : -2]
        sets = [data[1 + 10 * i : 11 + 10 * i] for i in range(data[0])] if data else []
        assert all(one[:2] == b"\x03\x00" for one in sets)
        return status, [one[2:].hex() for one in sets]

    def reset_field(self):
        assert self.ask(encode_request(0x69)).hex() == "06006900f6fa"


class MagicRfHost(Host):
    def command(self, code, parameter="", **kwargs):
        return self.ask(encode(0, code, bytes.fromhex(parameter)), **kwargs).hex()

    def poll(self):
        """(EPC, RSSI) of each notice of one round; [] for error 15."""
        return self.notices(self.ask(encode(0, 0x22)))

    @staticmethod
    def notices(data):
        found = []
        while data:
            length = 7 + int.from_bytes(data[3:5], "big")
            frame, data = data[:length], data[length:]
            if frame[1:3] == b"\x02\x22":
                rssi = frame[5] - 256 if frame[5] > 127 else frame[5]
                found.append((frame[8:-4].hex(), rssi))
            else:
                assert frame.hex() == "bb01ff000115167e"
        return found


@pytest.fixture
def hf_uids():
    """n different UIDs whose low nibbles are spread like those of real chips."""

    def make(count, seed=1):
        import random

        rng = random.Random(seed)
        return [f"e004{rng.getrandbits(48):012x}" for _ in range(count)]

    return make


@pytest.fixture
def feig():
    """FeigHost on a field with the given chips; 115200 8E1 unless told."""

    def make(*chips, seed=1, baud=115_200, settings=None):
        field = Field(seed)
        for chip in chips:
            field.place(chip if isinstance(chip, Chip) else Chip(chip, read_p=1.0))
        reader = FeigReader(field, seed=seed, line=LineSettings(baud, "E"), settings=settings)
        return FeigHost(reader, 5 * MS)

    return make


@pytest.fixture
def magicrf():
    def make(*chips, seed=1, settings=None):
        field = Field(seed)
        for chip in chips:
            field.place(chip if isinstance(chip, Chip) else Chip(chip, read_p=1.0))
        return MagicRfHost(MagicRfReader(field, seed=seed, settings=settings), MS)

    return make


@pytest.fixture
def program_ends(monkeypatch, capsys):
    """What a simulator refuses before it begins: exit status and stderr of ``python -m firmware_sim.KIND WORDS``, in
    this process (an interpreter for each mistake would cost twenty times as much)."""

    def run(kind, *words):
        monkeypatch.setattr(sys, "argv", [f"firmware_sim.{kind}", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module(f"firmware_sim.{kind}", run_name="__main__")
        return ended.value.code, capsys.readouterr().err

    return run


# --- a canteen made of dicts, behind real HTTP ------------------------------------------------------------------------


class FakeCanteen:
    """As much of the canteen's API as diners and kitchen see, strict about tokens, ids and what is paid.

    ``stations`` (lane -> object with ``plates``) stands for the readers; dead chips are not seen. ``refuse`` maps a
    path's last part to answers (status, code) that come first.
    """

    def __init__(self, members):
        self.members = {member["card"]: member["token"] for member in members}
        self.purses = dict.fromkeys(self.members.values(), 0)
        self.bound, self.sold, self.orders, self.commands = {}, set(), [], {}
        self.lanes, self.stations, self.refuse, self.asked = {}, {}, {}, []
        self.always_ask = False
        self.server, self.port, self.open = None, 0, set()

    async def start(self, port=0):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        self.server.close()
        await self.server.wait_closed()
        for writer in list(self.open):
            writer.close()

    async def _serve(self, reader, writer):
        self.open.add(writer)
        try:
            await self._serve_one(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the floor went away in the middle of a request
        finally:
            self.open.discard(writer)
            writer.close()

    async def _serve_one(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"{}")
        path = path.removeprefix("/api/v1/canteen/")
        status, answer = self._answer(method, path, headers, body)
        content = json.dumps(answer).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
        await writer.drain()

    def _answer(self, method, path, headers, body):
        role = headers["authorization"].removeprefix("Bearer ")
        last = path.rpartition("/")[2]
        self.asked.append((method, path, body))
        if self.refuse.get(last):
            status, code = self.refuse[last].pop(0)
            return status, {"code": code, "detail": "told to refuse"}
        if method == "GET":
            return (
                (200, self.view(path.split("/")[1]))
                if role == "t" + path.split("/")[1]
                else (403, {"code": "forbidden"})
            )
        key = headers["idempotency-key"]
        if key in self.commands:
            assert self.commands[key][0] == (path, body), "an id was used for two commands"
            return self.commands[key][1]
        own = {"bindings": "kitchen", "top-ups": "cashier", "key-plate": "cashier"}
        wanted = own.get(last) or "t" + path.split("/")[1]
        if role != wanted:
            return 403, {"code": "forbidden", "detail": f"{role} is not {wanted}"}
        self.commands[key] = ((path, body), self._command(path.split("/"), body))
        return self.commands[key][1]

    def _command(self, path, body):
        match path:
            case ["bindings"]:
                for uid in body["plate_uids"]:
                    self.bound[uid] = body["dish_id"]
                    self.sold.discard(uid)
            case ["members", token, "top-ups"]:
                self.purses[token] += body["fen"]
            case ["lanes", lane, "identify"]:
                if body["card"] not in self.members:
                    return 404, {"code": "unknown_card", "detail": ""}
                self.lane(lane)["member"] = self.members[body["card"]]
            case ["lanes", lane, "confirm-plates"]:
                self.lane(lane)["confirmed"] = body["plates"]
            case ["lanes", lane, "key-plate"]:
                plate = next(p for p in self.stations[lane].plates if p.label == body["label"])
                self.lane(lane)["keyed"].add(plate.uid)
            case ["lanes", lane, "pay"]:
                return self._pay(lane, body)
        return 200, {"code": "ok"}

    def _pay(self, lane, body):
        view, state = self.view(lane), self.lane(lane)
        if view["phase"] != "firm":
            return 422, {"code": "not_firm", "detail": view["phase"]}
        if [body[k] for k in ("tray_id", "tray_version", "payable_fen")] != [
            view[k] for k in ("tray_id", "tray_version", "payable_fen")
        ]:
            return 409, {"code": "tray_changed", "detail": ""}
        if body["method"] == "purse":
            if self.purses[state["member"]] < body["payable_fen"]:
                return 422, {"code": "purse_short", "detail": ""}
            self.purses[state["member"]] -= body["payable_fen"]
        elif body["tendered_fen"] < body["payable_fen"]:
            return 422, {"code": "tender_short", "detail": ""}
        uids = [plate["uid"] for plate in view["plates"]]
        self.sold |= set(uids)
        self.orders.append((body["order_id"], lane, body["method"], uids))
        state["paid"] = body["order_id"]
        return 200, {"code": "ok"}

    def lane(self, lane):
        fresh = {"uids": (), "member": None, "paid": "", "confirmed": None, "keyed": set(), "since": 0.0, "version": 0}
        return self.lanes.setdefault(lane, {**fresh, "tray": 0})

    def view(self, lane):
        state, now = self.lane(lane), time.monotonic()
        on_tray = [p for p in self.stations[lane].plates if not p.chip.dead or p.uid in state["keyed"]]
        uids = tuple(plate.uid for plate in on_tray)
        if uids != state["uids"]:
            if not state["uids"]:
                state.update(tray=state["tray"] + 1, version=0)
            state.update(uids=uids, since=now, version=state["version"] + 1)
            if not uids:
                state.update(member=None, paid="", confirmed=None, keyed=set())
        plates = [{"uid": plate.uid, **self._plate(plate, state)} for plate in on_tray]
        phase, problem = self._phase(plates, state, now)
        member = state["member"]
        diner = {"member": member, "balance_fen": self.purses[member] if member else None}
        return {
            "phase": phase, "problem": problem, "firm": phase == "firm", "tray_id": f"{lane}-{state['tray']}",
            "tray_version": state["version"], "payable_fen": 700 * len(uids), "plates": plates, "diner": diner,
            "paid": {"order_id": state["paid"]} if state["paid"] else None,
        }  # fmt: skip

    def _plate(self, plate, state):
        uid = plate.uid
        if state["paid"] or (uid in self.bound and uid not in self.sold):
            return {"state": "priced", "blocks": False}
        known = "unknown" if plate.label == "?" else "unbound" if uid not in self.bound else "sold"
        return {"state": known, "blocks": True}

    def _phase(self, plates, state, now):
        if not plates:
            return "empty", ""
        if state["paid"]:
            return "paid", ""
        blocking = [plate["state"] for plate in plates if plate["blocks"]]
        if blocking:
            return "blocked", f"plate_{blocking[0]}"
        if state["confirmed"] not in {None, len(plates)}:
            return "blocked", "count_differs"
        if now - state["since"] < 0.1:
            return "reading", ""
        if self.always_ask and state["confirmed"] is None:
            return "ask", "cannot_be_sure"
        return "firm", ""


@pytest.fixture
def fake_canteen():
    return FakeCanteen
