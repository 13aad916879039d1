"""The header of every message (DIN SPEC 70121:2014 [K])."""

from typing import Annotated

from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import REF, Message
from iso15118.messages.din import msg_data_types as dt

NAMESPACE = "urn:din:70121:2012:MsgHeader"


class MessageHeaderType(Message):
    """Session; a fault; the signature on what the body holds."""

    SessionID: dt.sessionIDType
    Notification: dt.NotificationType | None = None
    Signature: Annotated[ds.SignatureType, REF] | None = None
