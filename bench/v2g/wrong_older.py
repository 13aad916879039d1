"""How a request of DIN 70121 or ISO 15118-2 is changed by vehicles that do wrong: as in `wrong`, but that a document has its header apart."""

from __future__ import annotations

import random
import sys
from typing import Any

from iso15118 import exi
from iso15118.connection import Send
from iso15118.exi import ExiError
from iso15118.exi.types import Simple, fields_of, namespace_of
from iso15118.messages.declare import Message
from iso15118.minimal import minimal
from iso15118.v2gtp import HEADER, SAP_DIN_ISO2, Frame

_MEMBERS = {
    "EVChargeParameter": "DC_EVChargeParameter",
    "EVSEChargeParameter": "DC_EVSEChargeParameter",
    "EVSEStatus": "DC_EVSEStatusType",
    "SASchedules": "SAScheduleList",
    "TimeInterval": "RelativeTimeInterval",
}
"""Fields whose declared type is abstract -> the member that stands there; but for EVSEStatus they are in the module of charging or of schedules."""


def is_request(message: Message) -> bool:
    """A request of one of these protocols."""
    return _of(type(message)) and type(message).__name__.endswith("Req")


def _of(kind: type[Message]) -> bool:
    return namespace_of(kind).endswith(":MsgBody")


def session_id(send: Send) -> bytes:
    """In the header of what is sent."""
    found: bytes = _document(send).Header.SessionID
    return found


def signature(send: Send) -> Any:
    """In the header of what is sent; None: there is none."""
    return _document(send).Header.Signature


AS_IT_IS = object()


def changed(send: Send, message: Message, session: bytes | None = None, *, signature: Any = AS_IT_IS) -> Send:
    """Another message in the place of this one, or one of another session, or with another signature."""
    document = _document(send)
    document.Body.BodyElement = message
    if signature is not AS_IT_IS:
        document.Header.Signature = signature
    if session is not None:
        document.Header.SessionID = session
    return Send(Frame(SAP_DIN_ISO2, exi.encode(document, _namespace(send.message))).octets(), message)


def others(message: Message) -> list[type[Message]]:
    """The kinds of requests of this protocol, but its own."""
    found = vars(sys.modules[type(message).__module__]).values()
    return [
        each
        for each in found
        if isinstance(each, type)
        and issubclass(each, Message)
        and each.__name__.endswith("Req")
        and each._element_
        and each is not type(message)
    ]


def setup_of(message: Message) -> type[Message]:
    """SessionSetupReq of this protocol."""
    return next(each for each in others(message) if each.__name__ == "SessionSetupReq")


def response_to(message: Message) -> Message:
    """The least response to it."""
    name = type(message).__name__.removesuffix("Req") + "Res"
    kind: type[Message] = getattr(sys.modules[type(message).__module__], name)
    return least(kind)


def least(kind: type[Message]) -> Message:
    """The least message of a kind, and of all that has to be in it."""
    given: dict[str, Any] = {}
    for field in fields_of(kind):
        if isinstance(field.value, Simple) or not field.least or field.choice:
            continue
        one = least(_member(kind, field.name) if field.value._abstract_ else field.value)
        given[field.name] = (one,) * field.least if field.many else one
    return minimal(kind, **given)


def _member(kind: type[Message], field: str) -> type[Message]:
    package = kind.__module__.rpartition(".")[0]
    modules = (sys.modules[f"{package}.{name}"] for name in ("data_charging", "data_schedules", "msg_data_types"))
    found: type[Message] = next(getattr(each, _MEMBERS[field]) for each in modules if hasattr(each, _MEMBERS[field]))
    return found


def is_number(value: object) -> bool:
    """A PhysicalValue."""
    return type(value).__name__ == "PhysicalValueType"


def number(like: Any, value: int, multiplier: int = 0) -> Any:
    """A PhysicalValue like this one."""
    return type(like)(Multiplier=multiplier, Unit=like.Unit, Value=value)


def spoilt_number(like: Any, dice: random.Random) -> Any:
    """As great, small or negative as can be said."""
    return number(like, dice.choice((-32768, -1, 0, 32767)), dice.choice((-3, 0, 3)))


def _namespace(message: Message) -> str:
    return namespace_of(type(message)).replace(":MsgBody", ":MsgDef")


def _document(send: Send) -> Any:
    """What is sent; where somebody has spoilt its octets already, one of no session."""
    octets = send.octets[HEADER : HEADER + int.from_bytes(send.octets[4:HEADER], "big")]
    try:
        return exi.decode(octets, _namespace(send.message))
    except ExiError:
        package = type(send.message).__module__.rpartition(".")[0]
        made: Any = minimal(sys.modules[f"{package}.msg_def"].V2G_Message)
        made.Header.SessionID = bytes(8)
        return made
