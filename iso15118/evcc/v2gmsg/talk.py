"""What one session of a vehicle remembers in DIN 70121 or ISO 15118-2, how the protocol spells it, and what the functions of a session say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any, Literal, NamedTuple

from iso15118.connection import Now
from iso15118.evcc.terms import Contract, EvseLimits, EvWish, StopDrawing, Wants, WishTaken
from iso15118.evcc.v2gmsg.table import Said
from iso15118.frozen import dataclass
from iso15118.messages.declare import Message
from iso15118.terms import Ending, Energy, Payment, Slot, Told
from iso15118.v2gmsg.document import Document
from iso15118.v2gmsg.values import Unit
from iso15118.waiting import Waiting

ONGOING_S = 60.0
"""V2G_EVCC_Ongoing_Timeout [K]."""

Progress = Literal["Start", "Stop", "Renegotiate"]


class Offer(NamedTuple):
    """What ServiceDiscoveryRes says."""

    payments: tuple[Payment, ...]
    charge_service: int
    modes: tuple[str, ...]
    """Kinds of energy transfer, as the protocol names them."""
    added_services: tuple[int, ...] = ()


class Judged(NamedTuple):
    """Prices, by who has signed them."""

    told: tuple[Told, ...] = ()
    doubted: frozenset[int] = frozenset()
    """Schedules for whose prices nobody answers."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a protocol says what both say."""

    namespace: str
    body: Any
    """The module of its messages, of which most have one name in both."""
    types: Any
    """The module of its data types."""
    responses: dict[type[Message], type[Message]]
    """Request -> response."""
    longer_s: dict[type[Message], float]
    """V2G_EVCC_Msg_Timeout, where it is not the usual one."""
    document: Document
    value: Callable[[Unit, float], Any]
    """A PhysicalValue."""
    evse_id: Callable[[Any], str]
    """Of SessionSetupRes."""
    offer: Callable[[Any], Offer]
    """Of ServiceDiscoveryRes."""
    selection: Callable[[Talk], Message]
    authorization: Callable[[Talk], Message]
    parameters: Callable[[Talk], Message]
    power: Callable[[Talk, Progress], Message]
    stop: Callable[[Talk], Message]
    power_W: Callable[[Any], float]
    """Of PMax."""
    pausing: bool = False
    """A session may pause, and be resumed."""
    most_entries: int | None = None
    """Of a charging profile."""
    by_contract: Callable[[Talk, Now, Offer], bool] = lambda *_: False
    """Whether we can pay so at this charger."""
    judged: Callable[[Talk, Any], Judged] = lambda *_: Judged()
    """What is found of the signature on the prices in SASchedules."""
    ready_s: float | None = None
    """From SessionSetupRes the first PowerDeliveryRes may take so long."""


@dataclass(slots=True)
class Talk(Waiting):
    """One session. `wants` are the vehicle's, and are only read."""

    wants: Wants
    energies: tuple[Energy, ...]
    """What this vehicle would take by this protocol, best first."""
    spelling: Spelling

    session_id: bytes = b""
    given_id: bytes = b""
    given_signature: Any = None
    """In the header of the response that is looked at."""
    signature: Any = None
    """For the header of the request that is being made."""
    payment: Payment = Payment.EIM
    """What we pay with."""
    contracts: list[Contract] = field(default_factory=list)
    """Those that can be shown here, best first."""
    ask_for: Literal["", "Installation", "Update"] = ""
    """Contracts are asked for first, and how."""
    ask_by: int = 0
    """The parameter set of it."""
    challenge: bytes = b""
    ends_soon: bool = False
    """The contract does."""
    signed: bool = False
    """The challenge was, and is waited for."""
    receipt: Any = None
    """A response in the loop that wants its meter signed."""
    parting: Any = None
    """Its status, by which we leave when that is done."""
    energy: Energy | None = None
    mode: str = ""
    """Kind of energy transfer that is requested."""
    charge_service: int = 1
    to_ask: list[int] = field(default_factory=list)
    """Services beside charging whose details are still to be asked for."""
    detail_of: int = 0
    added: list[tuple[int, int]] = field(default_factory=list)
    """(service, parameter set) that are taken."""
    evse: EvseLimits = field(default_factory=EvseLimits)
    nominal_V: float = 230.0
    """AC."""
    schedule_id: int = 1
    profile: tuple[Slot, ...] = ()
    planned_at: float = 0.0
    """When the schedules came (mono): their times count from there."""
    drawing: bool = False
    close_told: bool = False
    rescheduling: bool = False
    loops: int = 0
    ending: Literal["Terminate", "Pause"] = "Terminate"
    """ChargingSession of the SessionStop to come."""
    looped_at: float = 0.0
    """When the last request of the loop was made (mono)."""

    @property
    def dc(self) -> bool:
        return self.energy is Energy.DC

    @property
    def phases(self) -> int:
        """AC: so many are used: one phase of three, where a charger has no other way for a vehicle of one."""
        return min(3 if "three_phase" in self.mode else 1, self.wants.phases)


class Heard(NamedTuple):
    """What a response came to."""

    said: Said
    told: tuple[Told, ...] = ()
    wait_s: float = 0.0
    why: str = ""
    """In words, for FAILED and OVER."""
    over: Ending | None = None


def failed(why: str, *told: Told) -> Heard:
    """The session ends here, without a word to the charger."""
    return Heard(Said.FAILED, told, why=why)


def again(talk: Talk, *told: Told) -> Heard:
    """The same question once more, a little later."""
    return Heard(Said.AGAIN, told, talk.wants.poll_s)


def round_due_s(talk: Talk, now: Now) -> float:
    """So long until the next round of the loop."""
    return max(0.0, talk.wants.loop_s - (now.mono - talk.looped_at))


def leaving(talk: Talk, *told: Told, off: bool) -> Heard | None:
    """Where the vehicle wants to go. A pause waits until there was power, and for a protocol that has one."""
    wish = talk.wants.wish
    if wish is EvWish.STOP or (talk.drawing and talk.spelling.pausing and wish is EvWish.PAUSE):
        talk.ending = "Pause" if wish is EvWish.PAUSE else "Terminate"
        return leave(talk, wish.value, WishTaken(wish), *told, off=off)
    return None


def leave(talk: Talk, why: str, *told: Told, off: bool) -> Heard:
    """No energy any more, and then the session's end (`Talk.ending`). `off`: PowerDelivery says so, but for vehicles that say SessionStop alone as long as
    they have not drawn anything.
    """
    stop = (StopDrawing(why),) if talk.drawing else ()
    bare = talk.wants.bare_stop and not talk.drawing and talk.loops == 0
    talk.drawing = False
    return Heard(Said.OFF if off and not bare else Said.END, (*stop, *told), why=why)
