"""DataTransfer in both directions (OCPP 2.1 P01, P02), and the place where vendor extensions are put in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from chargepoint.ocpp.block import Block, CallReceived, Context, Reply, answers
from chargepoint.ocpp.device_model import Variable
from chargepoint.tick import Tick


@dataclass(frozen=True, slots=True)
class Transferred:
    """What an extension answers; `then` are events and commands that follow."""

    status: Literal["Accepted", "Rejected", "UnknownMessageId"]
    data: Any = None
    then: Sequence[object] = ()


Extension = Callable[[Tick, Context, str, Any], Transferred]
"""`(now, context, messageId or "", data) -> Transferred`: one vendor's messages. Pure, like every block."""


class DataTransferBlock(Block):
    """Hands each DataTransfer to the extension of its vendor; knows none by itself."""

    name: ClassVar[str] = "data_transfer"
    variables: ClassVar[tuple[Variable, ...]] = ()
    extensions: ClassVar[Mapping[str, Extension]] = {}
    """vendorId -> extension. A distribution with extensions makes a subclass and wires that one."""

    @answers("DataTransfer")
    def data_transfer(self, now: Tick, call: CallReceived) -> Reply:
        extension = self.extensions.get(call.payload["vendorId"])
        if extension is None:
            return Reply({"status": "UnknownVendorId"})
        done = extension(now, self.context, call.payload.get("messageId", ""), call.payload.get("data"))
        return Reply({"status": done.status, **({} if done.data is None else {"data": done.data})}, done.then)
