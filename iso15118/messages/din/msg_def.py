"""TODO"""

from typing import Annotated

from iso15118.messages.declare import REF, Message
from iso15118.messages.din import msg_header as mh

NAMESPACE = "urn:din:70121:2012:MsgDef"


class BodyBaseType(Message, abstract=True, element="BodyElement"):
    """TODO"""


class BodyType(Message):
    """TODO"""

    BodyElement: Annotated[BodyBaseType, REF] | None = None


class V2G_Message(Message, element=True, type_name=""):
    """TODO"""

    Header: mh.MessageHeaderType
    Body: BodyType
