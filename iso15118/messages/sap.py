"""TODO"""

from typing import Annotated, Literal

from iso15118.messages.declare import Length, Message, Occurs, Range, unsignedInt

NAMESPACE = "urn:iso:15118:2:2010:AppProtocol"
QUALIFIED_ELEMENTS = False
"""Local elements have no namespace (elementFormDefault)."""


idType = Annotated[int, Range(0, 255)]
"""TODO"""

protocolNameType = Annotated[str, Length(0, 30)]
"""TODO"""

protocolNamespaceType = Annotated[str, Length(0, 100)]
"""TODO"""

priorityType = Annotated[int, Range(1, 20)]
"""TODO"""

responseCodeType = Literal["OK_SuccessfulNegotiation", "OK_SuccessfulNegotiationWithMinorDeviation", "Failed_NoNegotiation"]
"""TODO"""


class AppProtocolType(Message):
    """TODO"""

    ProtocolNamespace: protocolNamespaceType
    VersionNumberMajor: unsignedInt
    VersionNumberMinor: unsignedInt
    SchemaID: idType
    Priority: priorityType


class supportedAppProtocolReq(Message, element=True, type_name=""):
    """TODO"""

    AppProtocol: Annotated[tuple[AppProtocolType, ...], Occurs(1, 20)]


class supportedAppProtocolRes(Message, element=True, type_name=""):
    """TODO"""

    ResponseCode: responseCodeType
    SchemaID: idType | None = None
