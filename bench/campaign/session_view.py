"""What the sessions on a vehicle's cable have agreed on, by the octets that went over the wire. The station is not asked, nor is the vehicle.

A request alone is no consent: the answer makes it one. Where the answer waits for the contactor (AC: PowerDelivery Start), the request stands for it
until it is answered, if the session is where such a request may come and the session's id is its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.campaign.wire_words import Word, word
from chargepoint.commands import CloseVehicle, SendToVehicle
from chargepoint.events import PoweredUp, VehicleConnected, VehicleGone, VehicleSaid
from iso15118 import v2gtp


@dataclass(slots=True)
class Talk:
    """One connection."""

    said: v2gtp.FrameReader = field(default_factory=v2gtp.FrameReader)
    heard: v2gtp.FrameReader = field(default_factory=v2gtp.FrameReader)
    asked: deque[Word] = field(default_factory=deque)
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
        first = next((each for each in talk.asked if each.what in ("PowerDelivery", "SessionStop")), None)
        return talk.ready and first is not None and first.session_id == talk.session_id and first.progress == "Start"

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
                for request in _words(talk.said, octets):
                    if not request.answer:
                        self._request(talk, request)
            case SendToVehicle(self.evse_id, number, octets) if (talk := self.talks.get(number)) is not None:
                for answer in _words(talk.heard, octets):
                    if answer.answer:
                        self._answer(talk, answer)

    def _request(self, talk: Talk, request: Word) -> None:
        talk.asked.append(request)
        match request.what, request.progress:
            case "PowerDelivery", "Standby" if not self.standby:
                pass
            case "PowerDelivery", "Standby" if self.dc:
                talk.power = False
            case "PowerDelivery", "Stop" | "Standby":
                talk.consent = talk.power = False
            case (("SessionSetup" | "SessionStop"), _):
                talk.consent = talk.power = talk.ready = False
            case "Authorization", _ if request.contract and request.contract != talk.contract:
                talk.contract = request.contract
                self.shown(request.contract)

    def _answer(self, talk: Talk, answer: Word) -> None:
        asked = _taken(talk.asked, answer.what)
        if answer.code.startswith("FAILED"):
            talk.consent = talk.power = talk.ready = talk.planned = False
            return
        match answer.what:
            case "SessionSetup":
                talk.session_id = answer.session_id
            case "ScheduleExchange" if answer.finished and answer.main:
                talk.planned = True
                talk.ready = not self.dc or talk.consent
            case "CableCheck":
                talk.consent = talk.planned
            case "PreCharge":
                talk.ready = talk.consent
            case "SessionStop":
                talk.consent = talk.power = talk.ready = talk.planned = False
            case "PowerDelivery" if asked is not None:
                self._delivers(talk, asked, granted=answer.code != "WARNING_StandbyNotAllowed")

    def _delivers(self, talk: Talk, asked: Word, *, granted: bool) -> None:
        match asked.progress:
            case "Start" if talk.ready:
                talk.consent, talk.power, talk.ready = True, True, False
            case "Standby" if granted:
                talk.power, talk.ready = False, True
                talk.consent = talk.consent and self.dc
            case "Stop":
                talk.consent = talk.power = talk.ready = False
            case "ScheduleRenegotiation":
                talk.ready = False


def _taken(asked: deque[Word], what: str) -> Word | None:
    """The request that this answers: the oldest of its kind; those before it will get no answer any more."""
    if not any(each.what == what for each in asked):
        return None
    while True:
        first = asked.popleft()
        if first.what == what:
            return first


def _words(reader: v2gtp.FrameReader, octets: bytes) -> Iterator[Word]:
    """What decides, in these octets. What is no V2GTP says nothing."""
    try:
        frames = reader.feed(octets)
    except v2gtp.V2gtpError:
        return
    for frame in frames:
        found = word(frame.payload_type, frame.payload)
        if found is not None:
            yield found
