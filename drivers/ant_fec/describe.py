"""ANT pages and messages as the fields that ``kangle decode ant_fec`` prints (decode contract, section 6)."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.ant_fec import pages
from drivers.ant_fec.frames import Grammar, Message, MessageId
from drivers.ant_fec.pages import GENERAL, Page
from drivers.buffer import Refusal
from drivers.decoded import Decoded, Fields, decode_stream
from drivers.packets import decode_packets, error_of, unhex

_NAMED = frozenset(
    {
        MessageId.CHANNEL_RESPONSE,
        MessageId.UNASSIGN_CHANNEL,
        MessageId.ASSIGN_CHANNEL,
        MessageId.SET_PERIOD,
        MessageId.BROADCAST_DATA,
        MessageId.ACKNOWLEDGED_DATA,
        MessageId.SET_CHANNEL_ID,
    }
)


def decode(line: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one input line; ``options["layer"]``: pages of one session, or a stream of serial messages."""
    if options["layer"] == "serial":
        data = unhex(line)
        return Decoded([], [error_of(data)]) if isinstance(data, Refusal) else decode_stream(Grammar(), data, describe)
    session = Session()

    def take(packet: bytes) -> Fields | Refusal:
        page = pages.parse(packet)
        return page if isinstance(page, Refusal) else session.describe(page)

    return decode_packets(line, take)


class Session:
    """Pages of one machine; a second general page tells how far its counters have gone on."""

    def __init__(self) -> None:
        self._before: bytes | None = None

    def describe(self, page: Page) -> Fields:
        fields = describe_page(page)
        if page.number == GENERAL:
            before, self._before = self._before, page.data
            if before is not None:
                fields["delta_elapsed_s"] = pages.steps_between(before, page.data, 2) / 4
                if pages.has_distance(before) and pages.has_distance(page.data):
                    fields["delta_distance_m"] = pages.steps_between(before, page.data, 3)
        return fields


def describe_page(page: Page) -> Fields:
    return {"page": page.number, **page.values}


def describe(message: Message) -> Fields:
    data = message.data
    name = MessageId(message.message_id).name.lower() if message.message_id in _NAMED else None
    fields: Fields = {"message_id": message.message_id, "message_name": name}
    match message.message_id:
        case MessageId.CHANNEL_RESPONSE:
            fields |= {"channel": data[0], "response_to": data[1], "response_code": data[2]}
        case MessageId.UNASSIGN_CHANNEL:
            fields["channel"] = data[0]
        case MessageId.ASSIGN_CHANNEL:
            fields |= {"channel": data[0], "channel_type": data[1], "network": data[2]}
            fields["extended_assignment"] = data[3] if len(data) > 3 else None
        case MessageId.SET_PERIOD:
            fields |= {"channel": data[0], "period": int.from_bytes(data[1:3], "little")}
        case MessageId.SET_CHANNEL_ID:
            fields |= {"channel": data[0], **_id_fields(int.from_bytes(data[1:3], "little"), data[3], data[4])}
        case MessageId.BROADCAST_DATA | MessageId.ACKNOWLEDGED_DATA:
            page = pages.parse(message.page or b"")
            fields["channel"] = data[0]
            if not isinstance(page, Refusal):
                fields["page_data"] = describe_page(page)
            if message.sender is not None:
                fields |= _id_fields(*message.sender)
        case _:
            fields["data_hex"] = data.hex()
    return fields


def _id_fields(number: int, device_type: int, transmission_type: int) -> Fields:
    return {"device_number": number, "device_type": device_type, "transmission_type": transmission_type}
