"""Services, their parameters, and ways of paying (ISO 15118-2:2014, Annex C [K])."""

from typing import Annotated, Literal

from iso15118.messages.declare import ATTRIBUTE, Length, Message, Occurs, OneOf, Range, byte, int_, short, string
from iso15118.messages.iso2 import msg_data_types as dt

NAMESPACE = "urn:iso:15118:2:2013:MsgDataTypes"
QUALIFIED_ATTRIBUTES = True

serviceNameType = Annotated[str, Length(0, 32)]
"""Name of a service, for people."""

serviceCategoryType = Literal["EVCharging", "Internet", "ContractCertificate", "OtherCustom"]
"""Kind of a service."""

serviceScopeType = Annotated[str, Length(0, 64)]
"""Scope in which a service is meant; free text."""

valueType = Literal[
    "bool",
    "byte",
    "short",
    "int",
    "physicalValue",
    "string",
]
"""Names of the members of a ParameterType; nothing refers to it here, as DIN SPEC 70121 does."""

EnergyTransferModeType = Literal[
    "AC_single_phase_core",
    "AC_three_phase_core",
    "DC_core",
    "DC_extended",
    "DC_combo_core",
    "DC_unique",
]
"""Kind of current, and the contacts that carry it."""

serviceIDType = Annotated[int, Range(0, 65535)]
"""Number of a service: 1 charging, 2 certificates, 3 internet, 4 use cases."""

paymentOptionType = Literal["Contract", "ExternalPayment"]
"""Contract: plug and charge; ExternalPayment: whoever pays says so outside of this session."""


class ServiceType(Message):
    """A service, and whether it is free."""

    ServiceID: serviceIDType
    ServiceName: serviceNameType | None = None
    ServiceCategory: serviceCategoryType
    ServiceScope: serviceScopeType | None = None
    FreeService: bool


class ServiceListType(Message):
    """Services beside charging."""

    Service: Annotated[tuple[ServiceType, ...], Occurs(1, 8)]


class SelectedServiceType(Message):
    """A service that the EV takes, in one of its parameter sets."""

    ServiceID: serviceIDType
    ParameterSetID: short | None = None


class SelectedServiceListType(Message):
    """All services that the EV takes."""

    SelectedService: Annotated[tuple[SelectedServiceType, ...], Occurs(1, 16)]


class ParameterType(Message):
    """A named value, in the member of its type."""

    Name: Annotated[string, ATTRIBUTE]
    boolValue: Annotated[bool, OneOf("value")] | None = None
    byteValue: Annotated[byte, OneOf("value")] | None = None
    shortValue: Annotated[short, OneOf("value")] | None = None
    intValue: Annotated[int_, OneOf("value")] | None = None
    physicalValue: Annotated[dt.PhysicalValueType, OneOf("value")] | None = None
    stringValue: Annotated[string, OneOf("value")] | None = None


class ParameterSetType(Message):
    """One of the ways in which a service can be had."""

    ParameterSetID: short
    Parameter: Annotated[tuple[ParameterType, ...], Occurs(1, 16)]


class ServiceParameterListType(Message):
    """All ways in which a service can be had."""

    ParameterSet: Annotated[tuple[ParameterSetType, ...], Occurs(1, 255)]


class SupportedEnergyTransferModeType(Message):
    """All modes in which the EVSE can deliver."""

    EnergyTransferMode: Annotated[tuple[EnergyTransferModeType, ...], Occurs(1, 6)]


class ChargeServiceType(ServiceType):
    """Charging as a service, and what the EVSE can deliver."""

    SupportedEnergyTransferMode: SupportedEnergyTransferModeType


class PaymentOptionListType(Message):
    """Ways of paying that the EVSE offers."""

    PaymentOption: Annotated[tuple[paymentOptionType, ...], Occurs(1, 2)]
