"""The garage's devices hang on one building: a cut is seen where it is seen in the field; orders do what they say."""

from __future__ import annotations

import asyncio
import copy
import json
from functools import cache

import pytest

from firmware_sim.control import ControlError
from firmware_sim.garage.charge import Fleet
from firmware_sim.garage.config import load, parse
from firmware_sim.garage.devices import build
from firmware_sim.garage.orders import Orders
from firmware_sim.garage.people import People
from firmware_sim.gb26875.frames import unpack
from firmware_sim.jsonconfig import ConfigError
from firmware_sim.modbus.frames import Request

SETTINGS = {
    "control": "garage.sock",
    "mqtt": {"host": "127.0.0.1", "port": 1},
    "zones": ["east", "west"],
    "bays": [
        {"port": "e-1", "zone": "east", "kind": "shelly", "topic": "plug-e-1"},
        {"port": "e-2", "zone": "east", "kind": "tasmota", "topic": "plug-e-2"},
        {"port": "w-1", "zone": "west", "kind": "dlt645", "line": "bus", "address": "202611220101"},
    ],
    "heads": [
        {"source": "e-smoke", "zone": "east", "kind": "smoke", "via": "zigbee", "name": "head-1"},
        {"source": "e-panel", "zone": "east", "kind": "panel_fire", "via": "unit", "system": 1, "address": 2},
        {"source": "e-flow", "zone": "east", "kind": "flow", "via": "modbus", "board": "b", "input": 8},
        {"source": "e-key", "zone": "east", "kind": "key_switch", "via": "modbus", "board": "b", "input": 9},
        {
            "source": "w-call",
            "zone": "west",
            "kind": "call_point",
            "via": "modbus",
            "board": "b",
            "unit": 2,
            "input": 8,
        },
    ],
    "sirens": ["siren-1"],
    "boards": [{"name": "b", "port": 0}],
    "coils": [
        {"output": "e-k", "zone": "east", "kind": "contactor", "board": "b", "coil": 0, "contact": 0, "hold": 100},
        {"output": "e-door", "zone": "east", "kind": "door", "board": "b", "coil": 1},
        {"output": "e-water", "zone": "east", "kind": "water", "board": "b", "coil": 2},
        {"output": "e-feed", "zone": "east", "kind": "feed", "board": "b", "coil": 3},
        {"output": "w-k", "zone": "west", "kind": "contactor", "board": "b", "unit": 2, "coil": 0, "contact": 0},
    ],
    "lines": [{"name": "bus", "port": 0, "baud": 9600}],
    "unit": {"port": 0},
    "seed": 5,
}
STEP_S = 0.1


@cache
def neighbourhood():
    """How its bikes charge takes longer to compute than a test."""
    return Fleet(5)


class Garage:
    """Devices and building without wires and without people; ``order`` is a request of the control socket."""

    def __init__(self):
        self.config = parse(SETTINGS)
        self.devices = build(self.config)
        self.building = self.devices.building
        self.people = People(self.config, self.building, copy.deepcopy(neighbourhood()))
        self.operations = Orders(self.config, self.devices, self.people).operations()
        self.mono_ns = 1_000_000_000

    def order(self, operation, **fields):
        return asyncio.run(self.operations[operation](fields))

    def run(self, seconds):
        for _ in range(round(seconds / STEP_S)):
            for head in self.building.step(STEP_S):
                self.devices.told(head)
            self.devices.step(STEP_S)

    def coil(self, output, *, on):
        """A master writes the coil of ``output``, and the copper has had its time."""
        relay = self.devices.relays[output]
        later = []
        pdu = bytes((5, 0, relay.config.coil, 0xFF if on else 0, 0))
        relay.board.reply(Request(relay.config.unit, pdu), self.mono_ns, lambda due, act: later.append((due, act)))
        for due_ns, act in later[:1]:
            act(due_ns)

    def plug_in(self, port):
        self.order("plug", port=port, start=False)
        socket = self.building.bays[port].socket
        if hasattr(socket, "switch"):
            socket.switch(0, on=True)
        else:
            socket.move(closed=True, now_ns=0)
        self.run(10)

    def state(self, port):
        zone = self.building.bays[port].zone
        return self.order("state")["zones"][zone]["ports"][port]


@pytest.fixture
def garage():
    return Garage()


def test_behind_an_open_contactor_plugs_are_dark_and_a_breaker_says_zero(garage):
    garage.plug_in("e-1")
    garage.plug_in("w-1")
    assert garage.state("e-1")["flows_w"] > 20
    for output in ("e-k", "w-k"):
        garage.coil(output, on=False)
    garage.run(1)
    assert garage.devices.plugs["e-1"].way.dark
    meter = garage.devices.meters["w-1"]
    assert (meter.true_w, meter.dead, meter.closed) == (0.0, False, True)
    garage.coil("e-k", on=True)
    garage.run(1)
    assert not garage.devices.plugs["e-1"].way.dark
    assert garage.devices.plugs["e-1"].reboots == 1, "its power was away"


def test_a_welded_outlet_conducts_and_says_off_and_only_the_contactor_ends_it(garage):
    garage.plug_in("e-1")
    garage.order("weld", name="E-1")
    outlet = garage.building.bays["e-1"].socket
    outlet.switch(0, on=False)
    garage.run(1)
    assert (outlet.reported, garage.state("e-1")["flows_w"] > 20) == (False, True)
    garage.coil("e-k", on=False)
    garage.run(1)
    assert garage.state("e-1")["flows_w"] == 0


def test_a_welded_contactor_says_so_by_its_contact_and_a_lying_one_too(garage):
    garage.plug_in("e-1")
    garage.order("weld", name="east")
    garage.coil("e-k", on=False)
    relay = garage.devices.relays["e-k"]
    assert (relay.on, relay.copper) == (False, True)
    garage.run(1)
    assert garage.state("e-1")["flows_w"] > 20
    garage.order("mend", name="east")
    assert relay.copper is False
    garage.order("lie", name="west")
    garage.coil("w-k", on=False)
    assert garage.devices.relays["w-k"].copper is True


def test_a_feed_that_was_tripped_stays_out_until_it_is_mended(garage):
    garage.coil("e-feed", on=True)
    garage.run(0.2)
    garage.coil("e-feed", on=False)
    garage.run(1)
    assert garage.order("state")["zones"]["east"]["live"] is False
    garage.order("mend", name="east")
    garage.run(0.2)
    assert garage.order("state")["zones"]["east"]["live"] is True


def test_water_flows_some_time_after_the_valve_and_stops_with_it(garage):
    flow = lambda: garage.devices.boards["b", 1].inputs[8]  # noqa: E731
    garage.coil("e-water", on=True)
    garage.run(1)
    assert not flow()
    garage.run(1.2)
    assert flow()
    garage.coil("e-water", on=False)
    garage.run(0.3)
    assert not flow()


def test_heads_speak_on_their_own_wires(garage):
    bridge, unit = garage.devices.bridge, garage.devices.unit
    bridge.connected(0)
    garage.order("smoke", zone="EAST")
    garage.order("call", zone="west")
    garage.run(15)
    said = [out for out in bridge.take(1 << 62) if out.topic == "zigbee2mqtt/head-1"]
    assert json.loads(said[-1].payload)["smoke"] is True
    assert garage.devices.boards["b", 2].inputs[8] is True
    report = unit.report(garage.config.heads[1])
    assert report[:6] == b"\x01\x01\x01\x02\x02\x00", "system 1:2, fire, and bit 0 clear"


def test_the_dead_man_opens_the_contactor_and_leaves_the_door_released(garage):
    board = garage.devices.boards["b", 1]
    board.holding[100] = 50
    acts = []
    for coil in (0, 1):
        board.reply(Request(1, bytes((5, 0, coil, 0xFF, 0))), 0, lambda due, act: acts.append((due, act)))
    while acts:
        acts.sort(key=lambda each: each[0])
        due_ns, act = acts.pop(0)
        act(due_ns)
    assert (board.coils[0], board.inputs[0], board.coils[1]) == (False, False, True)


def test_a_dead_head_is_missed_by_its_bridge_and_a_reboot_returns_on(garage):
    garage.devices.bridge.connected(0)
    garage.order("dead", head="e-smoke")
    sent = garage.devices.bridge.take(1 << 62)
    assert [json.loads(out.payload) for out in sent if out.topic.endswith("head-1/availability")][-1] == {
        "state": "offline"
    }
    garage.order("reboot", port="e-1")
    assert garage.building.bays["e-1"].socket.relay is True
    garage.order("reboot", port="e-2")
    assert garage.building.bays["e-2"].socket.relay is True
    garage.order("mend")
    assert garage.devices.bridge.things["head-1"].dead is False


def test_swap_splitter_overload_and_unplug(garage):
    garage.plug_in("e-1")
    first = garage.building.bays["e-1"].chargers[0]
    before_w = garage.state("e-1")["flows_w"]
    garage.order("overload", port="e-1")
    garage.run(0.2)
    assert garage.state("e-1")["flows_w"] == pytest.approx(before_w + 700, rel=0.05)
    garage.order("swap", port="e-1")
    assert garage.building.bays["e-1"].chargers[0] is not first
    assert len(garage.order("splitter", port="e-1")["bikes"]) == 2
    assert len(garage.order("unplug", port="e-1")["taken"]) == 2
    garage.run(0.2)
    assert garage.state("e-1")["flows_w"] == 0


@pytest.mark.parametrize(
    ("operation", "fields", "words"),
    [
        ("smoke", {"zone": "south"}, "give one of east, west"),
        ("plug", {"port": "e"}, "give one of e-1, e-2"),
        ("unplug", {}, '"port" must be a string'),
        ("loose", {"port": "e-1"}, "plug a bike in first"),
        ("heat", {"zone": "west"}, "no heat"),
        ("reboot", {"port": "w-1"}, "is a breaker"),
        ("dead", {"head": "e-flow"}, "has no battery"),
        ("stale", {"head": "w-call"}, "does not speak by the broker"),
        ("broker", {}, "not ours"),
        ("gateway", {"on": "off"}, "true or false"),
        ("cable", {"wire": "x", "on": False}, "give one of b, bus"),
        ("mend", {"name": "nobody"}, "zone, port or head"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_can(garage, operation, fields, words):
    with pytest.raises(ControlError, match=words):
        garage.order(operation, **fields)


def test_a_second_bike_needs_a_free_bay(garage):
    garage.order("plug", port="e-1", start=False)
    with pytest.raises(ControlError, match="taken"):
        garage.order("plug", port="e-1", start=False)


def test_every_mistake_of_the_configuration_is_told_at_once(tmp_path):
    wrong = {
        **SETTINGS,
        "speed": 0,
        "zones": ["east", "east"],
        "bays": [{"port": "x", "zone": "north", "kind": "plug", "topic": "t"}],
        "coils": [{"output": "k", "zone": "east", "kind": "contactor", "board": "none", "coil": 0}],
        "colour": 1,
    }
    with pytest.raises(ConfigError) as caught:
        parse(wrong)
    told = str(caught.value)
    for words in ("speed", "same name", "zone 'north'", "'plug'", "board 'none'", "colour"):
        assert words in told
    file = tmp_path / "garage.json"
    file.write_text("{")
    with pytest.raises(ConfigError, match="is no JSON"):
        load(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.json")


def test_the_unit_dials_tells_all_states_and_answers(garage):
    unit, heard, packets = garage.devices.unit, bytearray(), []

    async def scene():
        asked = asyncio.Event()

        async def centre(reader, writer):
            while len(packets) < 2:
                heard.extend(await reader.read(4096))
                packets.extend(unpack(heard))
            asked.set()
            writer.close()

        server = await asyncio.start_server(centre, "127.0.0.1", 0)
        dialling = asyncio.create_task(unit.dial("127.0.0.1", server.sockets[0].getsockname()[1]))
        await asyncio.wait_for(asked.wait(), 60)
        dialling.cancel()
        await asyncio.gather(dialling, return_exceptions=True)
        server.close()
        await server.wait_closed()

    asyncio.run(scene())
    assert [packet.command for packet in packets[:2]] == [2, 2]
    assert packets[1].unit[:6] == b"\x01\x01\x01\x02\x01\x00"
