"""DataTransfer in both directions (OCPP 2.1 P01, P02), custom triggers, and the rows of CustomizationCtrlr: the place of vendor extensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from chargepoint.commands import Log
from chargepoint.events import DataTransferWanted, MessageTriggered
from chargepoint.ocpp.block import Block, CallReceived, Context, Later, Reply, answers, hears
from chargepoint.ocpp.device_model import Variable
from chargepoint.ocpp.messages import AnswerError
from chargepoint.ocpp.outbox import Delivered, DroppedFromQueue, Enqueue
from chargepoint.ocpp.vendor_bounds import NotSayable, following, not_followed, sayable, sayable_id
from chargepoint.ocpp.vendor_rows import CUSTOM_TRIGGERS, custom_triggers, enabled, enabled_row
from chargepoint.ocpp.vendors import NOT_SAYABLE, Told, Vendor, folded
from chargepoint.tick import Tick


class DataTransferBlock(Block):
    """Hands each DataTransfer to the extension of its vendor; knows none by itself."""

    name: ClassVar[str] = "data_transfer"
    variables: ClassVar[tuple[Variable, ...]] = (CUSTOM_TRIGGERS,)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        for vendor in context.vendors.values():
            context.model.declare(enabled_row(vendor.id))
        if any(vendor.triggers for vendor in context.vendors.values()):
            context.model.compute(CUSTOM_TRIGGERS, lambda _: ",".join(custom_triggers(context)))
        else:
            context.model.undeclare((CUSTOM_TRIGGERS,), 0)

    @answers("DataTransfer")
    def data_transfer(self, now: Tick, call: CallReceived) -> Reply | Later:
        """A vendor that is not there, or that the CSMS has switched off, is unknown (P01.FR.05)."""
        vendor = self._vendor(call.payload["vendorId"])
        if vendor is None or vendor.transfer is None:
            return Reply({"status": "UnknownVendorId"})
        done = vendor.transfer(now, self.context, call.payload.get("messageId", ""), call.payload.get("data"))
        try:
            data = {} if done.data is None else {"data": sayable(done.data)}
        except NotSayable as error:
            answer = AnswerError(call.message_id, "InternalError", "the extension has answered what no message can carry")
            return Later([answer, not_followed(vendor.id, f"answer: {error}")])
        return Reply({"status": done.status, **data}, list(following(vendor.id, done.then)))

    @hears(MessageTriggered)
    def triggered(self, now: Tick, event: MessageTriggered) -> Sequence[object]:
        """One of the custom triggers."""
        vendor = custom_triggers(self.context).get(event.custom) if event.requested == "CustomTrigger" else None
        return list(following(vendor.id, vendor.triggers[event.custom](now, self.context, event.evse_id))) if vendor else ()

    @hears(DataTransferWanted)
    def wanted(self, now: Tick, event: DataTransferWanted) -> Sequence[object]:
        """To the CSMS, as QueueAllMessages says where there is none. Only for a vendor that is there and not switched off."""
        vendor = self._vendor(event.vendor_id)
        if vendor is None:
            return [Log("info", "data_transfer.not_sent", {"vendor": str(event.vendor_id)})]
        payload: dict[str, Any] = {"vendorId": vendor.id}
        try:
            if message_id := sayable_id(event.message_id):
                payload["messageId"] = message_id
            if event.data is not None:
                payload["data"] = sayable(event.data)
        except NotSayable as error:
            log = Log("warning", "data_transfer.not_sent", {"vendor": vendor.id, "error": str(error)})
            return [log, *self._told(now, payload, Told(payload.get("messageId", ""), "", error=NOT_SAYABLE), left=False)]
        return [Enqueue("DataTransfer", payload, self.name, thin="first", offline="by_setting")]

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
        return self._told(now, event.payload, Told(event.payload.get("messageId", ""), "", error=event.code), left=event.code != "Offline")

    def _vendor(self, vendor_id: object) -> Vendor | None:
        vendor = self.context.vendors.get(folded(vendor_id))
        return vendor if vendor and enabled(self.context, vendor.id) else None

    def _told(self, now: Tick, payload: dict[str, Any], told: Told, *, left: bool = True) -> Sequence[object]:
        """`left`: it has been on its way. One that has not is told in the moment of the wish: sending again from there would never end."""
        vendor = self.context.vendors.get(folded(payload["vendorId"]))
        return list(following(vendor.id, vendor.told(now, self.context, told), may_send=left)) if vendor and vendor.told else ()
