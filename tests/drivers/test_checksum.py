import random

import pytest

from drivers.checksum import crc16_8408, crc16_gen2, crc16_modbus, crc16_osdp, sum8, sum16, xor8

NINE = b"123456789"


def test_check_values():
    assert crc16_8408(NINE) == 0x6F91
    assert crc16_gen2(NINE) == 0xD64E
    assert crc16_modbus(NINE) == 0x4B37
    assert crc16_osdp(NINE) == 0xE5CC
    assert sum8(NINE) == 0xDD
    assert sum16(NINE) == 0x01DD
    assert xor8(NINE) == 0x31


@pytest.mark.parametrize("length", [0, 1, 2, 3, 17, 64, 255, 256])
def test_fast_and_bitwise_agree(witness, length):
    rng = random.Random(length)
    for _ in range(20):
        data = rng.randbytes(length)
        assert crc16_8408(data) == witness.crc_feig(data)
        assert crc16_gen2(data) == witness.crc_gen2(data)
        assert crc16_modbus(data) == witness.crc_bitwise(data, 0x8005, start=0xFFFF, reflected=True, final=0)
        assert crc16_osdp(data) == witness.crc_bitwise(data, 0x1021, start=0x1D0F, reflected=False, final=0)
        assert sum8(data) == sum(data) % 256


def test_a_frame_with_its_own_crc_leaves_no_remainder():
    data = random.Random(1).randbytes(40)
    assert crc16_8408(data + crc16_8408(data).to_bytes(2, "little")) == 0


def test_every_single_bit_error_is_seen():
    data = bytearray(random.Random(2).randbytes(30))
    right = crc16_8408(bytes(data)), crc16_gen2(bytes(data))
    for bit in range(8 * len(data)):
        data[bit // 8] ^= 1 << bit % 8
        assert crc16_8408(bytes(data)) != right[0]
        assert crc16_gen2(bytes(data)) != right[1]
        data[bit // 8] ^= 1 << bit % 8
