"""The rows of ISO15118Ctrlr about contracts: what the CSMS lets an EVSE do with them. The blocks that go by them declare them."""

from __future__ import annotations

from chargepoint.ocpp.device_model import Mutability, Variable


def _flag(name: str, default: str, doc: str, source: str, key16: str = "") -> Variable:
    return Variable(
        "ISO15118Ctrlr", name, "boolean", default, doc, per="evse", mutability=Mutability.READ_WRITE, key16=key16, source=source
    )  # fmt: skip


PNC_ENABLED = _flag(
    "PnCEnabled", "true", "contracts pay here, where there are roots to judge them by", "OCPP 2.1 C07", "ISO15118PnCEnabled"
)
CENTRAL_VALIDATION = _flag(
    "CentralContractValidationAllowed",
    "false",
    "a contract whose root is not known here is given to the CSMS, whole",
    "OCPP 2.1 C07.FR.06",
    "CentralContractValidationAllowed",
)
OFFLINE_VALIDATION = _flag(
    "ContractValidationOffline",
    "true",
    "offline, a contract that is right by a root that is known here is looked for in list and cache",
    "OCPP 2.1 C07.FR.07 to .12",
    "ContractValidationOffline",
)
INSTALLATION_ENABLED = _flag(
    "ContractCertificateInstallationEnabled", "true", "online, contracts are installed in vehicles through the CSMS", "OCPP 2.1 M01, M02"
)
