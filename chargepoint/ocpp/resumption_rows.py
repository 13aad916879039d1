"""The rows of transactions that a restart interrupts (OCPP 2.1 E17, B13): the transactions block has them, a reset asks."""

from __future__ import annotations

from chargepoint.ocpp.device_model import Mutability, Variable

RESUMPTION_TIMEOUT = Variable(
    "TxCtrlr",
    "ResumptionTimeout",
    "integer",
    "0",
    "A transaction that a restart has interrupted goes on when that took no longer; 0 = it has ended.",
    mutability=Mutability.READ_WRITE,
    unit="s",
    min=0,
    max=86_400,
    source="OCPP 2.1 E17",
)
RESUMES_ENERGY = Variable(
    "TxCtrlr",
    "AllowEnergyTransferResumption",
    "boolean",
    "false",
    "Whether energy may flow again, too: another EV may have been plugged in meanwhile.",
    mutability=Mutability.READ_WRITE,
    source="OCPP 2.1 E17",
)
RESUMPTION_SPREAD = Variable(
    "TxCtrlr",
    "EnergyTransferResumptionRandomRange",
    "integer",
    "0",
    "Energy flows again at random so much later at the most, lest all stations of an area begin in one moment when their power comes back.",
    mutability=Mutability.READ_WRITE,
    unit="s",
    min=0,
    max=3600,
    source="OCPP 2.1 E17.FR.18",
)
