"""DataTransfer: unknown vendors, and the place for extensions."""

from typing import Any

import pytest

from chargepoint.commands import Log
from chargepoint.events import DataTransferWanted
from chargepoint.ocpp.block import Context
from chargepoint.ocpp.blocks.data_transfer import DataTransferBlock
from chargepoint.ocpp.outbox import Delivered, DroppedFromQueue, Enqueue
from chargepoint.ocpp.vendors import Told, Transferred, Vendor, by_id
from chargepoint.tick import Tick
from tests.unit.ocpp.block_rig import BlockRig


def acme(now: Tick, context: Context, message_id: str, data: Any) -> Transferred:
    if message_id != "echo":
        return Transferred("UnknownMessageId")
    return Transferred("Accepted", {"back": data}, (Log("info", "acme.echo"),))


def told(now: Tick, context: Context, it: Told) -> list[object]:
    return [Log("info", "acme.told", {"status": it.status, "error": it.error})]


ACME = Vendor("org.acme", acme, told=told)


@pytest.mark.req("P01.FR.05")
@pytest.mark.parametrize(
    "payload", [{"vendorId": "org.unknown"}, {"vendorId": "x" * 255, "messageId": "m", "data": {"deep": [1, {"a": None}]}}]
)
def test_an_unknown_vendor_is_called_so(payload: dict[str, Any]) -> None:
    assert BlockRig((DataTransferBlock,)).ask("DataTransfer", payload) == {"status": "UnknownVendorId"}
    assert BlockRig((DataTransferBlock,), vendors=(ACME,)).ask("DataTransfer", payload) == {"status": "UnknownVendorId"}


@pytest.mark.req("P01.FR.06")
def test_an_extension_answers_for_its_vendor() -> None:
    station = BlockRig((DataTransferBlock,), vendors=(ACME,))
    assert station.ask("DataTransfer", {"vendorId": "org.acme", "messageId": "echo", "data": [1]}) == {
        "status": "Accepted",
        "data": {"back": [1]},
    }
    assert station.said(Log) == [Log("info", "acme.echo")]
    assert station.ask("DataTransfer", {"vendorId": "org.acme"}) == {"status": "UnknownMessageId"}


def test_a_vendor_that_only_tells_answers_nothing() -> None:
    station = BlockRig((DataTransferBlock,), vendors=(Vendor("org.acme", told=told),))
    assert station.ask("DataTransfer", {"vendorId": "org.acme"}) == {"status": "UnknownVendorId"}


def test_what_is_sent_and_what_becomes_of_it() -> None:
    station = BlockRig((DataTransferBlock,), vendors=(ACME, Vendor("org.mute")))
    assert station.hear(DataTransferWanted("org.acme", "m", 0))[:1] == [
        Enqueue("DataTransfer", {"vendorId": "org.acme", "messageId": "m", "data": 0}, "data_transfer", offline="by_setting")
    ]
    assert station.hear(DataTransferWanted("org.mute"))[:1] == [
        Enqueue("DataTransfer", {"vendorId": "org.mute"}, "data_transfer", offline="by_setting")
    ]
    assert station.hear(DataTransferWanted("org.unknown")) == [Log("info", "data_transfer.not_sent", {"vendor": "org.unknown"})]
    payload = {"vendorId": "org.acme", "messageId": "m"}
    for event, status, error in (
        (Delivered("DataTransfer", "data_transfer", payload, {"status": "UnknownMessageId"}), "UnknownMessageId", ""),
        (DroppedFromQueue("DataTransfer", "data_transfer", payload, "Offline"), "", "Offline"),
    ):
        assert station.hear(event) == [Log("info", "acme.told", {"status": status, "error": error})]
    for event in (
        Delivered("DataTransfer", "data_transfer", {"vendorId": "org.mute"}, {"status": "Accepted"}),
        Delivered("DataTransfer", "elsewhere", payload, {"status": "Accepted"}),
        DroppedFromQueue("DataTransfer", "elsewhere", payload, "Offline"),
    ):
        assert station.hear(event) == []


def test_vendors_that_collide() -> None:
    with pytest.raises(ValueError, match=r"org\.acme"):
        by_id((ACME, ACME))
    with pytest.raises(ValueError, match=r"org\.other"):
        by_id((Vendor("org.acme", triggers={"a": lambda *_: ()}), Vendor("org.other", triggers={"a": lambda *_: ()})))
