"""The rows of ISO15118Ctrlr about contracts and certificates: what the CSMS lets an EVSE do with them. The blocks that go by them declare them."""

from __future__ import annotations

import re

from chargepoint.ocpp.device_model import Mutability, Variable
from chargepoint.ocpp.variable_values import BadValue

PROVIDER = re.compile(r"[A-Z]{2}-?[A-Z0-9]{3}", re.IGNORECASE)
"""Begins an eMAID (ISO 15118-20 [K])."""


def providers(text: str) -> tuple[str, ...]:
    """The providers of SupportedProviders. Raises BadValue.

    >>> providers("DE-ABC, nlxyz")
    ('DEABC', 'NLXYZ')
    """
    found = tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))
    if wrong := next((each for each in found if not PROVIDER.fullmatch(each)), ""):
        raise BadValue("InvalidValue", f"{wrong[:20]!r} is no provider: two letters of a country and three of the provider")
    if len(found) > MOST_PROVIDERS:
        raise BadValue("TooManyElements", f"{len(found)} providers, where vehicles are told {MOST_PROVIDERS} at most")
    return tuple(each.replace("-", "").upper() for each in found)


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
MOST_PROVIDERS = 128
"""Of ISO 15118-20."""
SUPPORTED_PROVIDERS = Variable(
    "ISO15118Ctrlr", "SupportedProviders", "string", "",
    "whose contracts pay here, as vehicles are told: country and provider of the eMAID, with commas between them; empty: everybody's",
    per="evse", mutability=Mutability.READ_WRITE, max_length=MOST_PROVIDERS * 7, source="OCPP 2.1 Part 2, ISO15118Ctrlr",
)  # fmt: skip
V2G_INSTALLATION = Variable(
    "ISO15118Ctrlr", "V2GCertificateInstallationEnabled", "boolean", "true", "certificates for vehicles are asked for and taken over OCPP",
    mutability=Mutability.READ_WRITE, source="OCPP 2.1 Part 2, ISO15118Ctrlr",
)  # fmt: skip
V2G_INSTALLATION_HERE = Variable(
    "ISO15118Ctrlr", "V2GCertificateInstallationEnabled", "boolean", "true", "the same of the station, which has one certificate for all its EVSEs",
    per="evse", constant=True, source="OCPP 2.1 Part 2, ISO15118Ctrlr",
)  # fmt: skip
INSTALLATION_ENABLED = _flag(
    "ContractCertificateInstallationEnabled", "true", "online, contracts are installed in vehicles through the CSMS", "OCPP 2.1 M01, M02"
)
