"""Our Modbus driver works a board that is a pymodbus server, over a real socket, in both framings."""

import asyncio
import contextlib
import time

import pytest
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.registry import make_driver
from edge.domain.field_devices import Operate

MAP = "k1 output coil:2; main flow discrete:4; feed power_w holding:1 type=s32; pipe pressure_kpa input:0 scale=0.1"


def device():
    return SimDevice(
        1,
        simdata=(
            [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
            [SimData(0, values=[False] * 4 + [True] + [False] * 11, datatype=DataType.BITS)],
            [SimData(0, values=[0, 0xFFFF, 0xFF38, 0], datatype=DataType.REGISTERS)],
            [SimData(0, values=[6050, 0], datatype=DataType.REGISTERS)],
        ),
    )


class Talk:
    """The driver on a real connection, in real time."""

    def __init__(self, driver, reader, writer):
        self.driver, self.reader, self.writer, self.told = driver, reader, writer, []

    def carry(self, output):
        self.told += output.readings
        for frame in output.write:
            self.writer.write(frame)

    async def until(self, happened, limit_s=60):
        end = time.monotonic() + limit_s
        while not happened():
            assert time.monotonic() < end, self.told
            due = self.driver.deadline()
            wait_s = 0.02 if due is None else min(0.02, max(0, due - time.monotonic_ns()) / 1e9)
            with contextlib.suppress(TimeoutError):
                data = await asyncio.wait_for(self.reader.read(4096), wait_s)
                assert data, "the server closed the connection"
                self.carry(self.driver.received(data, time.monotonic_ns()))
            self.carry(self.driver.tick(time.monotonic_ns()))

    def of(self, name, point):
        return [reading for reading in self.told if type(reading).__name__ == name and reading.point == point]


@pytest.mark.parametrize("framing", ["tcp", "rtu"])
def test_a_board_of_pymodbus_is_read_and_switched(framing, free_port):
    async def main():
        port = free_port()
        framer = FramerType.SOCKET if framing == "tcp" else FramerType.RTU
        server = ModbusTcpServer(device(), framer=framer, address=("127.0.0.1", port))
        await server.serve_forever(background=True)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            options = {"map": MAP, "framing": framing, "poll_ms": 50, "timeout_ms": 10_000, "baud": 115_200}
            talk = Talk(make_driver("modbus", options), reader, writer)
            talk.carry(talk.driver.opened(time.monotonic_ns()))
            await talk.until(lambda: talk.of("PressureReading", "pipe") and talk.of("OutputReading", "k1"))
            assert talk.of("PressureReading", "pipe")[0].pressure_kpa == 605.0
            assert talk.of("SignalReading", "main")[0].active is True
            assert talk.of("MeterReading", "feed")[0].power_w == -200.0
            assert talk.of("OutputReading", "k1")[-1].on is False
            for on in (True, False):
                life_ns = time.monotonic_ns() + 6 * 10**10
                command = Operate(point="k1", on=on, command_id=f"to {on}", expires_mono_ns=life_ns)
                talk.carry(talk.driver.command(command, time.monotonic_ns()))
                await talk.until(lambda: talk.of("OutputReading", "k1")[-1].on is on)  # noqa: B023
            accepted = [(r.command_id, r.accepted) for r in talk.of("OutputReading", "k1") if r.command_id]
            assert accepted == [("to True", True), ("to False", True)]
        finally:
            writer.close()
            await writer.wait_closed()
            await server.shutdown()

    asyncio.run(main())
