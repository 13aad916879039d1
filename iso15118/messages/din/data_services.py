"""Services, their parameters, and ways of paying (DIN SPEC 70121:2014 [K])."""

from typing import Annotated, Literal

from iso15118.messages.declare import ATTRIBUTE, Length, Message, Occurs, OneOf, Range, byte, int_, short, string
from iso15118.messages.din import msg_data_types as dt

NAMESPACE = "urn:din:70121:2012:MsgDataTypes"

valueType = Literal[
    "bool",
    "byte",
    "short",
    "int",
    "physicalValue",
    "string",
]
"""Which member of a ParameterType holds the value."""

serviceNameType = Annotated[str, Length(0, 32)]
"""Name of a service, for people."""

serviceCategoryType = Literal["EVCharging", "Internet", "ContractCertificate", "OtherCustom"]
"""Kind of a service."""

serviceScopeType = Annotated[str, Length(0, 32)]
"""Scope in which a service is meant; free text."""

EVSESupportedEnergyTransferType = Literal[
    "AC_single_phase_core",
    "AC_three_phase_core",
    "DC_core",
    "DC_extended",
    "DC_combo_core",
    "DC_dual",
    "AC_core1p_DC_extended",
    "AC_single_DC_core",
    "AC_single_phase_three_phase_core_DC_extended",
    "AC_core3p_DC_extended",
]
"""What the EVSE can deliver: kind of current, and the contacts that carry it."""

EVRequestedEnergyTransferType = Literal[
    "AC_single_phase_core",
    "AC_three_phase_core",
    "DC_core",
    "DC_extended",
    "DC_combo_core",
    "DC_unique",
]
"""What the EV wants: kind of current, and the contacts that carry it."""

serviceIDType = Annotated[int, Range(0, 65535)]
"""Number of a service."""

paymentOptionType = Literal["Contract", "ExternalPayment"]
"""Contract: plug and charge; ExternalPayment: whoever pays says so outside of this session."""


class ServiceTagType(Message):
    """Number, name and kind of a service."""

    ServiceID: serviceIDType
    ServiceName: serviceNameType | None = None
    ServiceCategory: serviceCategoryType
    ServiceScope: serviceScopeType | None = None


class ServiceType(Message):
    """A service, and whether it is free."""

    ServiceTag: ServiceTagType
    FreeService: bool


class ServiceTagListType(Message):
    """Services beside charging."""

    Service: Annotated[tuple[ServiceType, ...], Occurs(1, None)]


class SelectedServiceType(Message):
    """A service that the EV takes, in one of its parameter sets."""

    ServiceID: serviceIDType
    ParameterSetID: short | None = None


class SelectedServiceListType(Message):
    """All services that the EV takes."""

    SelectedService: Annotated[tuple[SelectedServiceType, ...], Occurs(1, None)]


class ParameterType(Message):
    """A named value; ValueType says which member holds it."""

    Name: Annotated[string, ATTRIBUTE]
    ValueType: Annotated[valueType, ATTRIBUTE]
    boolValue: Annotated[bool, OneOf("value")] | None = None
    byteValue: Annotated[byte, OneOf("value")] | None = None
    shortValue: Annotated[short, OneOf("value")] | None = None
    intValue: Annotated[int_, OneOf("value")] | None = None
    physicalValue: Annotated[dt.PhysicalValueType, OneOf("value")] | None = None
    stringValue: Annotated[string, OneOf("value")] | None = None


class ParameterSetType(Message):
    """One of the ways in which a service can be had."""

    ParameterSetID: short
    Parameter: Annotated[tuple[ParameterType, ...], Occurs(1, None)]


class ServiceParameterListType(Message):
    """All ways in which a service can be had."""

    ParameterSet: Annotated[tuple[ParameterSetType, ...], Occurs(1, None)]


class ServiceCharge(ServiceType, element=True):
    """Charging as a service, and what the EVSE can deliver."""

    EnergyTransferType: EVSESupportedEnergyTransferType


class PaymentOptionsType(Message):
    """Ways of paying that the EVSE offers."""

    PaymentOption: Annotated[tuple[paymentOptionType, ...], Occurs(1, None)]
