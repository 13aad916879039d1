"""The document (ISO 15118-2:2014, Annex C [K])."""

from iso15118.messages.declare import Message
from iso15118.messages.iso2 import msg_body as mb
from iso15118.messages.iso2 import msg_header as mh

NAMESPACE = "urn:iso:15118:2:2013:MsgDef"
QUALIFIED_ATTRIBUTES = True


class V2G_Message(Message, element=True, type_name=""):
    """The document: header and body."""

    Header: mh.MessageHeaderType
    Body: mb.BodyType
