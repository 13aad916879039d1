"""Which protocol both sides speak: the first exchange of every session (ISO 15118-2:2014 and ISO 15118-20:2022, schema AppProtocol [K])."""

from typing import Annotated, Literal

from iso15118.messages.declare import Length, Message, Occurs, Range, unsignedInt

NAMESPACE = "urn:iso:15118:2:2010:AppProtocol"
QUALIFIED_ELEMENTS = False
"""Local elements have no namespace (elementFormDefault)."""


idType = Annotated[int, Range(0, 255)]
"""Number that the EV gives to a protocol of its list; the answer names it."""

protocolNameType = Annotated[str, Length(0, 30)]
"""Name of a protocol; no message has one."""

protocolNamespaceType = Annotated[str, Length(0, 100)]
"""Namespace of the protocol's messages, "urn:iso:std:iso:15118:-20:DC" for one."""

priorityType = Annotated[int, Range(1, 20)]
"""1 is the EV's favourite."""

responseCodeType = Literal["OK_SuccessfulNegotiation", "OK_SuccessfulNegotiationWithMinorDeviation", "Failed_NoNegotiation"]
"""Minor deviation: same namespace and major version, another minor version."""


class AppProtocolType(Message):
    """One protocol that the EV speaks."""

    ProtocolNamespace: protocolNamespaceType
    VersionNumberMajor: unsignedInt
    VersionNumberMinor: unsignedInt
    SchemaID: idType
    Priority: priorityType


class supportedAppProtocolReq(Message, element=True, type_name=""):
    """Everything that the EV speaks."""

    AppProtocol: Annotated[tuple[AppProtocolType, ...], Occurs(1, 20)]


class supportedAppProtocolRes(Message, element=True, type_name=""):
    """What the EVSE chose; no SchemaID where nothing fits."""

    ResponseCode: responseCodeType
    SchemaID: idType | None = None
