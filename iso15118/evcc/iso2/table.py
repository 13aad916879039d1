"""What a vehicle asks next, in a session of ISO 15118-2 (ISO 15118-2 8.8 [K])."""

from __future__ import annotations

from collections.abc import Iterator

from iso15118.evcc.v2gmsg.table import S, Said, shared_rows, table
from iso15118.machine import Transition, on, stay


def _rows() -> Iterator[Transition[S, Said]]:
    yield from shared_rows()
    yield from on(S.DISCOVERY, Said.OTHER, to=S.DETAIL, do=("service_detail",))
    yield from stay(S.DETAIL, Said.OTHER, do=("service_detail",))
    yield from on(S.DETAIL, Said.GO, to=S.SELECTION, do=("selection",))
    yield from on(S.DETAIL, Said.END, to=S.ENDING, do=("session_stop",))
    yield from on(S.SELECTION, Said.INSTALL, to=S.INSTALLATION, do=("certificate_installation",))
    yield from on(S.SELECTION, Said.UPDATE, to=S.UPDATE, do=("certificate_update",))
    yield from on((S.SELECTION, S.INSTALLATION, S.UPDATE), Said.PAY, to=S.CONTRACT, do=("payment_details",))
    yield from on(S.CONTRACT, Said.GO, to=S.AUTHORIZATION, do=("authorization",))
    yield from on((S.INSTALLATION, S.UPDATE, S.CONTRACT), Said.END, to=S.ENDING, do=("session_stop",))
    yield from on(S.AC_LOOP, Said.RECEIPT, to=S.AC_RECEIPT, do=("metering_receipt",))
    yield from on(S.AC_RECEIPT, Said.GO, to=S.AC_LOOP, do=("charging_status",))
    yield from on(S.DC_LOOP, Said.RECEIPT, to=S.DC_RECEIPT, do=("metering_receipt",))
    yield from on(S.DC_RECEIPT, Said.GO, to=S.DC_LOOP, do=("current_demand",))
    yield from on(S.PARAMETERS, Said.AC, to=S.START, do=("power_start",))
    yield from on(S.START, Said.AC, to=S.AC_LOOP, do=("charging_status",))
    yield from stay(S.AC_LOOP, Said.AGAIN, do=("charging_status",))
    yield from on((S.AC_LOOP, S.DC_LOOP), Said.RESCHEDULE, to=S.RENEGOTIATION, do=("renegotiation",))
    yield from on(S.RENEGOTIATION, Said.GO, to=S.REPARAMETERS, do=("parameters",))
    yield from stay(S.REPARAMETERS, Said.AGAIN, do=("parameters",), source="ongoing")
    yield from on(S.REPARAMETERS, (Said.AC, Said.DC), to=S.START, do=("power_start",))
    yield from on((S.AC_LOOP, S.AC_RECEIPT, S.DC_RECEIPT, S.RENEGOTIATION, S.REPARAMETERS), Said.OFF, to=S.STOP, do=("power_stop",))


TABLE = table("EVCC ISO 15118-2", S, Said, _rows())
