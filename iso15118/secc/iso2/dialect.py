"""ISO 15118-2 as a dialect of `secc.session`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iso15118.frozen import dataclass
from iso15118.messages.iso2 import msg_body as mb
from iso15118.secc.iso2 import ac, contracts
from iso15118.secc.iso2.spelling import SPELLING
from iso15118.secc.iso2.table import AGAIN, BEFORE, TABLE, E, S
from iso15118.secc.output import POWER_S, Away
from iso15118.secc.v2gmsg.dialect import SHARED, Handler, V2gMsg
from iso15118.secc.v2gmsg.talk import SavedTalk

NAMESPACE = SPELLING.namespace
_PLAIN: dict[type, E] = {getattr(mb, each.value): each for each in E if " " not in each.value}
_PROGRESS = {"Start": E.START, "Stop": E.STOP, "Renegotiate": E.RENEGOTIATE}

HANDLERS: Mapping[str, Handler] = {
    **SHARED,
    **{
        each.__name__: each
        for each in (
            ac.ac_parameters, ac.charging_status, ac.renegotiation, contracts.payment_details, contracts.certificate_installation,
            contracts.certificate_update, contracts.metering_receipt, contracts.authorization,
        )
    },
}  # fmt: skip
"""Names in the table -> functions."""


@dataclass(frozen=True, slots=True)
class SavedIso2:
    """An `Iso2` as plain values. What belongs to a request that waits comes back with that request (`again`)."""

    state: S
    talk: SavedTalk
    loop_at: float = 0.0
    away: Away = Away()


class Iso2(V2gMsg[S, E]):
    """One session."""

    SPELLING, TABLE = SPELLING, TABLE
    HANDLERS = HANDLERS
    VOLTAGE, FLOWING = (*BEFORE, *AGAIN), (S.DC_BEGUN, S.DC_LOOP, *AGAIN)
    AUTHORIZING = (S.SELECTION, S.CONTRACT, S.AUTHORIZATION)
    POWER_S = POWER_S
    RAW = frozenset({"certificate_installation", "certificate_update"})
    HEADED = frozenset({"session_setup", "authorization", "metering_receipt"}) | RAW
    WAITING = V2gMsg.WAITING | RAW

    def event_of(self, request: Any) -> E:
        kind = type(request)
        if kind is mb.PowerDeliveryReq:
            return _PROGRESS[request.ChargeProgress]
        if kind is mb.ChargeParameterDiscoveryReq:
            return E.AC_PARAMETERS if request.RequestedEnergyTransferMode.startswith("AC") else E.DC_PARAMETERS
        if kind is mb.SessionStopReq:
            return E.PAUSE if request.ChargingSession == "Pause" else E.TERMINATE
        if kind is mb.PaymentServiceSelectionReq:
            return E.SELECTION_CONTRACT if request.SelectedPaymentOption == "Contract" else E.SELECTION
        return _PLAIN[kind]

    def saved(self) -> SavedIso2:
        """What it remembers."""
        return SavedIso2(self.state, self.talk.saved(), self._loop_at, self._away)
