"""The header of every message (ISO 15118-2:2014, Annex C [K])."""

from typing import Annotated

from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import REF, Message
from iso15118.messages.iso2 import msg_data_types as dt

NAMESPACE = "urn:iso:15118:2:2013:MsgHeader"
QUALIFIED_ATTRIBUTES = True


class MessageHeaderType(Message):
    """Session; a fault; the signature on what the body holds."""

    SessionID: dt.sessionIDType
    Notification: dt.NotificationType | None = None
    Signature: Annotated[ds.SignatureType, REF] | None = None
