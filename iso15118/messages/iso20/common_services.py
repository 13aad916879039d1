"""TODO"""

from typing import Annotated

from iso15118.messages.declare import ATTRIBUTE, Message, Occurs, OneOf, Range, byte, int_, short
from iso15118.messages.iso20 import common_types as ct

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonMessages"
QUALIFIED_ATTRIBUTES = True


serviceIDType = Annotated[int, Range(0, 65535)]
"""TODO"""


class ServiceIDListType(Message):
    """TODO"""

    ServiceID: Annotated[tuple[serviceIDType, ...], Occurs(1, 16)]


class ServiceType(Message):
    """TODO"""

    ServiceID: serviceIDType
    FreeService: bool


class ServiceListType(Message):
    """TODO"""

    Service: Annotated[tuple[ServiceType, ...], Occurs(1, 8)]


class ParameterType(Message):
    """TODO"""

    Name: Annotated[ct.nameType, ATTRIBUTE]
    boolValue: Annotated[bool, OneOf("choice1")] | None = None
    byteValue: Annotated[byte, OneOf("choice1")] | None = None
    shortValue: Annotated[short, OneOf("choice1")] | None = None
    intValue: Annotated[int_, OneOf("choice1")] | None = None
    rationalNumber: Annotated[ct.RationalNumberType, OneOf("choice1")] | None = None
    finiteString: Annotated[ct.nameType, OneOf("choice1")] | None = None


class ParameterSetType(Message):
    """TODO"""

    ParameterSetID: serviceIDType
    Parameter: Annotated[tuple[ParameterType, ...], Occurs(1, 32)]


class ServiceParameterListType(Message):
    """TODO"""

    ParameterSet: Annotated[tuple[ParameterSetType, ...], Occurs(1, 32)]


class SelectedServiceType(Message):
    """TODO"""

    ServiceID: serviceIDType
    ParameterSetID: serviceIDType


class SelectedServiceListType(Message):
    """TODO"""

    SelectedService: Annotated[tuple[SelectedServiceType, ...], Occurs(1, 16)]
