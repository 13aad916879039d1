"""What the sessions on a vehicle's cable have agreed on, by the octets that went over the wire. The station is not asked, nor is the vehicle.

A request alone is no consent: the answer makes it one. Where the answer waits for the contactor (AC: PowerDelivery Start), the request stands for it
until it is answered, if the session is where such a request may come and the session's id is its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chargepoint.commands import CloseVehicle, SendToVehicle
from chargepoint.events import PoweredUp, VehicleConnected, VehicleGone, VehicleSaid
from iso15118 import exi, v2gtp
from iso15118.exi import ExiError
from iso15118.iso20.certificates import leaf_of, plain
from iso15118.iso20.wire import RESPONSES
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.messages.iso20 import dc

READ: tuple[type[Message], ...] = (
    cm.SessionSetupReq, cm.AuthorizationReq, cm.ScheduleExchangeReq, cm.PowerDeliveryReq, cm.SessionStopReq, dc.DC_CableCheckReq, dc.DC_PreChargeReq, *RESPONSES.values()
)  # fmt: skip
"""Messages that decide something; the others are not read."""
_ANSWERS: dict[type[Message], type[Message]] = dict(RESPONSES.items())
_KINDS: dict[tuple[int, int], type[Message]] = {}
"""Payload type and second octet -> the message that begins so: its number in the schema set stands in the first bits after the EXI header."""


@dataclass(slots=True)
class Talk:
    """One connection."""

    said: v2gtp.FrameReader = field(default_factory=v2gtp.FrameReader)
    heard: v2gtp.FrameReader = field(default_factory=v2gtp.FrameReader)
    asked: deque[Message] = field(default_factory=deque)
    """Requests that are not answered."""
    session_id: bytes = b""
    planned: bool = False
    """A ScheduleExchange is done: a cable check may come."""
    ready: bool = False
    """PowerDelivery Start may come: after a ScheduleExchange, in standby, or on DC after a precharge; on DC never without the consent of a cable check."""
    consent: bool = False
    power: bool = False
    """Energy may flow: PowerDelivery Start was answered."""
    contract: str = ""
    """The eMAID that was shown last."""


class SessionView:
    """For one EVSE of a heap. `standby`: it is granted; else a vehicle that asks for it goes on as before."""

    def __init__(
        self,
        hears: list[Callable[[object], None]],
        evse_id: int,
        *,
        dc: bool,
        standby: bool,
        shown: Callable[[str], None] = lambda _: None,
    ) -> None:
        hears.append(self._hear)
        self.shown = shown
        """Told each contract that a vehicle shows."""
        self.evse_id, self.dc, self.standby = evse_id, dc, standby
        self.talks: dict[int, Talk] = {}
        """By the number of the connection."""

    @property
    def consent(self) -> bool:
        """Power may be: AC from PowerDelivery Start on, DC from the cable check on."""
        return any(talk.consent or self._waits(talk) for talk in self.talks.values())

    @property
    def power(self) -> bool:
        """Energy may flow."""
        return any(talk.consent and talk.power for talk in self.talks.values())

    def _waits(self, talk: Talk) -> bool:
        """A Start in its right place that is not answered yet. The one before it is the one that counts."""
        first = next((each for each in talk.asked if isinstance(each, (cm.PowerDeliveryReq, cm.SessionStopReq))), None)
        ours = first is not None and first.Header.SessionID == talk.session_id
        return talk.ready and ours and _starts(first)

    # ---- the wire

    def _hear(self, what: object) -> None:
        match what:
            case PoweredUp():
                self.talks.clear()
            case VehicleConnected(self.evse_id, number):
                self.talks[number] = Talk()
            case VehicleGone(self.evse_id, number) | CloseVehicle(self.evse_id, number):
                self.talks.pop(number, None)
            case VehicleSaid(self.evse_id, number, octets) if (talk := self.talks.get(number)) is not None:
                for _, request in _messages(talk.said, octets):
                    self._request(talk, request)
            case SendToVehicle(self.evse_id, number, octets) if (talk := self.talks.get(number)) is not None:
                for payload_type, answer in _messages(talk.heard, octets):
                    self._answer(talk, payload_type, answer)

    def _request(self, talk: Talk, request: Message) -> None:
        talk.asked.append(request)
        match request:
            case cm.PowerDeliveryReq(ChargeProgress="Standby") if not self.standby:
                pass
            case cm.PowerDeliveryReq(ChargeProgress="Standby") if self.dc:
                talk.power = False
            case cm.PowerDeliveryReq(ChargeProgress="Stop" | "Standby"):
                talk.consent = talk.power = False
            case cm.SessionSetupReq() | cm.SessionStopReq():
                talk.consent = talk.power = talk.ready = False
            case cm.AuthorizationReq(PnC_AReqAuthorizationMode=mode) if mode is not None:
                emaid = plain(leaf_of(mode.ContractCertificateChain.Certificate).common_name)
                if emaid != talk.contract:
                    talk.contract = emaid
                    self.shown(emaid)

    def _answer(self, talk: Talk, payload_type: int, answer: Message) -> None:
        asked = _taken(talk.asked, type(answer))
        if isinstance(answer, ct.V2GResponseType) and answer.ResponseCode.startswith("FAILED"):
            talk.consent = talk.power = talk.ready = talk.planned = False
            return
        match answer:
            case cm.SessionSetupRes():
                talk.session_id = answer.Header.SessionID
            case cm.ScheduleExchangeRes(EVSEProcessing="Finished") if payload_type == v2gtp.ISO20_MAIN:
                talk.planned = True
                talk.ready = not self.dc or talk.consent
            case dc.DC_CableCheckRes():
                talk.consent = talk.planned
            case dc.DC_PreChargeRes():
                talk.ready = talk.consent
            case cm.SessionStopRes():
                talk.consent = talk.power = talk.ready = talk.planned = False
            case cm.PowerDeliveryRes() if isinstance(asked, cm.PowerDeliveryReq):
                self._delivers(talk, asked, granted=answer.ResponseCode != "WARNING_StandbyNotAllowed")

    def _delivers(self, talk: Talk, asked: cm.PowerDeliveryReq, *, granted: bool) -> None:
        match asked.ChargeProgress:
            case "Start" if _starts(asked) and talk.ready:
                talk.consent, talk.power, talk.ready = True, True, False
            case "Standby" if granted:
                talk.power, talk.ready = False, True
                talk.consent = talk.consent and self.dc
            case "Stop":
                talk.consent = talk.power = talk.ready = False
            case "ScheduleRenegotiation":
                talk.ready = False


def _starts(request: Message | None) -> bool:
    """It wants energy now: a vehicle that is still at it asks again."""
    return isinstance(request, cm.PowerDeliveryReq) and request.ChargeProgress == "Start" and request.EVProcessing == "Finished"


def _taken(asked: deque[Message], kind: type[Message]) -> Message | None:
    """The request that this answers: the oldest of its kind; those before it will get no answer any more."""
    if not any(_ANSWERS.get(type(each)) is kind for each in asked):
        return None
    while True:
        first = asked.popleft()
        if _ANSWERS.get(type(first)) is kind:
            return first


def _messages(reader: v2gtp.FrameReader, octets: bytes) -> Iterator[tuple[int, Message]]:
    """What decides, in these octets. What is no V2GTP or no EXI says nothing."""
    try:
        frames = reader.feed(octets)
    except v2gtp.V2gtpError:
        return
    for frame in frames:
        namespace = v2gtp.SCHEMA_SETS.get(frame.payload_type)
        if namespace is None or len(frame.payload) < 2:
            continue
        start = frame.payload_type, frame.payload[1]
        if start in _KINDS and not issubclass(_KINDS[start], READ):
            continue
        try:
            message = exi.decode(frame.payload, namespace)
        except ExiError:
            continue
        _KINDS[start] = type(message)
        if isinstance(message, READ):
            yield frame.payload_type, message
