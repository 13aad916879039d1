"""ISO 15118-2 as a dialect of `evcc.session`."""

from __future__ import annotations

from collections.abc import Sequence

from iso15118.evcc.iso2 import contracts, own
from iso15118.evcc.iso2.spelling import MAJOR, MINOR, SPELLING
from iso15118.evcc.iso2.table import TABLE
from iso15118.evcc.session import Spoken
from iso15118.evcc.terms import Wants
from iso15118.evcc.v2gmsg import dialect
from iso15118.evcc.v2gmsg.dialect import Ask, Hear, V2gMsg
from iso15118.evcc.v2gmsg.table import S
from iso15118.evcc.v2gmsg.talk import Talk
from iso15118.terms import Energy

HEAR: dict[S, Hear] = dialect.HEAR | {
    S.DETAIL: own.service_detail_heard,
    S.PARAMETERS: own.parameters,
    S.REPARAMETERS: own.parameters,
    S.AC_LOOP: own.charging_status_heard,
    S.RENEGOTIATION: own.renegotiation_heard,
    S.STOP: own.power_stop,
    S.SELECTION: contracts.selection,
    S.INSTALLATION: contracts.installation,
    S.UPDATE: contracts.installation,
    S.CONTRACT: contracts.payment_details_heard,
    S.AC_RECEIPT: contracts.receipt_heard,
    S.DC_RECEIPT: contracts.receipt_heard,
}
ASK: dict[str, Ask] = dialect.ASK | {
    "service_detail": own.service_detail,
    "charging_status": own.charging_status,
    "renegotiation": own.renegotiation,
    "certificate_installation": contracts.certificate_installation,
    "certificate_update": contracts.certificate_update,
    "payment_details": contracts.payment_details,
    "metering_receipt": contracts.metering_receipt,
}


def iso2(wants: Wants, energies: Sequence[Energy]) -> V2gMsg:
    """One session, for one of these energies."""
    return V2gMsg(Talk(wants, tuple(energies), SPELLING), TABLE, HEAR, ASK)


def spoken(wants: Wants, energies: Sequence[Energy]) -> Spoken:
    """What is offered to a charger; both energies have one namespace."""
    return Spoken(SPELLING.namespace, MAJOR, MINOR, lambda _: iso2(wants, energies))
