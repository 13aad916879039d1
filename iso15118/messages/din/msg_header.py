"""TODO"""

from typing import Annotated

from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import REF, Message
from iso15118.messages.din import msg_data_types as dt

NAMESPACE = "urn:din:70121:2012:MsgHeader"


class MessageHeaderType(Message):
    """TODO"""

    SessionID: dt.sessionIDType
    Notification: dt.NotificationType | None = None
    Signature: Annotated[ds.SignatureType, REF] | None = None
