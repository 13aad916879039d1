"""What one ISO 15118-20 session remembers, and how its answers are made."""

from __future__ import annotations

from dataclasses import field, fields
from typing import Any, NamedTuple, TypeVar

from iso15118.connection import Now
from iso15118.frozen import dataclass
from iso15118.grid import GridCode
from iso15118.iso20.services import Way
from iso15118.iso20.wire import NOTIFICATIONS, least, response_of
from iso15118.messages import xmldsig as ds
from iso15118.messages.iso20 import common_types as ct
from iso15118.secc.offers import Least
from iso15118.secc.paused import Paused
from iso15118.terms import AddedService, Control, Ending, Energy, Facts, Offered, PowerOff, Schedule, Told
from iso15118.waiting import Waiting

R = TypeVar("R", bound=ct.V2GResponseType)


@dataclass(frozen=True, slots=True)
class Shown:
    """The contract that was shown last, and found right as far as it is judged here."""

    leaf: bytes
    """DER of its certificate."""
    same: bytes
    """A hash of what it came in: a request that repeats it is not judged anew."""
    code: ct.responseCodeType = "OK"
    """What is said when it is accepted."""
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Installing:
    """Contracts that the vehicle asks for, one by one."""

    given: int = 0
    same: bytes = b""
    """A hash of the request that is waited for; b"": none is."""
    ended: bool = False
    """No other can be asked for."""
    asked: int = 0
    """Requests that differ from the one before, whatever came of them."""


@dataclass(slots=True)
class Talk(Waiting):
    """One session. `facts` are the charger's, and are only read."""

    facts: Facts
    energies: tuple[Energy, ...]
    """What the agreed namespace lets be chosen."""
    fresh_id: bytes
    """A session id from the entropy of the host (64 bits of a CSPRNG, [V2G20-835] [K])."""
    challenge: bytes = bytes(16)
    paused: Paused | None = None
    pnc: bool = False
    """Plug & Charge may be offered: TLS with a verified vehicle."""

    session_id: bytes = b""
    evcc_id: str = ""
    discovered: tuple[Offered, ...] = ()
    added: tuple[AddedService, ...] = ()
    """What ServiceDiscovery said: detail and selection go by that, whatever the host offers by then."""
    offered: Offered | None = None
    way: Way | None = None
    phases: int = 0
    """AC: of so many, as the chosen way has it."""
    schedules: tuple[Schedule, ...] = ()
    """What was offered last, as far as the vehicle was told it; the host may have others meanwhile."""
    offered_mono: float = 0.0
    """When they, or a plan, were offered."""
    schedule_id: int | None = None
    energy_on: bool = False
    """Power was asked for by the vehicle, and not ended."""
    stands_by: bool = False
    """It has gone into standby, where DC keeps the voltage on the output, and neither out of it nor to its end."""
    shown: Shown | None = None
    installing: Installing | None = None
    looked_at: int = 0
    """Contracts that were shown, whatever came of them."""
    grid_told: GridCode | None = None
    """The grid rules as the vehicle has them: as far as its dialect has words for them."""
    grid_stale: frozenset[str] = frozenset()
    """What of them has changed since, as the host was told."""
    grid_unsaid: frozenset[str] = frozenset()
    """What its dialect has no words for, as the host was told."""
    ev_give_W: float = 0.0
    ev_var: float | None = None
    """What its inverter can give and do, as it has declared that: percentages of the grid rules are shares of it."""
    least_W: float = 0.0
    least_back_W: float = 0.0
    """AC: the least that the vehicle can draw, and give, as it has said last."""

    @property
    def least(self) -> Least:
        """Both."""
        return Least(self.least_W, self.least_back_W)

    def saved(self) -> SavedTalk:
        """All but the charger's facts."""
        kept: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(SavedTalk)}
        way = self.way[:4] if self.way is not None else None
        return SavedTalk(**kept | {"way": way, "since": dict(self.since)})

    @classmethod
    def restored(cls, saved: SavedTalk, facts: Facts) -> Talk:
        """Go on from what was saved."""
        kept: dict[str, Any] = {each.name: getattr(saved, each.name) for each in fields(saved)}
        way = Way(*saved.way, saved.phases) if saved.way is not None else None
        return cls(facts=facts, **kept | {"way": way, "since": dict(saved.since)})


@dataclass(frozen=True, slots=True)
class SavedTalk:
    """A `Talk` as plain values, for whoever keeps it: a field of the one is a field of the other."""

    energies: tuple[Energy, ...]
    fresh_id: bytes
    challenge: bytes
    paused: Paused | None = None
    pnc: bool = False
    session_id: bytes = b""
    evcc_id: str = ""
    discovered: tuple[Offered, ...] = ()
    added: tuple[AddedService, ...] = ()
    offered: Offered | None = None
    way: tuple[int, Control, bool, int] | None = None
    """But for its phases, which stand here."""
    phases: int = 0
    schedules: tuple[Schedule, ...] = ()
    offered_mono: float = 0.0
    schedule_id: int | None = None
    energy_on: bool = False
    stands_by: bool = False
    shown: Shown | None = None
    installing: Installing | None = None
    looked_at: int = 0
    grid_told: GridCode | None = None
    grid_stale: frozenset[str] = frozenset()
    grid_unsaid: frozenset[str] = frozenset()
    ev_give_W: float = 0.0
    ev_var: float | None = None
    least_W: float = 0.0
    least_back_W: float = 0.0
    since: dict[str, float] = field(default_factory=dict)


class Result(NamedTuple):
    """What a handler says. None as a response: not yet."""

    response: ct.V2GResponseType | None
    told: tuple[Told, ...] = ()
    stay: bool = False
    """The session stays where it is."""
    failed: str = ""
    over: Ending | None = None
    ev_code: str = ""


def header(talk: Talk, now: Now, signature: ds.SignatureType | None = None) -> ct.MessageHeaderType:
    """Of a response: our session id, and the time."""
    return ct.MessageHeaderType(SessionID=talk.session_id or bytes(8), TimeStamp=max(0, int(now.utc)), Signature=signature)


def ok(talk: Talk, now: Now, kind: type[R], **fields: Any) -> R:
    """A response that grants."""
    return kind(**{"Header": header(talk, now), "ResponseCode": "OK", **fields})


def failed(talk: Talk, now: Now, request: ct.V2GRequestType, code: str, why: str) -> Result:
    """A response that refuses: what has to be in it at its least, and its code."""
    return Result(least(response_of(type(request)), Header=header(talk, now), ResponseCode=code), failed=why)


def warned(talk: Talk, now: Now, request: ct.V2GRequestType, code: ct.responseCodeType, *told: Told, **fields: Any) -> Result:
    """A response that grants nothing yet, and lets the vehicle go on: what has to be in it at its least, and its code."""
    return Result(least(response_of(type(request)), Header=header(talk, now), ResponseCode=code, **fields), told, stay=True)


def live(talk: Talk) -> bool:
    """Voltage may be on the output: DC has it in standby, too."""
    return talk.energy_on or (talk.stands_by and talk.offered is not None and talk.offered.energy.is_dc)


def off(talk: Talk, why: str) -> tuple[PowerOff, ...]:
    """The energy goes off, where there is any: told once."""
    was_on = live(talk)
    talk.energy_on = talk.stands_by = False
    return (PowerOff(why),) if was_on else ()


def status(facts: Facts) -> ct.EVSEStatusType | None:
    """What we want of the vehicle, in a response of the loop."""
    if facts.wish is None:
        return None
    return ct.EVSEStatusType(NotificationMaxDelay=facts.wish_within_s, EVSENotification=NOTIFICATIONS[facts.wish])
