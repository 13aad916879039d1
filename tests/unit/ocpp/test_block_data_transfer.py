"""DataTransfer: unknown vendors, and the place for extensions."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from chargepoint.commands import Log
from chargepoint.ocpp.block import Context
from chargepoint.ocpp.blocks.data_transfer import DataTransferBlock, Extension, Transferred
from chargepoint.tick import Tick
from tests.unit.ocpp.block_rig import BlockRig


def acme(now: Tick, context: Context, message_id: str, data: Any) -> Transferred:
    if message_id != "echo":
        return Transferred("UnknownMessageId")
    return Transferred("Accepted", {"back": data}, (Log("info", "acme.echo"),))


class WithAcme(DataTransferBlock):
    """A distribution's own."""

    extensions: ClassVar[Mapping[str, Extension]] = {"org.acme": acme}


@pytest.mark.req("P01.FR.05")
@pytest.mark.parametrize(
    "payload", [{"vendorId": "org.unknown"}, {"vendorId": "x" * 255, "messageId": "m", "data": {"deep": [1, {"a": None}]}}]
)
def test_an_unknown_vendor_is_called_so(payload: dict[str, Any]) -> None:
    assert BlockRig((DataTransferBlock,)).ask("DataTransfer", payload) == {"status": "UnknownVendorId"}


@pytest.mark.req("P01.FR.06")
def test_an_extension_answers_for_its_vendor() -> None:
    station = BlockRig((WithAcme,))
    assert station.ask("DataTransfer", {"vendorId": "org.acme", "messageId": "echo", "data": [1]}) == {
        "status": "Accepted",
        "data": {"back": [1]},
    }
    assert station.said(Log) == [Log("info", "acme.echo")]
    assert station.ask("DataTransfer", {"vendorId": "org.acme"}) == {"status": "UnknownMessageId"}
