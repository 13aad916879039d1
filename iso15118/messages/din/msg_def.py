"""The document (DIN SPEC 70121:2014 [K])."""

from typing import Annotated

from iso15118.messages.declare import REF, Message
from iso15118.messages.din import msg_header as mh

NAMESPACE = "urn:din:70121:2012:MsgDef"


class BodyBaseType(Message, abstract=True, element="BodyElement"):
    """Stands for any message."""


class BodyType(Message):
    """The one message of a document."""

    BodyElement: Annotated[BodyBaseType, REF] | None = None


class V2G_Message(Message, element=True, type_name=""):
    """The document: header and body."""

    Header: mh.MessageHeaderType
    Body: BodyType
