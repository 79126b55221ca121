"""The OSDP driver against simulated readers whose half of the secure channel was written on its own."""

import itertools

import pytest

from drivers.driver import LocalProtocolError
from drivers.osdp.driver import OsdpDriver
from drivers.osdp.securechannel import DEFAULT_KEY
from drivers.registry import make_driver
from edge.domain.devices import FieldOn
from edge.domain.field_devices import Operate, Poll
from firmware_sim.line import LineSettings
from firmware_sim.osdp import Door, ReaderBus

S = 1000
KEY = bytes(range(100, 116))
CARD = "1" + f"{154:08b}" + f"{17806:016b}" + "0"


def parities(facility, number):
    bits = f"{facility:08b}{number:016b}"
    return f"{bits[:12].count('1') % 2}{bits}{1 - bits[12:].count('1') % 2}"


def bus(rig, doors=None, **options):
    nonces = itertools.count(1)
    driver = OsdpDriver({"scbk": KEY.hex(), **options}, lambda size: next(nonces).to_bytes(size, "big"))
    return rig(driver, ReaderBus(doors or {0: Door(key=KEY)}, line=LineSettings(115_200)))


def on(point, **more):
    return Operate(point=point, on=True, command_id=f"on {point}", **more)


def off(point, **more):
    return Operate(point=point, on=False, command_id=f"off {point}", **more)


def test_ready_over_a_secure_channel(rig):
    rig = bus(rig)
    rig.run(S)
    assert rig.states() == [("connecting", ""), ("ready", "")]
    identity = rig.last("DeviceIdentity")
    assert (identity.model, identity.firmware, identity.serial) == ("ca446c-1.2", "1.2.3", "00001267")
    assert rig.last("PointHealth", point="0").online is True
    assert rig.last("SignalReading", point="0").active is False
    assert rig.last("OutputReading", point="0:0").on is False
    secured = [frame for frame in rig.written[3:] if frame[4] & 8 and frame[6] in {0x15, 0x17}]
    assert secured
    assert len(secured) == len(rig.written) - 3, "all but the identity and the handshake"


def test_an_idle_reader_is_heard_of_every_few_seconds(rig):
    """A pump takes a line that is asked and tells nothing for ten seconds for hung."""
    rig = bus(rig)
    rig.run(S)
    for _ in range(12):
        assert [item for item in rig.run(5 * S) if type(item).__name__ == "PointHealth" and item.online]


def test_cards_and_keys(rig):
    rig = bus(rig)
    rig.run(S)
    rig.device.present(0, parities(154, 17806))
    rig.device.press(0, "1234#*")
    rig.run(S)
    card = rig.last("CardReading")
    assert (card.point, card.card, card.bits) == ("0", "154:17806", 26)
    assert rig.last("KeypadReading").keys == "1234#*"


def test_a_card_with_a_wrong_parity_is_nobodys(rig):
    rig = bus(rig)
    rig.run(S)
    good = parities(154, 17806)
    for at in range(26):
        rig.device.present(0, good[:at] + str(1 - int(good[at])) + good[at + 1 :])
    rig.device.present(0, "1" * 34)
    rig.run(6 * S)
    cards = rig.of("CardReading")
    assert len(cards) == 27
    assert all("/parity" in card.card for card in cards[:26])
    assert cards[26].card == "ffffffffc0"


def test_operate_switches_the_relay_and_reads_it_back(rig):
    rig = bus(rig)
    rig.run(S)
    rig.command(on("0:0"))
    rig.run(200)
    assert rig.device.doors[0].relay
    answers = rig.of("OutputReading", command_id="on 0:0")
    assert [answer.accepted for answer in answers] == [True]
    assert rig.last("OutputReading", point="0:0").on is True
    rig.command(off("0:0"))
    rig.run(200)
    assert not rig.device.doors[0].relay
    rig.command(on("0:0", hold_s=2))
    rig.run(S)
    assert rig.device.doors[0].relay
    rig.run(2 * S)
    assert not rig.device.doors[0].relay
    rig.command(on("0:led"))
    rig.command(on("0:buzzer"))
    rig.run(500)
    assert (rig.device.doors[0].color, rig.device.doors[0].buzzing) == (2, True)


def test_a_command_goes_before_the_polling_of_all_readers(rig):
    addresses = range(8)
    doors = {address: Door(key=KEY) for address in addresses}
    rig = bus(rig, doors, addresses=",".join(map(str, addresses)), poll_ms=20)
    rig.run(5 * S)
    assert rig.states()[-1] == ("ready", "")
    for address in (7, 3):
        rig.command(on(f"{address}:0"))
        rig.command(off(f"{address}:0"))
    start = rig.now
    rig.run(S)
    obeyed = [(address, code) for address, code, at in rig.device.log if at >= start]
    # At most the exchange that was under way comes first; the ons were overtaken by the offs of the same point.
    assert {address for address, code in obeyed[:6] if code == 0x68} == {3, 7}
    assert sum(code == 0x68 for _, code in obeyed) == 2


def test_a_lost_answer_opens_no_door_twice(rig):
    rig = bus(rig)
    rig.run(S)
    rig.device.doors[0].loses = 2
    rig.command(on("0:0"))
    rig.run(S)
    assert rig.device.doors[0].opened == 1
    assert rig.of("OutputReading", command_id="on 0:0")[0].accepted is True
    assert rig.states()[-1] == ("ready", "")


def test_a_dead_reader_is_told_answers_for_it_and_comes_back(rig):
    rig = bus(rig, {0: Door(key=KEY), 1: Door(key=KEY)}, addresses="0,1")
    rig.run(S)
    rig.device.doors[1].dead = True
    rig.command(on("1:0"))
    rig.run(3 * S)
    assert rig.states()[-1] == ("fault", "no_answer")
    assert rig.of("OutputReading", command_id="on 1:0")[0].accepted is False
    assert rig.last("PointHealth", point="1").online is False
    rig.device.present(0, parities(1, 2))
    rig.run(2 * S)
    assert rig.last("CardReading").card == "1:2"
    rig.device.doors[1].dead = False
    rig.run(20 * S)
    assert rig.states()[-1] == ("ready", "")
    assert len(rig.of("PointHealth", point="1", rebooted=True)) == 2
    assert not rig.device.doors[1].relay, "the old command is not carried out later"


def test_a_busy_reader_is_asked_again(rig):
    rig = bus(rig)
    rig.run(S)
    rig.device.doors[0].busy = 5
    rig.command(on("0:0"))
    rig.run(S)
    assert rig.device.doors[0].opened == 1
    assert rig.states()[-1] == ("ready", "")


@pytest.mark.parametrize(
    ("door", "options", "problem"),
    [
        (Door(key=KEY, factory=True), {}, "default_key"),
        (Door(key=KEY), {"scbk": DEFAULT_KEY.hex()}, "default_key"),
        (Door(key=KEY), {"scbk": ""}, "no_key"),
        (Door(key=bytes(16)), {}, "wrong_key"),
        (Door(key=b""), {}, "no_secure_channel"),
        (Door(key=KEY, strict=True), {"scbk": "", "insecure": True}, "secure_required"),
    ],
)
def test_a_reader_without_the_right_key_is_refused_with_the_reason(rig, door, options, problem):
    rig = bus(rig, {0: door}, **options)
    rig.device.present(0, parities(154, 17806))
    rig.run(3 * S)
    assert rig.states()[-1] == ("fault", problem)
    assert rig.of("CardReading") == []
    detail = rig.last("DeviceHealth").detail
    assert "scbk" in detail or "secure channel" in detail
    assert KEY.hex() not in detail


def test_without_keys_nothing_is_sent_unless_it_is_allowed(rig):
    assert bus(rig, scbk="").written == []
    open_line = bus(rig, {0: Door(key=b"")}, scbk="", insecure=True)
    open_line.device.present(0, parities(154, 17806))
    open_line.run(2 * S)
    assert open_line.states()[-1] == ("ready", "")
    assert open_line.last("CardReading").card == "154:17806"


def test_a_wrong_mac_ends_the_channel_and_a_new_one_begins(rig):
    rig = bus(rig)
    rig.run(S)
    rig.device.doors[0].spoils = True
    rig.device.present(0, parities(154, 17806))
    rig.run(3 * S)
    assert ("fault", "channel_broken") in rig.states()
    assert rig.states()[-1] == ("ready", "")


def test_no_bit_of_a_secured_reply_can_be_changed(rig):
    """Every frame with one bit flipped and its CRC made right again is refused."""
    rig = bus(rig)
    rig.run(S)
    channel = rig.driver._stations[0].channel
    rig.device.present(0, parities(154, 17806))
    station = rig.driver._stations[0]
    rig.run(500)
    assert rig.of("CardReading")
    assert channel.active

    from drivers.osdp.frames import Grammar, seal

    replies = []
    take = rig.device.take
    rig.device.take = lambda now: replies.append(take(now)) or replies[-1]
    rig.run(300)
    whole = next(reply for reply in replies if reply)
    state = (channel._r_mac, channel._c_mac)
    for bit in range(8 * (len(whole) - 2)):
        data = bytearray(whole[:-2])
        data[bit // 8] ^= 1 << bit % 8
        frame = Grammar(secured=True).parse(seal(bytes(data))) if data[4] & 4 else None
        if not isinstance(frame, tuple) and frame is not None and frame.raw[2:4] == whole[2:4]:
            channel.active = True
            assert station.read(frame) is None
            channel._r_mac, channel._c_mac = state


def test_unsecured_replies_are_not_believed_once_a_channel_is_up(rig, make):
    rig = bus(rig)
    rig.run(S)
    driver = rig.driver
    sequence = driver._stations[0].sequence
    card = b"\x00\x01\x1a\x00" + int(parities(1, 1).ljust(32, "0"), 2).to_bytes(4, "big")
    rig.device.doors[0].dead = True
    rig.run(110)
    rig.carry(driver.received(make.osdp(0, 0x50, card, sequence=sequence), rig.now))
    rig.run(S)
    assert rig.of("CardReading") == []


def test_expired_unknown_and_too_many(rig):
    rig = bus(rig)
    rig.run(S)
    rig.command(on("0:0", expires_mono_ns=rig.now - 1))
    rig.run(S)
    assert rig.of("OutputReading", command_id="on 0:0")[0].accepted is False
    assert rig.device.doors[0].opened == 0
    for command in (FieldOn(on=True), on("9:0"), on("0:door"), on("0:256")):
        rig.command(command)
    assert rig.driver.ignored_commands == 4
    for number in range(60):
        rig.command(on(f"0:{number}"))
    assert len(rig.driver._stations[0].operates) <= 33
    assert rig.of("OutputReading", detail="too many commands wait")


def test_poll_asks_for_tamper_contacts_and_relays(rig):
    rig = bus(rig)
    rig.run(S)
    rig.device.doors[0].tamper = rig.device.doors[0].contact_open = True
    rig.command(Poll())
    rig.run(S)
    assert rig.last("SignalReading", point="0").active is True
    contact = rig.last("SignalReading", point="0:in0")
    assert (contact.kind.value, contact.active) == ("door_open", True)


@pytest.mark.parametrize("fault", ["noise", "split", "drop", "flip"])
def test_a_bad_line_costs_time_and_never_truth(rig, fault):
    rig = bus(rig)
    rig.run(S)
    rig.device.set_faults(fault, rig.now)
    for number in range(10):
        rig.device.present(0, parities(154, number))
        rig.run(3 * S)
    assert {card.card for card in rig.of("CardReading")} <= {f"154:{number}" for number in range(10)}
    assert rig.of("CardReading")
    rig.device.set_faults("none", rig.now)
    rig.run(20 * S)
    assert rig.states()[-1] == ("ready", "")


def test_wrong_options_are_named_and_the_key_is_not_repeated():
    with pytest.raises(LocalProtocolError, match="addresses"):
        make_driver("osdp", {"addresses": "0,127"})
    with pytest.raises(LocalProtocolError, match="scbk") as caught:
        make_driver("osdp", {"scbk": "5ec7e7"})
    assert "5ec7e7" not in str(caught.value)
