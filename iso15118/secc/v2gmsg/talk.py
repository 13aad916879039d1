"""What one session of DIN 70121 or ISO 15118-2 remembers, how its answers are made, and how a dialect spells what both have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from typing import Any, NamedTuple

from iso15118.connection import Now
from iso15118.frozen import dataclass
from iso15118.messages.declare import Message
from iso15118.secc.paused import Paused
from iso15118.terms import AddedService, Ending, Energy, Facts, Offered, Payment, PowerOff, Progress, Reading, Schedule, Told, Wish
from iso15118.v2gmsg.document import Document
from iso15118.waiting import Waiting

Made = Callable[..., Any]
"""A message class, or what makes one: which, the dialect says."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One dialect's words: its message classes, and what it says otherwise than the other one."""

    namespace: str
    responses: Mapping[type[Message], type[Message]]
    """Request -> response."""
    document: Document
    volts: Callable[[float], Any]
    amperes: Callable[[float], Any]
    watts: Callable[[float], Any]
    evse_id: Callable[[str], Any]
    wait_for_driver: str
    """EVSEProcessing while somebody has to show a card."""
    wishes: Mapping[Wish, str]
    """What the charger wants -> EVSENotification, as far as the dialect has a word for it."""
    energies: Mapping[str, Energy]
    """What the vehicle may ask for -> energy."""
    asked_energy: Callable[[Any], str]
    """Of a request for parameters."""
    wrong_energy: str
    no_charging: str
    no_contactor: str
    """Response codes: another energy than is there, no charging among the services, and a contactor that did not close."""

    added: Mapping[int, int]
    """Services beside charging: ServiceID -> the service as `Facts` numbers it."""

    session_setup: Made
    """(code, EVSEID, seconds since 1970)."""
    service_discovery: Made
    """(talk, those of `talk.added` that are told)."""
    service_detail: Made
    """(service id, parameter sets)."""
    selection: Made
    authorization: Made
    parameters: Made
    power: Made
    stop: Made
    dc_parameters: type[Message]
    ac_parameters: type[Message]
    dc_status: Made
    ac_status: Made
    """(talk, delay, notification)."""
    cable_check: Made
    precharge: Made
    loop: Made
    """DC."""
    welding: Made
    loop_more: Callable[[Talk], Mapping[str, Any]]
    """What the answer in the DC loop has beside."""
    schedules: Callable[[Talk, Now, Any], Any]
    """SASchedules for a request for parameters; None: the host does not know yet."""
    no_schedules: Any
    """What stands there meanwhile."""
    chosen: Callable[[Talk, Any], Chosen]
    """What a PowerDelivery that starts says of schedules."""
    signature: Callable[[Talk, Any], Any] = lambda *_: None
    """Of the prices in SASchedules, where they are signed."""
    pausing: bool = False
    """A session may pause, and be resumed."""
    ready_s: float | None = None
    """From the authorisation to the power at most; None: nothing is said of it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A contract that the vehicle has shown (ISO 15118-2)."""

    chain: tuple[bytes, ...] = field(repr=False)
    """DER, leaf first."""
    emaid: str
    path: tuple[bytes, ...] = field(default=(), repr=False)
    why: str = ""
    """What was found of its chain: as in `ContractShown`."""
    signed: bool = False
    """Its key has signed this session's challenge: the host has heard of it."""
    accepted: bool = False


@dataclass(slots=True)
class Talk(Waiting):
    """One session. `facts` are the charger's, and are only read."""

    spelling: Spelling
    facts: Facts
    fresh_id: bytes
    """A session id from the entropy of the host (64 bits of a CSPRNG [K])."""
    challenge: bytes = bytes(16)
    paused: Paused | None = None
    secure: bool = False
    """Over TLS: Plug & Charge may be offered."""

    session_id: bytes = b""
    evcc_id: str = ""
    discovered: tuple[Offered, ...] = ()
    added: tuple[AddedService, ...] = ()
    """What ServiceDiscovery said: detail and selection go by that, whatever the host offers by then."""
    chosen_services: tuple[tuple[int, int], ...] = ()
    offered: Offered | None = None
    """The energy that the vehicle has asked for."""
    phases: int = 0
    """AC: of so many."""
    schedules: tuple[Schedule, ...] = ()
    """What was offered last, as far as the vehicle was told it; the host may have others meanwhile."""
    offered_mono: float = 0.0
    """When."""
    schedule_id: int | None = None
    energy_on: bool = False
    """Power was asked for by the vehicle, and not ended."""
    isolated: bool = False
    """The insulation test of this session was good."""
    payments: tuple[Payment, ...] = (Payment.EIM,)
    installable: bool = False
    """What ServiceDiscovery said of paying, and of contracts that can be asked for."""
    by_contract: bool = False
    """The vehicle has chosen to pay so."""
    shown: Shown | None = None
    asked: int = 0
    """How often contracts were asked for."""
    asking: bool = False
    """The host has heard of the request that waits."""
    metered: Reading | None = None
    """What the vehicle was asked to sign, and has not yet."""
    trouble: str = ""
    """EVErrorCode of the vehicle; "": none..."""
    ready: bool = True
    """...and whether it is ready, in the DC loop."""
    least_A: float = 0.0
    """AC: the vehicle can draw no less in each phase (EVMinCurrent)."""

    def saved(self) -> SavedTalk:
        """All but the charger's facts, and the dialect's words."""
        return SavedTalk(**{each.name: getattr(self, each.name) for each in fields(SavedTalk)} | {"since": dict(self.since)})

    @classmethod
    def restored(cls, saved: SavedTalk, spelling: Spelling, facts: Facts) -> Talk:
        """Go on from what was saved."""
        kept: dict[str, Any] = {each.name: getattr(saved, each.name) for each in fields(saved)}
        return cls(spelling=spelling, facts=facts, **kept | {"since": dict(saved.since)})


@dataclass(frozen=True, slots=True)
class SavedTalk:
    """A `Talk` as plain values, for whoever keeps it: a field of the one is a field of the other."""

    fresh_id: bytes
    challenge: bytes
    paused: Paused | None = None
    secure: bool = False
    session_id: bytes = b""
    evcc_id: str = ""
    discovered: tuple[Offered, ...] = ()
    added: tuple[AddedService, ...] = ()
    chosen_services: tuple[tuple[int, int], ...] = ()
    offered: Offered | None = None
    phases: int = 0
    schedules: tuple[Schedule, ...] = ()
    offered_mono: float = 0.0
    schedule_id: int | None = None
    energy_on: bool = False
    isolated: bool = False
    payments: tuple[Payment, ...] = (Payment.EIM,)
    installable: bool = False
    by_contract: bool = False
    shown: Shown | None = None
    asked: int = 0
    asking: bool = False
    metered: Reading | None = None
    trouble: str = ""
    ready: bool = True
    least_A: float = 0.0
    since: dict[str, float] = field(default_factory=dict)


class Chosen(NamedTuple):
    """Of the schedules that were offered."""

    profile: tuple[Any, ...] = ()
    """Slots."""
    refused: tuple[str, str] | None = None
    """Response code and why."""


class Result(NamedTuple):
    """What a handler says. None as a response: not yet."""

    response: Message | None
    told: tuple[Told, ...] = ()
    stay: bool = False
    """The session stays where it is."""
    failed: str = ""
    over: Ending | None = None
    signature: Any = None
    """On what the answer holds, for its header."""
    news: tuple[Told, ...] = ()
    """Told though the request has been looked at before; `told` is once for each request."""


def off(talk: Talk, why: str) -> tuple[PowerOff, ...]:
    """The energy goes off, where there is any: told once."""
    was_on, talk.energy_on = talk.energy_on, False
    return (PowerOff(why),) if was_on else ()


# ---- what the charger says of itself

READY, NOT_READY, MONITORING, SHUTDOWN, MALFUNCTION = (
    "EVSE_Ready", "EVSE_NotReady", "EVSE_IsolationMonitoringActive", "EVSE_Shutdown", "EVSE_Malfunction",
)  # fmt: skip


def notification(talk: Talk) -> tuple[int, str]:
    """NotificationMaxDelay and EVSENotification: what we want of the vehicle."""
    facts = talk.facts
    word = talk.spelling.wishes.get(facts.wish, "None") if facts.wish is not None else "None"
    return (facts.wish_within_s if word != "None" else 0), word


def dc_status(talk: Talk, code: str = READY) -> Any:
    """DC_EVSEStatus: `code` is what this step of the session says while all is well."""
    delay, word = notification(talk)
    if talk.facts.fault:
        code = MALFUNCTION
    elif word == "StopCharging" and code == READY:
        code = SHUTDOWN
    isolation = "Fault" if talk.facts.cable_check is Progress.FAILED else "Valid" if talk.isolated else "Invalid"
    return talk.spelling.dc_status(EVSEIsolationStatus=isolation, EVSEStatusCode=code, NotificationMaxDelay=delay, EVSENotification=word)


def ac_status(talk: Talk) -> Any:
    """AC_EVSEStatus."""
    return talk.spelling.ac_status(talk, *notification(talk))


def status(talk: Talk, code: str = READY) -> Any:
    """EVSEStatus of the energy that was chosen."""
    dc = talk.offered is not None and talk.offered.energy.is_dc
    return dc_status(talk, code) if dc else ac_status(talk)
