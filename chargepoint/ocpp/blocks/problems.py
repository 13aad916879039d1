"""Faults as the device model has them: a row for each component that can fail, and NotifyEvent when one does (OCPP 2.1 N07, G05).

Rows and names come from the table `chargepoint.faults`. Faults that come while there is no link are told once there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from functools import partial
from typing import Any, ClassVar

from chargepoint.commands import Log
from chargepoint.events import FaultCleared, FaultRaised, LinkUp, RegistrationChanged
from chargepoint.faults import FAULTS, Fault, known
from chargepoint.ocpp.block import Block, CallAnswered, CallFailed, Context, hears
from chargepoint.ocpp.device_model import Variable
from chargepoint.ocpp.messages import CONNECTION_LOST, Call
from chargepoint.ocpp.wire import format_timestamp
from chargepoint.tick import Tick
from iso15118.frozen import dataclass

MOST_NEWS = 50
"""Faults that wait to be told; beyond it the oldest are forgotten, and the device model still has what stands."""
MOST_IN_ONE = 10

_CONNECTOR_PARTS = frozenset({"Connector", "ConnectorPlugRetentionLock"})


def _row(component: str, variable: str) -> Variable:
    per: Any = "connector" if component in _CONNECTOR_PARTS else "evse"
    return Variable(
        component,
        variable,
        "boolean",
        "false",
        "whether a fault of it stands",
        per=per,
        persistent=False,
        source="OCPP 2.1 Part 2 appendix, generic variables",
    )


PARTS: dict[tuple[str, str], Variable] = {pair: _row(*pair) for pair in sorted({(row.component, row.variable) for row in FAULTS.values()})}
STATION_PROBLEM = Variable(
    "ChargingStation",
    "Problem",
    "boolean",
    "false",
    "whether any fault stands",
    persistent=False,
    source="OCPP 2.1 Part 2 appendix, generic variables",
)


@dataclass(frozen=True, slots=True)
class News:
    """A fault came or went; `mono` is when."""

    evse_id: int
    code: str
    text: str
    cleared: bool
    mono: float


@dataclass(slots=True)
class ProblemsState:
    """What stands and what is still to be told."""

    standing: tuple[str, ...] = ()
    """Faults of the station itself (EVSE 0)."""
    news: list[News] = field(default_factory=list)
    sent: int = 0
    """How many of the first news are under way."""
    events: int = 0


class ProblemsBlock(Block):
    """Owns the Problem and Tripped rows; tells the CSMS what fails and what is well again."""

    name: ClassVar[str] = "problems"
    variables: ClassVar[tuple[Variable, ...]] = (STATION_PROBLEM, *PARTS.values())

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.state: ProblemsState = ProblemsState()
        context.model.compute(
            STATION_PROBLEM, lambda _: _flag(bool(self.state.standing) or any(facts.faults for facts in context.evses.values()))
        )
        for pair, row in PARTS.items():
            for evse_id in context.evses:
                context.model.compute(row, partial(self._stands, evse_id, pair), evse_id)

    def _stands(self, evse_id: int, pair: tuple[str, str], now: Tick) -> str:
        return _flag(any((row.component, row.variable) == pair for row in map(known, self.context.evses[evse_id].faults)))

    @hears(FaultRaised)
    def raised(self, now: Tick, event: FaultRaised) -> Sequence[object]:
        if not event.evse_id:
            self.state.standing = tuple(sorted({*self.state.standing, event.code}))
        return self._news(now, News(event.evse_id, event.code, event.text, cleared=False, mono=now.mono))

    @hears(FaultCleared)
    def cleared(self, now: Tick, event: FaultCleared) -> Sequence[object]:
        if not event.evse_id:
            self.state.standing = tuple(code for code in self.state.standing if code != event.code)
        return self._news(now, News(event.evse_id, event.code, "", cleared=True, mono=now.mono))

    def _news(self, now: Tick, news: News) -> Sequence[object]:
        waiting = self.state.news
        waiting.append(news)
        if len(waiting) <= MOST_NEWS:
            return self._tell(now)
        dropped = waiting.pop(self.state.sent)
        return [Log("warning", "fault.untold", {"code": dropped.code, "evse": dropped.evse_id}), *self._tell(now)]

    @hears(LinkUp, RegistrationChanged)
    def reachable(self, now: Tick, event: object) -> Sequence[object]:
        return self._tell(now)

    @hears(CallAnswered, CallFailed)
    def done(self, now: Tick, event: CallAnswered | CallFailed) -> Sequence[object]:
        """Told, or refused for good; what was lost with the connection is told again."""
        if not event.token.startswith(f"{self.name}:"):
            return ()
        if not (isinstance(event, CallFailed) and event.code == CONNECTION_LOST):
            del self.state.news[: self.state.sent]
        self.state.sent = 0
        return self._tell(now)

    def _tell(self, now: Tick) -> Sequence[object]:
        state = self.state
        if not self.context.link.online or state.sent or not state.news:
            return ()
        told = state.news[:MOST_IN_ONE]
        state.sent = len(told)
        payload = {
            "generatedAt": format_timestamp(self.context.clock.utc(now)),
            "seqNo": 0,
            "tbc": False,
            "eventData": [self._event_data(now, news) for news in told],
        }
        return (Call("NotifyEvent", payload, f"{self.name}:{state.events}"),)

    def _event_data(self, now: Tick, news: News) -> dict[str, Any]:
        self.state.events += 1
        fault = known(news.code)
        return {
            "eventId": self.state.events,
            "timestamp": format_timestamp(self.context.clock.utc(now) - (now.mono - news.mono)),
            "trigger": "Delta",
            "actualValue": _flag(not news.cleared),
            "cleared": news.cleared,
            "techCode": (fault.mrec or fault.code)[:50],
            "techInfo": (news.text or fault.text)[:500],
            "component": _component(news.evse_id, fault),
            "variable": {"name": fault.variable if news.evse_id else STATION_PROBLEM.name},
            "eventNotificationType": "HardWiredNotification",
        }


def _component(evse_id: int, fault: Fault) -> dict[str, Any]:
    """Faults of the whole station are its own Problem; the others stand at the part of their EVSE."""
    if not evse_id:
        return {"name": STATION_PROBLEM.component}
    evse = {"id": evse_id, "connectorId": 1} if fault.component in _CONNECTOR_PARTS else {"id": evse_id}
    return {"name": fault.component, "evse": evse}


def _flag(value: bool) -> str:
    return "true" if value else "false"
