"""What messages of any protocol say, as far as it decides about power: ISO 15118-20, ISO 15118-2 and DIN 70121 in one language, that of the first."""

from __future__ import annotations

from typing import Any, NamedTuple

from bench.exi.given import ROOTS
from bench.v2g.progress import progress
from iso15118 import exi, v2gtp
from iso15118.exi import ExiError
from iso15118.iso20.certificates import leaf_of, plain
from iso15118.iso20.wire import RESPONSES
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import dc

READ: tuple[type[Message], ...] = (
    cm.SessionSetupReq, cm.AuthorizationReq, cm.ScheduleExchangeReq, cm.PowerDeliveryReq, cm.SessionStopReq, dc.DC_CableCheckReq, dc.DC_PreChargeReq, *RESPONSES.values()
)  # fmt: skip
"""Messages of ISO 15118-20 that decide something; the others are not read."""
_KINDS: dict[tuple[int, int], type[Message]] = {}
"""Payload type and second octet -> the message that begins so: its number in the schema set stands in the first bits after the EXI header."""
_OLDER = {"ChargeParameterDiscovery": "ScheduleExchange", "ContractAuthentication": "Authorization"}
"""The schedules come with the parameters there."""
_PROGRESS = {"Renegotiate": "ScheduleRenegotiation"}


class Word(NamedTuple):
    """One message. `what` is its name without Req and Res, and without the prefix of DC."""

    what: str
    answer: bool
    session_id: bytes
    code: str = ""
    progress: str = ""
    """PowerDelivery: ChargeProgress; of a vehicle that says Start and is still at it, nothing."""
    finished: bool = False
    """EVSEProcessing."""
    main: bool = True
    """Not on a stream beside the loop."""
    contract: str = ""
    """The eMAID that is shown."""


def word(payload_type: int, octets: bytes) -> Word | None:
    """None for what decides nothing, and for what is no EXI."""
    if len(octets) < 2:
        return None
    try:
        if payload_type == v2gtp.SAP_DIN_ISO2:
            return _older(octets)
        return _iso20(payload_type, octets)
    except ExiError:
        return None


def _iso20(payload_type: int, octets: bytes) -> Word | None:
    namespace = v2gtp.SCHEMA_SETS.get(payload_type)
    start = payload_type, octets[1]
    if namespace is None or (start in _KINDS and not issubclass(_KINDS[start], READ)):
        return None
    message: Any = exi.decode(octets, namespace)
    _KINDS[start] = type(message)
    if not isinstance(message, READ):
        return None
    wanted, contract = progress(message), ""
    if wanted == "Start" and getattr(message, "EVProcessing", "") != "Finished":
        wanted = ""
    if isinstance(message, cm.AuthorizationReq) and (mode := message.PnC_AReqAuthorizationMode) is not None:
        contract = plain(leaf_of(mode.ContractCertificateChain.Certificate).common_name)
    name = type(message).__name__
    return Word(
        name[:-3].removeprefix("DC_"), name.endswith("Res"), message.Header.SessionID, str(getattr(message, "ResponseCode", "")), wanted,
        getattr(message, "EVSEProcessing", "") == "Finished", payload_type == v2gtp.ISO20_MAIN, contract,
    )  # fmt: skip


def _older(octets: bytes) -> Word | None:
    namespace = ROOTS.get(octets[1] >> 1)
    if namespace is None:
        return None
    document: Any = exi.decode(octets, namespace)
    message = document.Body.BodyElement
    if message is None:
        return None
    name = type(message).__name__
    what = _OLDER.get(name[:-3], name[:-3])
    wanted = progress(message)
    return Word(
        what, name.endswith("Res"), document.Header.SessionID, str(getattr(message, "ResponseCode", "")), _PROGRESS.get(wanted, wanted),
        getattr(message, "EVSEProcessing", "") == "Finished",
    )  # fmt: skip
