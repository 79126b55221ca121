"""Messages as bytes between link and driver: what was just written is read as it was, and so is everything else."""

from __future__ import annotations

import pytest

from drivers.messages import Message, encode_message, parse_message

SMOKE = Message(topic="zigbee2mqtt/a", payload='{"smoke": true}', retain=False)
CLEAR = Message(topic="zigbee2mqtt/b", payload='{"smoke": false}', retain=True, expiry_s=5)


def test_what_was_just_written_is_read_without_reading():
    assert parse_message(encode_message(SMOKE)) is SMOKE


def test_an_older_message_is_never_taken_for_the_newest():
    older = encode_message(SMOKE)
    newest = encode_message(CLEAR)
    assert [parse_message(each) for each in (older, newest, older)] == [SMOKE, CLEAR, SMOKE]


def test_the_same_bytes_from_elsewhere_are_the_same_message():
    copy = bytes(bytearray(encode_message(CLEAR)))
    assert parse_message(copy) == CLEAR


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b'{"topic": "a"}', b'{"topic": 1, "payload": "", "retain": false}']
)
def test_what_is_no_message_is_none_whatever_was_written_before(data):
    encode_message(SMOKE)
    assert parse_message(data) is None
