"""DataTransfer in both directions (OCPP 2.1 P01, P02), custom triggers, and the rows of CustomizationCtrlr: the place of vendor extensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from chargepoint.commands import Log
from chargepoint.events import DataTransferWanted, MessageTriggered
from chargepoint.ocpp.block import Block, CallReceived, Context, Reply, answers, hears
from chargepoint.ocpp.device_model import Variable
from chargepoint.ocpp.outbox import Delivered, DroppedFromQueue, Enqueue
from chargepoint.ocpp.vendor_rows import CUSTOM_TRIGGERS, custom_triggers, enabled, enabled_row
from chargepoint.ocpp.vendors import Told
from chargepoint.tick import Tick


class DataTransferBlock(Block):
    """Hands each DataTransfer to the extension of its vendor; knows none by itself."""

    name: ClassVar[str] = "data_transfer"
    variables: ClassVar[tuple[Variable, ...]] = (CUSTOM_TRIGGERS,)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        for vendor_id in context.vendors:
            context.model.declare(enabled_row(vendor_id))
        if any(vendor.triggers for vendor in context.vendors.values()):
            context.model.compute(CUSTOM_TRIGGERS, lambda _: ",".join(custom_triggers(context)))
        else:
            context.model.undeclare((CUSTOM_TRIGGERS,), 0)

    @answers("DataTransfer")
    def data_transfer(self, now: Tick, call: CallReceived) -> Reply:
        """A vendor that is not there, or that the CSMS has switched off, is unknown (P01.FR.05)."""
        vendor = self.context.vendors.get(call.payload["vendorId"])
        if vendor is None or vendor.transfer is None or not enabled(self.context, vendor.id):
            return Reply({"status": "UnknownVendorId"})
        done = vendor.transfer(now, self.context, call.payload.get("messageId", ""), call.payload.get("data"))
        return Reply({"status": done.status, **({} if done.data is None else {"data": done.data})}, done.then)

    @hears(MessageTriggered)
    def triggered(self, now: Tick, event: MessageTriggered) -> Sequence[object]:
        """One of the custom triggers."""
        trigger = custom_triggers(self.context).get(event.custom) if event.requested == "CustomTrigger" else None
        return trigger(now, self.context, event.evse_id) if trigger else ()

    @hears(DataTransferWanted)
    def wanted(self, now: Tick, event: DataTransferWanted) -> Sequence[object]:
        """To the CSMS, as QueueAllMessages says where there is none. Only for a vendor that is there and not switched off."""
        if event.vendor_id not in self.context.vendors or not enabled(self.context, event.vendor_id):
            return [Log("info", "data_transfer.not_sent", {"vendor": event.vendor_id})]
        payload: dict[str, Any] = {"vendorId": event.vendor_id}
        if event.message_id:
            payload["messageId"] = event.message_id
        if event.data is not None:
            payload["data"] = event.data
        return [Enqueue("DataTransfer", payload, self.name, offline="by_setting")]

    @hears(Delivered)
    def delivered(self, now: Tick, event: Delivered) -> Sequence[object]:
        """What the CSMS says to it (P02.FR.06, P02.FR.07)."""
        if event.source != self.name:
            return ()
        return self._told(now, event.payload, Told(event.payload.get("messageId", ""), event.answer["status"], event.answer.get("data")))

    @hears(DroppedFromQueue)
    def dropped(self, now: Tick, event: DroppedFromQueue) -> Sequence[object]:
        if event.source != self.name:
            return ()
        return self._told(now, event.payload, Told(event.payload.get("messageId", ""), "", error=event.code))

    def _told(self, now: Tick, payload: dict[str, Any], told: Told) -> Sequence[object]:
        vendor = self.context.vendors.get(payload["vendorId"])
        return vendor.told(now, self.context, told) if vendor and vendor.told else ()
