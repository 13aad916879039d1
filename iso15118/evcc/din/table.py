"""What a vehicle asks next, in a session of DIN 70121 (DIN SPEC 70121 9.4 [K]): DC alone, one way to pay, no other schedules and no pause."""

from __future__ import annotations

from iso15118.evcc.v2gmsg.table import S, Said, shared_rows, table

_NOT_HERE = (
    S.DETAIL, S.INSTALLATION, S.UPDATE, S.CONTRACT, S.REPARAMETERS, S.AC_LOOP, S.RENEGOTIATION, S.AC_RECEIPT, S.DC_RECEIPT,
)  # fmt: skip
_NEVER_SAID = (Said.OTHER, Said.AC, Said.RESCHEDULE, Said.INSTALL, Said.UPDATE, Said.PAY, Said.RECEIPT)

TABLE = table(
    "EVCC DIN 70121",
    (each for each in S if each not in _NOT_HERE),
    (each for each in Said if each not in _NEVER_SAID),
    shared_rows(),
)
