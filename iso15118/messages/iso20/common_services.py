"""Services and their parameters (ISO 15118-20:2022, schema CommonMessages [K])."""

from typing import Annotated

from iso15118.messages.declare import ATTRIBUTE, Message, Occurs, OneOf, Range, byte, int_, short
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"
QUALIFIED_ATTRIBUTES = True


serviceIDType = Annotated[int, Range(0, 65535)]
"""Number of a service, or of a parameter set within it."""


class ServiceIDListType(Message):
    """Services by number."""

    ServiceID: Annotated[tuple[serviceIDType, ...], Occurs(1, 16)]


class ServiceType(Message):
    """A service on offer."""

    ServiceID: serviceIDType
    FreeService: bool


class ServiceListType(Message):
    """Services on offer."""

    Service: Annotated[tuple[ServiceType, ...], Occurs(1, 8)]


class ParameterType(Message):
    """Name and value; the value is of one of these kinds."""

    Name: Annotated[ct.nameType, ATTRIBUTE]
    boolValue: Annotated[bool, OneOf("choice1")] | None = None
    byteValue: Annotated[byte, OneOf("choice1")] | None = None
    shortValue: Annotated[short, OneOf("choice1")] | None = None
    intValue: Annotated[int_, OneOf("choice1")] | None = None
    rationalNumber: Annotated[ct.RationalNumberType, OneOf("choice1")] | None = None
    finiteString: Annotated[ct.nameType, OneOf("choice1")] | None = None


class ParameterSetType(Message):
    """Parameters that hold together."""

    ParameterSetID: serviceIDType
    Parameter: Annotated[tuple[ParameterType, ...], Occurs(1, 32)]


class ServiceParameterListType(Message):
    """Parameter sets of one service to choose from."""

    ParameterSet: Annotated[tuple[ParameterSetType, ...], Occurs(1, 32)]


class SelectedServiceType(Message):
    """A service and one of its parameter sets."""

    ServiceID: serviceIDType
    ParameterSetID: serviceIDType


class SelectedServiceListType(Message):
    """Chosen services beside the energy transfer."""

    SelectedService: Annotated[tuple[SelectedServiceType, ...], Occurs(1, 16)]
